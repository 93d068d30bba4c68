"""What the panel says, as plain text: for readers without widgets, and for saved notebooks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerlab import units
from layerlab.checks import Sizes, Verdicts
from layerlab.errors import LayerLabError
from layerlab.widgets.questions import cut
from layerlab.work.attempts import COLUMNS, Tried
from layerlab.work.text_file import plain

if TYPE_CHECKING:
    from layerlab.widgets.dockerfile_panel.panel import DockerfilePanel

_SHOWN_ATTEMPTS = 10
# difflib takes quadratic time on lines that are much alike.
_MOST_LINES = 2000
# Of an instruction that goes on over several lines, so much is quoted, in characters and lines.
_MOST_QUOTED, _MOST_CONTINUED = 300, 20
# Digits that follow the word, as every check of ours names a line.
_LINE = re.compile(r"\b[Ll]ines? (\d{1,6})\b")


def text_twin(panel: DockerfilePanel) -> str:
    """Return everything the panel shows, the folded parts included: text cannot be unfolded."""
    written = f"As written: {panel.as_written}" if panel.as_written else ""
    parts = [panel.title, panel.question, panel.saved_state, panel.conflict, written]
    parts += [panel.status, *([str(panel.verdicts)] if panel.verdicts else []), *quoted_lines(panel)]
    parts += [f"{title}: {text}" for title, text in panel.hints]
    if "gauge" in panel.parts:
        parts.append(gauge_line(panel))
    if "diff" in panel.parts:
        parts += ["What you changed against the starter:", *difference(panel.file.starter, panel.value)]
    if "attempts" in panel.parts:
        parts += attempt_lines(panel)
    return "\n".join(part for part in parts if part)


def as_written(verdicts: Verdicts) -> str:
    """Return a static verdict as one line: the checks that fail, else those that pass so far."""
    if verdicts.status == "FAIL":
        return "; ".join(f"{check.told}" for check in verdicts.not_passed if check.status == "FAIL") + "."
    passed = ", ".join(check.name for check in verdicts if check.status == "PASS")
    return f"Passed so far: {passed}. Build & check says the rest." if passed else ""


def difference(starter: str, text: str) -> tuple[str, ...]:
    """Return what was changed, as lines that begin with ``+``, ``-`` or a blank; one sentence where nothing was."""
    old, new = plain(starter).splitlines(), plain(text).splitlines()
    if max(len(old), len(new)) > _MOST_LINES:
        return (f"More than {_MOST_LINES} lines: compare the files in another editor.",)
    lines = [line for line in difflib.unified_diff(old, new, n=2, lineterm="") if not line.startswith(("---", "+++"))]
    return tuple(_place(line) if line.startswith("@@") else line for line in lines) or ("Nothing changed yet.",)


def quoted_lines(panel: DockerfilePanel) -> tuple[str, ...]:
    """Return the lines of the judged text that the verdict names: a text field shows no line numbers."""
    verdicts = panel.verdicts
    if verdicts is None or panel.judged_text is None:
        return ()
    told = " ".join(f"{check.found} {check.why} {check.hint}" for check in verdicts.not_passed)
    numbers = {int(found) for found in _LINE.findall(told)}
    lines = plain(panel.judged_text).split("\n")
    return tuple(
        f"Line {n}: {cut(_continued(lines[n - 1 :]), _MOST_QUOTED)}" for n in sorted(numbers - {0}) if n <= len(lines)
    )


def _continued(lines: Sequence[str]) -> str:
    """Return the first line, and as one with it those that it goes on in."""
    parts = [lines[0]]
    while parts[-1].rstrip().endswith("\\") and len(parts) < min(len(lines), _MOST_CONTINUED):
        parts.append(lines[len(parts)].strip())
    return " ".join(part.rstrip().removesuffix("\\").rstrip() for part in parts)


def gauge_line(panel: DockerfilePanel) -> str:
    """Return base, need and luggage in words."""
    sizes = panel.sizes
    if sizes is None:
        return "Its size was not measured." if panel.verdicts else "Nothing measured yet."
    base, needed, luggage = (units.size(n) for n in (sizes.base_bytes, sizes.needed_bytes, sizes.luggage_bytes))
    base_word = "Base" if panel.is_verdict_on_this_text else "Of the earlier text: base"
    return f"{base_word} {base}, and on it needed {needed}, luggage {luggage}{_share(sizes)}."


def shown_attempts(panel: DockerfilePanel) -> tuple[Tried, ...]:
    """Return the newest attempts, newest first; none where their file cannot be read, which the status says."""
    try:
        return tuple(panel.attempts()[: -_SHOWN_ATTEMPTS - 1 : -1])
    except LayerLabError as error:
        panel.status = str(error)
        return ()


def attempt_lines(panel: DockerfilePanel) -> tuple[str, ...]:
    """Return the newest attempts as lines under a heading."""
    rows = shown_attempts(panel)
    if not rows:
        return ("No attempts yet.",)
    return ("Attempts, newest first: " + ", ".join(COLUMNS), *("  " + " · ".join(tried.cells) for tried in rows))


def _place(line: str) -> str:
    # "@@ -3,4 +3,6 @@": the place in the learner's own text is what can be looked up.
    start = line.split("+", 1)[1].split(" ", 1)[0].split(",")[0]
    return f"from line {start}:"


def _share(sizes: Sizes) -> str:
    if not sizes.needed_bytes:
        return ""
    times = sizes.luggage_bytes / sizes.needed_bytes
    return f" ({times:.0f} times what is needed)" if times >= 2 else f" ({100 * times:.0f} % of what is needed)"
