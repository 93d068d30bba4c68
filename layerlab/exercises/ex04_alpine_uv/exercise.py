"""Exercise 04: list what two COPY lines carry, ship no installer, say what an installer by itself does to a size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from layerlab.checks import Check, judge
from layerlab.checks import size as size_checks
from layerlab.exercises.ex04_alpine_uv import mistakes as files
from layerlab.exercises.ex04_alpine_uv.audit import PYTHONS_OWN, Audit, audit, called_by
from layerlab.exercises.ex04_alpine_uv.square import CLAIMS, COPIED, CORNERS, LARGE, SMALL, Square, pair
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.bench import built
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size
from layerlab.widgets.questions import Choice, MultiChoice, Question
from layerlab.widgets.waiting import waiting

APP = "exercise04/stations"
TODAY = "Dockerfile.today"
AUDIT, MEND, TRANSFER = "q1-audit", "q2-mend", "q3-transfer"
FILE, CLAIM, EVIDENCE = "q2-mend-file", "q3-claim", "q3-evidence"
PATHS = ("/health", "/stations/Lucern")
PAIRS = tuple(pair(*letters) for letters in combinations(CORNERS, 2))

# Of what else gets copied today. The packages' own bytecode stays below it, that of pip and all it imports does not.
SHARE = 0.15


class AlpineUv(Exercise):
    """Packages that came by an installer, shipped without it."""

    texts = Texts.beside(__file__)
    tasks = {AUDIT: (AUDIT,), MEND: (FILE,), TRANSFER: (CLAIM, EVIDENCE)}  # noqa: RUF012
    files = {  # noqa: RUF012
        FILE: FileTask(
            file="Dockerfile",
            app=APP,
            starter=TODAY,
            parts=frozenset({"editor", "diff"}),
            paths=PATHS,
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._audit: Audit | None = None
        self._square: Square | None = None

    @property
    def carried(self) -> Audit:
        """What the two COPY lines of the service bring today, and what the running service loads of it."""
        if self._audit is None:
            with waiting("looking at what the COPY lines carry"):
                image = built(self.bench.begin(APP, dockerfile=TODAY), "stations as it is today").image
                self._audit = audit(self.bench.copied(APP, TODAY), called_by(self.bench, image, PATHS))
        return self._audit

    @property
    def square(self) -> Square:
        """Two ways to copy by two installers, built and weighed."""
        if self._square is None:
            base = self.bench.base("musl")
            with waiting("building four images"):
                images = {
                    letter: built(self.bench.begin(APP, dockerfile=corner.dockerfile), f"image {letter}").image
                    for letter, corner in CORNERS.items()
                }
            self._square = Square(
                {
                    letter: replace(CORNERS[letter], added_bytes=image.added_bytes(base))
                    for letter, image in images.items()
                }
            )
        return self._square

    def _make(self, id: str) -> Question:
        if id == AUDIT:
            asked = "Which of these would the running service miss, had the two COPY lines not brought it?"
            return MultiChoice(id, asked, [row.name for row in self.carried.rows], answers=self.answers)
        if id == CLAIM:
            asked = "“uv is fast, so the image that it makes is small.” Is that so?"
            return Choice(id, asked, CLAIMS, answers=self.answers)
        asked = "Your colleague wants to see it. Which two images do you show?"
        return Choice(id, asked, PAIRS, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task == AUDIT:
            return (self._spare_check(values[AUDIT]), self._missed_check(values[AUDIT]))
        return (self._claim_check(values[CLAIM]), self._evidence_check(values[EVIDENCE]))

    def _spare_check(self, picked: Sequence[str]) -> Check:
        spare = [name for name in picked if not self.carried.missed(name)]
        return judge(
            "nothing spare",
            not spare,
            found=", ".join(spare[:3]),
            wanted="only what the service loads and the base lacks",
            because="what you named was loaded while the service answered, and the base lacks it",
            not_yet=self._why_spare(spare[0]) if spare else "",
            look="Which request would fail without this copy?",
        )

    def _why_spare(self, name: str) -> str:
        row = self.carried.row(name)
        if row.in_base:
            return f"the base has {name} already, at the same place: a second copy of {size(row.size_bytes)}."
        return f"the service answered every request without loading {name}."

    def _missed_check(self, picked: Sequence[str]) -> Check:
        rows = self.carried.rows
        missed = [row.name for row in rows if self.carried.missed(row.name) and row.name not in picked]
        used = sum(row.size_bytes for row in rows if self.carried.missed(row.name))
        return judge(
            "nothing missed",
            not missed,
            found=f"{len(missed)} more that it loads",
            wanted="everything that it loads and the base lacks",
            because=f"of {size(self.carried.total_bytes)} carried, they are {size(used)}",
            not_yet="without these the service would end at its start.",
            look="Which packages does main.py import, and what do those import in turn?",
        )

    def _claim_check(self, claim: str) -> Check:
        against = self.square.against(claim)
        return judge(
            "agrees with all four",
            against is None,
            found=self.square.told(against) if against else "",
            wanted="a sentence that none of the four images contradicts",
            because=f"{self.square.told('A and B')}; {self.square.told('C and D')}",
            not_yet="the first of these was made by pip, the other by uv, otherwise alike: that speaks against it.",
            look="What is the same in those two images, and what is not?",
        )

    def _evidence_check(self, shown: str) -> Check:
        changes = self.square.changes(shown)
        return judge(
            "evidence decides",
            changes == ("the installer",) and self.square.grows(shown),
            found=f"{shown} differ in {' and in '.join(changes)}",
            wanted="the installer alone changed, and it grew",
            because=f"only the installer changed: {self.square.told(shown)}",
            not_yet=self._why_not(shown, changes),
            look="Your colleague changed the installer and nothing else. Which pair did so too?",
        )

    def _why_not(self, shown: str, changes: Sequence[str]) -> str:
        if len(changes) > 1:
            return "two things changed at once; which of them did it?"
        if changes == ("what is copied",):
            return "the same installer made both, so they say nothing about a fast one."
        return f"{self.square.told(shown)}: this pair agrees with your colleague."

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield file_checks.no_installer_added(trial)
        yield little_of_before(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people take for needed, how they try to get rid of an installer, and pairs that show nothing."""
        slips = files.slips(self.starter(FILE))
        return (*_WRONG_CHOICES, *(Mistake(name, MEND, {FILE: text}, check) for name, text, check in slips))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The solution, other ways to it, and edits on the way."""
        return {FILE: files.neighbours(self.starter(FILE))}


def little_of_before(trial: Trial) -> Check:
    """Check that little of what rode along before is left, wherever it comes from now.

    Relative to the service as it was, so that it is fair on every base and asks for no particular way.
    """
    most = int(SHARE * trial.sizes_before.luggage_bytes)
    return size_checks.luggage(trial.sizes, most_bytes=most, which_is=f"{SHARE:.0%} of what rode along before")


_NEEDED = ("fastapi", "pydantic", "pydantic-core", "jellyfish")
_WRONG_CHOICES = (
    Mistake("the installer too", AUDIT, {AUDIT: ["uv", *_NEEDED]}, "nothing spare"),
    Mistake("pip, since Python comes with it", AUDIT, {AUDIT: ["pip", *_NEEDED]}, "nothing spare"),
    Mistake("Python itself", AUDIT, {AUDIT: [*_NEEDED, PYTHONS_OWN]}, "nothing spare"),
    Mistake("only what main.py names", AUDIT, {AUDIT: ["fastapi", "jellyfish"]}, "nothing missed"),
    Mistake("none of it", AUDIT, {AUDIT: []}, "nothing missed"),
    Mistake("fast is small", TRANSFER, {CLAIM: SMALL, EVIDENCE: pair("C", "D")}, "agrees with all four"),
    Mistake("fast is large", TRANSFER, {CLAIM: LARGE, EVIDENCE: pair("A", "B")}, "agrees with all four"),
    Mistake("two changes at once", TRANSFER, {CLAIM: COPIED, EVIDENCE: pair("A", "D")}, "evidence decides"),
    Mistake("the same installer twice", TRANSFER, {CLAIM: COPIED, EVIDENCE: pair("B", "D")}, "evidence decides"),
    Mistake("the pair that agrees", TRANSFER, {CLAIM: COPIED, EVIDENCE: pair("C", "D")}, "evidence decides"),
)


EXERCISE = AlpineUv
