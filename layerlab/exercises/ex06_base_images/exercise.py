"""Exercise 06: for five services the smallest base that has what each needs, with evidence; one moves to distroless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex06_base_images import checks, mistakes
from layerlab.exercises.ex06_base_images.services import BASES, EVIDENCE, SERVICES, Answers
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Choice, Question


class BaseImages(Exercise):
    """A base is right because of what a service needs, and one question that tells it from a smaller base says so."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        **{task: (f"{task}-base", f"{task}-evidence") for task in SERVICES},
        "q6-port": ("q6-port-file",),
    }
    files = {  # noqa: RUF012
        "q6-port-file": FileTask(
            file="Dockerfile",
            app="exercise06/receipts",
            starter="Dockerfile.today",
            parts=frozenset({"editor", "diff", "gauge"}),
            paths=("/health", "/receipts/1001"),
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.bases = Answers(self.bench)

    def table(self) -> str:
        """Ask every base every question, and return the answers as a table: what there is to choose by."""
        return self.bases.table()

    def _make(self, id: str) -> Question:
        service = SERVICES[id.rpartition("-")[0]]
        if id.endswith("-base"):
            asked = f"You have read the files of {service.folder}. On which base should it stand?"
            return Choice(id, asked, BASES, answers=self.answers)
        return Choice(id, "Which evidence decides it?", EVIDENCE, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        base, evidence = (values[id] for id in self.tasks[task])
        service = SERVICES[task]
        return checks.base_fits(self.bases, service, base), checks.evidence_decides(self.bases, service, evidence)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong decisions, and what goes wrong in the file."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """What else people change in the file."""
        return mistakes.neighbours(self.starters)


EXERCISE = BaseImages
