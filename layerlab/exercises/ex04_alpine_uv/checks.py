"""How exercise 04 is judged: what COPY lines carry, a file without an installer, what a pair of images shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlab.checks import Check, judge
from layerlab.checks import size as size_checks
from layerlab.exercises.ex04_alpine_uv.audit import Audit
from layerlab.exercises.ex04_alpine_uv.square import Square
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

# Of what else was copied before. The packages' own bytecode stays below it, that of pip and all it imports does not.
SHARE = 0.15


def nothing_spare(carried: Audit, picked: Sequence[str]) -> Check:
    """Judge that nothing was named that the service would not miss."""
    spare = [name for name in picked if not carried.missed(name)]
    return judge(
        "nothing spare",
        not spare,
        found=", ".join(spare[:3]),
        wanted="only what the service loads and the base lacks",
        because="what you named was loaded while the service answered, and the base lacks it",
        not_yet=_why_spare(carried, spare[0]) if spare else "",
        look="Which request would fail without this copy?",
    )


def _why_spare(carried: Audit, name: str) -> str:
    row = carried.row(name)
    if row.in_base:
        return f"the base has {name} already, at the same place: a second copy of {size(row.size_bytes)}."
    return f"the service answered every request without loading {name}."


def nothing_missed(carried: Audit, picked: Sequence[str]) -> Check:
    """Judge that everything was named that the service loads and its base lacks."""
    rows = carried.rows
    missed = [row.name for row in rows if carried.missed(row.name) and row.name not in picked]
    used = sum(row.size_bytes for row in rows if carried.missed(row.name))
    return judge(
        "nothing missed",
        not missed,
        found=f"{len(missed)} more that it loads",
        wanted="everything that it loads and the base lacks",
        because=f"of {size(carried.total_bytes)} carried, they are {size(used)}",
        not_yet="without these the service would end at its start.",
        look="Which packages does main.py import, and what do those import in turn?",
    )


def agrees_with_all_four(square: Square, claim: str) -> Check:
    """Judge a sentence about fast installers by the four images."""
    against = square.against(claim)
    return judge(
        "agrees with all four",
        against is None,
        found=square.told(against) if against else "",
        wanted="a sentence that none of the four images contradicts",
        because=f"{square.told('A and B')}; {square.told('C and D')}",
        not_yet="the first of these was made by pip, the other by uv, otherwise alike: that speaks against it.",
        look="What is the same in those two images, and what is not?",
    )


def evidence_decides(square: Square, shown: str) -> Check:
    """Judge a pair of images: only the installer may differ, and the image must have grown."""
    changes = square.changes(shown)
    return judge(
        "evidence decides",
        changes == ("the installer",) and square.grows(shown),
        found=f"{shown} differ in {' and in '.join(changes)}",
        wanted="the installer alone changed, and it grew",
        because=f"only the installer changed: {square.told(shown)}",
        not_yet=_why_not(square, shown, changes),
        look="Your colleague changed the installer and nothing else. Which pair did so too?",
    )


def _why_not(square: Square, shown: str, changes: Sequence[str]) -> str:
    if len(changes) > 1:
        return "two things changed at once; which of them did it?"
    if changes == ("what is copied",):
        return "the same installer made both, so they say nothing about a fast one."
    return f"{square.told(shown)}: this pair agrees with your colleague."


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the file without an installer."""
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield file_checks.no_installer_added(trial)
    yield little_of_before(trial)


def little_of_before(trial: Trial) -> Check:
    """Check that little of what else was copied before is left, wherever it comes from now.

    Relative to the service as it was, so that it is fair on every base and asks for no particular way.
    """
    most = int(SHARE * trial.sizes_before.luggage_bytes)
    return size_checks.luggage(trial.sizes, most_bytes=most, which_is=f"{SHARE:.0%} of what rode along before")
