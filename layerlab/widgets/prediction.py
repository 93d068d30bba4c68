"""Predictions: said before a measurement, kept in a file, read off after it. They earn and cost nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, HasTraits, Unicode

from layerlab.answers import Answers
from layerlab.errors import AnswerError, LayerLabError
from layerlab.units import as_html
from layerlab.widgets.questions import Question, ShortText, cut, within

CONFIDENCE = ("guess", "fairly", "certain")
REASON_WORDS = 12
# Id of a prediction + this → what it came to. An id of its own: the prediction keeps the time it was made.
CAME = "-came"
READ_OFF = "What did you see, and which part of your reason must change?"


@dataclass(frozen=True)
class Band:
    """A choice that stands for a range of numbers: from ``low`` up to, not including, ``high``."""

    text: str
    low: float = float("-inf")
    high: float = float("inf")

    def holds(self, number: float) -> bool:
        """True where the number lies in this band."""
        return self.low <= number < self.high


class Prediction(Question):
    """What the learner expects: a direction, an order or a band (`value`), a reason, a confidence.

    Parameters
    ----------
    choices
        Texts, or `Band`s where the outcome will be a number. No exact numbers: a number guessed without
        a model is a lottery.
    """

    reason = Unicode("")
    confidence = AnyTrait(None)
    kind = "predictions"

    def __init__(
        self,
        id: str,
        question: str,
        choices: Sequence[str | Band],
        *,
        notebook: str | None = None,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(id, question, notebook=notebook, answers=answers)
        self.bands = tuple(choice if isinstance(choice, Band) else Band(choice) for choice in choices)
        self._is_numeric = any(isinstance(choice, Band) for choice in choices)
        self.options = tuple(band.text for band in self.bands)
        self._asked = False

    def fault(self, value: Any) -> str | None:
        """Name the choices where the value is none of them."""
        return None if value in self.options else f"it is none of {', '.join(map(repr, self.options))}."

    def unreadable(self, kept: Any) -> str | None:
        """Say what is wrong with a kept prediction, or None: the file may have been edited by hand."""
        if not isinstance(kept, dict) or not {"choice", "reason", "confidence"} <= kept.keys():
            return f"{cut(repr(kept))} has not choice, reason and confidence."
        if fault := self.fault(kept["choice"]):
            return f"{cut(repr(kept['choice']))} is no choice; {fault}"
        if not isinstance(kept["reason"], str):
            return "its reason is no text."
        return None if kept["confidence"] in CONFIDENCE else f"its confidence is none of {', '.join(CONFIDENCE)}."

    def possible(self) -> tuple[str, ...]:
        """The choices."""
        return self.options

    def in_words(self) -> str:
        """The prediction as one line."""
        return f"{self.value} ({self.confidence}), because {self.reason}"

    def gate(self, show: Callable[[], Any] | None = None) -> Any:
        """Ask once for a prediction before a figure is shown; it never blocks a run.

        Returns
        -------
        With ``show``: what it returns, or the first time in an open notebook without a kept prediction a
        `Gate` that shows it after *Keep* or *Skip*. Without ``show``: True where the figure may be shown.
        """
        may_show = self._asked or not is_interactive() or self.kept
        self._asked = True
        if show is None:
            return may_show
        return show() if may_show else Gate(self, show)

    def readoff(self, actual: str | float, *, found: str = "", short: str = "", full: str = "") -> ReadOff:
        """Set what was expected beside what came, and ask what must change.

        Parameters
        ----------
        actual
            The choice that came true, or the measured number where the choices are bands.
        found
            The measured value as text: "1.11 GB".
        short, full
            The explanation; ``full`` is open only for those who were certain of something else, since
            confident misses are corrected best by a full text. For everyone else it is folded.
        """
        return ReadOff(self, self._came(actual), found=found, short=short, full=full)

    def _draw(self) -> Any:
        from layerlab.widgets import prediction_views

        return prediction_views.prediction(self)

    def _came(self, actual: str | float) -> str:
        if isinstance(actual, str):
            fits = [text for text in self.options if text == actual]
        else:
            fits = [band.text for band in self.bands if self._is_numeric and band.holds(actual)]
        if len(fits) != 1:
            raise ValueError(f"{actual!r} is {len(fits)} of the choices of {self.id}: {self.options}")
        return fits[0]

    def _whole(self) -> dict[str, str]:
        if self.value is None or self.confidence not in CONFIDENCE:
            raise AnswerError("This prediction is not whole. Say what you expect and how sure you are, then keep it.")
        if not self.reason.strip():
            raise AnswerError("This prediction has no reason yet. Write a few words after “because”, then keep it.")
        reason = within(self.reason, REASON_WORDS)
        return {"choice": self.value, "reason": reason, "confidence": self.confidence}

    def _take(self, kept: Any) -> None:
        if fault := self.unreadable(kept):
            raise AnswerError(f"The kept prediction {self.id} cannot be read: {fault} Keep it again.")
        self.value, self.reason, self.confidence = kept["choice"], kept["reason"], kept["confidence"]


class ReadOff(ShortText):
    """After the measurement: expected beside actual, an explanation, and one question back."""

    def __init__(self, prediction: Prediction, actual: str, *, found: str, short: str, full: str) -> None:
        super().__init__(f"{prediction.id}-readoff", READ_OFF, words=40, answers=prediction._answers)
        kept = prediction.answer
        self._is_unreadable = kept is not None and prediction.unreadable(kept) is not None
        self.expected: dict[str, str] | None = None if self._is_unreadable else kept
        self.actual = actual
        self.found = found
        self.short = short
        self.full = full

        self._outcome_id = f"{prediction.id}{CAME}"

    @property
    def is_hit(self) -> bool:
        """True where what came was expected."""
        return self.expected is not None and self.expected["choice"] == self.actual

    @property
    def is_confident_miss(self) -> bool:
        """True where something else was expected with certainty."""
        return self.expected is not None and not self.is_hit and self.expected["confidence"] == "certain"

    @property
    def lines(self) -> tuple[str, ...]:
        """Expected, actual and explanation as text."""
        if self._is_unreadable:
            said = "Your kept prediction cannot be read. Keep it again."
        elif self.expected is None:
            said = "You kept no prediction for this one."
        else:
            said = "You expected: {choice} ({confidence}), because {reason}.".format(**self.expected)
        came = f"It came: {self.actual}" + (f" ({self.found})" if self.found else "") + "."
        explained = (self.short, self.full) if self.is_confident_miss else (self.short,)
        return (said, came, *(text for text in explained if text))

    @property
    def folded(self) -> str:
        """The part of the explanation that opens on demand; empty where all of it is open."""
        return "" if self.is_confident_miss else self.full

    @property
    def text(self) -> str:
        """The read-off as plain text, the folded part included: text cannot be unfolded."""
        parts = (*self.lines, self.folded, self.question, self.status)
        return "\n".join(part for part in parts if part)

    @property
    def html(self) -> str:
        """Expected, actual and explanation as HTML, with the rest of it in a fold."""
        more = f"<details><summary>Why?</summary><p>{as_html(self.folded)}</p></details>" if self.folded else ""
        said = "".join(f"<p>{as_html(line)}</p>" for line in self.lines)
        return f'<div style="overflow-wrap:anywhere">{said}{more}</div>'

    def restore(self) -> None:
        """Take up the kept answer again, and keep what the prediction came to: both happen when it is shown."""
        super().restore()
        try:
            self._keep_outcome()
        except LayerLabError as error:
            self.status = str(error)

    def _keep_outcome(self) -> None:
        # Only the first one is kept, with what was said by then: a prediction changed later was no prediction.
        if self.expected is not None:
            said = {name: self.expected[name] for name in ("choice", "confidence")}
            self._answers.keep_first(self._outcome_id, {**said, "came": self.actual})

    def _draw(self) -> Any:
        from layerlab.widgets import prediction_views

        return prediction_views.readoff(self)


class Gate(HasTraits):
    """A figure that waits for a prediction: opens when one is kept, or when the learner skips."""

    is_open = Bool(False)

    def __init__(self, prediction: Prediction, show: Callable[[], Any]) -> None:
        super().__init__()
        self.prediction = prediction
        self.shown: Any = None
        self._show = show
        self._view: Any = None
        prediction.observe(lambda _: self.skip(), "keeps")

    def skip(self) -> None:
        """Show the figure now; opening twice shows it once."""
        if not self.is_open:
            self.shown = self._show()
            self.is_open = True

    @property
    def text(self) -> str:
        """What the gate says."""
        return "You have kept no prediction yet. Keep one above, or skip: the figure opens either way."

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            from layerlab.widgets import prediction_views

            self._view = prediction_views.gate(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {**self.view._repr_mimebundle_(), "text/plain": self.text}


def is_interactive() -> bool:
    """True where a learner sits before the notebook; nbval, nbconvert and `layerlab run` are not that.

    Notes
    -----
    jupyter_server (from 2.0) sets JPY_SESSION_NAME for the kernels of open notebooks, VS Code puts
    ``__vsc_ipynb_file__`` into their namespace, Colab sets COLAB_RELEASE_TAG. Whatever is not known to
    be interactive counts as headless, so that nothing ever waits for a click that cannot come.
    """
    if os.environ.get("LAYERLAB_HEADLESS"):
        return False
    main = sys.modules.get("__main__")
    return "JPY_SESSION_NAME" in os.environ or "COLAB_RELEASE_TAG" in os.environ or hasattr(main, "__vsc_ipynb_file__")
