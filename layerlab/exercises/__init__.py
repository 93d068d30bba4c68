"""The exercises: what is asked, how it is judged, which wrong answers are known. Knows no engine."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from layerlab.exercises.bench import Bench
from layerlab.exercises.exercise import Exercise, Objective, WrongAnswer
from layerlab.exercises.file_task import FileTask
from layerlab.exercises.trial import Trial
from layerlab.work.answers import own_folder

__all__ = [
    "NAMES",
    "Bench",
    "Exercise",
    "FileTask",
    "Objective",
    "Trial",
    "WrongAnswer",
    "kind",
    "open",
    "open_solution",
]

# Name of the exercise (and of its notebook) → module that holds it.
_MODULES = {
    "01_naive": "layerlab.exercises.ex01_naive",
    "02_slim": "layerlab.exercises.ex02_slim",
    "03_multistage": "layerlab.exercises.ex03_multistage",
    "04_alpine_uv": "layerlab.exercises.ex04_alpine_uv",
    "05_layers": "layerlab.exercises.ex05_layers",
    "06_base_images": "layerlab.exercises.ex06_base_images",
    "07_model_files": "layerlab.exercises.ex07_model_files",
    "08_measuring": "layerlab.exercises.ex08_measuring",
    "09_buildkit": "layerlab.exercises.ex09_buildkit",
    "10_practice": "layerlab.exercises.ex10_practice",
    "11_with_ai": "layerlab.exercises.ex11_with_ai",
}
NAMES = tuple(_MODULES)


def open(name: str, bench: Bench, *, work: Path | None = None) -> Exercise:
    """Open an exercise at a bench: what `layerlab.open_lab` returns.

    Parameters
    ----------
    work
        Folder of learners' files; by default `layerlab.work.answers.work_folder`.

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
    if name not in _MODULES:
        raise KeyError(f"There is no exercise {name!r}. There are: {', '.join(NAMES)}.")
    found: type[Exercise] = import_module(_MODULES[name]).EXERCISE
    return found
