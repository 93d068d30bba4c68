"""What all exercises share: questions, verdicts, hints and attempts. Knows no single exercise and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Protocol

from layerlab.answers import Answers
from layerlab.checks import INVITATION, Check, Verdicts, answered, require, skipped, unreadable
from layerlab.errors import BaseError, EngineError
from layerlab.image import Image
from layerlab.widgets.questions import Question, cut

_HINT_TITLES = ("Where to look", "The principle", "The same step in another file")


class Built(Protocol):
    """What a build gave."""

    @property
    def image(self) -> Image:
        """The image."""


class Ran(Protocol):
    """A command that ended in a container."""

    @property
    def exit_code(self) -> int:
        """0 where the command succeeded."""

    @property
    def output(self) -> str:
        """What it printed."""


class Bench(Protocol):
    """What an exercise may ask for. `layerlab.course.session.Lab` has this shape, and so has a test's double."""

    def base(self, key: str) -> Image:
        """Return the base called "slim" or "full"."""

    def build(self, app: str, dockerfile: str = ..., *, tag: str | None = ...) -> Built:
        """Build a folder below ``apps``."""

    def image(self, reference: str) -> Image:
        """Describe an image that is there. Raises ImageNotFound."""

    def run(self, image: str | Image, command: Sequence[str] | None = ...) -> Ran:
        """Run a command in a new container of the image."""


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer that people really give, and the check that must fail on it."""

    name: str
    task: str
    answers: Mapping[str, Any]
    failing: str


@dataclass(frozen=True)
class Objective:
    """What a solved task shows that somebody can do: one row of the rubric."""

    task: str
    text: str


class Exercise:
    """One exercise at one bench.

    A *task* is what one check cell judges; it has one or more questions. `verdicts` judges and does
    nothing else; `check` also shows, remembers the attempt, opens hints and raises.
    """

    name: ClassVar[str]
    tasks: ClassVar[Mapping[str, tuple[str, ...]]]
    # Task → the heading above it in the notebook.
    titles: ClassVar[Mapping[str, str]]
    # Question → how to answer it, where `INVITATION` doesn't fit its kind.
    invitations: ClassVar[Mapping[str, str]] = {}
    rubric: ClassVar[tuple[Objective, ...]]
    hints: ClassVar[Mapping[str, tuple[str, str, str]]]
    wrong_answers: ClassVar[tuple[WrongAnswer, ...]]

    def __init__(self, bench: Bench, *, work: Path | None = None) -> None:
        self.bench = bench
        self.answers = Answers.open(self.name, work=work)
        self._attempts = Answers.open(self.name, kind="attempts", work=work)
        self._questions: dict[str, Question] = {}

    def question(self, id: str) -> Question:
        """Return a question to display and answer; the same object each time.

        Raises
        ------
        KeyError
            The exercise has no such question.
        BaseError, EngineError
            The question shows a measurement that cannot be made here.
        """
        if id not in self._questions:
            known = [question for ids in self.tasks.values() for question in ids]
            if id not in known:
                raise KeyError(f"{self.name} has no question {id!r}. It has: {', '.join(known)}.")
            self._questions[id] = self._make(id)
        return self._questions[id]

    def verdicts(self, task: str, given: Mapping[str, Any] | None = None) -> Verdicts:
        """Judge a task's kept answers, or the ones given; writes and shows nothing.

        A measurement that cannot be made here gives a SKIP that says what would decide it.
        """
        if task not in self.tasks:
            raise KeyError(f"{self.name} has no task {task!r}. It has: {', '.join(self.tasks)}.")
        values = {id: (given or {}).get(id) if given is not None else self.answers.get(id) for id in self.tasks[task]}
        if given is None:
            return Verdicts(self._checks(task, values, is_kept=True), judged=_shortened(values.values()))
        return Verdicts(self._checks(task, values, is_kept=False))

    def _checks(self, task: str, values: Mapping[str, Any], *, is_kept: bool) -> tuple[Check, ...]:
        missing = next((id for id, value in values.items() if value is None), None)
        if missing:
            return (answered("answered", None, look=self.invitations.get(missing, INVITATION)),)
        try:
            # A file can be edited by hand. Nothing else is judged by a value that no question would keep.
            strange = [value for id, value in values.items() if is_kept and self.question(id).unreadable(value)]
            return (unreadable("answered", strange[0]),) if strange else tuple(self._judge(task, values))
        except (EngineError, BaseError) as error:
            return (skipped("measured", str(error)),)

    def check(self, task: str | None = None) -> None:
        """Show the verdicts of a task, or of all tasks, with the hints that are open by now.

        Raises
        ------
        CheckFailed
            Not every check passes; a SKIP is not a PASS.
        """
        verdicts = {name: self.verdicts(name) for name in ([task] if task else self.tasks)}
        for name, verdict in verdicts.items():
            self._show(name, verdict if task else replace(verdict, title=self.titles[name]))
        require(Verdicts(tuple(check for verdict in verdicts.values() for check in verdict)))

    def open_hints(self, task: str, check: Check) -> tuple[tuple[str, str], ...]:
        """Return (title, text) of the hints that are open for a failing check: one more with each new attempt."""
        ladder = self.hints.get(check.name, ())
        return tuple(zip(_HINT_TITLES, ladder, strict=False))[: len(self._tried(task).get(check.name, ()))]

    def _show(self, task: str, verdicts: Verdicts) -> None:
        from IPython.display import display

        display(verdicts)  # type: ignore[no-untyped-call]
        if (shown := verdicts.shown) and shown.status == "FAIL" and shown.name in self.hints:
            self._remember(task, shown)
            for title, text in self.open_hints(task, shown):
                display(Hint(title, text))  # type: ignore[no-untyped-call]

    def _remember(self, task: str, failing: Check) -> None:
        # An attempt is a changed answer that meets the same obstacle: running a check again opens nothing.
        values = [self.answers.get(id) for id in self.tasks[task]]
        attempts = self._tried(task)
        tried = attempts.get(failing.name, [])
        if any(value is not None for value in values) and values not in tried:
            self._attempts.keep(task, {**attempts, failing.name: [*tried, values]})

    def _tried(self, task: str) -> dict[str, list[Any]]:
        # What does not have the form of attempts counts as none: a file edited by hand stops no check.
        kept = self._attempts.get(task)
        return (
            {name: tried for name, tried in kept.items() if isinstance(tried, list)} if isinstance(kept, dict) else {}
        )

    def _make(self, id: str) -> Question:
        raise NotImplementedError

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        raise NotImplementedError


@dataclass(frozen=True)
class Hint:
    """One rung of the ladder, folded until it is wanted."""

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{self.title}: {self.text}"

    def _repr_html_(self) -> str:
        return f"<details><summary>{escape(self.title)}</summary><p>{escape(self.text)}</p></details>"


def _shortened(values: Iterable[Any]) -> str:
    """Return kept values as one line of text, or nothing where none is kept; each part keeps its beginning."""
    kept = list(values)
    if all(value is None for value in kept):
        return ""
    return "; ".join("(nothing yet)" if value is None else _in_short(value) for value in kept)


def _in_short(value: Any) -> str:
    if isinstance(value, list):
        return cut(" · ".join(cut(str(part), 24) for part in value), 200)
    return cut(str(value), 100)
