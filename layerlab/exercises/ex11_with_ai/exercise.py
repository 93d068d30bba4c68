"""Exercise 11: three files and five faults in the order of their harm; then the worst file, fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex11_with_ai import checks, mistakes
from layerlab.exercises.ex11_with_ai.faults import APP, FAULTS, NAMES
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Order, Question


class WithAI(Exercise):
    """Rank by what happens if it is merged; a number of findings says nothing of that."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        "q1-files": ("q1-files",),
        "q2-faults": ("q2-faults",),
        "q3-repair": ("q3-repair-file",),
    }
    files = {  # noqa: RUF012
        "q3-repair-file": FileTask(
            file="Dockerfile.worst",
            app=APP,
            starter="Dockerfile.b",
            parts=frozenset({"editor", "diff", "attempts"}),
            before="Dockerfile.a",
            paths=("/health", "/spaces/main-square"),
            counts="same answers",
        )
    }

    def _make(self, id: str) -> Question:
        if id == "q1-files":
            return Order(id, "The most harmful file first, if it is merged as it is.", NAMES, answers=self.answers)
        asked = "The most harmful fault first. Which of two equals comes first does not matter."
        return Order(id, asked, tuple(one.text for one in FAULTS), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        by_harm = checks.files_by_harm if task == "q1-files" else checks.faults_by_harm
        return (by_harm(self.bench.folder(APP), values[task]),)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people give who count, who weigh, and who fix what they see first."""
        return mistakes.mistakes(self.starters, self.bench.folder(APP))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The fixes that hold, and what differs from them by one edit."""
        return mistakes.neighbours(self.starters)


EXERCISE = WithAI
