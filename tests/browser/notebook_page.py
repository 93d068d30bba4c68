"""One notebook open in JupyterLab, as tests see it: cells by their id, buttons and choices by their label.

Waits for conditions, never for a time; knows JupyterLab's page, and nothing of the course.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Request, TimeoutError, expect

# How long something may take before it counts as stuck; on a live engine one cell may build for minutes.
PAGE_MS = 45_000
RUN_MS = 400_000
LOADS = 3
RAN = re.compile(r"\[\d+\]:")

_ALL_RAN = """([cells, before]) => {
  const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].map(e => e.textContent);
  if (prompts.some(text => text.includes('*')) || prompts.length < cells) return false;
  const failed = document.querySelector('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]');
  return failed !== null || prompts.every((text, i) => /\\d/.test(text) && text !== before[i]);
}"""
# Starts to take note of what the page has told the kernel and the kernel has not answered, once both are connected.
_CONNECTED = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  const kernel = context?.session?.kernel;
  if (!context?.isReady || kernel?.connectionStatus !== 'connected' || kernel.status !== 'idle') return false;
  if (window.heard !== kernel) {
    window.heard = kernel;
    window.unanswered = new Set();
    kernel.anyMessage.connect((_, {msg, direction}) => {
      if (direction === 'send' && msg.channel === 'shell') window.unanswered.add(msg.header.msg_id);
      const idle = msg.header.msg_type === 'status' && msg.content.execution_state === 'idle';
      if (idle) window.unanswered.delete(msg.parent_header.msg_id);
    });
  }
  return true;
}"""
# Twice in a row: a widget holds back a second message until the first has been answered.
_SETTLED = "() => (window.quiet = window.unanswered.size ? 0 : (window.quiet ?? 0) + 1) > 2"
# Of what an output shows, the elements that end to the right of the output itself and are not in a box that scrolls.
_TOO_WIDE = """output => {
  const edge = output.getBoundingClientRect().right + 1;
  const scrolls = e => e !== output && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX);
  const boxed = e => { for (let p = e.parentElement; p && p !== output; p = p.parentElement)
                         if (scrolls(p)) return true; return false; };
  return [output, ...output.querySelectorAll('*')]
    .filter(e => e.getBoundingClientRect().right > edge && !boxed(e))
    .map(e => `${e.tagName.toLowerCase()}.${e.getAttribute('class')} ends at ${e.getBoundingClientRect().right}, `
              + `the output at ${edge}`);
}"""


