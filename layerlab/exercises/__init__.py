"""The exercises: what is asked, how it is judged, which wrong answers are known. Knows no engine."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from layerlab.exercises.kit.bench import Bench
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.trial import Trial
from layerlab.work.answers import own_folder

__all__ = [
    "NAMES",
    "Bench",
    "Exercise",
    "FileTask",
    "Mistake",
    "Trial",
    "kind",
    "open",
    "open_solution",
]

_HERE = Path(__file__).parent


def _names() -> tuple[str, ...]:
    """Name every folder ``exNN_name`` beside this file: the exercise of the notebook ``NN_name``."""
    return tuple(sorted(path.parent.name.removeprefix("ex") for path in _HERE.glob("ex[0-9][0-9]*_*/exercise.py")))


NAMES = _names()


def open(name: str, bench: Bench, *, work: Path | None = None) -> Exercise:
    """Open an exercise at a bench: what `layerlab.open_lab` returns.

    Parameters
    ----------
    work
        Folder of the learner's files; by default the bench's.

    Raises
    ------
    KeyError
        No exercise has that name.
    """
    return kind(name)(bench, work=work)


def open_solution(name: str, bench: Bench) -> Exercise:
    """Open an exercise in its solution notebook: in a folder of the kernel's own, which is empty and goes with it.

    Raises KeyError as `open` does.

    Notes
    -----
    That a notebook is a solution rests on this call alone. `layerlab release` puts `open` in its place, so the
    line cannot be left out or run too late; and neither the folder that the notebook lies in, nor the program that
    runs it, nor LAYERLAB_WORK, which names a learner's folder, makes a difference.
    """
    made = kind(name)(bench, work=own_folder())
    print("This is the solution. It works in a folder of its own: your files are neither read nor changed.")
    return made


def kind(name: str) -> type[Exercise]:
    """Return the class of an exercise: what it asks, without a bench. Raises KeyError as `open` does."""
    if name not in NAMES:
        raise KeyError(f"There is no exercise {name!r}. There are: {', '.join(NAMES)}.")
    found: type[Exercise] = import_module(f"{__name__}.ex{name}.exercise").EXERCISE
    return found
