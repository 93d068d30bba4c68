"""What the exercise asks: one Dockerfile to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from layerlab.checks import Check
from layerlab.exercises.ex_skeleton import checks, mistakes
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial


class Skeleton(Exercise):
    """Say here, in a sentence, what somebody understands who solved it."""

    texts = Texts.beside(__file__)
    tasks = {"q1-lean": ("q1-lean-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        "q1-lean-file": FileTask(
            file="Dockerfile",
            app=Path(__file__).with_name("service"),
            starter="Dockerfile",
            paths=("/",),
        )
    }

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people get wrong."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """What differs from a solution by one edit: recorded, for whoever has no engine."""
        return mistakes.neighbours(self.starters)


EXERCISE = Skeleton
