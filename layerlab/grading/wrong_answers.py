"""Asks an exercise what it says to each of its documented wrong answers, in a kernel as a notebook of a learner would.

Knows how to ask. Whether the verdict is the documented one is for `verify` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, v4

from layerlab.errors import ReleaseError
from layerlab.grading import cells
from layerlab.grading.kernels import CELL_SECONDS, execute

_OPEN = """
import layerlab
from layerlab import exercises

exercise = exercises.open({name!r}, layerlab.open_lab({name!r}))
""".strip()
_ASK = """
verdicts = []
for wrong in exercise.wrong_answers:
    shown = exercise.verdicts(wrong.task, wrong.answers).shown
    verdict = f"{shown.status} {shown.name}" if shown else "PASS"
    verdicts.append({"task": wrong.task, "name": wrong.name, "failing": wrong.failing, "verdict": verdict})
""".strip()
_TELL = 'import json\nprint(json.dumps({"tasks": list(exercise.tasks), "answers": verdicts}))'


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A documented wrong answer to a task, the check where it should fail, and the verdict that a learner is shown."""

    task: str
    name: str
    failing: str
    verdict: str


@dataclass(frozen=True)
class Told:
    """What an exercise said of itself: its tasks, and its wrong answers judged."""

    tasks: tuple[str, ...]
    answers: tuple[Judged, ...]


def judged(name: str, *, folder: Path, engine: str | None = None, cell_seconds: float = CELL_SECONDS) -> Told:
    """Let an exercise judge its own wrong answers.

    Parameters
    ----------
    name
        Name of the exercise, such as ``01_naive``.
    folder
        Where the kernel starts: a folder of the checkout.

    Raises
    ------
    ReleaseError
        The exercise cannot be opened, or fails while it judges.
    """
    *_, last = runs = execute(_notebook(name), folder=folder, engine=engine, cell_seconds=cell_seconds)
    error = next((run.error for run in runs if run.error), None)
    if error:
        raise ReleaseError(
            f"Exercise {name} cannot judge its wrong answers ({error}). Open it in a notebook to see where it fails."
        )
    told = json.loads(last.text.splitlines()[-1])
    return Told(tuple(told["tasks"]), tuple(_judged(told["answers"])))


def _judged(answers: list[dict[str, str]]) -> Iterator[Judged]:
    return (Judged(**answer) for answer in answers)


def _notebook(name: str) -> NotebookNode:
    # What the lab prints while it opens or builds stays in the first cells; the last one prints only the answer.
    sources = {"open": _OPEN.format(name=name), "ask": _ASK, "tell": _TELL}
    made: NotebookNode = v4.new_notebook()  # type: ignore[no-untyped-call]
    for cell_id, source in sources.items():
        cell = v4.new_code_cell(source, id=cell_id)  # type: ignore[no-untyped-call]
        cell.metadata = cells.node({"layerlab": {"role": "given"}})
        made.cells.append(cell)
    return made
