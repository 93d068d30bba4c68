"""The exercise panel as a model: text, file, verdict, attempts. Knows no engine, no view and no single exercise.

Everything works headless: `panel.answer = text; panel.build(); panel.wait()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Enum, Int, Unicode, observe

from layerlab.answers import Answers
from layerlab.checks import Sizes, Verdicts
from layerlab.errors import AnswerError, BuildCancelled, LayerLabError
from layerlab.widgets.dockerfile_panel.attempt import Attempt, Judging
from layerlab.widgets.dockerfile_panel.history import History
from layerlab.widgets.dockerfile_panel.text_twin import as_written, text_twin
from layerlab.widgets.questions import Question
from layerlab.work_file import MOST_BYTES, WorkFile, plain, same_lines

STATES = ("idle", "building", "cancelled", "judged", "failed")
PARTS = frozenset({"editor", "diff", "gauge", "attempts"})

Hints = Callable[[Verdicts], Sequence[tuple[str, str]]]


class DockerfilePanel(Question):
    """A task, an editor bound to a file on disk, and *Build & check*.

    Parameters
    ----------
    task
        What is to be done, plain text; `names in backticks` are shown as code.
    file
        The learner's file. Its text is the answer, None while it is missing or still the starter.
    judge
        Makes what judges a text.
    hints
        Title and text of the hints that are open, asked after each attempt was written down.
    parts
        What the panel shows: "editor" always, "diff", "gauge", "attempts" as the course goes on.
    attempts
        Where the history is kept, which survives the kernel.

    Attributes
    ----------
    value
        The text in the editor, every line ending as a browser has it.
    conflict
        What is wrong between editor and file, as a sentence; empty where nothing is.
    """

    status = Unicode("")
    state = Enum(STATES, default_value="idle")
    conflict = Unicode("")
    saved_state = Unicode("", help="whether the editor's text is in the file, in words")
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
        hints: Hints,
        parts: frozenset[str] = frozenset({"editor"}),
        answers: Answers,
        attempts: Answers,
        title: str = "",
    ) -> None:
        if strange := parts - PARTS:
            raise ValueError(f"a panel has no part {sorted(strange)}; it has {sorted(PARTS)}")
        self.file = file
        self._seen = plain(file.starter)
        super().__init__(id, task, answers=answers)
        self.title = title or file.path.name
        self.parts = parts | {"editor"}
        self.history = History(attempts, id)
        self.hints: tuple[tuple[str, str], ...] = ()
        self._judge = judge
        self._hints = hints
        self._gate = threading.RLock()
        self._attempt: Attempt | None = None
        self._judged: Attempt | None = None
        self._take_up()

    # --- the text and its file ---------------------------------------------------------------------

    @property
    def answer(self) -> Any:
        """The text in the file, or None while it is untouched. Raises AnswerError where it is no text."""
        return None if self.file.is_untouched else self.file.text

    @answer.setter
    def answer(self, text: str) -> None:
        self.value = text
        self._save(text)

    @property
    def is_unsaved(self) -> bool:
        """True where the editor holds what was neither loaded nor saved."""
        return not same_lines(self.value, self._seen)

    def keep(self) -> None:
        """Save the editor's text.

        Raises
        ------
        AnswerError
            The file was changed on disk since; then `reload` or `keep_mine`.
        DiskFull
            No room; the text stays in the editor.
        """
        self._save(self.value)

    def keep_mine(self) -> None:
        """Save over a file that was changed on disk; what is there becomes a backup."""
        self._save(self.value, over=True)

    def reload(self) -> None:
        """Take up the text of the file; one that was not saved is kept beside it. Raises AnswerError, DiskFull."""
        theirs = self.file.text
        aside = self._keep_unsaved_aside(theirs)
        self.file.load()
        self._show_saved(theirs)
        self.status = f"Loaded: {self.in_words()}.{_kept_as(aside, 'Your unsaved text is')}"

    def reset(self) -> Path | None:
        """Go back to the starter; return the backup of the file, None where it was the starter already."""
        aside = self._keep_unsaved_aside(self.file.starter)
        backup = self.file.reset()
        self._show_saved(self.file.starter)
        kept = _kept_as(backup, "What was in the file is") + _kept_as(aside, "Your unsaved text is")
        self.status = f"Reset: {self.file.path.name} is the starter again.{kept}"
        return backup

    def restore(self) -> None:
        """Look at the file again; where nothing is unsaved, its text is taken up."""
        try:
            if not self.is_unsaved and self.file.exists and self.file.changed_on_disk:
                self.reload()
        except LayerLabError as error:
            self.status = str(error)
        self.look()
        self._judge_as_written()

    def look(self) -> None:
        """Compare editor, file and verdict, and say in words how they stand to each other."""
        self._settle_equal()
        self.conflict = self._conflict()
        self.saved_state = self._saved_state()
        self.label = self._label()

    # --- build and check -----------------------------------------------------------------------------

    def build(self) -> None:
        """Save, then build and check in a thread; returns at once. While one runs, this does nothing but say so.

        Raises AnswerError, DiskFull as `keep` does; nothing is built then.
        """
        with self._gate:
            if self.state == "building":
                self.status = f"{self.file.path.name} is being built already. Cancel it, or wait for the verdict."
                return
            self.keep()
            attempt = Attempt(self.file.text, self._judge, title=self.file.path.name, on_settled=self._on_settled)
            self._attempt, self.progress, self.state = attempt, attempt.progress, "building"
            self.status = "Saved. Building and checking it now."
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
            raise LayerLabError(f"{self.file.path.name} has not been built here. Call build() first.")
        if not self._waited(attempt, timeout):
            raise TimeoutError(f"{self.file.path.name} is not judged after {timeout:g} s. It goes on; wait again.")
        if attempt.was_cancelled:
            raise BuildCancelled(f"The build of {self.file.path.name} was cancelled. Build it again.")
        if attempt.fault is not None:
            raise attempt.fault
        verdicts = self.verdicts
        assert verdicts is not None
        return verdicts

    @property
    def verdicts(self) -> Verdicts | None:
        """The last verdicts, their title saying which text they are about; None before the first."""
        outcome = self._judged and self._judged.outcome
        return replace(outcome.verdicts, title=f"{self.file.path.name}: {self._label()}") if outcome else None

    @property
    def sizes(self) -> Sizes | None:
        """What the image of the last verdict is made of; None where there was no image."""
        outcome = self._judged and self._judged.outcome
        return outcome.sizes if outcome else None

    # --- as a question ---------------------------------------------------------------------------------

    def fault(self, value: Any) -> str | None:
        """Say so where it is no text."""
        return None if isinstance(value, str) else "it is no text."

    def unreadable(self, kept: Any) -> str | None:
        """Say what is wrong with the text of the file, or None: any text can be judged."""
        return self.fault(kept)

    def in_words(self) -> str:
        """The file's name and how many lines the editor holds."""
        return f"{self.file.path.name}, {len(self.value.splitlines())} lines"

    @property
    def text(self) -> str:
        """The panel as plain text: task, state, verdict, hints, attempts."""
        return text_twin(self)

    def _draw(self) -> Any:
        # Only a display needs ipywidgets: headless use never loads it.
        from layerlab.widgets.dockerfile_panel import view

        return view.view(self)

    def _normal(self, value: Any) -> Any:
        return plain(self.file.starter if value is None else value) if isinstance(value, str | None) else value

    # --- how it goes about it ----------------------------------------------------------------------------

    @observe("value")
    def _typed(self, change: Any) -> None:
        if hasattr(self, "_gate"):
            self.look()
            self._judge_as_written()

    def _judge_as_written(self) -> None:
        if len(self.value) > MOST_BYTES:
            self.as_written = f"too long to be looked at while you type ({len(self.value):,} characters)."
            return
        try:
            self.as_written = as_written(self._judge(self.file.as_saved(self.value)).static())
        except Exception as error:
            # Half a line is typed text too: whatever it makes a judge raise is said, and stops no typing.
            self.as_written = str(error) or type(error).__name__

    def _take_up(self) -> None:
        try:
            self._show_saved(self.file.load())
        except LayerLabError as error:
            self._show_saved(self.file.starter)
            self.status = str(error)

    def _show_saved(self, text: str) -> None:
        self._seen = plain(text)
        self.value = text
        self.look()

    def _save(self, text: str, *, over: bool = False) -> None:
        try:
            backup = self.file.save(text, over=over)
        except LayerLabError:
            self.look()
            raise
        self._seen = plain(text)
        self.look()
        self.status = f"Saved: {self.in_words()}.{_kept_as(backup, 'What was in the file is')}"
        self.keeps += 1

    def _keep_unsaved_aside(self, other: str) -> Path | None:
        is_lost = self.is_unsaved and not same_lines(self.value, other)
        return self.file.keep_aside(self.value) if is_lost else None

    def _settle_equal(self) -> None:
        # Another panel, or another editor, may have written the very same text.
        try:
            if self.file.exists and same_lines(self.file.text, self.value):
                self._seen = plain(self.file.load())
        except AnswerError:
            return

    def _conflict(self) -> str:
        name = self.file.path.name
        try:
            self.file.text  # noqa: B018 - it raises where it is no text
        except AnswerError as error:
            return str(error)
        if not self.file.changed_on_disk:
            return ""
        if not self.file.exists:
            return f"{name} was deleted or renamed since it was last read here. The editor still has your text."
        return f"{name} was changed on disk since it was last read here."

    def _saved_state(self) -> str:
        name = self.file.path.name
        if self.conflict:
            return "The editor and the file differ."
        if self.is_unsaved:
            return f"Not saved yet. Save or Build & check writes it to {name}."
        return "Nothing changed yet: this is the starter." if self.file.is_untouched else f"Saved in {name}."

    def _label(self) -> str:
        if self._judged is None:
            return ""
        when = f"{self._judged.began_at:%H:%M:%S}"
        if self._is_judged_text():
            return f"the text as saved at {when}."
        return f"an earlier text, saved at {when}. It was changed since, so this says nothing of the new one."

    def _is_judged_text(self) -> bool:
        assert self._judged is not None
        try:
            return all(same_lines(self._judged.text, text) for text in (self.value, self.file.text))
        except AnswerError:
            return False

    def _waited(self, attempt: Attempt, timeout: float | None) -> bool:
        try:
            return attempt.wait(timeout)
        except KeyboardInterrupt:
            attempt.cancel()
            attempt.wait()
            return True

    def _on_settled(self, attempt: Attempt) -> None:
        """Take in how an attempt ended; its state changes last, since others wait for that."""
        state = "failed"
        try:
            if attempt.was_cancelled:
                state, self.status = "cancelled", "Cancelled. Nothing was judged; your text is saved."
            elif attempt.fault is not None:
                self.status = _of_fault(attempt.fault)
            elif attempt.outcome is not None:
                self._take_outcome(attempt)
                state = "judged"
            self.look()
        finally:
            self.state = state

    def _take_outcome(self, attempt: Attempt) -> None:
        outcome = attempt.outcome
        assert outcome is not None
        self._judged, self.hints = attempt, ()
        self.status = f"Checked: {outcome.verdicts.tally}."
        try:
            self.history.add(attempt.text, outcome, when=attempt.began_at, seconds=attempt.seconds)
            self.hints = tuple((title, text) for title, text in self._hints(outcome.verdicts))
        except LayerLabError as error:
            # The verdict stands; only its note in the history, or a hint, is missing.
            self.status = f"{self.status} {error}"
        self.judgements += 1


def _kept_as(backup: Path | None, what: str) -> str:
    return f" {what} kept as {backup.name}." if backup else ""


def _of_fault(fault: BaseException) -> str:
    if isinstance(fault, LayerLabError):
        return f"Not judged: {fault}"
    return (
        f"Not judged: the check itself failed ({type(fault).__name__}: {fault}). "
        "Your text is saved; build again, and report this if it comes back."
    )
