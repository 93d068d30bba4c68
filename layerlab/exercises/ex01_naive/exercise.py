"""Exercise 01: put seven lines of a Dockerfile in order, and point at the bytes in an image never seen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.errors import ImageNotFound
from layerlab.exercises.ex01_naive import checks, mistakes
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.image import Image
from layerlab.units import size
from layerlab.widgets.questions import Choice, Order, PointAt, Question

APP = "exercise01/timetable"
TAG = "layerlab/ex01:timetable"


class Naive(Exercise):
    """Order by what each line needs; find the largest layer by reading, not by remembering."""

    texts = Texts.beside(__file__)
    tasks = {"q1-order": ("q1-order",), "q2-point": ("q2-point",), "q3-how": ("q3-how",)}  # noqa: RUF012

    def image(self) -> Image:
        """Return the timetable image, building it where it isn't there yet."""
        try:
            return self.bench.image(TAG)
        except ImageNotFound:
            return self.bench.build(APP, tag=TAG).image

    def _make(self, id: str) -> Question:
        return {"q1-order": self._order, "q2-point": self._point, "q3-how": self._how}[id]()

    def _order(self) -> Question:
        asked = "Put the seven lines in an order that builds, and that rebuilds fast after an edit to quotes.py."
        question = Order("q1-order", asked, checks.LINES, answers=self.answers)
        # The file on disk is what an editor or a terminal works with, so each kept order is written there.
        question.observe(lambda _: self.answers.keep_file("Dockerfile", checks.dockerfile(question.value)), "keeps")
        return question

    def _point(self) -> Question:
        # A base that was imported has a first layer whose instruction nobody wrote down.
        rows = [(entry.instruction or "(not recorded)", size(entry.size_bytes)) for entry in self.image().history]
        asked = "Which line of this image's history added the most bytes? (oldest line first)"
        return PointAt("q2-point", asked, rows, columns=("instruction", "size"), answers=self.answers)

    def _how(self) -> Question:
        return Choice("q3-how", "How do you know?", checks.REASONS, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        value = values[task]
        if task == "q1-order":
            return checks.order(value)
        return (checks.reason(value) if task == "q3-how" else self._largest(value),)

    def _largest(self, picked: str | int) -> Check:
        question = self.question("q2-point")
        assert isinstance(question, PointAt)
        sizes = dict(zip(question.keys, (entry.size_bytes for entry in self.image().history), strict=True))
        return checks.most_bytes(question.keys[picked - 1] if isinstance(picked, int) else picked, sizes)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Orders that do not work, and answers by habit."""
        return mistakes.mistakes()


EXERCISE = Naive
