"""Questions as models: what is asked, what is chosen, what is kept. No view and no judgement here.

Every question works headless (`q.value = …; q.keep()`); `question_views` draws the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from traitlets import HasTraits, Int, TraitType, Unicode, validate

from layerlab.errors import AnswerError, LayerLabError
from layerlab.work.answers import Answers
from layerlab.work.text_file import WorkFile

# What the text of a question says of an answer: true also once it is read in a file that was saved long ago.
UNANSWERED = "Not answered when this cell ran. Run it again to answer, or to see what you saved since."
WAS_SO = "So it was when this cell ran. Run the notebook's first code cell and then this one to see where you are now."

_LETTERS_PER_WORD = 10  # with the space behind it: generous for prose


class Question(HasTraits):
    """A question, the answer being made (`value`) and the answer that was kept (`answer`).

    Parameters
    ----------
    id
        Key of the answer in its file.
    question
        What is asked, plain text.
    notebook
        Whose answer file it is ("01_naive"); ``answers`` may be given instead.
    """

    # Not traitlets.Any: that allows None without asking the validator, and Order gives None a meaning.
    value: TraitType[Any, Any] = TraitType(None)
    status = Unicode("")
    keeps = Int(0)
    kind = "answers"

    def __init__(self, id: str, question: str, *, notebook: str | None = None, answers: Answers | None = None) -> None:
        super().__init__()
        if answers is None and notebook is None:
            raise AnswerError(f"The question {id!r} has no answer file. Give notebook= or answers=.")
        self.id = id
        self.question = question
        self._answers = answers or Answers.open(str(notebook), kind=self.kind)
        self._view: Any = None

    @property
    def answer(self) -> Any:
        """The kept answer as the file has it, or None."""
        return self._answers.get(self.id)

    @property
    def kept(self) -> bool:
        """True where an answer is kept."""
        return self.answer is not None

    def keep(self) -> None:
        """Write the answer to its file. Raises AnswerError where there is none yet, DiskFull without room."""
        self._answers.keep(self.id, self._whole())
        self.status = f"Kept: {self.in_words()}"
        self.keeps += 1

    def restore(self) -> None:
        """Take up the kept answer again; what no longer fits the question is said and left in its file."""
        try:
            kept = self.answer
            if kept is not None:
                self._take(kept)
                self.status = f"Kept earlier: {self.in_words()}"
        except LayerLabError as error:
            self.status = str(error)

    def say_if_unsaved(self) -> None:
        """Say in the status that what is chosen is not the kept answer, where it is not."""
        try:
            is_saved = self.value is None or self.value == self.answer
        except LayerLabError as error:
            self.status = str(error)
            return
        if not is_saved:
            self.status = f"You chose: {self.in_words()}. It isn't saved yet: press Keep."

    def fault(self, value: Any) -> str | None:
        """Say what is wrong with a value as an answer to this question, or None."""
        return None

    def unreadable(self, kept: Any) -> str | None:
        """Say what is wrong with a kept value, or None: an answer file may have been edited by hand."""
        return self.fault(self._normal(kept))

    def in_words(self) -> str:
        """The current value as text."""
        return "no answer" if self.value is None else str(self.value)

    def possible(self) -> tuple[str, ...]:
        """The lines from which the learner picks, as text."""
        return ()

    @property
    def text(self) -> str:
        """The question as plain text: the twin for readers without widgets."""
        options = [f"  {number}. {line}" for number, line in enumerate(self.possible(), 1)]
        return "\n".join([self.question, *options, self.status or UNANSWERED])

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            self._view = self._draw()
        return self._view

    def _draw(self) -> Any:
        # Only a display needs ipywidgets: headless use never loads it.
        from layerlab.widgets import question_views

        return question_views.view(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        self.restore()
        return bundle(self.view, self.text, self._html)

    @property
    def _html(self) -> str:
        """The text as HTML, for a page that has lost its widgets.

        Lines stay as they are and break between words. In a ``pre``, since elsewhere a page takes what stands between
        two dollar signs for a formula.
        """
        text = self.text
        note = "" if UNANSWERED in text else f"<p>{WAS_SO}</p>"
        return f'<pre style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">{escape(text)}</pre>{note}'

    def _whole(self) -> Any:
        if self.value is None:
            raise AnswerError("There is no answer yet. Choose or write one, then keep it.")
        return self.value

    def _take(self, kept: Any) -> None:
        self.value = kept

    @validate("value")
    def _checked(self, proposal: Any) -> Any:
        value = self._normal(proposal["value"])
        if value is not None and (fault := self.fault(value)):
            raise AnswerError(f"{cut(repr(value))} is no answer to {self.id}: {fault}")
        return value

    def _normal(self, value: Any) -> Any:
        return value


class Choice(Question):
    """One of several options; the value is the option's text."""

    def __init__(
        self,
        id: str,
        question: str,
        options: Sequence[str],
        *,
        notebook: str | None = None,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(id, question, notebook=notebook, answers=answers)
        self.options = _distinct(options)

    def fault(self, value: Any) -> str | None:
        """Name the options where the value is none of them."""
        return None if value in self.options else f"it is none of {', '.join(map(repr, self.options))}."

    def possible(self) -> tuple[str, ...]:
        """The options."""
        return self.options


class MultiChoice(Choice):
    """Any number of options; the value is a list in the order of the options.

    Nothing marked is an answer once it is kept: "none of them" is what some have to say.
    """

    def fault(self, value: Any) -> str | None:
        """Name what is no option."""
        if not isinstance(value, list):
            return "it is no list of options."
        strange = [item for item in value if item not in self.options]
        return f"{cut(repr(strange[0]))} is no option." if strange else None

    def in_words(self) -> str:
        """The chosen options as one line."""
        return "no answer" if self.value is None else "; ".join(self.value) or "none of them"

    def _whole(self) -> Any:
        if self.value is None:
            self.value = []
        return self.value

    def _normal(self, value: Any) -> Any:
        chosen = [value] if isinstance(value, str) else value
        if not isinstance(chosen, list | tuple):
            return chosen
        known = [option for option in self.options if option in chosen]
        return known + [item for item in chosen if item not in self.options]


class Order(Question):
    """Lines to put in order (a Parsons problem); the value is the list of lines, first line first.

    The value begins as the order given: moving is answering, and nothing counts before it is kept.
    """

    def __init__(
        self,
        id: str,
        question: str,
        lines: Sequence[str],
        *,
        notebook: str | None = None,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(id, question, notebook=notebook, answers=answers)
        self.lines = _distinct(lines)
        self.value = list(self.lines)

    def move(self, line: str, by: int) -> None:
        """Move a line up (negative) or down; at either end it stays where it is."""
        order = list(self.value)
        place = order.index(line)
        target = min(max(place + by, 0), len(order) - 1)
        order.insert(target, order.pop(place))
        self.value = order
        try:
            is_saved = self.value == self.answer
        except LayerLabError as error:
            self.status = str(error)
            return
        self.status = (
            f"{line} is now line {target + 1} of {len(order)}. {'That is saved.' if is_saved else 'Not kept yet.'}"
        )

    def fault(self, value: Any) -> str | None:
        """Say so where the value does not hold every line once."""
        is_lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
        return None if is_lines and sorted(value) == sorted(self.lines) else "it does not hold each line once."

    def in_words(self) -> str:
        """How many lines stand in their order."""
        return f"{len(self.lines)} lines, beginning with {self.value[0]}"

    def possible(self) -> tuple[str, ...]:
        """The lines in their current order."""
        return tuple(self.value)

    def _normal(self, value: Any) -> Any:
        # Setting None starts over: there is no such thing as no order.
        chosen = self.lines if value is None else value
        return list(chosen) if isinstance(chosen, list | tuple) else chosen


class PointAt(Question):
    """One row of a table; the value is the row's first cell (" (2)" is added to a second of the same text).

    A number stands for the row counted from 1, so ``q.value = 1`` is the row at the top.
    """

    def __init__(
        self,
        id: str,
        question: str,
        rows: Sequence[Sequence[str]],
        *,
        columns: Sequence[str] = (),
        notebook: str | None = None,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(id, question, notebook=notebook, answers=answers)
        self.rows = tuple(tuple(row) for row in rows)
        self.columns = tuple(columns)
        self.keys = _numbered([row[0] for row in self.rows])

    def row_with(self, text: str) -> str:
        """Return the one row whose first cell holds ``text``. Raises AnswerError for none or several."""
        found = [key for key in self.keys if text in key]
        if len(found) != 1:
            raise AnswerError(f"{text!r} is in {len(found)} rows of {self.id}. Name a part that is in one row.")
        return found[0]

    def fault(self, value: Any) -> str | None:
        """Say so where no row is meant."""
        return None if value in self.keys else f"the table has no such row; it has {len(self.keys)} rows."

    def possible(self) -> tuple[str, ...]:
        """The rows, one line each, long cells cut."""
        return tuple("  ".join((cut(key), *row[1:])) for key, row in zip(self.keys, self.rows, strict=True))

    def _normal(self, value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return self.keys[value - 1] if is_number and 1 <= value <= len(self.keys) else value


class ShortText(Question):
    """A few words of the learner's own, at most ``words`` of them and ten letters for each."""

    def __init__(
        self,
        id: str,
        question: str,
        *,
        words: int = 40,
        notebook: str | None = None,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(id, question, notebook=notebook, answers=answers)
        self.words = words

    def fault(self, value: Any) -> str | None:
        """Say so where it is no text; that it is too long counts only when it is kept."""
        return None if isinstance(value, str) else "it is no text."

    def _whole(self) -> Any:
        text = str(self.value or "").strip()
        if not text:
            raise AnswerError("There is no answer yet. Write a few words, then keep them.")
        return within(text, self.words)


def within(text: str, words: int) -> str:
    """Return the text with single spaces. Raises AnswerError above ``words`` words, or ten letters for each."""
    found = text.split()
    if len(found) > words:
        raise AnswerError(f"That is {len(found)} words; at most {words} fit. Leave out what the figure shows.")
    line = " ".join(found)
    # One word without end would pass a count of words.
    if len(line) > (most := words * _LETTERS_PER_WORD):
        raise AnswerError(f"That is {len(line)} characters; at most {most} fit. Say it in fewer or shorter words.")
    return line


def cut(text: str, letters: int = 80) -> str:
    """Return the text on one line of at most so many letters; official bases have instructions of 2,000."""
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    if len(set(texts)) != len(texts) or not texts:
        raise ValueError(f"options must be there and differ from each other: {list(texts)}")
    return tuple(texts)


def _numbered(texts: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    names = []
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
        names.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return tuple(names)


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
