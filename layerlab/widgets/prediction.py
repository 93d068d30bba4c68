"""Predictions: chosen before a measurement, saved at once, read off after it. They earn and cost nothing.

What counts is the last choice before the result was shown. A later one is saved under an id of its own, as late.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, HasTraits, Int, Unicode, observe

from layerlab.errors import AnswerError, LayerLabError
from layerlab.units import as_html
from layerlab.widgets.questions import WAS_SO, Question, ShortText, cut, within
from layerlab.work.answers import Answers

CONFIDENCE = ("guess", "fairly", "certain")
REASON_WORDS = 12
# Id of a prediction + this → what it came to. An id of its own: the prediction keeps the time it was made.
CAME = "-came"
# Id of a prediction + this → what was chosen once its result had been shown.
LATE = "-late"
# Id of a prediction + this → true, from when its result was first shown to somebody.
SHOWN = "-shown"
READ_OFF = "What did you see, and which part of your reason must change?"
READ_OFF_WITHOUT_REASON = "What did you see, and why is it so?"
HINT = "Your choice is saved at once. You can change it until the result is shown."
HINT_LATE = "The result has been shown: what you choose now is saved and marked late."


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
    """What the learner expects: a direction, an order or a band (`value`); if they like, a reason and how sure.

    Choosing saves: setting `value`, `reason` or `confidence` writes to the file, and what goes wrong is in `status`.
    `keep` saves too, and raises.

    Parameters
    ----------
    choices
        Texts, or `Band`s where the outcome will be a number. No exact numbers: a number guessed without
        a model is a lottery.
    """

    reason = Unicode("")
    confidence = AnyTrait(None)
    saves = Int(0, help="how often it was saved since it was made")
    is_unsaved = Bool(False, help="the last choice could not be written")
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
        self._is_result_shown = False
        self._is_being_filled = False

    @property
    def late(self) -> Any:
        """What was chosen once the result had been shown, as the file has it, or None. `answer` came before that."""
        return self._answers.get(f"{self.id}{LATE}")

    @property
    def kept(self) -> bool:
        """True where something was chosen, in time or late."""
        return self.answer is not None or self.late is not None

    @property
    def is_result_shown(self) -> bool:
        """True once the result was shown, in this session or an earlier one: choices are late then."""
        return self._is_result_shown or any(self._answers.get(f"{self.id}{end}") is not None for end in (SHOWN, CAME))

    def reveal(self) -> None:
        """Say that the result is shown now: a choice from here on is late, in the sessions to come as well."""
        if is_interactive() and not self._is_result_shown:
            # Where it can't be written, this session knows all the same.
            with suppress(LayerLabError):
                self._answers.keep_first(f"{self.id}{SHOWN}", True)
        self._is_result_shown = True
        # The hint that stands there until there is a status would not be true any more.
        self.status = self.status or HINT_LATE

    def fill_in(self, choice: Any, reason: str = "", confidence: str | None = None) -> None:
        """Set choice, reason and confidence without saving them."""
        with self._filling():
            self.value, self.reason, self.confidence = choice, reason, confidence

    def keep(self) -> None:
        """Save what is chosen. Raises AnswerError where nothing is or the reason is too long, DiskFull without room."""
        self._save(self._whole())
        self.keeps += 1

    def restore(self) -> None:
        """Take up what was saved, the late choice if there is one; what cannot be read is said and left in its file."""
        try:
            late = self.late
            kept = self.answer if late is None else late
            if kept is not None:
                self._take(kept)
                self.status = self._saved_in_words("Saved earlier")
            elif self.is_result_shown:
                self.status = self.status or HINT_LATE
        except LayerLabError as error:
            self.status = str(error)

    def fault(self, value: Any) -> str | None:
        """Name the choices where the value is none of them."""
        return None if value in self.options else f"it is none of {', '.join(map(repr, self.options))}."

    def unreadable(self, kept: Any) -> str | None:
        """Say what is wrong with a saved prediction, or None: the file may have been edited by hand."""
        if not isinstance(kept, dict) or not {"choice", "reason", "confidence"} <= kept.keys():
            return f"{cut(repr(kept))} has not choice, reason and confidence."
        if fault := self.fault(kept["choice"]):
            return f"{cut(repr(kept['choice']))} is no choice; {fault}"
        if not isinstance(kept["reason"], str):
            return "its reason is no text."
        return _confidence_fault(kept["confidence"])

    def possible(self) -> tuple[str, ...]:
        """The choices."""
        return self.options

    def in_words(self) -> str:
        """The prediction as one line."""
        return in_words({"choice": self.value, "reason": self.reason, "confidence": self.confidence})

    def gate(self, show: Callable[[], Any] | None = None) -> Any:
        """Ask once for a prediction before a figure is shown; it never blocks a run.

        Returns
        -------
        With ``show``: what it returns, or the first time in an open notebook without a saved prediction a
        `Gate` that shows it when asked to. Without ``show``: True where the figure may be shown.
        """
        may_show = self._asked or not is_interactive() or self.kept
        self._asked = True
        if may_show:
            self.reveal()
        if show is None:
            return may_show
        return _shown(show) if may_show else Gate(self, show)

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

    def _whole(self) -> dict[str, Any]:
        return self._said(within(self.reason, REASON_WORDS))

    def _said(self, reason: str) -> dict[str, Any]:
        if self.value is None:
            raise AnswerError("Nothing is chosen yet. Choose what you expect.")
        if fault := _confidence_fault(self.confidence):
            raise AnswerError(f"{self.confidence!r} can't be saved: {fault}")
        return {"choice": self.value, "reason": reason, "confidence": self.confidence}

    def _take(self, kept: Any) -> None:
        if fault := self.unreadable(kept):
            raise AnswerError(f"The saved prediction {self.id} can't be read: {fault} Choose again.")
        self.fill_in(kept["choice"], kept["reason"], kept["confidence"])

    @contextmanager
    def _filling(self) -> Iterator[None]:
        self._is_being_filled = True
        try:
            yield
        finally:
            self._is_being_filled = False

    @observe("value", "reason", "confidence")
    def _on_change(self, change: Any) -> None:
        if self._is_being_filled or self.value is None:
            return
        # Whoever chooses in a browser would never see what a callback raises.
        refused = ""
        try:
            try:
                said = self._whole()
            except AnswerError as error:
                # What is wrong with the reason takes nothing from the choice.
                refused, said = f" Your reason is not saved. {error}", self._said(self._saved_reason())
            self._save(said)
            self.status += refused
        except LayerLabError as error:
            self.is_unsaved, self.status = True, f"Not saved: {error}"

    def _saved_reason(self) -> str:
        kept = self.answer if self.late is None else self.late
        return "" if kept is None or self.unreadable(kept) else str(kept["reason"])

    def _save(self, said: dict[str, Any]) -> None:
        in_time = self.answer if self.is_result_shown else None
        if not self.is_result_shown:
            self._answers.keep(self.id, said)
        elif in_time is not None and not self.unreadable(in_time) and in_time["choice"] == said["choice"]:
            # Back to what counts: nothing was changed after all.
            self._answers.clear(f"{self.id}{LATE}")
            if self.is_unsaved:
                # It was chosen in time, and waits for room on the disk.
                self._answers.keep(self.id, in_time)
        else:
            self._answers.keep(f"{self.id}{LATE}", said)
        self.is_unsaved, self.status = False, self._saved_in_words("Saved")
        self.saves += 1

    def _saved_in_words(self, saved: str) -> str:
        in_time, late = self.answer, self.late
        if late is None:
            return f"{saved}: {in_words(in_time)}"
        is_first = in_time is not None and not self.unreadable(in_time)
        counts = f" Your first choice counts: {in_time['choice']}." if is_first else ""
        return f"{saved}, marked late because the result was shown: {in_words(late)}.{counts}"


def in_words(said: dict[str, Any]) -> str:
    """Return a prediction as one line: "no such file (fairly), because …"."""
    sure = f" ({said['confidence']})" if said["confidence"] else ""
    because = f", because {said['reason']}" if said["reason"] else ""
    return f"{said['choice']}{sure}{because}"


def _confidence_fault(confidence: Any) -> str | None:
    is_one = confidence is None or confidence in CONFIDENCE
    return None if is_one else f"its confidence is none of {', '.join(CONFIDENCE)}."


class ReadOff(ShortText):
    """After the measurement: chosen beside actual, an explanation, and one question back.

    Where nothing was chosen in time, it offers the choices, and what is chosen then is late.
    """

    changes = Int(0, help="how often what it says has changed since it was made")

    def __init__(self, prediction: Prediction, actual: str, *, found: str, short: str, full: str) -> None:
        self.prediction = prediction
        self._look()
        question = READ_OFF if self.expected and self.expected["reason"] else READ_OFF_WITHOUT_REASON
        super().__init__(f"{prediction.id}-readoff", question, words=40, answers=prediction._answers)
        self.actual = actual
        self.found = found
        self.short = short
        self.full = full

        self._outcome_id = f"{prediction.id}{CAME}"
        prediction.observe(self._on_save, "saves")

    @property
    def is_hit(self) -> bool:
        """True where what came was expected, in time."""
        return self.expected is not None and self.expected["choice"] == self.actual

    @property
    def is_confident_miss(self) -> bool:
        """True where something else was expected with certainty."""
        return self.expected is not None and not self.is_hit and self.expected["confidence"] == "certain"

    @property
    def lines(self) -> tuple[str, ...]:
        """Chosen, actual and explanation as text."""
        return (*self.said, *self.result)

    @property
    def said(self) -> tuple[str, ...]:
        """What was chosen, or that nothing was."""
        if self.expected is not None:
            changed = f"After the result was shown you changed to: {self.late['choice']}." if self.late else ""
            counts = f"{changed} Your first choice is the one that counts." if changed else ""
            return tuple(filter(None, (f"You chose: {in_words(self.expected)}.", counts)))
        if self.late is not None:
            return (
                f"You chose: {in_words(self.late)}.",
                "This one is marked late, because the result was shown first: it counts neither as right nor as wrong.",
            )
        if self._is_unreadable:
            return ("Your saved prediction can't be read. Choose again.",)
        return (
            "You haven't made a prediction yet. You can still choose one here; it will be marked late, because the "
            "result is shown.",
        )

    @property
    def result(self) -> tuple[str, ...]:
        """What came, and as much of the explanation as stands in the open."""
        came = f"Result: {self.actual}" + (f" ({self.found})" if self.found else "") + "."
        explained = (self.short, self.full) if self.is_confident_miss else (self.short,)
        return (came, *(text for text in explained if text))

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
        """What came and the explanation as HTML, with the rest of it in a fold."""
        more = f"<details><summary>Why?</summary><p>{as_html(self.folded)}</p></details>" if self.folded else ""
        return f'<div style="overflow-wrap:anywhere">{_paragraphs(self.result)}{more}</div>'

    @property
    def _html(self) -> str:
        return f"{self.said_html}{self.html}<p>{as_html(self.question)}</p><p>{as_html(self.status)}</p><p>{WAS_SO}</p>"

    @property
    def said_html(self) -> str:
        """What was chosen as HTML, as a status: a late choice changes it."""
        return f'<div role="status" style="overflow-wrap:anywhere">{_paragraphs(self.said)}</div>'

    def restore(self) -> None:
        """Take up the kept answer again, and note what the prediction came to: both happen when it is shown."""
        super().restore()
        if self.prediction.value is None:
            self.prediction.restore()
        self.prediction.reveal()
        try:
            self._note_outcome()
        except LayerLabError as error:
            self.status = str(error)

    def _note_outcome(self) -> None:
        # Only the first one is noted, with what was chosen by then: a prediction changed later was no prediction.
        if self.expected is not None:
            said = {name: self.expected[name] for name in ("choice", "confidence")}
            self._answers.keep_first(self._outcome_id, {**said, "came": self.actual})
        elif is_interactive():
            # So that the next session knows too; where nobody sits before the notebook, nobody has seen anything.
            self._answers.keep_first(self._outcome_id, {"choice": None, "confidence": None, "came": self.actual})

    def _look(self) -> None:
        kept, late = self.prediction.answer, self.prediction.late
        self._is_unreadable = kept is not None and self.prediction.unreadable(kept) is not None
        self.expected: dict[str, Any] | None = None if self._is_unreadable else kept
        self.late: dict[str, Any] | None = None if late is None or self.prediction.unreadable(late) else late

    def _on_save(self, change: Any) -> None:
        try:
            self._look()
        except LayerLabError as error:
            self.status = str(error)
        self.changes += 1

    def _draw(self) -> Any:
        from layerlab.widgets import prediction_views

        return prediction_views.readoff(self)


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{as_html(line)}</p>" for line in lines)


class Gate(HasTraits):
    """A figure that waits for a prediction, and opens when asked to.

    A choice alone does not open it: with arrow keys one passes over choices on the way to the one that is meant.
    """

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
            self.shown = _shown(self._show)
            self.is_open = True
            self.prediction.reveal()

    @property
    def text(self) -> str:
        """What the gate says."""
        if self.is_open:
            return "The figure is shown below."
        if self.prediction.value is None:
            return "You haven't made a prediction yet. Choose one above, then show the figure; or show it right away."
        return f"You chose: {self.prediction.value}. You can change it above until you show the figure."

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            from layerlab.widgets import prediction_views

            self._view = prediction_views.gate(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text)


def _shown(show: Callable[[], Any]) -> Any:
    from layerlab.widgets.waiting import waiting

    with waiting("drawing the figure"):
        return show()


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
