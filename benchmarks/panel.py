"""The exercise panel: shown in a kernel, the verdict without a build after an edit, and a cancel on a live engine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab.errors import BuildCancelled, SetupError
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import BLANK

SHOWN, EDITS, CANCELS = 7, 40, 5
SHOWN_SECONDS, STATIC_SECONDS, CANCEL_SECONDS = 0.5, 0.05, 2.0
NAME, QUESTION = "03_multistage", "q3-blanks-file"
ENDLESS = "WORKDIR /app\nRUN sleep 300; echo {number}"
_PATIENCE_SECONDS = 120.0


def measure() -> Iterator[Figure]:
    """Measure on exercise 03, whose file has two stages.

    Raises
    ------
    NoEngine, BaseUnavailable
        Cancelling is measured on a live engine.
    """
    with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as folder:
        shown = [_shown(Path(folder) / f"shown-{number}") for number in range(SHOWN)]
        what = "exercise panel made and drawn, its widgets loaded"
        yield of_runs("panel-shown", what, shown[1:], target=SHOWN_SECONDS, note=machine.load())
        edits = _edits(Path(folder) / "edits")
        what = "verdict without a build, after a change of the text"
        yield of_runs("panel-static", what, edits, target=STATIC_SECONDS, note=machine.load())
        cancels = [_cancel(Path(folder) / f"cancel-{number}", number) for number in range(CANCELS)]
        what = "from Cancel in a RUN that sleeps to a panel that is free"
        yield of_runs("panel-cancel", what, cancels, target=CANCEL_SECONDS, note=machine.load())


def _opened(work: Path) -> Exercise:
    from layerlab import exercises
    from layerlab.lab.lab import open_lab

    return exercises.open(NAME, open_lab(NAME), work=work)


def _shown(work: Path) -> float:
    exercise = _opened(work)
    began = time.perf_counter()
    bundle = exercise.question(QUESTION)._repr_mimebundle_()
    seconds = time.perf_counter() - began
    if "application/vnd.jupyter.widget-view+json" not in bundle:
        raise SetupError("The panel was shown without its widgets. Run this where ipywidgets is installed.")
    return seconds


def _edits(work: Path) -> list[float]:
    panel = _opened(work).question(QUESTION)
    panel._repr_mimebundle_()
    timed = []
    for number in range(EDITS):
        began = time.perf_counter()
        panel.value = f"{panel.file.starter}# edit {number}\n"
        timed.append(time.perf_counter() - began)
        if not panel.as_written:
            raise SetupError("The panel said nothing about an edit. Mend that first.")
    return timed


def _cancel(work: Path, number: int) -> float:
    panel = _opened(work).question(QUESTION)
    # Without blanks, or it is refused before anything is built.
    whole = panel.file.starter.replace(BLANK, "/opt/venv /opt/venv")
    panel.answer = whole.replace("WORKDIR /app", ENDLESS.format(number=number), 1)
    panel.build()
    _until_asleep(panel)
    began = time.perf_counter()
    panel.cancel()
    try:
        panel.wait(_PATIENCE_SECONDS)
    except BuildCancelled:
        return time.perf_counter() - began
    raise SetupError("A cancelled build gave a verdict. Mend that first.")


def _until_asleep(panel: object) -> None:
    end = time.perf_counter() + _PATIENCE_SECONDS
    while time.perf_counter() < end:
        progress = getattr(panel, "progress", None)
        if progress is not None and "sleep" in progress.status:
            return
        time.sleep(0.05)
    raise SetupError("The build did not come to its RUN line. Is the slim base there?")
