"""The checks of exercise 07: what the image carries, and what becomes of a container that has no model."""

from __future__ import annotations

from layerlab.checks import Check, judge
from layerlab.exercises.ex07_model_files.trial import MODEL, MountedTrial
from layerlab.exercises.kit import file_checks
from layerlab.probe import Start
from layerlab.units import size

_SHARE = 0.9  # of the model: a recipe may add a line or two of its own


def no_model_inside(trial: MountedTrial) -> Check:
    """Check that the image is smaller than today's by the model, wherever a later line may have hidden it."""
    model_bytes = trial.model.stat().st_size
    before, added = trial.image_before.added_bytes(trial.base_before), trial.image.added_bytes(trial.base)
    return judge(
        "no model",
        added <= before - _SHARE * model_bytes,
        found=f"{size(added)} added, of it {file_checks.heaviest_layer(trial)}",
        wanted=f"{size(model_bytes)} less than before",
        because=f"{size(added)} added, where the recipe before added {size(before)}",
        not_yet="every node pulls the model with the image.",
        look="Can a later line take it back?",
    )


def ends_at_start(trial: MountedTrial) -> Check:
    """Check that a container without a model ends by itself, and as a failure."""
    start = trial.without
    return judge(
        "ends at start",
        _failed(start),
        found=_told(start),
        wanted="an exit code other than 0",
        because=f"without a model it ends with exit code {start.exit_code}",
        not_yet="all looks well until somebody asks.",
        look="When is the model opened, and can that be sooner?",
    )


def says_why(trial: MountedTrial) -> Check:
    """Check that the log of such a container names the file that was not there."""
    start = trial.without
    line = next((line.strip() for line in start.log.splitlines() if MODEL in line), "")
    return judge(
        "says why",
        bool(line),
        found=f"“{start.last_words[-1][:80]}”" if start.last_words else "no word in its log",
        wanted=f"a line that names {MODEL}",
        because=f"its log says: {line[:100]}",
        not_yet="whoever reads the log at night has to guess.",
        look="Which words would you want to find in that log?",
    )


def empty_folder(trial: MountedTrial) -> Check:
    """Check that an empty folder in the place of the models is noticed as well."""
    start = trial.with_empty
    return judge(
        "empty folder",
        _failed(start),
        found=_told(start),
        wanted="an exit code other than 0",
        because="an empty folder in its place is noticed too",
        not_yet="a misspelt `-v` mounts such a folder.",
        look="Does your start look for the folder, or for the file?",
    )


def _failed(start: Start) -> bool:
    return start.ended and start.exit_code != 0


def _told(start: Start) -> str:
    if start.answer is not None:
        return f"it runs, and GET {start.path} → {start.answer.status}"
    return f"it ends with exit code {start.exit_code}" if start.ended else "it runs, and answers nothing"
