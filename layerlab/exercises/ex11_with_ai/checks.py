"""The checks of exercise 11: an order by harm, and a file that serves and does none. How much harm, the review says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from layerlab.checks import Check, judge
from layerlab.checks.reviewed import harmless
from layerlab.exercises.ex11_with_ai.faults import APP, FAULTS, finding, reviewed_text, worst
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.review import SEVERITIES

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
    return _by_harm([(name, worst(folder, name).severity) for name in order])


def faults_by_harm(folder: Path, order: Sequence[str]) -> Check:
    """Judge an order of faults; among equals any order is right."""
    return _by_harm([(text, finding(folder, _BY_TEXT[text]).severity) for text in order])


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the worst file, once it is edited."""
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield file_checks.not_root(trial)
    yield nothing_harmful(trial)


def nothing_harmful(trial: Trial) -> Check:
    """Check that a review of the fixed file finds nothing that breaks or leaks."""
    return harmless(reviewed_text(trial.bench.folder(APP), trial.task.file, trial.text))


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
