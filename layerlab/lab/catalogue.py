"""What this edition of the course asks: predictions by notebook, tasks by exercise. Knows no answers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from layerlab import exercises
from layerlab.lab.matrix import NOTEBOOK
from layerlab.widgets.explorer import BUDGET, build_id

_BUILDS = {NOTEBOOK: tuple(build_id(number) for number in range(1, BUDGET + 1))}


@dataclass(frozen=True)
class Task:
    """One task of an exercise: its id, the heading above it, its questions, and the files that answer them."""

    id: str
    title: str
    questions: tuple[str, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """Notebook → ids of its predictions; exercise → its tasks. Both in the order of the course."""

    predictions: Mapping[str, tuple[str, ...]]
    tasks: Mapping[str, tuple[Task, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The notebooks and exercises; an exercise bears the name of its notebook."""
        return tuple(sorted({*self.predictions, *self.tasks}))


def catalogue(root: Path) -> Catalogue:
    """Read what the course in a checkout asks.

    Every prediction has an explanation in ``notebooks``, but for those that go before a build of the explorer's.
    """
    explained = tomllib.loads((root / "notebooks" / "explanations.toml").read_text(encoding="utf-8"))
    return Catalogue(
        predictions={name: (*ids, *_BUILDS.get(name, ())) for name, ids in explained.items()},
        tasks={name: _tasks(name) for name in exercises.NAMES},
    )


def _tasks(name: str) -> tuple[Task, ...]:
    kind = exercises.kind(name)
    return tuple(
        Task(
            task,
            kind.titles.get(task, task),
            tuple(questions),
            tuple(kind.files[id].file for id in questions if id in kind.files),
        )
        for task, questions in kind.tasks.items()
    )
