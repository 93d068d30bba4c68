"""Exercise 02: full or slim for three services, decided by what a command shows on both bases; one word changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex02_slim import checks, mistakes
from layerlab.exercises.ex02_slim.services import BASES, COMMANDS, EVIDENCE, SERVICES, Outcome, Probes
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Choice, Question


class Slim(Exercise):
    """Replace the base where, and only where, a command shows that slim has what the service needs."""

    texts = Texts.beside(__file__)
    commands = COMMANDS
    tasks = {**{task: (f"{task}-base", f"{task}-evidence") for task in SERVICES}, "q4-change": ("q4-change-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        "q4-change-file": FileTask(file="Dockerfile", app="exercise02/notes", starter="Dockerfile", paths=("/notes",))
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._probes = Probes(self.bench)

    def probe(self, command: str) -> Outcome:
        """Run a command in a new container of each base, asking each only once.

        Raises
        ------
        NotRecorded
            Replayed engines know `commands` only; a live engine runs any command.
        """
        return self._probes.outcome(command)

    def _make(self, id: str) -> Question:
        service = SERVICES[id.rpartition("-")[0]]
        if id.endswith("-base"):
            asked = f"You have read the files of {service.folder}. From which base should its image be built?"
            return Choice(id, asked, BASES, answers=self.answers)
        return Choice(id, "Which of these shows it?", EVIDENCE, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        base, evidence = (values[id] for id in self.tasks[task])
        return (
            checks.base_fits(self._probes, SERVICES[task], base),
            checks.evidence_decides(self._probes, SERVICES[task], evidence),
        )

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong decisions, and what people get wrong in the file."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """What else people change in the file."""
        return mistakes.neighbours(self.starters)


EXERCISE = Slim
