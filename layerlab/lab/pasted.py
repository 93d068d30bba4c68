"""A panel for a pasted answer: kept in a file, read, built and asked within a time limit. Trusts no line of it."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab.checks import Check, Outcome, Verdicts, behaviour, judge
from layerlab.checks.reviewed import harmless
from layerlab.context import BuildContext
from layerlab.dockerfile import parse
from layerlab.errors import BuildCancelled
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.judging import judged, outcome
from layerlab.exercises.kit.trial import Trial
from layerlab.review import review, visible
from layerlab.units import duration
from layerlab.widgets.dockerfile_panel import DockerfilePanel
from layerlab.widgets.job import Job
from layerlab.work.answers import Answers
from layerlab.work.attempts import Attempts
from layerlab.work.identity import own_tag
from layerlab.work.text_file import WorkFile

if TYPE_CHECKING:
    from datetime import datetime

    from layerlab.build import OnEvent
    from layerlab.events import Event
    from layerlab.exercises.kit.bench import Bench

QUESTION = "pasted"
FILE = "Dockerfile.pasted"
STARTER = "# Paste the assistant's answer here, in the place of this line.\n"
LIMIT_SECONDS = 600.0
PARTS = frozenset({"editor", "gauge", "attempts"})
_FENCE = re.compile(r"^[ \t]*```[\w-]*[ \t]*\n(?P<inside>.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
# In a FROM with the tag that it stands in, in a path only right behind the name.
_PYTHON = re.compile(r"((?:^FROM\s+(?:--\S+\s+)*python:|/python))3\.\d+(?:\.\d+)?\b", re.MULTILINE | re.IGNORECASE)
_SAYS = (
    "Paste what the assistant answered, then press Build & check. The text is kept in a file of yours. What can be "
    "read is built without any of your secrets, started once, and asked for two routes."
)


def panel(
    bench: Bench,
    app: str,
    notebook: str,
    *,
    py_minor: str | None = None,
    limit_seconds: float = LIMIT_SECONDS,
) -> AnswerPanel:
    """Make the panel for one service.

    Parameters
    ----------
    app
        The folder below ``apps`` that the answer is built with.
    py_minor
        The one Python that the engine's bases have, where they are stand-ins: an answer that names another is built
        with it, and the verdict says so.
    limit_seconds
        After this long building and asking end, and the verdict says so.
    """
    answers = Answers.open(notebook, work=bench.work)
    attempts = Attempts.open(notebook, work=bench.work)
    made = AnswerPanel(
        QUESTION,
        _SAYS,
        file=WorkFile(answers.folder / FILE, STARTER),
        judge=partial(PastedJudging, bench, app, py_minor=py_minor, limit_seconds=limit_seconds),
        record=partial(_record, attempts),
        parts=PARTS,
        answers=answers,
        attempts=partial(attempts.table, QUESTION),
        title="An assistant's answer",
    )
    made.py_minor = py_minor
    return made


def _record(attempts: Attempts, text: str, outcome: Outcome, *, when: datetime, seconds: float) -> tuple[()]:
    attempts.add(QUESTION, text, outcome, when=when, seconds=seconds)
    return ()


class AnswerPanel(DockerfilePanel):
    """The panel, and what was pasted into it as the Dockerfile that is built."""

    py_minor: str | None = None

    @property
    def dockerfile(self) -> str | None:
        """The kept text without what a chat puts around it; None while nothing is pasted.

        Raises
        ------
        DockerfileError
            With the line, where it is no Dockerfile.
        """
        if self.answer is None:
            return None
        text = as_built(self.answer, self.py_minor)
        parse(text)
        return text


class PastedJudging:
    """One judging of one pasted text; see `layerlab.widgets.dockerfile_panel.Judging`."""

    def __init__(
        self,
        bench: Bench,
        app: str,
        text: str,
        *,
        py_minor: str | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        built = as_built(text, py_minor)
        self._changed = _changed_lines(without_fences(text), built)
        self._py_minor = py_minor
        task = FileTask(file=FILE, app=app, starter="Dockerfile.answer-01", parts=PARTS, stopping=True)
        tag = partial(own_tag, f"{app}:pasted", bench.work, namespace=bench.namespace)
        self._trial = Trial(bench, task, built, tag=tag)
        self._folder = bench.folder(app)
        self._limit_seconds = limit_seconds

    def static(self) -> Verdicts:
        """Judge what the text alone shows."""
        return judged(self._trial.unbuilt(), self._checks)

    def run(self, on_event: OnEvent | None = None) -> Outcome:
        """Build, start and ask, at most as long as the limit allows. Raises BuildCancelled after `cancel`."""
        job = Job(
            # Who hears the narration of this call hears what the job tells.
            partial(contextvars.copy_context().run, outcome, self._trial, self._checks),
            cancel=self._trial.cancel,
            name="layerlab-pasted",
            limit_seconds=self._limit_seconds,
        )
        self._trial.on_event = partial(_heard, job, on_event)
        try:
            return job.run()
        except BuildCancelled:
            if not job.is_late:
                raise
            return Outcome(Verdicts((file_checks.reads(self._trial), _endless(self._limit_seconds))))

    def cancel(self) -> None:
        """End `run` soon, from any thread."""
        self._trial.cancel()

    def _checks(self, trial: Trial) -> Iterator[Check]:
        # What a check quotes may be anybody's: nothing of it steers a terminal.
        return (replace(one, found=visible(one.found), why=visible(one.why)) for one in self._asked(trial))

    def _asked(self, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        yield _reviewed(trial, self._folder)
        if self._changed:
            lines = ", ".join(map(str, self._changed))
            yield judge("python", True, because=f"the bases here have {self._py_minor}: built with it in line {lines}")
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield behaviour.not_root(trial.probe, dockerfile=trial.dockerfile)
        yield behaviour.stops(trial.probe, dockerfile=trial.dockerfile)
        yield behaviour.read_only(trial.read_only_probe)


def _heard(job: Job[Outcome], on_event: OnEvent | None, event: Event) -> None:
    job.beat()
    if on_event is not None:
        on_event(event)


def as_built(text: str, py_minor: str | None) -> str:
    """Return what is built of a pasted text: without fences, and with the Python that there is."""
    plain = without_fences(text)
    return with_python(plain, py_minor) if py_minor else plain


def without_fences(text: str) -> str:
    """Return what stands between the first fences of a chat's answer, or the text where there are none.

    >>> without_fences("Sure!\\n```dockerfile\\nFROM x\\n```\\nEnjoy.\\n")
    'FROM x\\n'
    """
    plain = text.replace("\r\n", "\n")
    match = _FENCE.search(plain)
    return match["inside"] if match else text


def with_python(text: str, py_minor: str) -> str:
    """Return a Dockerfile with the one Python that is to be had in the place of the one it names, in all its paths.

    >>> with_python("FROM python:3.12-slim\nCOPY --from=0 /usr/lib/python3.12/x /usr/lib/python3.12/x\n", "3.11")
    'FROM python:3.11-slim\nCOPY --from=0 /usr/lib/python3.11/x /usr/lib/python3.11/x\n'
    """
    return _PYTHON.sub(lambda match: f"{match[1]}{py_minor}", text)


def _changed_lines(before: str, after: str) -> tuple[int, ...]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return tuple(number for number, (old, new) in enumerate(pairs, start=1) if old != new)


def _reviewed(trial: Trial, folder: Path) -> Check:
    context = BuildContext.open(folder, FILE, dockerfile_text=trial.text)
    return harmless(review(context.dockerfile, context=context))


def _endless(limit_seconds: float) -> Check:
    return judge(
        "builds",
        False,
        found=f"no end after {duration(limit_seconds)}",
        wanted="an end",
        not_yet="a build that does not end gives no image; it was stopped, and its steps were taken away.",
        look="Which line was it at, and what does that line wait for?",
    )
