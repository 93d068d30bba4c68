"""Verdicts: what was found, what was wanted, and why it matters. Given values; measures nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from layerlab.errors import BaseError, CheckFailed, EngineError
from layerlab.units import as_html

Status = Literal["PASS", "FAIL", "SKIP"]
_MARKS: Mapping[Status, str] = {"PASS": "✓", "FAIL": "✗", "SKIP": "–"}
INVITATION = "Which answer fits best? Choose it, then press Keep."
_LETTERS = 60  # of a value that may be anything


@dataclass(frozen=True, kw_only=True)
class Check:
    """One judged claim.

    Attributes
    ----------
    why
        PASS: why it passes. FAIL: what follows "Not yet, because". SKIP: what would decide it.
    hint
        FAIL: one question that says where to look, never the solution.
    """

    name: str
    status: Status
    found: str = ""
    wanted: str = ""
    why: str = ""
    hint: str = ""

    @property
    def line(self) -> str:
        """The check as one line: ``FAIL size (found 44.6 MB, wanted at most 2 MB)``."""
        pairs = (("found", self.found), ("wanted", self.wanted))
        facts = ", ".join(f"{label} {value}" for label, value in pairs if value)
        return f"{self.status} {self.name}" + (f" ({facts})" if facts else "")


@dataclass(frozen=True)
class Verdicts:
    """Checks of one question, in the order in which they matter.

    One failing check is shown in full and the others as counts: a list of faults teaches less than
    the next step does.

    Attributes
    ----------
    title
        Which question this is about, where several verdicts stand below each other.
    judged
        The answer that was judged, as text. The same exercise may show another one in a second notebook.
    """

    checks: tuple[Check, ...]
    title: str = ""
    judged: str = ""

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    @property
    def all_pass(self) -> bool:
        """True where there is a check and every one passes; SKIP is not PASS."""
        return bool(self.checks) and all(check.status == "PASS" for check in self.checks)

    @property
    def shown(self) -> Check | None:
        """The check that is shown in full: the first FAIL, else the first SKIP, else None."""
        return self._first("FAIL") or self._first("SKIP")

    @property
    def tally(self) -> str:
        """How many checks have which status: ``4 PASS, 1 FAIL, 0 SKIP``."""
        counts = Counter(check.status for check in self.checks)
        return ", ".join(f"{counts[status]} {status}" for status in _MARKS)

    def check(self, name: str) -> Check:
        """Return the check of that name. Raises KeyError where there is none."""
        found = next((check for check in self.checks if check.name == name), None)
        if found is None:
            raise KeyError(f"no check is called {name!r}; there are {[check.name for check in self.checks]}")
        return found

    @property
    def lines(self) -> tuple[str, ...]:
        """The verdict in reading order: what holds, one check in full, the tally."""
        if self.shown is None:
            return (*(_explained(check) for check in self.checks), self.tally)
        holds = " · ".join(f"PASS {check.name}" for check in self.checks if check.status == "PASS")
        return tuple(line for line in (holds, *_in_full(self.shown), self.tally) if line)

    def __str__(self) -> str:
        return "\n".join([*([self.title] if self.title else []), *self._kept, *self.lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = f"<p><strong>{escape(self.title)}</strong></p>" if self.title else ""
        kept = "".join(f"<p>{as_html(line)}</p>" for line in self._kept)
        body = "".join(f"<p>{_mark(line)}</p>" for line in self.lines[:-1])
        return (
            # An answer may hold a word without end; it wraps, so that nothing scrolls sideways.
            '<div role="status" class="layerlab-verdict" style="overflow-wrap:anywhere">'
            f"{title}{kept}{body}<p><small>{self.tally}</small></p></div>"
        )

    @property
    def _kept(self) -> tuple[str, ...]:
        return (f"You kept: {self.judged}",) if self.judged else ()

    def _first(self, status: Status) -> Check | None:
        return next((check for check in self.checks if check.status == status), None)


@dataclass(frozen=True)
class Sizes:
    """What an image is made of, in bytes: its base, what the service needs on it, and what rides along unneeded."""

    base_bytes: int
    needed_bytes: int
    luggage_bytes: int

    @property
    def added_bytes(self) -> int:
        """What the image adds to its base."""
        return self.needed_bytes + self.luggage_bytes


@dataclass(frozen=True)
class Outcome:
    """What judging one attempt gave; ``sizes`` is None where no image came of it."""

    verdicts: Verdicts
    sizes: Sizes | None = None


def require(verdicts: Verdicts) -> None:
    """Raise CheckFailed unless every check passes; for check cells, which show the verdict above the error."""
    if verdicts.all_pass:
        return
    if not verdicts.checks:
        raise CheckFailed("Nothing was checked. Name a task that has checks, then run this cell again.")
    counts = Counter(check.status for check in verdicts)
    failed, skips, every = counts["FAIL"], counts["SKIP"], len(verdicts.checks)
    if not failed:
        # Another answer decides nothing here.
        raise CheckFailed(
            f"Not yet: {skips} of {every} checks could not be decided (SKIP). "
            "See to what the verdict above names, then run this cell again."
        )
    undecided = f" and {skips} could not be decided (SKIP)" if skips else ""
    raise CheckFailed(
        f"Not yet: {failed} of {every} checks failed{undecided}; the verdict above says which. "
        "Change the answer, keep it, and run this cell again."
    )


def judge(
    name: str,
    holds: bool,
    *,
    found: str = "",
    wanted: str = "",
    because: str = "",
    not_yet: str = "",
    look: str = "",
) -> Check:
    """Make a check from a claim: ``because`` is told when it holds, ``not_yet`` and ``look`` when it doesn't."""
    if holds:
        return Check(name=name, status="PASS", found=found, why=because)
    return Check(name=name, status="FAIL", found=found, wanted=wanted, why=not_yet, hint=look)


