"""The exercise panel as a model: judges the text of a file. Knows no engine, no view and no single exercise.

Everything works headless: `panel.answer = text; panel.build(); panel.wait()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from traitlets import Any as AnyTrait
from traitlets import Enum, Int, Unicode, observe

from layerlab.checks import Outcome, Sizes, Verdicts
from layerlab.errors import AnswerError, BuildCancelled, LayerLabError
from layerlab.widgets.dockerfile_panel.attempt import Attempt, Judging
from layerlab.widgets.dockerfile_panel.file_question import FileQuestion
from layerlab.widgets.dockerfile_panel.text_twin import as_written, text_twin
from layerlab.work.answers import Answers
from layerlab.work.attempts import Tried
from layerlab.work.text_file import WorkFile, same_lines

STATES = ("idle", "building", "cancelled", "judged", "failed")
# Parsing takes 5 ms for a thousand characters, and a static verdict is to follow a keystroke within 50 ms.
_MOST_TYPED = 8_000
PARTS = frozenset({"editor", "diff", "gauge", "attempts"})


class Record(Protocol):
    """Writes down what an attempt came to."""

    def __call__(self, text: str, outcome: Outcome, *, when: datetime, seconds: float) -> Sequence[tuple[str, str]]:
        """Write it down, and return title and text of the hints that are open now.

        Raises
        ------
        LayerLabError
            It cannot be written down; the verdict stands.
        """


class DockerfilePanel(FileQuestion):
    """A task, an editor bound to a file on disk, and *Build & check*.

    Parameters
    ----------
    task
        What is to be done, plain text; `names in backticks` are shown as code.
    file
        The learner's file. Its text is the answer, None while it is missing or still the starter.
    judge
        Makes what judges a text.
    record
        Writes an attempt down and returns the hints that it opens. The panel itself writes nothing but its file.
    parts
        What the panel shows: "editor" always, "diff", "gauge", "attempts" as the course goes on.
    attempts
        All that was recorded, oldest first; raises AnswerError where that cannot be read.
    """

    state = Enum(STATES, default_value="idle")
    as_written = Unicode("", help="what can be said of the editor's text without building")
    label = Unicode("", help="which text the last verdict is about")
    judgements = Int(0, help="how many attempts were judged")
    progress = AnyTrait(None, help="AttemptProgress of the last attempt")

    def __init__(
        self,
        id: str,
        task: str,
        *,
        file: WorkFile,
        judge: Callable[[str], Judging],
        record: Record,
        parts: frozenset[str] = frozenset({"editor"}),
        answers: Answers,
        attempts: Callable[[], Sequence[Tried]] = tuple,
        title: str = "",
    ) -> None:
        if strange := parts - PARTS:
            raise ValueError(f"a panel has no part {sorted(strange)}; it has {sorted(PARTS)}")
        self._judge = judge
        self._record = record
        self._gate = threading.Lock()
        self._attempt: Attempt[Outcome] | None = None
        self._judged: Attempt[Outcome] | None = None
        self._looked_at: str | None = None
        super().__init__(id, task, file=file, answers=answers)
        self.title = title or file.path.name
        self.parts = parts | {"editor"}
        self.attempts = attempts
        self.hints: tuple[tuple[str, str], ...] = ()

    def build(self) -> None:
        """Save, then build and check in a thread; returns at once. While one runs, this does nothing but say so.

        Raises AnswerError, DiskFull as `keep` does; nothing is built then.
        """
        # A click may come from a thread of its own (a subshell) while another is still being heard.
        with self._gate:
            if self.state == "building":
                self.status = f"{self.name} is being built already. Cancel it, or wait for the verdict."
                return
            self.keep()
            before = self._attempt
            attempt = Attempt(
                self.file.as_saved(self.value), self._judge, title=self.name, on_settled=self._on_settled, after=before
            )
            self._attempt, self.progress, self.state = attempt, attempt.progress, "building"
            self.status = (
                "Saved. Building and checking it now."
                if before is None or before.is_cleared_away
                else "Saved. It is built as soon as the cancelled build is cleared away."
            )
            attempt.start()
        self.look()

    def cancel(self) -> None:
        """End the attempt that runs; the panel is free again within 2 s. Harmless where none runs."""
        if self._attempt is not None:
            self._attempt.cancel()

    def wait(self, timeout: float | None = None) -> Verdicts:
        """Wait for the attempt that `build` began, and return its verdicts.

        Parameters
        ----------
        timeout
            Seconds; the attempt goes on when they are over.

        Raises
        ------
        BuildCancelled
            It was cancelled; an interrupt of the kernel cancels it too.
        TimeoutError
            When ``timeout`` seconds are over. Else whatever the judge raised.
        """
        attempt = self._attempt
        if attempt is None:
            raise LayerLabError(f"{self.name} has not been built here. Call build() first.")
        if not _waited(attempt, timeout):
            raise TimeoutError(f"{self.name} is not judged after {timeout:g} s. It goes on; wait again.")
        if attempt.was_cancelled:
            raise BuildCancelled(f"The build of {self.name} was cancelled. Build it again.")
        if attempt.fault is not None:
            raise attempt.fault
        verdicts = self.verdicts
        assert verdicts is not None
        return verdicts

    @property
    def verdicts(self) -> Verdicts | None:
        """The last verdicts, their title saying which text they are about; None before the first."""
        outcome = self._judged and self._judged.outcome
        return replace(outcome.verdicts, title=self._label()) if outcome else None

    @property
    def judged_text(self) -> str | None:
        """The text that the last verdict is about; None before the first."""
        return self._judged.text if self._judged else None

    @property
    def is_verdict_on_this_text(self) -> bool:
        """True where editor and file still hold the text that was judged."""
        try:
            return self._judged is not None and all(
                same_lines(self._judged.text, text) for text in (self.value, self.file.text)
            )
        except AnswerError:
            return False

    @property
    def sizes(self) -> Sizes | None:
        """What the image of the last verdict is made of; None where there was no image."""
        outcome = self._judged and self._judged.outcome
        return outcome.sizes if outcome else None

    def look(self) -> None:
        """Compare editor, file and verdict, and say in words how they stand to each other."""
        super().look()
        self.label = self._label()

    def restore(self) -> None:
        """Look at the file again; where nothing is unsaved, its text is taken up."""
        super().restore()
        self._look_at_text()

    @property
    def text(self) -> str:
        """The panel as plain text: task, state, verdict, hints, attempts."""
        return text_twin(self)

    def _draw(self) -> Any:
        # Only a display needs ipywidgets: headless use never loads it.
        from layerlab.widgets.dockerfile_panel import view

        return view.view(self)

    @observe("value")
    def _on_value(self, change: Any) -> None:
        # Before the first display nobody reads what can be said without building.
        if self._looked_at is None or self._looked_at == self.value:
            return
        if len(self.value) > _MOST_TYPED:
            self._looked_at = ""
            self.as_written = "too long to be looked at while you type. Save it to have it looked at."
        else:
            self._look_at_text()

    @observe("keeps")
    def _on_keep(self, change: Any) -> None:
        if self._looked_at is not None:
            self._look_at_text()

    def _look_at_text(self) -> None:
        if self._looked_at == self.value:
            return
        self._looked_at = self.value
        try:
            self.as_written = as_written(self._judge(self.file.as_saved(self.value)).static())
        except Exception as error:
            # Half a line is typed text too: whatever it makes a judge raise is said, and stops no typing.
            self.as_written = str(error) or type(error).__name__

    def _label(self) -> str:
        if self._judged is None:
            return ""
        when = f"{self._judged.began_at:%H:%M:%S}"
        # Nothing of a verdict to come: a page that outlives its kernel would go on promising it.
        if self.is_verdict_on_this_text:
            return f"Verdict on {self.name} as saved at {when}."
        return f"Verdict on an earlier text, saved at {when}. {self.name} has changed since."

    def _on_settled(self, attempt: Attempt[Outcome]) -> None:
        """Take in how an attempt ended; its state changes last, when all of it can be read."""
        state = "failed"
        try:
            if attempt.was_cancelled:
                state, self.status = "cancelled", "Cancelled. Nothing was judged, and your files are as you left them."
            elif attempt.fault is not None:
                self.status = _of_fault(attempt.fault)
            elif attempt.outcome is not None:
                self._take_outcome(attempt)
                state = "judged"
        except Exception as error:
            self.status = _of_fault(error)
            raise
        finally:
            self.state = state
            self.look()

    def _take_outcome(self, attempt: Attempt[Outcome]) -> None:
        outcome = attempt.outcome
        assert outcome is not None
        self._judged, self.hints = attempt, ()
        self.status = ""
        try:
            self._write_down(attempt, outcome)
        finally:
            self.judgements += 1

    def _write_down(self, attempt: Attempt[Outcome], outcome: Outcome) -> None:
        # The verdict stands, written down or not.
        try:
            hints = self._record(attempt.text, outcome, when=attempt.began_at, seconds=attempt.seconds)
            self.hints = tuple((title, text) for title, text in hints)
        except LayerLabError as error:
            self.status = str(error)


def _waited(attempt: Attempt[Outcome], timeout: float | None) -> bool:
    try:
        return attempt.wait(timeout)
    except KeyboardInterrupt:
        attempt.cancel()
        return attempt.wait()


def _of_fault(fault: BaseException) -> str:
    if isinstance(fault, LayerLabError):
        return f"Not judged: {fault}"
    return (
        f"Not judged: the check itself failed ({type(fault).__name__}: {fault}). "
        "Your text is saved; build again, and report this if it comes back."
    )
