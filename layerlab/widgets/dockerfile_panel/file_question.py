"""A question whose answer is a text file on disk: what is in the editor, what is in the file, and how they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from traitlets import Unicode, observe

from layerlab.errors import AnswerError, LayerLabError
from layerlab.widgets.questions import Question
from layerlab.work.answers import Answers
from layerlab.work.text_file import WorkFile, plain, same_lines


class FileQuestion(Question):
    """A text to be written into a file, which other editors, panels and kernels may change too.

    Attributes
    ----------
    value
        The text in the editor, every line ending as a browser has it.
    answer
        The text in the file, None while it is missing or still the starter; setting it saves.
    conflict
        What is wrong between editor and file, as a sentence; empty where nothing is.
    """

    conflict = Unicode("")
    saved_state = Unicode("", help="whether the editor's text is in the file, in words")

    def __init__(self, id: str, question: str, *, file: WorkFile, answers: Answers) -> None:
        self.file = file
        self._seen = ""
        super().__init__(id, question, answers=answers)
        try:
            self._show_saved(file.load())
        except LayerLabError as error:
            self._show_saved(file.starter)
            self.status = str(error)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.path.name

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
        aside = self._keep_unsaved_aside(self.file.text)
        self._show_saved(self.file.load())
        self.status = f"Loaded: {self.in_words()}.{_kept_as(aside, 'The text of the editor is')}"

    def reset(self) -> Path | None:
        """Go back to the starter; return the backup of the file, None where it was the starter already."""
        aside = self._keep_unsaved_aside(self.file.starter)
        backup = self.file.reset()
        self._show_saved(self.file.starter)
        kept = _kept_as(backup, "What was in the file is") + _kept_as(aside, "Your unsaved text is")
        self.status = f"Reset: {self.name} is the starter again.{kept}"
        return backup

    def restore(self) -> None:
        """Look at the file again; where nothing is unsaved, its text is taken up."""
        try:
            if not self.is_unsaved and self.file.exists and self.file.changed_on_disk:
                self.reload()
        except LayerLabError as error:
            self.status = str(error)
        self.look()

    def look(self) -> None:
        """Compare editor and file, and say in words how they stand to each other."""
        self._settle_equal()
        self.conflict = self.file.complaint
        self.saved_state = self._saved_state()

    def fault(self, value: Any) -> str | None:
        """Say so where it is no text."""
        return None if isinstance(value, str) else "it is no text."

    def in_words(self) -> str:
        """The file's name and how many lines the editor holds."""
        count = len(self.value.splitlines())
        return f"{self.name}, {count} {'line' if count == 1 else 'lines'}"

    def _normal(self, value: Any) -> Any:
        text = self.file.starter if value is None else value
        return plain(text) if isinstance(text, str) else text

    @observe("value")
    def _typed(self, change: Any) -> None:
        self.look()

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
        # Once the file is deleted, the editor holds the only copy of what was saved.
        is_only_here = self.is_unsaved or not self.file.exists
        is_lost = is_only_here and not any(same_lines(self.value, text) for text in (other, self.file.starter))
        return self.file.keep_aside(self.value) if is_lost else None

    def _settle_equal(self) -> None:
        # Another panel, or another editor, may have written the very same text.
        try:
            if self.file.exists and same_lines(self.file.text, self.value):
                self._seen = plain(self.file.load())
        except AnswerError:
            return

    def _saved_state(self) -> str:
        if self.conflict:
            return "The editor and the file differ."
        if self.is_unsaved:
            return f"Not saved yet. Save or Build & check writes it to {self.name}."
        return "Nothing changed yet: this is the starter." if self.file.is_untouched else f"Saved in {self.name}."


def _kept_as(backup: Path | None, what: str) -> str:
    return f" {what} kept as {backup.name}." if backup else ""
