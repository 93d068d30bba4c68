"""Exercise 08: an image that nobody explained. Which line wrote what no container sees, which hid it, and a fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex08_measuring import checks, mistakes
from layerlab.exercises.ex08_measuring.unknown import APP, INHERITED, Unknown
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size
from layerlab.widgets.questions import Choice, PointAt, Question


class Measuring(Exercise):
    """Compare what an image carries with what a container sees, line by line; then close the gap."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        "q1-find": ("q1-writer", "q1-hider"),
        "q2-largest": ("q2-largest",),
        "q3-mend": ("q3-mend-file",),
    }
    files = {  # noqa: RUF012
        "q3-mend-file": FileTask(
            file="Dockerfile",
            app=APP,
            starter=INHERITED,
            parts=frozenset({"editor", "diff", "gauge", "attempts"}),
            paths=("/health", "/families/Rosaceae", "/sheets/007"),
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._unknown: Unknown | None = None

    @property
    def unknown(self) -> Unknown:
        """The image that nobody explained, looked into."""
        if self._unknown is None:
            self._unknown = Unknown.built(self.bench)
        return self._unknown

    def _make(self, id: str) -> Question:
        if id == "q2-largest":
            asked = (
                "The largest layer above the base is larger than what you found. “That is where to save”, says a "
                "colleague. What shows that it is not?"
            )
            return Choice(id, asked, checks.REASONS, answers=self.answers)
        asked = "And which line hid them?"
        if id == "q1-writer":
            asked = "Which line of this image's history wrote the bytes that no container sees? (oldest line first)"
        rows = [(entry.instruction or "(not recorded)", size(entry.size_bytes)) for entry in self.unknown.image.history]
        return PointAt(id, asked, rows, columns=("instruction", "size"), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task == "q2-largest":
            return (checks.evidence(values[task], self.unknown),)
        writer, hider = (self._entry(id, picked) for id, picked in values.items())
        return checks.wrote(writer, self.unknown), checks.hid(hider, self.unknown)

    def _entry(self, id: str, picked: str | int) -> int:
        """Return which entry of the history was picked, by its row or its number; -1 for a line that it has not."""
        question = self.question(id)
        assert isinstance(question, PointAt)
        if isinstance(picked, int):
            return picked - 1
        return question.keys.index(picked) if picked in question.keys else -1

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Large taken for wasted, `rm` taken for the only thing that hides, and fixes that move the gap elsewhere."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Fixes that are as good as the solution's, and edits on the way."""
        return mistakes.neighbours(self.starters)


EXERCISE = Measuring
