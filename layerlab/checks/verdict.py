"""Verdicts: what was found, what was wanted, and why it matters. Given values; measures nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from layerlab.errors import BaseError, CheckFailed, EngineError, NotRecorded
from layerlab.units import as_html

Status = Literal["PASS", "FAIL", "SKIP"]
# What a learner reads, with a mark for the eye: `Check.line` and `Verdicts.tally` have the words of the command line.
MARKS: Mapping[Status, str] = {"PASS": "✓", "FAIL": "✗", "SKIP": "–"}
WORDS: Mapping[Status, str] = {"PASS": "Passed", "FAIL": "Not yet", "SKIP": "Not checked"}
# JupyterLab's own colours, which follow its theme; elsewhere these of the light one.
_COLOURS: Mapping[Status, str] = {
    "PASS": "var(--jp-success-color1, #388e3c)",
    "FAIL": "var(--jp-error-color1, #d32f2f)",
    "SKIP": "var(--jp-warn-color1, #f57c00)",
}
INVITATION = "Which answer fits best? Choose it, then press Keep."
_LETTERS = 60  # of a value that may be anything


@dataclass(frozen=True, kw_only=True)
class Check:
    """One judged claim.

    Attributes
    ----------
    why
        PASS: why it passes. FAIL: what follows "Because". SKIP: what would decide it.
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
        return f"{self.status} {self.name}{self._facts}"

    @property
    def told(self) -> str:
        """The check as a learner reads it: ``Not yet: size (found 44.6 MB, wanted at most 2 MB)``."""
        return f"{WORDS[self.status]}: {self.name}{self._facts}"

    @property
    def _facts(self) -> str:
        pairs = (("found", self.found), ("wanted", self.wanted))
        # A sentence that ends here would end twice.
        facts = ", ".join(f"{label} {value.removesuffix('.')}" for label, value in pairs if value)
        return f" ({facts})" if facts else ""


