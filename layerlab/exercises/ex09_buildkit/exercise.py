"""Exercise 09: what an edit runs again, and what a second installation fetches again; both are measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex09_buildkit import checks, mistakes
from layerlab.exercises.ex09_buildkit.trial import Measured, OnceTrial
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial


def _given(name: str, *, counts: str) -> FileTask:
    return FileTask(
        file=name,
        app="exercise09/ferries",
        starter=name,
        parts=frozenset({"editor", "diff", "attempts"}),
        paths=("/health", "/after/2026-03-01T08:00"),
        builder="buildkit",
        counts=counts,
    )


class Remembering(Exercise):
    """Order what rarely changes first; lend the installer a cache that outlives the build."""

    texts = Texts.beside(__file__)
    tasks = {"q1-waits": ("q1-waits-file",), "q2-fetches": ("q2-fetches-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        "q1-waits-file": _given("Dockerfile.waits", counts="rebuild"),
        "q2-fetches-file": _given("Dockerfile.fetches", counts="second install"),
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._measured: Measured = {}

    def _trial(self, id: str, text: str) -> Trial:
        return OnceTrial(
            self.bench, self.files[id], text, tag=self._tag(id), measured=self._measured, remembered=self._remembered
        )

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people try when they know the word, and not yet what it does."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Fixes that are as good as the solution's."""
        return mistakes.neighbours(self.starters)


EXERCISE = Remembering
