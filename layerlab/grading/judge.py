"""Judges answers at the workbench, in a folder for answers of its own: above all the mistakes that are documented.

Knows how to ask. What a verdict should have been is for `verify` to say.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from layerlab import exercises
from layerlab.checks import Verdicts
from layerlab.errors import EngineError, ReleaseError
from layerlab.exercises import Exercise, Mistake
from layerlab.grading.kernels import answers_elsewhere
from layerlab.lab.lab import open_lab


@dataclass(frozen=True)
class Judged:
    """A documented mistake, and the verdicts on it."""

    mistake: Mistake
    verdicts: Verdicts

    @property
    def verdict(self) -> str:
        """What a learner is shown first: status and name of a check, or PASS."""
        shown = self.verdicts.shown
        return f"{shown.status} {shown.name}" if shown else "PASS"


@dataclass(frozen=True)
class Neighbours:
    """How many texts beside the solution were tried, and which of them this engine could not decide."""

    tried: int = 0
    undecided: tuple[str, ...] = ()


@contextmanager
def opened(name: str, *, engine: str | None = None, root: Path | None = None) -> Iterator[Exercise]:
    """Open an exercise at a workbench of its own; its answers go with the block.

    Parameters
    ----------
    engine
        What `layerlab.open_lab` is to prefer; what the environment names where None.
    root
        The checkout; the one that the current folder lies in where None.

    Raises
    ------
    ReleaseError
        It cannot be opened, or fails within the block, with the place in its folder.
    EngineError
        No engine answers, or not the one that was named.
    """
    with answers_elsewhere() as work:
        try:
            lab = open_lab(name, engine=engine, root=root, work=work)
            try:
                yield exercises.open(name, lab)
            finally:
                lab.engine.close()
        except EngineError:
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {error}".rstrip(".")
            raise ReleaseError(f"Exercise {name} cannot judge its mistakes. {told}{_place(error, name)}.") from error


def _place(error: Exception, name: str) -> str:
    """Where in the exercise's own folder an error came up, in words; empty where it did not."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent.name == f"ex{name}"]
    return f", in {Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""


def mistakes(exercise: Exercise, *, checks: Iterable[str] | None = None) -> Iterator[Judged]:
    """Judge the documented mistakes of an exercise, each as soon as it is asked for.

    Parameters
    ----------
    checks
        Judge only the first mistake that fails each of these checks, since each may take a build. None judges all.
    """
    wanted = None if checks is None else set(checks)
    for mistake in exercise.mistakes:
        if wanted is not None:
            if mistake.failing not in wanted:
                continue
            wanted.remove(mistake.failing)
        with redirect_stdout(io.StringIO()):  # a build says how to repeat it, which nobody here wants to
            verdicts = exercise.verdicts(mistake.task, mistake.answers)
        yield Judged(mistake, verdicts)


def neighbours(exercise: Exercise) -> Neighbours:
    """Try what differs from a solution by one edit, a build each: right or wrong, it is to get a verdict."""
    tried, undecided = 0, list[str]()
    for id, texts in exercise.neighbours.items():
        task = next(task for task, ids in exercise.tasks.items() if id in ids)
        undecided += _undecided(exercise, task, id, texts)
        tried += len(texts)
    return Neighbours(tried, tuple(undecided))


def _undecided(exercise: Exercise, task: str, id: str, texts: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        with redirect_stdout(io.StringIO()):
            shown = exercise.verdicts(task, {id: text}).shown
        if shown and shown.status == "SKIP":
            yield f"{id} {number}: {shown.why}"