@dataclass(frozen=True)
class Verdicts:
    """Checks of one question, in the order in which they matter.

    A headline says how it stands. Below it come all checks that do not pass, the first of them in full, since it is
    what hints open for; then those that pass.

    Attributes
    ----------
    title
        Which question this is about, where several verdicts stand below each other.
    judged
        The answer that was judged, as text. The same exercise may show another one in a second notebook.
    result
        What a right answer came to, with the number that counts: "945 MB → 128 MB".
    """

    checks: tuple[Check, ...]
    title: str = ""
    judged: str = ""
    result: str = ""

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    @property
    def all_pass(self) -> bool:
        """True where there is a check and every one passes; SKIP is not PASS."""
        return bool(self.checks) and all(check.status == "PASS" for check in self.checks)

    @property
    def shown(self) -> Check | None:
        """The check that is shown in full: the first FAIL, else the first SKIP, else None."""
        return next(iter(self.not_passed), None)

    @property
    def not_passed(self) -> tuple[Check, ...]:
        """The checks that do not pass, failures before what could not be checked."""
        return tuple(check for status in ("FAIL", "SKIP") for check in self.checks if check.status == status)

    @property
    def status(self) -> Status:
        """FAIL where one check fails, else SKIP where one could not be decided or there is none, else PASS."""
        return "PASS" if self.all_pass else self.shown.status if self.shown else "SKIP"

    @property
    def headline(self) -> str:
        """How it stands, in one sentence: ``Passed: 945 MB → 128 MB`` or ``Not yet: 2 of 8 checks``."""
        if not self.checks:
            return f"{WORDS['SKIP']}: nothing"
        if self.all_pass:
            (first, *more) = self.checks
            return f"{WORDS['PASS']}: {self.result or (f'all {len(self.checks)} checks' if more else _because(first))}"
        counts, every = Counter(check.status for check in self.checks), len(self.checks)
        if every == 1:
            return WORDS[self.status]
        told = f"{WORDS[self.status]}: {counts[self.status]} of {every} checks"
        is_both = self.status == "FAIL" and counts["SKIP"]
        return f"{told}, and {counts['SKIP']} not checked" if is_both else told

    @property
    def tally(self) -> str:
        """How many checks have which status: ``4 PASS, 1 FAIL, 0 SKIP``."""
        counts = Counter(check.status for check in self.checks)
        return ", ".join(f"{counts[status]} {status}" for status in MARKS)

    def check(self, name: str) -> Check:
        """Return the check of that name. Raises KeyError where there is none."""
        found = next((check for check in self.checks if check.name == name), None)
        if found is None:
            raise KeyError(f"no check is called {name!r}; there are {[check.name for check in self.checks]}")
        return found

    @property
    def lines(self) -> tuple[str, ...]:
        """The verdict in reading order: the headline, what does not pass, what does."""
        return (f"{MARKS[self.status]} {self.headline}", *(line for block in self._blocks for line in block))

    def __str__(self) -> str:
        return "\n".join([*([self.title] if self.title else []), *self._kept, *self.lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = f"<p><strong>{escape(self.title)}</strong></p>" if self.title else ""
        kept = "".join(f"<p>{as_html(line)}</p>" for line in self._kept)
        body = "".join(f'<p style="margin:0.4em 0">{"<br>".join(map(as_html, block))}</p>' for block in self._blocks)
        return (
            # An answer may hold a word without end; it wraps, so that nothing scrolls sideways.
            '<div role="status" class="layerlab-verdict" style="overflow-wrap:anywhere;line-height:1.5">'
            f"{title}{kept}{_headline(self.status, self.headline)}{body}</div>"
        )

    @property
    def _blocks(self) -> Iterator[tuple[str, ...]]:
        """What stands below the headline, by check: those that do not pass each for itself, the first in full."""
        for number, check in enumerate(self.not_passed):
            yield _in_full(check) if number == 0 else _in_short(check)
        passed = [check for check in self.checks if check.status == "PASS"]
        if self.all_pass:
            told = tuple(f"{MARKS['PASS']} {_explained(check)}" for check in passed)
            # Of a single check the headline says it all.
            yield from [told] if self.result or len(told) > 1 else []
        elif passed:
            yield (f"{MARKS['PASS']} {WORDS['PASS']}: {' · '.join(check.name for check in passed)}",)

    @property
    def _kept(self) -> tuple[str, ...]:
        return (f"You kept: {self.judged}",) if self.judged else ()


@dataclass(frozen=True)
class Sizes:
    """What an image is made of, in bytes: its base, what the service needs on it, and what else was copied."""

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
            f"{WORDS['SKIP']}: {skips} of {every} checks could not be decided. "
            "See to what the verdict above names, then run this cell again."
        )
    undecided = f" and {skips} could not be decided" if skips else ""
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
        return undecided(name, error)


def undecided(name: str, error: EngineError | BaseError) -> Check:
    """Make the check that an engine's error or a missing base leaves undecided.

    Of what is not recorded it names the line of the text that was judged, and never what is recorded instead: among
    that is the solution.
    """
    return skipped(name, _would_decide(error) if isinstance(error, NotRecorded) else str(error))


def skipped(name: str, decided_by: str) -> Check:
    """Make a check that could not be decided; ``decided_by`` says what would decide it."""
    return Check(name=name, status="SKIP", why=decided_by)


def answered(name: str, value: Any, *, look: str = INVITATION, nothing: str = "no kept answer") -> Check:
    """Check that there is an answer at all: the first check of every question.

    Parameters
    ----------
    look
        Says how to give one.
    nothing
        What there is instead.
    """
    return judge(
        name,
        value is not None,
        found=nothing if value is None else "",
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


def _would_decide(missing: NotRecorded) -> str:
    if missing.line is None:
        what = "a live engine: the recordings do not hold the answer."
    else:
        what = (
            f"a live engine that builds line {missing.line} of your file, its step {missing.step} of {missing.total}: "
            "the recordings do not hold it."
        )
    return f"{what} `layerlab doctor` says how to start one."


def _explained(check: Check) -> str:
    return f"{check.name}: {check.why}" if check.why else f"{check.name}{check._facts}"


def _because(check: Check) -> str:
    return check.why or check.name


def _in_full(check: Check) -> tuple[str, ...]:
    because = f"Because {check.why}" if check.why and check.status == "FAIL" else ""
    first, *more = _in_short(check)
    return tuple(line for line in (first, because, *more) if line)


def _in_short(check: Check) -> tuple[str, ...]:
    asks = check.hint if check.status == "FAIL" else f"What would decide it: {check.why}" if check.why else ""
    return tuple(line for line in (f"{MARKS[check.status]} {check.told}", asks) if line)


def _headline(status: Status, words: str) -> str:
    # The colour is that of the bar and a tint behind the words, which keep the theme's own colour: so they can be read
    # in every theme, and say the same without colour.
    colour = _COLOURS[status]
    mark = f'<span aria-hidden="true" style="color:{colour}">{MARKS[status]}</span>'
    return (
        f'<p class="layerlab-{status.lower()}" style="margin:0.4em 0;padding:0.35em 0.7em;font-size:115%;'
        f"font-weight:600;border-left:5px solid {colour};"
        f'background:color-mix(in srgb, {colour} 14%, transparent)">{mark} {as_html(words)}</p>'
    )
