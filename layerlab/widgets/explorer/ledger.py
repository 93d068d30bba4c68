"""What was spent, as files: each build with what was expected of it, kept beside the other answers of its notebook.

Knows answers and predictions, no engine and no view.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from layerlab.design_space import Combination, Measured
from layerlab.errors import AnswerError
from layerlab.units import size
from layerlab.widgets.prediction import Band, Prediction
from layerlab.work.answers import Answer, Answers

BUDGET = 6
# What a recipe adds to its base, in steps that packages, bytecode and installers make.
BANDS = (
    Band("up to 12 MB", high=12e6),
    Band("12 to 18 MB", 12e6, 18e6),
    Band("18 to 30 MB", 18e6, 30e6),
    Band("30 to 50 MB", 30e6, 50e6),
    Band("more than 50 MB", 50e6),
)
_STOPPED, _OPENED = "stopped", "opened"


@dataclass(frozen=True)
class Spent:
    """One build that was spent: its number, what was measured, where, and what was expected (None: nobody was asked).

    ``came`` is the band that it fell into.
    """

    number: int
    measured: Measured
    source: str
    expected: str | None
    came: str

    @property
    def is_hit(self) -> bool:
        """True where it came as expected."""
        return self.expected == self.came


@dataclass(frozen=True)
class SavedPrediction:
    """A prediction as it was said: the band; a reason and how sure, where they were given."""

    expected: Any
    reason: str
    confidence: Any

    @property
    def why(self) -> dict[str, Any]:
        """Reason and confidence as they are kept."""
        return {"reason": " ".join(self.reason.split()), "confidence": self.confidence}


class Ledger:
    """The builds of one learner. Every read looks at the files, so a notebook that is run again goes on.

    Parameters
    ----------
    answers, predictions
        The files of the notebook's answers and of its predictions.
    """

    def __init__(self, answers: Answers, predictions: Answers) -> None:
        self._answers = answers
        self._predictions = predictions

    def prediction(self, number: int, combination: Combination) -> Prediction:
        """Return the question that goes before a build."""
        asked = f"{combination.title[0].upper()}{combination.title[1:]}: what does it add to its base?"
        return Prediction(build_id(number), asked, BANDS, answers=self._predictions)

    @property
    def spent(self) -> tuple[Spent, ...]:
        """What was spent so far, in its order; what cannot be read is in `unreadable`."""
        return tuple(one for one in map(self._spent, range(1, BUDGET + 1)) if isinstance(one, Spent))

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A sentence about each entry that cannot be read. It counts as spent, and stays in its file."""
        return tuple(one for one in map(self._spent, range(1, BUDGET + 1)) if isinstance(one, str))

    @property
    def next_number(self) -> int | None:
        """The number of the next build; None where the budget is used up."""
        return next((number for number in range(1, BUDGET + 1) if self._spent(number) is None), None)

    def predict(self, number: int, combination: Combination, said: SavedPrediction) -> None:
        """Keep a prediction. Raises AnswerError where nothing is expected, or its reason is too long."""
        asked = self.prediction(number, combination)
        asked.fill_in(said.expected, said.reason, said.confidence)
        if self._predictions.get(asked.id) != {"choice": said.expected, **said.why}:
            asked.keep()

    def add(self, measured: Measured, source: str, said: SavedPrediction) -> int:
        """Keep a build under the first free number, with its prediction and what that came to; return the number.

        Raises
        ------
        AnswerError
            No number is free.
        DiskFull
        """
        number = self._claim({"measured": measured.to_json(), "source": source})
        # Another page of the same learner may have spent the number meanwhile that the prediction was kept under.
        self.predict(number, measured.combination, said)
        asked = self.prediction(number, measured.combination)
        asked.readoff(measured.added_bytes, found=size(measured.added_bytes)).restore()
        return number

    def _claim(self, value: dict[str, Any]) -> int:
        claimed: list[int] = []

        def first_free(kept: dict[str, Answer]) -> dict[str, Answer]:
            number = next((n for n in range(1, BUDGET + 1) if build_id(n) not in kept), None)
            if number is None:
                raise AnswerError("Another page has spent the last build meanwhile.")
            claimed.append(number)
            return {**kept, build_id(number): Answer(value, datetime.now(UTC).isoformat(timespec="seconds"))}

        # Looked up and written under one lock: two pages that end together must not write over each other.
        self._answers.change(first_free)
        return claimed[-1]

    @property
    def is_stopped(self) -> bool:
        """True where the learner has ended the experiment before the budget was used up."""
        return bool(self._answers.get(_STOPPED))

    def stop(self) -> None:
        """End the experiment."""
        self._answers.keep(_STOPPED, True)

    @property
    def is_opened(self) -> bool:
        """True where the learner has opened the explorer although the chapter before was not done."""
        return bool(self._answers.get(_OPENED))

    def open(self) -> None:
        """Remember that it was opened."""
        self._answers.keep(_OPENED, True)

    def _spent(self, number: int) -> Spent | str | None:
        kept = self._answers.get(build_id(number))
        if kept is None:
            return None
        try:
            measured, source = Measured.from_json(kept["measured"]), str(kept["source"])
        except (TypeError, KeyError, ValueError) as error:
            return f"Build {number} cannot be read ({error}). It counts as spent; its entry stays in {self._where}."
        return Spent(number, measured, source, self._expected(number), band(measured.added_bytes))

    def _expected(self, number: int) -> str | None:
        kept: Any = self._predictions.get(build_id(number))
        return str(kept["choice"]) if isinstance(kept, dict) and "choice" in kept else None

    @property
    def _where(self) -> str:
        return f"{self._answers.folder.name}/{self._answers.path.name}"


def build_id(number: int) -> str:
    """Name a build among answers and predictions."""
    return f"build-{number}"


def band(added_bytes: int) -> str:
    """Return the band that a number of bytes falls into."""
    return next(one.text for one in BANDS if one.holds(added_bytes))
