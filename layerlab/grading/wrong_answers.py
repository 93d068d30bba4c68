"""Asks an exercise what it says to its documented wrong answers, in a kernel as a notebook of a learner would.

Knows how to ask. Whether the verdict is the documented one is for `verify` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
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
verdicts, wanted = [], {checks!r}
for wrong in exercise.wrong_answers:
    if wanted is not None:
        if wrong.failing not in wanted:
            continue
        wanted.remove(wrong.failing)
    shown = exercise.verdicts(wrong.task, wrong.answers).shown
    verdict = shown.status + " " + shown.name if shown else "PASS"
    verdicts.append(dict(task=wrong.task, name=wrong.name, failing=wrong.failing, verdict=verdict))
""".strip()
# A neighbour may be right or wrong; that it gets a verdict at all is what makes it worth recording.
_ASK_NEIGHBOURS = """
undecided = []
for id, texts in exercise.neighbours.items():
    task = next(task for task, ids in exercise.tasks.items() if id in ids)
    for number, text in enumerate(texts, 1):
        shown = exercise.verdicts(task, {id: text}).shown
        undecided += [f"{id} {number}: {shown.why}"] if shown and shown.status == "SKIP" else []
neighbours = {"tried": sum(map(len, exercise.neighbours.values())), "undecided": undecided}
""".strip()
_TELL = """
import json
print(json.dumps({"tasks": list(exercise.tasks), "answers": verdicts, "neighbours": neighbours}))
""".strip()


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
    neighbours: Neighbours


@dataclass(frozen=True)
class Neighbours:
    """How many texts beside the solution were tried, and which of them this engine could not decide."""

    tried: int = 0
    undecided: tuple[str, ...] = ()


def judged(
    name: str,
    *,
    folder: Path,
    engine: str | None = None,
    cell_seconds: float = CELL_SECONDS,
    with_neighbours: bool = False,
    checks: Iterable[str] | None = None,
) -> Told:
    """Let an exercise judge its own wrong answers.

    Parameters
    ----------
    name
        Name of the exercise, such as ``01_naive``.
    folder
        Where the kernel starts: a folder of the checkout.
    with_neighbours
        Also try the texts that differ from the solution by one edit.
    checks
        Judge only one wrong answer for each of these checks, the first: each may take a build. None judges all.

    Raises
    ------
    ReleaseError
        The exercise cannot be opened, or fails while it judges.
    """
    *_, last = runs = execute(
        _notebook(name, with_neighbours=with_neighbours, checks=checks),
        folder=folder,
        engine=engine,
        cell_seconds=cell_seconds,
    )
    error = next((run.error for run in runs if run.error), None)
    if error:
        raise ReleaseError(
            f"Exercise {name} cannot judge its wrong answers ({error}). Open it in a notebook to see where it fails."
        )
    told = json.loads(last.text.splitlines()[-1])
    neighbours = Neighbours(told["neighbours"]["tried"], tuple(told["neighbours"]["undecided"]))
    return Told(tuple(told["tasks"]), tuple(_judged(told["answers"])), neighbours)


def _judged(answers: list[dict[str, str]]) -> Iterator[Judged]:
    return (Judged(**answer) for answer in answers)


def _notebook(name: str, *, with_neighbours: bool, checks: Iterable[str] | None) -> NotebookNode:
    # What the lab prints while it opens or builds stays in the first cells; the last one prints only the answer.
    ask = _ASK.format(checks=None if checks is None else sorted(checks))
    around = _ASK_NEIGHBOURS if with_neighbours else 'neighbours = {"tried": 0, "undecided": []}'
    sources = {"open": _OPEN.format(name=name), "ask": ask, "ask-neighbours": around, "tell": _TELL}
    made: NotebookNode = v4.new_notebook()  # type: ignore[no-untyped-call]
    for cell_id, source in sources.items():
        cell = v4.new_code_cell(source, id=cell_id)  # type: ignore[no-untyped-call]
        cell.metadata = cells.node({"layerlab": {"role": "given"}})
        made.cells.append(cell)
    return made
