"""Exercise 04: list what two COPY lines carry, ship no installer, say what an installer by itself does to a size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex04_alpine_uv import checks, mistakes
from layerlab.exercises.ex04_alpine_uv.audit import Audit, audit, called_by
from layerlab.exercises.ex04_alpine_uv.square import CLAIMS, CORNERS, Square, pair
from layerlab.exercises.kit.bench import built
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Choice, MultiChoice, Question
from layerlab.widgets.waiting import waiting

APP = "exercise04/stations"
TODAY = "Dockerfile.today"
PATHS = ("/health", "/stations/Lucern")
PAIRS = tuple(pair(*letters) for letters in combinations(CORNERS, 2))


class AlpineUv(Exercise):
    """Packages that came by an installer, shipped without it."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        "q1-audit": ("q1-audit",),
        "q2-mend": ("q2-mend-file",),
        "q3-transfer": ("q3-claim", "q3-evidence"),
    }
    files = {  # noqa: RUF012
        "q2-mend-file": FileTask(
            file="Dockerfile",
            app=APP,
            starter=TODAY,
            parts=frozenset({"editor", "diff"}),
            paths=PATHS,
        )
    }

    @cached_property
    def carried(self) -> Audit:
        """What the two COPY lines of the service bring today, and what the running service loads of it."""
        with waiting("looking at what the COPY lines carry"):
            image = built(self.bench.begin(APP, dockerfile=TODAY), "stations as it is today").image
            return audit(self.bench.copied(APP, TODAY), called_by(self.bench, image, PATHS))

    @cached_property
    def square(self) -> Square:
        """Two ways to copy by two installers, built and weighed."""
        base = self.bench.base("musl")
        with waiting("building four images"):
            images = {
                letter: built(self.bench.begin(APP, dockerfile=corner.dockerfile), f"image {letter}").image
                for letter, corner in CORNERS.items()
            }
        weighed = {letter: image.added_bytes(base) for letter, image in images.items()}
        return Square({letter: replace(CORNERS[letter], added_bytes=added) for letter, added in weighed.items()})

    def _make(self, id: str) -> Question:
        if id == "q1-audit":
            asked = "Which of these would the running service miss, had the two COPY lines not brought it?"
            return MultiChoice(id, asked, [row.name for row in self.carried.rows], answers=self.answers)
        if id == "q3-claim":
            asked = "“uv is fast, so the image that it makes is small.” Is that so?"
            return Choice(id, asked, CLAIMS, answers=self.answers)
        asked = "Your colleague wants to see it. Which two images do you show?"
        return Choice(id, asked, PAIRS, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task == "q1-audit":
            picked = values[task]
            return checks.nothing_spare(self.carried, picked), checks.nothing_missed(self.carried, picked)
        return (
            checks.agrees_with_all_four(self.square, values["q3-claim"]),
            checks.evidence_decides(self.square, values["q3-evidence"]),
        )

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people take for needed, how they try to get rid of an installer, and pairs that show nothing."""
        return mistakes.mistakes(self.starters)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The solution, other ways to it, and edits on the way."""
        return mistakes.neighbours(self.starters)


EXERCISE = AlpineUv
