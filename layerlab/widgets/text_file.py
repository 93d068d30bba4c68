"""A question that is answered in a text file of the learner's own. The file is the truth; any editor may change it."""

from __future__ import annotations

from typing import Any

from layerlab.answers import Answers
from layerlab.errors import AnswerError
from layerlab.widgets.questions import Question
from layerlab.work_file import WorkFile


class TextFile(Question):
    """A text to write; ``value`` is the text in the making, ``answer`` what the file says once it was changed."""

    def __init__(self, id: str, question: str, file: WorkFile, *, answers: Answers) -> None:
        super().__init__(id, question, answers=answers)
        self.file = file

    @property
    def answer(self) -> str | None:
        """The file's text, or None while it says what it began with. Raises AnswerError where it is no text."""
        return None if self.file.is_untouched else self.file.text

    def keep(self) -> None:
        """Write the file. Raises AnswerError where another hand changed it meanwhile, DiskFull without room."""
        self.file.save(self._whole())
        self.status = f"Kept: {self.file.path.name}"
        self.keeps += 1

    def restore(self) -> None:
        """Take up what the file says now; where it is no text, say so and leave it alone."""
        try:
            self.value = self.file.load()
            self.status = "" if self.file.is_untouched else f"Kept earlier: {self.file.path.name}"
        except AnswerError as error:
            self.status = str(error)

    def fault(self, value: Any) -> str | None:
        """Say so where it is no text."""
        return None if isinstance(value, str) else "it is no text."
