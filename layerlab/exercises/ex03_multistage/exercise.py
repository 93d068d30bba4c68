"""Exercise 03: read why a build fails, fill the blanks of two stages, and say for other services whether they pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.errors import BuildFailed
from layerlab.exercises.ex03_multistage import checks, mistakes
from layerlab.exercises.ex03_multistage.failing_build import APP, COMMANDS, FailingBuild
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Choice, PointAt, Question


class MultiStage(Exercise):
    """A compiler in the builder only, and the library that the service loads in the image that is shipped."""

    texts = Texts.beside(__file__)
    tasks = {"q1-line": ("q1-line",), "q2-missing": ("q2-missing",), "q3-blanks": ("q3-blanks-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        "q3-blanks-file": FileTask(
            file="Dockerfile",
            app=APP,
            starter="Dockerfile.blanks",
            parts=frozenset({"editor", "diff"}),
            before="Dockerfile.today",
            paths=("/health", "/tickets/4711"),
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._build = FailingBuild(self.bench)

    @property
    def failure(self) -> BuildFailed:
        """How the build on slim fails."""
        return self._build.failure

    def _make(self, id: str) -> Question:
        if id == "q1-line":
            asked = "Which of the lines that the failing step printed names the cause? (the last lines, oldest first)"
            rows = [(line,) for line in self._build.log]
            return PointAt(id, asked, rows, columns=("printed",), answers=self.answers)
        return Choice(id, "What did that step not find?", tuple(COMMANDS), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        picked = values[task]
        if task == "q2-missing":
            return (checks.is_missing(self._build, picked),)
        question = self.question(task)
        assert isinstance(question, PointAt)
        line = question.keys[picked - 1] if isinstance(picked, int) else picked
        return (checks.names_the_cause(self._build.log, line),)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The lines and causes that people take for the right one, and blanks filled as people fill them."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """One blank filled otherwise, as people do."""
        return mistakes.neighbours(self.starters)


EXERCISE = MultiStage
