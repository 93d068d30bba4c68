"""Exercise 05: three Dockerfiles with one fault each, fixed; then one that has all three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from layerlab.checks import Check
from layerlab.exercises.ex05_layers import checks, mistakes
from layerlab.exercises.ex05_layers.checks import ALL, GREEN, HEAVY, SLOW
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial

APP = "exercise05/tides"
# Where it is not the image's size that a right answer changes, or not its own file's.
_COUNTS: Mapping[str, str] = {HEAVY: "", SLOW: "rebuild", GREEN: "failures count", ALL: "luggage"}


def _given(task: str) -> FileTask:
    name = task.partition("-")[2]
    return FileTask(
        file=f"Dockerfile.{name}",
        app=APP,
        starter=f"Dockerfile.{name}",
        parts=frozenset({"editor", "diff", "gauge", "attempts"}),
        # Of the four, this one serves; it is also what the size limits are measured on.
        before="Dockerfile.heavy",
        paths=("/health", "/tides/2026-03-01"),
        counts=_COUNTS[task],
    )


class Layers(Exercise):
    """Take it out before the layer closes, put first what rarely changes, let a failure be one."""

    texts = Texts.beside(__file__)
    tasks = {task: (f"{task}-file",) for task in _COUNTS}  # noqa: RUF012
    files = {f"{task}-file": _given(task) for task in _COUNTS}  # noqa: RUF012

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people try when they have read the fault, and not yet what makes it one."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Fixes that are as good as the solution's, and what differs from it by one edit."""
        return mistakes.neighbours(self.starters)


EXERCISE = Layers