class NotebookPage:
    """A notebook in a browser's page.

    Parameters
    ----------
    notebook
        The file as it lies in the server's folder: it says which cells there are.
    address
        Where JupyterLab opens it, token included.
    shots
        The folder of screenshots.

    Attributes
    ----------
    ids, code_ids
        The ids of all cells, and of the code cells, from top to bottom.
    asked_of
        The servers that the page has sent requests to, as host and port.
    """

    def __init__(self, page: Page, notebook: Path, *, address: str, shots: Path) -> None:
        self.page = page
        self.name = notebook.stem
        self.asked_of: set[str] = set()
        self._address = address
        self._shots = shots
        cells = nbformat.read(notebook, as_version=4).cells
        self.ids = [cell["id"] for cell in cells]
        self.code_ids = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        page.on("request", self._note)

    # --- the notebook --------------------------------------------------------------------------

    def open(self) -> None:
        """Load the page, and wait until every cell is there and the kernel is idle.

        On a busy machine JupyterLab now and then never hears a kernel's first answer; a learner loads the page
        again, and so does this.
        """
        for load in range(1, LOADS + 1):
            try:
                self._load()
                break
            except TimeoutError:
                if load == LOADS:
                    raise

    def _load(self) -> None:
        self.page.goto(self._address)
        # JupyterLab's body has no height, so axe-core would take every text for cut off, and its colours for unseen.
        self.page.add_style_tag(content="html, body { height: 100%; }")
        expect(self.page.locator(".jp-Notebook > * .jp-Cell")).to_have_count(len(self.ids), timeout=PAGE_MS)
        self.page.wait_for_function(_CONNECTED, timeout=PAGE_MS)

    def theme(self, name: str) -> None:
        """Change to one of JupyterLab's themes, and wait until its colours are there."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            name,
        )
        is_light = str("Light" in name).lower()
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{is_light}'", timeout=PAGE_MS)

    def settle(self) -> None:
        """Wait until the kernel has answered everything that the page has told it.

        A button's click is sent at once, a choice only when the kernel has taken note of the one before: whoever
        chooses and clicks faster than a busy kernel answers would click on the older choice.
        """
        self.page.evaluate("() => { window.quiet = 0; }")
        self.page.wait_for_function(_SETTLED, timeout=RUN_MS)

    def run_all(self) -> None:
        """Run every cell through the menu, and wait for the last one, or for the first error."""
        prompts = self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt")
        before = prompts.all_text_contents()
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(_ALL_RAN, arg=[len(self.code_ids), before], timeout=RUN_MS)

    def run(self, *cells: str) -> None:
        """Run cells one after the other, each selected and started by keyboard, and wait for each."""
        for id in cells:
            self.select(id)
            self.run_selected(id)

    def run_selected(self, id: str) -> None:
        """Run the cell that is selected, which is this one, by keyboard, and wait for it."""
        prompt = self.cell(id).locator(".jp-InputPrompt")
        before = prompt.text_content() or ""
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before, timeout=PAGE_MS)
        expect(prompt).to_have_text(RAN, timeout=RUN_MS)

    def reload(self) -> None:
        """Load the page again, unsaved changes or not, as a browser that was closed would."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.open()

    def restart_kernel(self) -> None:
        """Restart the kernel and run nothing, as from the menu."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.page.wait_for_function(_CONNECTED, timeout=PAGE_MS)

    def save(self) -> None:
        """Write the notebook to its file."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def select(self, id: str) -> Locator:
        """Select a cell, in command mode, by its prompt."""
        cell = self.cell(id)
        cell.scroll_into_view_if_needed()
        cell.locator(".jp-InputPrompt").click()
        return cell

    def cell(self, id: str) -> Locator:
        """The cell of that id."""
        return self.page.locator(f'.jp-Cell[data-windowed-list-index="{self.ids.index(id)}"]')

    def output(self, id: str) -> Locator:
        """Everything that a cell has put out."""
        return self.cell(id).locator(".jp-Cell-outputArea")

    def _note(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"}:  # not what the page holds itself: data:, blob:
            self.asked_of.add(address.netloc)

    # --- what is in an output ------------------------------------------------------------------

    def press(self, id: str, button: str) -> None:
        """Click a button of a cell's output."""
        self.settle()
        self.output(id).get_by_role("button", name=button, exact=True).click()

    def choose(self, id: str, option: str) -> None:
        """Choose a radio button of a cell's output."""
        self.output(id).get_by_label(option, exact=True).check()

    def fill(self, id: str, label: str, text: str) -> None:
        """Write into a field of a cell's output, and leave it."""
        field = self.output(id).get_by_label(label, exact=True)
        field.fill(text)
        field.blur()

    def status(self, id: str) -> Locator:
        """The texts of a cell's output that a screen reader announces."""
        return self.output(id).get_by_role("status")

    def errors(self) -> list[str]:
        """The tracebacks on the page."""
        shown = self.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
        return shown.all_inner_texts()

    def violations(self, id: str) -> list[str]:
        """Name what axe-core finds wrong in a cell's output: rule, element, and how it may be fixed.

        JupyterLab's own prompts and handles beside an output are left out: they are not the course's.
        """
        self.output(id).scroll_into_view_if_needed()
        mine = f'.jp-Cell[data-windowed-list-index="{self.ids.index(id)}"] .jp-OutputArea-output'
        result = Axe().run(self.page, context={"include": [mine]}).response
        assert result["passes"], f"axe-core has looked at nothing in {id}"
        return [
            f"{violation['id']}: {node['html'][:200]}\n{node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    def too_wide(self, id: str) -> list[str]:
        """Say what of a cell's output ends to the right of it, and cannot be scrolled to."""
        output = self.output(id)
        output.scroll_into_view_if_needed()
        found: list[str] = output.evaluate(_TOO_WIDE)
        return found

    # --- keyboard and pictures -----------------------------------------------------------------

    def type(self, *keys: str) -> None:
        """Press keys one after the other, on whatever has the focus, and wait for the kernel to follow."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def go_to(self, id: str) -> None:
        """Select a cell with the arrow keys, from whichever is selected."""
        self.page.keyboard.press("Escape")
        wanted = self.cell(id)
        for _ in self.ids:
            at = self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index")
            steps = self.ids.index(id) - int(at or 0)
            if not steps:
                break
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        expect(wanted).to_have_class(re.compile("jp-mod-active"))

    def tab_to(self, label: str, *, most: int = 12) -> None:
        """Press Tab until the control of that label has the focus; fails after ``most`` times."""
        passed = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if (now := self.focused()) == label:
                return
            passed.append(now[:40])
        raise AssertionError(f"Tab does not reach {label!r}; it went over {passed}.")

    def focused(self) -> str:
        """What has the focus: its label, or its text."""
        found: str = self.page.evaluate(
            "() => { const e = document.activeElement;"
            " return (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent).trim(); }"
        )
        return found

    def screenshot(self, id: str, name: str = "") -> Path:
        """Write a cell to ``<shots>/<notebook>-<cell>[-name].png``."""
        path = self._shots / ("-".join(filter(None, (self.name, id, name))) + ".png")
        cell = self.cell(id)
        cell.scroll_into_view_if_needed()
        cell.screenshot(path=path)
        return path
