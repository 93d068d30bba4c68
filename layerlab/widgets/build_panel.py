"""The live build panel: step k of n, seconds, cache hits, cancel, and the log on demand.

Given two callables, never an engine. The build runs in a thread of its own, so that the clock ticks
and an interrupt is heard while a RUN line is silent for minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from layerlab import units
from layerlab.errors import BuildCancelled, LayerLabError
from layerlab.widgets.build_progress import BuildProgress

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.events import Event

# Five redraws a second: each is a message to the browser, and none carries more than a line.
_REDRAW_SECONDS = 0.2
_CANCEL_HINT = "End this build. Interrupting the kernel (the square in the toolbar) does the same."


class BuildPanel:
    """Runs a build and shows where it stands.

    Parameters
    ----------
    start
        Runs the build to its end, handing each event to the callable it is given: `build.Build.run`.
    cancel
        Ends the build from any thread: `build.Build.cancel`.
    title
        What is built, in words: the tag.

    Attributes
    ----------
    model
        A `BuildProgress`: all there is to know, without a browser.
    result
        The BuildResult, or None while there is none.
    """

    def __init__(
        self,
        start: Callable[[Callable[[Event], None]], BuildResult],
        cancel: Callable[[], None],
        *,
        title: str = "The build",
    ) -> None:
        self.model = BuildProgress(title)
        self.view = BuildView(self.model, self._on_cancel)
        self.result: BuildResult | None = None
        self._build = start
        self._cancel = cancel
        self._over = threading.Event()
        self._settled = threading.Event()
        self._fault: BaseException | None = None
        self._lost: list[BaseException] = []
        self._driver: threading.Thread | None = None
        self._began = 0.0
        self._shown: Any = None

    # --- verbs ---------------------------------------------------------------------------------

    def run(self) -> BuildResult:
        """Show the panel, build, and return the result.

        Raises
        ------
        BuildCancelled
            After the cancel button, or after an interrupt of the kernel; the build has ended by then.
        BuildFailed, EngineGone, DiskFull, NotRecorded
            As the build raised them.
        """
        self._begin()
        return self._to_the_end(self._drive)

    def start(self) -> None:
        """Show the panel, begin to build, and return at once; `wait` for the result."""
        self._begin()
        self._driver = threading.Thread(target=self._drive_quietly, name="layerlab-build-panel", daemon=True)
        self._driver.start()

    def wait(self, timeout: float | None = None) -> BuildResult:
        """Wait for a build that `start` began, and return its result.

        Parameters
        ----------
        timeout
            Seconds; the build goes on when they are over.

        Raises
        ------
        TimeoutError
            When ``timeout`` seconds are over. Else as `run`.
        """
        if self.model.state == "waiting":
            raise LayerLabError(f"{self.model.title} has not been started. Call start() or run() first.")
        return self._to_the_end(lambda: self._await(timeout))

    def cancel(self) -> None:
        """Ask the build to end; `run` or `wait` then raises BuildCancelled. Harmless once it is over."""
        if not self._over.is_set():
            self._cancel()

    @property
    def log_text(self) -> str:
        """The last lines that the build printed."""
        return self.model.log_text

    def __repr__(self) -> str:
        model = self.model
        # "Built layerlab/… in 12.3 s" names what was built; every other state has to be told of what it is.
        return model.summary if model.state == "done" else f"{model.title}: {model.status}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # The text is what a saved notebook shows until it is trusted, and all that GitHub shows.
        return {**self.view.box._repr_mimebundle_(), "text/plain": repr(self)}

    # --- the way of a build --------------------------------------------------------------------

    def _begin(self) -> None:
        if self.model.state != "waiting":
            raise LayerLabError(f"{self.model.title} was started before. Make a new panel to build it again.")
        self._began = time.monotonic()
        self.model.state = "running"
        self._shown = _show(self)
        threading.Thread(target=self._work, name="layerlab-build", daemon=True).start()

    def _work(self) -> None:
        try:
            self.result = self._build(self.model.receive)
        except BaseException as fault:
            self._fault = fault
        finally:
            self._over.set()

    def _drive(self) -> None:
        """Redraw until the build is over, then settle."""
        while not self._over.wait(_REDRAW_SECONDS):
            self.model.refresh(self._elapsed())
        self._settle()

    def _drive_quietly(self) -> None:
        try:
            self._drive()
        except BaseException as fault:
            # Nobody reads the traceback of a thread: `wait` raises it.
            self._lost.append(fault)
            self._on_cancel()
            self._over.wait()
            self._settled.set()

    def _settle(self) -> None:
        outcome = self._fault if self._fault is not None else self.result
        assert outcome is not None
        self.model.finish(outcome, elapsed=self._elapsed())
        if self._shown is not None:
            self._shown.update(self)
        self._settled.set()

    def _await(self, timeout: float | None) -> None:
        if not self._settled.wait(timeout):
            raise TimeoutError(f"{self.model.title} is not built after {timeout:g} s. It goes on; wait again.")

    def _to_the_end(self, drive: Callable[[], None]) -> BuildResult:
        try:
            drive()
        except TimeoutError:
            raise
        except KeyboardInterrupt:
            self._end_now()
            raise BuildCancelled(self._interrupted()) from None
        except BaseException:
            self._end_now()
            raise
        return self._outcome()

    def _end_now(self) -> None:
        """Cancel and wait for the end; a second interrupt stops the waiting, not the cancelling."""
        self.cancel()
        self._over.wait()
        if self._driver is None:
            self._settle()
        else:
            self._settled.wait()

    def _interrupted(self) -> str:
        if self.result is not None:
            return (
                f"The kernel was interrupted just as the build of {self.model.title} ended; the image is there. "
                "Run the cell again: its steps come from the cache."
            )
        return (
            f"The kernel was interrupted, so the build of {self.model.title} was cancelled. "
            "Run the cell again to build it."
        )

    def _outcome(self) -> BuildResult:
        if self._fault is not None:
            for lost in self._lost:
                self._fault.add_note(f"Besides, the panel failed: {lost}")
            raise self._fault
        if self._lost:
            raise self._lost[0]
        assert self.result is not None
        return self.result

    def _on_cancel(self) -> None:
        # ipywidgets prints what a callback raises to a log that nobody has open.
        try:
            self.cancel()
        except Exception as fault:
            self._lost.append(fault)
            self.model.error = f"Cancelling failed: {fault}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


class BuildView:
    """The widgets of the panel. They only show the model; the one thing they do is to ask for a cancel."""

    def __init__(self, model: BuildProgress, on_cancel: Callable[[], None]) -> None:
        self._model = model
        self.status = ipywidgets.HTML()
        self.clock = ipywidgets.HTML()
        self.bar = ipywidgets.IntProgress(min=0, max=1, layout={"width": "100%"})
        self.cancel = ipywidgets.Button(description="Cancel build", tooltip=_CANCEL_HINT, disabled=True)
        self.log_switch = ipywidgets.ToggleButton(description="Show log", value=False)
        self.log = ipywidgets.HTML(layout={"display": "none"})
        buttons = ipywidgets.HBox([self.cancel, self.log_switch, self.clock])
        self.box = ipywidgets.VBox([self.status, self.bar, buttons, self.log])
        self.cancel.on_click(lambda _: on_cancel())
        self.log_switch.observe(self._toggle_log, "value")
        model.observe(self._draw)
        self._draw()

    def _draw(self, change: object = None) -> None:
        model = self._model
        self.status.value = _status_html(model)
        self.clock.value = f'<span role="timer">{units.duration(model.elapsed)}</span>'
        # An empty bar of length 0 shows as a full one.
        self.bar.max = max(1, model.total)
        self.bar.value = self.bar.max if model.state == "done" else model.finished
        self.bar.bar_style = {"done": "success", "failed": "danger", "cancelled": "warning"}.get(model.state, "info")
        self.cancel.disabled = model.state != "running"
        for widget in (self.cancel, self.log_switch):
            _hear_while_busy(widget)
        if self.log_switch.value:
            self._draw_log()

    def _toggle_log(self, change: object) -> None:
        is_open = self.log_switch.value
        self.log_switch.description = "Hide log" if is_open else "Show log"
        self.log.layout.display = "block" if is_open else "none"
        if is_open:
            self._draw_log()

    def _draw_log(self) -> None:
        text = escape(self._model.log_text) or "Nothing printed yet."
        # Laid out from the bottom, so that the newest line stays in sight when the text is replaced.
        self.log.value = (
            '<div tabindex="0" role="log" aria-label="Build log" style="display:flex;flex-direction:column-reverse;'
            'max-height:18em;overflow:auto;border:1px solid var(--jp-border-color1,#bbb);padding:0 .5em">'
            f'<pre style="margin:0;line-height:1.35;flex:none;overflow:visible">{text}</pre></div>'
        )


def _status_html(model: BuildProgress) -> str:
    problem = f"<br>{escape(model.error)}" if model.error and not model.is_over else ""
    return (
        f'<div role="status" style="line-height:1.5"><strong>{escape(model.title)}: {model.state}.</strong> '
        f"{escape(model.status)}{problem}</div>"
    )


def _hear_while_busy(widget: ipywidgets.Widget) -> None:
    """Let a click reach the kernel while a cell runs.

    Notes
    -----
    JupyterLab ≥ 4.4 sends clicks to a subshell, a second thread of the kernel. ipykernel 7.4 hands them
    on to whichever shell spoke last through the same comm, and that is the busy one: so make it forget.
    With an ipykernel that has no subshells a click waits for the cell; interrupting works everywhere.
    """
    if widget.comm is not None:
        vars(widget.comm).pop("_reply_subshell_id", None)


def _show(panel: BuildPanel) -> Any:
    """Display the panel where there is a notebook; return the handle that updates its saved text."""
    from IPython import get_ipython
    from IPython.display import display

    return display(panel, display_id=True) if get_ipython() is not None else None  # type: ignore[no-untyped-call]
