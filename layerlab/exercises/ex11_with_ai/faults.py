"""The faults of the three files: which of them are to be ranked, and what the review says of their harm.

What is right is not written here: it is what `layerlab.review` finds in the files as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from layerlab.checks import Check, judge
from layerlab.checks.reviewed import harmless
from layerlab.context import BuildContext
from layerlab.exercises.kit.bench import Bench
from layerlab.exercises.kit.trial import Trial
from layerlab.review import SEVERITIES, Finding, Review, review

APP = "exercise11/spaces"
NAMES = ("Dockerfile.a", "Dockerfile.b", "Dockerfile.c")


@dataclass(frozen=True)
class Fault:
    """One of the faults to rank: as it is worded for learners, and where the review finds it."""

    text: str
    file: str
    rule: str


# In an order that is neither by harm nor by price.
FAULTS = (
    Fault("a: EXPOSE names a port where nobody listens", "Dockerfile.a", "port-mismatch"),
    Fault("c: a key is written into the image", "Dockerfile.c", "secret"),
    Fault("a: the lists of all packages stay in a layer", "Dockerfile.a", "package-lists"),
    Fault("b: the service listens to its own container only", "Dockerfile.b", "loopback"),
    Fault("a: the cleaning comes one layer too late", "Dockerfile.a", "late-removal"),
)
_BY_TEXT = {one.text: one for one in FAULTS}
# What happens if it is merged, for each harm.
_MEANS = {
    "breaks": "nobody is answered",
    "leaks": "somebody takes what is not theirs",
    "bloats": "every node pulls more than it needs",
    "style": "somebody loses time one day",
}


def files_by_harm(folder: Path, order: Sequence[str]) -> Check:
    """Judge an order of files by the worst fault of each."""
    return _by_harm([(name, _worst(folder, name).severity) for name in order])


def faults_by_harm(folder: Path, order: Sequence[str]) -> Check:
    """Judge an order of faults; among equals any order is right."""
    return _by_harm([(text, _finding(folder, _BY_TEXT[text]).severity) for text in order])


def nothing_harmful(trial: Trial) -> Check:
    """Check that a review of the mended file finds nothing that breaks or leaks."""
    return harmless(_reviewed_text(trial.bench.folder(APP), trial.task.file, trial.text))


def by_number(bench: Bench) -> list[str]:
    """Return the files with the most findings first."""
    folder = bench.folder(APP)
    return sorted(NAMES, key=lambda name: -len(_reviewed(folder, name)))


def by_price(bench: Bench) -> list[str]:
    """Return the faults with the most bytes first."""
    folder = bench.folder(APP)
    return [one.text for one in sorted(FAULTS, key=lambda one: -(_finding(folder, one).price.size_bytes or 0))]


def by_file() -> list[str]:
    """Return the faults as one meets them who reads file after file."""
    return [one.text for one in sorted(FAULTS, key=lambda one: one.file)]


def solution(bench: Bench) -> tuple[list[str], list[str]]:
    """Return files and faults in the order of their harm."""
    folder = bench.folder(APP)
    files = sorted(NAMES, key=lambda name: SEVERITIES.index(_worst(folder, name).severity))
    faults = sorted(FAULTS, key=lambda one: SEVERITIES.index(_finding(folder, one).severity))
    return files, [one.text for one in faults]


def _by_harm(ranked: Sequence[tuple[str, str]]) -> Check:
    places = [SEVERITIES.index(severity) for _, severity in ranked]
    wrong = next((at for at in range(len(places) - 1) if places[at] > places[at + 1]), None)
    upper, lower = ranked[wrong or 0], ranked[(wrong or 0) + 1]
    return judge(
        "harm",
        wrong is None,
        found=f"“{upper[0]}” above “{lower[0]}”",
        wanted="more harm above less",
        because=f"first comes what {ranked[0][1]}: {_MEANS[ranked[0][1]]}",
        not_yet="the lower one does more harm, however many the faults or bytes of the other.",
        look="What happens to whoever uses the service?",
    )


def _worst(folder: Path, name: str) -> Finding:
    return _reviewed(folder, name).findings[0]


def _finding(folder: Path, fault: Fault) -> Finding:
    found: Finding = next(one for one in _reviewed(folder, fault.file) if one.rule == fault.rule)
    return found


@cache
def _reviewed(folder: Path, name: str) -> Review:
    return _reviewed_text(folder, name, (folder / name).read_text(encoding="utf-8"))


def _reviewed_text(folder: Path, name: str, text: str) -> Review:
    context = BuildContext.open(folder, name, dockerfile_text=text)
    return review(context.dockerfile, context=context)
