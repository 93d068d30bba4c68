"""What exercise 08 asks, and what is known of its wrong answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex08_measuring import checks
from layerlab.exercises.ex08_measuring import mistakes as slips
from layerlab.exercises.ex08_measuring.unknown import Unknown
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.bench import built
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size
from layerlab.widgets.questions import Choice, PointAt, Question
from layerlab.widgets.waiting import waiting

APP = "exercise08/herbarium"
INHERITED = "Dockerfile.inherited"
TAG = "layerlab/ex08:herbarium"
FIND, LARGEST, MEND = "q1-find", "q2-largest", "q3-mend"
WRITER, HIDER, FILE = "q1-writer", "q1-hider", "q3-mend-file"


class Measuring(Exercise):
    """Compare what an image carries with what a container sees, line by line; then close the gap."""

    texts = Texts.beside(__file__)
    tasks = {FIND: (WRITER, HIDER), LARGEST: (LARGEST,), MEND: (FILE,)}  # noqa: RUF012
    files = {  # noqa: RUF012
        FILE: FileTask(
            file="Dockerfile",
            app=APP,
            starter=INHERITED,
            parts=frozenset({"editor", "diff", "gauge", "attempts"}),
            paths=("/health", "/families/Rosaceae", "/sheets/007"),
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._unknown: Unknown | None = None

    @property
    def unknown(self) -> Unknown:
        """The image that nobody explained, looked into."""
        if self._unknown is None:
            with waiting("preparing the image"):
                # Not shown: the panel of a build would name the recipe.
                built(self.bench.begin(APP, dockerfile=INHERITED, tag=TAG), "the image")
                # As the engine tells it: a build puts the recipe's own words into the history.
                image = self.bench.image(TAG)
                self._unknown = Unknown(image, self.bench.inspect(image, base=self.bench.base("slim")))
        return self._unknown

    def _make(self, id: str) -> Question:
        if id == LARGEST:
            asked = (
                "The largest layer above the base is larger than what you found. “That is where to save”, says a "
                "colleague. What shows that it is not?"
            )
            return Choice(id, asked, checks.REASONS, answers=self.answers)
        asked = {
            WRITER: "Which line of this image's history wrote the bytes that no container sees? (oldest line first)",
            HIDER: "And which line hid them?",
        }[id]
        rows = [(entry.instruction or "(not recorded)", size(entry.size_bytes)) for entry in self.unknown.image.history]
        return PointAt(id, asked, rows, columns=("instruction", "size"), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task == LARGEST:
            return (checks.evidence(values[LARGEST], self.unknown),)
        return (
            checks.wrote(self._entry(WRITER, values[WRITER]), self.unknown),
            checks.hid(self._entry(HIDER, values[HIDER]), self.unknown),
        )

    def _entry(self, id: str, picked: str | int) -> int:
        """Return which entry of the history was picked, by its row or its number; -1 for a line that it has not."""
        question = self.question(id)
        assert isinstance(question, PointAt)
        if isinstance(picked, int):
            return picked - 1
        return question.keys.index(picked) if picked in question.keys else -1

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield checks.waste(trial)
        yield checks.nothing_left_lying(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Large taken for wasted, `rm` taken for the only thing that hides, and mends that move the gap elsewhere."""
        texts = slips.slips(self.starter(FILE))
        return (*_WRONG_CHOICES, *(Mistake(one.name, MEND, {FILE: one.text}, one.failing) for one in texts))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Mends that are as good as the solution's, and edits on the way."""
        return {FILE: slips.neighbours(self.starter(FILE))}


_SCANS, _DRAWERS = "RUN python scan.py scans.txt", "RUN python sort.py scans.txt drawers"
_READS, _RM = "RUN python catalogue.py drawers catalogue.json", "RUN rm -rf /tmp/* /var/tmp/* /root/.cache"
_SETTLES = "RUN python settle.py drawers"
_WRONG_CHOICES = (
    Mistake("the biggest layer is the waste", FIND, {WRITER: _SCANS, HIDER: _SETTLES}, "wrote it"),
    Mistake("the base is the waste", FIND, {WRITER: 1, HIDER: _SETTLES}, "wrote it"),
    Mistake("whoever hides it wrote it", FIND, {WRITER: _SETTLES, HIDER: _SETTLES}, "wrote it"),
    Mistake("the line with an rm hides it", FIND, {WRITER: _DRAWERS, HIDER: _RM}, "hid it"),
    Mistake("whoever reads it last hides it", FIND, {WRITER: _DRAWERS, HIDER: _READS}, "hid it"),
    Mistake("whoever wrote it hid it", FIND, {WRITER: _DRAWERS, HIDER: _DRAWERS}, "hid it"),
    Mistake("old is needed", LARGEST, {LARGEST: checks.EARLY}, "evidence decides"),
    Mistake("data is needed", LARGEST, {LARGEST: checks.DATA}, "evidence decides"),
    Mistake("no rm, no waste", LARGEST, {LARGEST: checks.NO_RM}, "evidence decides"),
)

EXERCISE = Measuring
