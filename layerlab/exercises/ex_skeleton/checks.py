"""How it is judged: what the image adds to its base, and whether it serves as before."""

from __future__ import annotations

from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the Dockerfile, those first that need no engine; a failing build ends them."""
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield added(trial)


def added(trial: Trial) -> Check:
    """Check that the image adds less than half of what it added as it was given."""
    now, before = trial.image.added_bytes(trial.base), trial.added_before
    return judge(
        "added",
        now < before / 2,
        found=size(now),
        wanted=f"less than half of {size(before)}",
        because=f"{size(before)} became {size(now)}",
        not_yet="every machine that runs it pulls what no request reads.",
        look="Which line writes most, and is that still there when the line ends?",
    )
