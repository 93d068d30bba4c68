"""What all exercises share: questions, verdicts, hints and attempts. Knows no single exercise and no engine.

How to write one: docstring of `Exercise`. How a question works whose answer is a Dockerfile: `FileTask`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from layerlab.checks import INVITATION, Check, Outcome, Verdicts, answered, require, undecided, unreadable
from layerlab.context import BuildContext
from layerlab.errors import AnswerError, BaseError, ContextError, DockerfileError, EngineError
from layerlab.exercises.kit.bench import Bench
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.judging import FileJudging
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.result import ANSWER, FILE, Result
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Remembered, Trial, given
from layerlab.narration import about
from layerlab.units import as_html
from layerlab.widgets.questions import Question, cut
from layerlab.widgets.waiting import waiting
from layerlab.work.answers import Answers
from layerlab.work.attempts import Attempts
from layerlab.work.identity import own_tag
from layerlab.work.text_file import WorkFile, fingerprint

if TYPE_CHECKING:
    from layerlab.widgets.dockerfile_panel import DockerfilePanel

_HINT_TITLES = ("Where to look", "The principle", "The same step in another file")
_VARIANT_TITLES = ("A small variant, to solve alone", "What it comes to")
_Mark = tuple[str, ...]
_EDIT_INVITATION = "Which line needs your edit? Change it in the editor, then press Build & check."


class Exercise:
    """One exercise at one bench.

    A *task* is what one check cell judges; it has one or more questions. `verdicts` judges and does
    nothing else; `check` also shows, remembers the attempt, opens hints and raises.

    Notes
    -----
    An author gives ``texts`` (the file `texts.toml`), ``tasks`` and ``mistakes``, and:

    - for a question with a widget, `_make` and `_judge`;
    - for a Dockerfile, an entry in ``files`` and `_try`. Its task has this one question, which bears another id
      than the task: ``"q2-complete": ("q2-complete-file",)``.
    """

    texts: ClassVar[Texts]
    # The exercise's and its notebook's name, and what the texts hold, by task and by check.
    name: ClassVar[str]
    titles: ClassVar[Mapping[str, str]]
    hints: ClassVar[Mapping[str, tuple[str, ...]]]
    tasks: ClassVar[Mapping[str, tuple[str, ...]]]
    # Question → the Dockerfile that answers it.
    files: ClassVar[Mapping[str, FileTask]] = {}

    def __init_subclass__(cls) -> None:
        """Take name, titles and hints from the texts. Raises SetupError where they are about other tasks."""
        super().__init_subclass__()
        if "texts" in vars(cls):
            cls.texts.require(tuple(cls.tasks))
            cls.name, cls.titles, cls.hints = cls.texts.exercise, cls.texts.titles, cls.texts.hints

    def __init__(self, bench: Bench, *, work: Path | None = None) -> None:
        self.bench = bench
        self.work = work = work or bench.work
        self.answers = Answers.open(self.name, work=work)
        self._attempts = Attempts.open(self.name, work=work)
        self._results = Answers.open(self.name, kind="results", work=work)
        self._questions: dict[str, Question] = {}
        # Task → the last text that was judged, with all that its verdict depends on, and the verdict.
        self._judged: dict[str, tuple[_Mark, Outcome]] = {}
        self._remembered: Remembered = {}

    @property
    def mistakes(self) -> Sequence[Mistake]:
        """Wrong answers that people really give, each with the check that must fail on it."""
        return ()

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Question → texts that differ from the solution by one plausible edit.

        They are recorded, so that most of what learners try has a verdict without an engine.
        """
        return {}

    def starter(self, id: str) -> str:
        """Return the Dockerfile that a learner begins a question with."""
        return given(self.bench, self.files[id].app, self.files[id].starter)

    @property
    def starters(self) -> dict[str, str]:
        """Question → the Dockerfile that a learner begins it with."""
        return {id: self.starter(id) for id in self.files}

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
            with waiting("measuring what this question shows"):
                self._questions[id] = self._panel(id) if id in self.files else self._make(id)
        return self._questions[id]

    def judging(self, task: str, text: str) -> FileJudging:
        """Return what judges a Dockerfile for a panel, anew each time. Its attempt counts once it is recorded."""
        (id,) = self.tasks[task]

        def begin() -> Callable[[Outcome], None]:
            # Of the files as they are now: while it is built, somebody may edit them.
            mark = self._mark(id, text)
            return lambda outcome: self._remember_verdict(task, mark, outcome)

        return FileJudging(self._trial(id, text), partial(self._try, task), on_run=begin)

    def _remember_verdict(self, task: str, mark: _Mark | None, outcome: Outcome) -> None:
        # What could not be checked may be checked at the next try.
        if mark and outcome.verdicts.checks and all(check.status != "SKIP" for check in outcome.verdicts):
            self._judged[task] = mark, outcome

    def judged(self, task: str, text: str) -> Outcome:
        """Return the verdict on a Dockerfile, without building it again where it was the last one judged.

        Notes
        -----
        A verdict is about a text, the files that it is built with, and this exercise's engine: while these are the
        same it holds, even where the image was removed since, because it says what such a build gives and not what lies
        on the engine now. *Build & check* always builds, so there is a way to ask again.
        """
        (id,) = self.tasks[task]
        mark, outcome = self._judged.get(task, (None, None))
        if outcome is not None and mark == self._mark(id, text):
            return outcome
        return self.judging(task, text).run()

    def _mark(self, id: str, text: str) -> _Mark | None:
        """What tells one judged text from another; None where it cannot be read, and so takes no time to judge."""
        task = self.files[id]
        try:
            context = BuildContext.open(self.bench.folder(task.app), task.file, dockerfile_text=text)
            before = given(self.bench, task.app, task.before or task.starter)
            return fingerprint(text), fingerprint(before), context.digest(["."])
        except (ContextError, DockerfileError):
            return None

    def verdicts(self, task: str, given: Mapping[str, Any] | None = None) -> Verdicts:
        """Judge a task's kept answers, or the ones given; writes and shows nothing.

        A measurement that cannot be made here gives a SKIP that says what would decide it.
        """
        return self._outcome(task, given).verdicts

    def _outcome(self, task: str, given: Mapping[str, Any] | None = None) -> Outcome:
        if task not in self.tasks:
            raise KeyError(f"{self.name} has no task {task!r}. It has: {', '.join(self.tasks)}.")
        if given is not None:
            return self._decided(task, {id: given.get(id) for id in self.tasks[task]}, is_kept=False)
        if fault := next(filter(None, map(self._unreadable, self.tasks[task])), None):
            return Outcome(Verdicts((fault,)))
        values = {id: self._kept(id) for id in self.tasks[task]}
        told = [self._told(id, value) for id, value in values.items()]
        outcome = self._decided(task, values, is_kept=True)
        return replace(outcome, verdicts=replace(outcome.verdicts, judged=_shortened(told)))

    def _decided(self, task: str, values: Mapping[str, Any], *, is_kept: bool) -> Outcome:
        missing = next((id for id, value in values.items() if value is None), None)
        if missing:
            usual, nothing = INVITATION, "no kept answer"
            if missing in self.files:
                usual, nothing = _EDIT_INVITATION, f"{self.files[missing].file} as it was given, without a change"
            look = self.texts.tasks[task].invitation or usual
            return Outcome(Verdicts((answered("answered", None, look=look, nothing=nothing),)))
        if self.files.keys() & values.keys():
            (text,) = values.values()
            return self.judged(task, text)
        return Outcome(Verdicts(self._checks(task, values, is_kept=is_kept)))

    def _kept(self, id: str) -> Any:
        """The kept answer, or None; of a file, its text as soon as it differs from the starter."""
        if id not in self.files:
            return self.answers.get(id)
        file = self._file(id)
        return None if file.is_untouched else file.text

    def _told(self, id: str, value: Any) -> Any:
        """What a verdict says of the answer that it judged; of a file its name and length."""
        return _lines_of(self.files[id].file, value) if id in self.files else value

    def _rests_on(self, task: str) -> dict[str, Any]:
        """What a verdict on a task is about now: answers and texts, by their places in the learner's folder."""
        ids = self.tasks.get(task, ())
        return {} if any(map(self._unreadable, ids)) else {self._place(id): self._kept(id) for id in ids}

    def _place(self, id: str) -> str:
        return FILE.format(self.files[id].file) if id in self.files else ANSWER.format(id)

    def _unreadable(self, id: str) -> Check | None:
        """The check of a learner's file that is no text, or too long; None where it can be judged."""
        try:
            self._kept(id)
        except AnswerError as error:
            if id in self.files:
                return _unreadable_file(error)
            raise
        return None

    def _checks(self, task: str, values: Mapping[str, Any], *, is_kept: bool) -> tuple[Check, ...]:
        try:
            # A file can be edited by hand. Nothing else is judged by a value that no question would keep.
            strange = [value for id, value in values.items() if is_kept and self.question(id).unreadable(value)]
            return (unreadable("answered", strange[0]),) if strange else tuple(self._judge(task, values))
        except (EngineError, BaseError) as error:
            return (undecided("measured", error),)

    def check(self, task: str | None = None) -> None:
        """Show the verdicts of a task, or of all tasks, with the hints that are open by now.

        Raises
        ------
        CheckFailed
            Not every check passes; a SKIP is not a PASS.
        """
        names = [task] if task else list(self.tasks)
        # Looked at first: what another editor writes while an image is built was not judged.
        judged = {name: self._rests_on(name) for name in names}
        outcomes = dict(self._each(names))
        for name, outcome in outcomes.items():
            verdicts = outcome.verdicts
            self._look(name)
            self._show(name, verdicts if task else replace(verdicts, title=self.titles[name]))
            if verdicts.all_pass:
                self._remember_pass(name, Result.of(verdicts, judged[name]))
        require(Verdicts(tuple(check for outcome in outcomes.values() for check in outcome.verdicts)))

    def _look(self, task: str) -> None:
        """Let a panel above say so where the file that was checked is not what it shows."""
        for id in self.files.keys() & set(self.tasks[task]) & self._questions.keys():
            cast("DockerfilePanel", self._questions[id]).look()

    def _each(self, tasks: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        with waiting("checking your answer"):
            for number, name in enumerate(tasks, 1):
                with about(f"part {number} of {len(tasks)}") if len(tasks) > 1 else nullcontext():
                    yield name, self._outcome(name)

    def open_hints(self, task: str, check: Check) -> tuple[tuple[str, str], ...]:
        """Return (title, text) of the hints that are open for a check that does not pass: one more a new attempt."""
        ladder = self._ladder_for(task, check)
        return tuple(zip(_HINT_TITLES, ladder, strict=False))[: len(self._attempts.tried(task).get(check.name, ()))]

    def open_variant(self, task: str) -> tuple[tuple[str, str], ...]:
        """Return (title, text) of a solved task's variant and of its answer, where its last hint was needed."""
        needed = (
            len(tried) >= len(_HINT_TITLES)
            for name, tried in self._attempts.tried(task).items()
            if self._ladder(task, name)
        )
        variant = self.texts.tasks[task].variant if any(needed) else None
        return tuple(zip(_VARIANT_TITLES, variant, strict=True)) if variant else ()

    def _ladder(self, task: str, check: str) -> Sequence[str]:
        return self.hints.get(f"{task}: {check}", self.hints.get(check, ()))

    def _ladder_for(self, task: str, check: Check) -> Sequence[str]:
        """The hints for a check that does not pass.

        One that could not be decided opens hints like one that fails: without an engine a learner would get none. Where
        it has none of its own, they are those of the check that people fail first.
        """
        if (ladder := self._ladder(task, check.name)) or check.status != "SKIP":
            return ladder
        usual = (wrong.failing for wrong in self.mistakes if wrong.task == task)
        return next(filter(None, (self._ladder(task, name) for name in usual)), ())

    def _record(
        self, task: str, text: str, outcome: Outcome, *, when: datetime, seconds: float
    ) -> tuple[tuple[str, str], ...]:
        """Write down what a panel's attempt came to, and return the hints that it opens."""
        (id,) = self.tasks[task]
        self._attempts.add(id, text, outcome, when=when, seconds=seconds, task=task)
        if shown := outcome.verdicts.shown:
            return self.open_hints(task, shown)
        return self.open_variant(task) if outcome.verdicts.all_pass else ()

    def _show(self, task: str, verdicts: Verdicts) -> None:
        from IPython.display import display

        display(verdicts)  # type: ignore[no-untyped-call]
        folds = self.open_variant(task) if verdicts.all_pass else ()
        if (shown := verdicts.shown) and self._ladder_for(task, shown):
            self._attempts.meet(task, shown.name, self._marks(task))
            folds = self.open_hints(task, shown)
        for title, text in folds:
            display(Hint(title, text))  # type: ignore[no-untyped-call]

    def _marks(self, task: str) -> list[Any]:
        """What tells one attempt at a task from another: the answers, and of a file its digest."""
        if any(map(self._unreadable, self.tasks[task])):
            return []
        kept = {id: self._kept(id) for id in self.tasks[task]}
        return [fingerprint(value) if id in self.files and value is not None else value for id, value in kept.items()]

    def _remember_pass(self, task: str, result: Result) -> None:
        # Only a pass: what is tried out afterwards takes none away.
        if self._results.get(task) != result.value:
            self._results.keep(task, result.value)

    def _panel(self, id: str) -> DockerfilePanel:
        from layerlab.widgets.dockerfile_panel import DockerfilePanel

        task = next(task for task, ids in self.tasks.items() if id in ids)
        return DockerfilePanel(
            id,
            self.texts.tasks[task].asks,
            file=self._file(id),
            judge=partial(self.judging, task),
            record=partial(self._record, task),
            parts=self.files[id].parts,
            answers=self.answers,
            attempts=partial(self._attempts.table, id),
            title=self.titles[task],
        )

    def _file(self, id: str) -> WorkFile:
        return WorkFile(self.answers.folder / self.files[id].file, self.starter(id))

    def _trial(self, id: str, text: str) -> Trial:
        return Trial(self.bench, self.files[id], text, tag=self._tag(id), remembered=self._remembered)

    def _tag(self, id: str) -> Callable[[], str]:
        # Only a build needs the name, and looking at a text makes no file.
        return partial(own_tag, f"ex{self.name[:2]}:{id}", self.work, namespace=self.bench.namespace)

    def _make(self, id: str) -> Question:
        raise NotImplementedError

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        raise NotImplementedError

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        """Yield the checks of a Dockerfile, those first that need no engine; see `judging.judged`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Hint:
    """One rung of the ladder, or what follows it, folded until it is wanted."""

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{self.title}: {self.text}"

    def _repr_html_(self) -> str:
        return f"<details><summary>{escape(self.title)}</summary><p>{as_html(self.text)}</p></details>"


def _lines_of(file: str, text: str | None) -> str | None:
    return None if text is None else f"{file}, {len(text.splitlines())} lines"


def _unreadable_file(error: AnswerError) -> Check:
    fault, _, rest = str(error).partition(". ")
    return Check(
        name="answered",
        status="FAIL",
        found=f"{fault}.",
        wanted="a Dockerfile as text",
        why="there is no text to look at.",
        hint=f"{rest} Which editor wrote it?",
    )


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
