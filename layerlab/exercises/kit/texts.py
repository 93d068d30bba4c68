"""The texts of one exercise, as its author writes them: ``texts.toml`` beside its ``exercise.py``.

One table for each task, in the order of the notebook, and ``hints``: check → up to three texts, the next one opened by
each new attempt ("task: check" stands before "check"). `docs/authoring.md` shows a whole file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from layerlab.errors import SetupError

MOST_HINTS = 3
_HINTS = "hints"


class Variant(NamedTuple):
    """A small question to answer without help, for whoever needed a task's last hint, and what it comes to."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class TaskTexts:
    """The texts of one task.

    Attributes
    ----------
    title
        The heading above it in the notebook, number included.
    objective
        What somebody can do who solved it: its row of the rubric.
    asks
        What is to be done with its Dockerfile, shown above the editor; `names in backticks` are shown as code.
    invitation
        How to answer it, where the usual invitation does not fit its question.
    variant
        What follows its last hint.
    """

    title: str
    objective: str
    asks: str = ""
    invitation: str = ""
    variant: Variant | None = None


@dataclass(frozen=True)
class Texts:
    """All texts of an exercise: by task, and the hints of each check, those that exercises share included."""

    exercise: str
    tasks: Mapping[str, TaskTexts]
    own_hints: Mapping[str, tuple[str, ...]]

    @classmethod
    def beside(cls, module_file: str) -> Texts:
        """Read ``texts.toml`` of the folder ``exNN_name`` that a module lies in.

        Raises
        ------
        SetupError
            The file is missing, or holds something else than texts; it says what and where.
        """
        folder = Path(module_file).parent
        path = folder / "texts.toml"
        body = _read(path)
        hints = _hints(body.pop(_HINTS, {}), path)
        return cls(
            folder.name.removeprefix("ex"), {task: _task(task, table, path) for task, table in body.items()}, hints
        )

    def require(self, tasks: tuple[str, ...]) -> None:
        """Raise SetupError unless there are texts for exactly these tasks."""
        missing = [f"there are none for the task {task}" for task in tasks if task not in self.tasks]
        strange = [f"no task is called {task!r}" for task in self.tasks if task not in tasks]
        if missing or strange:
            told = "; ".join([*missing, *strange])
            raise SetupError(f"texts.toml of exercise {self.exercise}: {told}. Its tasks are {', '.join(tasks)}.")

    @property
    def hints(self) -> dict[str, tuple[str, ...]]:
        """Check → its hints; its own take the place of those that exercises share."""
        return {**shared_hints(), **self.own_hints}

    @property
    def titles(self) -> dict[str, str]:
        """Task → its heading."""
        return {task: texts.title for task, texts in self.tasks.items()}


@cache
def shared_hints() -> Mapping[str, tuple[str, ...]]:
    """Return the hints of the checks that most Dockerfile tasks share; an exercise's own take their place."""
    path = Path(__file__).with_name("hints.toml")
    return _hints(_read(path), path)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read as the texts of an exercise: {error}.") from error


def _hints(table: Any, path: Path) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise SetupError(f"{path}: [hints] must be a table of checks.")
    for check, texts in table.items():
        is_texts = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        if not is_texts or not 1 <= len(texts) <= MOST_HINTS:
            raise SetupError(f"{path}: the hints of {check!r} must be a list of one to {MOST_HINTS} texts.")
    return {check: tuple(texts) for check, texts in table.items()}


def _task(task: str, table: Any, path: Path) -> TaskTexts:
    given = dict(table) if isinstance(table, dict) else {}
    known = {field.name for field in fields(TaskTexts)}
    missing, strange = sorted({"title", "objective"} - given.keys()), sorted(given.keys() - known)
    if missing or strange:
        told = [f"{task} has no {name}" for name in missing] + [f"{task} cannot have {name!r}" for name in strange]
        raise SetupError(f"{path}: {'; '.join(told)}. A task has {', '.join(sorted(known))}.")
    try:
        variant = Variant(**given.pop("variant")) if "variant" in given else None
    except TypeError as error:
        raise SetupError(f"{path}: the variant of {task} needs a question and an answer, and nothing else.") from error
    if not all(isinstance(text, str) for text in (*given.values(), *(variant or ()))):
        raise SetupError(f"{path}: the texts of {task} must be strings.")
    return TaskTexts(**given, variant=variant)
