"""Exercise 07: which images carry the model, an image without it, a service that says at its start what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex07_model_files import checks, mistakes
from layerlab.exercises.ex07_model_files.recipes import APP, NAMES, Carriers
from layerlab.exercises.ex07_model_files.trial import MountedTrial
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import MultiChoice, Question


def _given(file: str, starter: str, *, counts: str = "") -> FileTask:
    return FileTask(
        file=file,
        app=APP,
        starter=starter,
        parts=frozenset({"editor", "diff", "attempts"}),
        before="Dockerfile.today",
        paths=("/health", "/birds/75"),
        counts=counts,
    )


class ModelFiles(Exercise):
    """A large file handed to a container when it starts, and missed at once where it is not there."""

    texts = Texts.beside(__file__)
    tasks = {"q1-carry": ("q1-carry",), "q2-out": ("q2-out-file",), "q3-early": ("q3-early-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        "q2-out-file": _given("Dockerfile", "Dockerfile.today"),
        "q3-early-file": _given("Dockerfile.early", "Dockerfile.mounted", counts="ends at start"),
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._carriers: Carriers | None = None

    @property
    def carriers(self) -> Carriers:
        """The four recipes, built and weighed."""
        if self._carriers is None:
            self._carriers = Carriers.measured(self.bench)
        return self._carriers

    def _trial(self, id: str, text: str) -> Trial:
        return MountedTrial(self.bench, self.files[id], text, tag=self._tag(id), remembered=self._remembered)

    def _make(self, id: str) -> Question:
        asked = "Which of the four images carry the model to every machine that pulls them?"
        return MultiChoice(id, asked, NAMES, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        (picked,) = values.values()
        return checks.nothing_spare(self.carriers, picked), checks.nothing_missed(self.carriers, picked)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people take for out of the image, and for early."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The solutions, other ways to them, and edits on the way."""
        return mistakes.neighbours(self.starters)


EXERCISE = ModelFiles