def decided(name: str, ask: Callable[[], Check]) -> Check:
    """Ask for a check; where what it needs cannot be measured here, it is a SKIP that says what would decide it."""
    try:
        return ask()
    except (EngineError, BaseError) as error:
        return skipped(name, str(error))


def skipped(name: str, decided_by: str) -> Check:
    """Make a check that could not be decided; ``decided_by`` says what would decide it."""
    return Check(name=name, status="SKIP", why=decided_by)


def answered(name: str, value: Any, *, look: str = INVITATION) -> Check:
    """Check that there is an answer at all: the first check of every question; ``look`` says how to give one."""
    return judge(
        name,
        value is not None,
        found="no kept answer" if value is None else "",
        wanted="an answer that you kept",
        because="an answer is kept",
        not_yet="there is nothing to look at.",
        look=look,
    )


def unreadable(name: str, value: Any) -> Check:
    """Make the check of a kept value that is none of the possible answers: an answer file edited by hand."""
    text = str(value)
    return Check(
        name=name,
        status="FAIL",
        found=text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…",
        wanted="one of the possible answers",
        why="the kept answer cannot be read; it is still in its file.",
        hint="Which answer do you mean? Give it again, then press Keep.",
    )


def precedes(lines: Sequence[str], first: Callable[[str], bool], second: Callable[[str], bool]) -> tuple[bool, str]:
    """Say whether every line that ``first`` picks stands before every line that ``second`` picks.

    Returns
    -------
    holds, found
        ``found`` names the two lines that decide it, counted from 1: "COPY . . on line 3, RUN … on
        line 4". Where one of the two is missing nothing stands before anything: False.
    """
    early = [number for number, line in enumerate(lines, 1) if first(line)]
    late = [number for number, line in enumerate(lines, 1) if second(line)]
    if not early or not late:
        return False, "one of the two lines is missing"
    last, soonest = max(early), min(late)
    return last < soonest, ", ".join(f"{lines[n - 1]} on line {n}" for n in sorted((last, soonest)))


def largest(sizes_bytes: Mapping[str, int]) -> str:
    """Return the name with the most bytes; among equals the first. Raises ValueError where there is none."""
    if not sizes_bytes:
        raise ValueError("nothing was measured, so nothing is largest")
    return max(sizes_bytes, key=lambda name: sizes_bytes[name])


def _explained(check: Check) -> str:
    return f"PASS {check.name}: {check.why}" if check.why else check.line


def _in_full(check: Check) -> tuple[str, ...]:
    if check.status == "SKIP":
        return check.line, f"Decided by: {check.why}"
    because = f"Not yet, because {check.why}" if check.why else ""
    return check.line, because, check.hint


def _mark(line: str) -> str:
    # The mark repeats the word for the eye; the word stays for readers of every kind.
    status = next((status for status in _MARKS if line.startswith(status)), None)
    return f"{_MARKS[status]} {as_html(line)}" if status else as_html(line)
