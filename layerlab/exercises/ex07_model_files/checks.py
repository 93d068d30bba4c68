"""The checks of exercise 07: what the image carries, and what becomes of a container that has no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from layerlab.checks import Check, judge
from layerlab.exercises.ex07_model_files.recipes import NAMES, Carriers
from layerlab.exercises.ex07_model_files.trial import MODEL, MountedTrial
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.probe import Start
from layerlab.units import size

_SHARE = 0.9  # of the model: a recipe may add a line or two of its own


def nothing_spare(carriers: Carriers, picked: Sequence[str]) -> Check:
    """Check that each image picked holds the model."""
    spare = [name for name in picked if not carriers.carries(name)]
    return judge(
        "nothing spare",
        not spare,
        found=", ".join(map(carriers.told, spare)),
        wanted="only images that hold the model",
        because="; ".join(map(carriers.told, NAMES)),
        not_yet="that is less than the model itself weighs.",
        look="Which line of that recipe would have written it?",
    )


def nothing_missed(carriers: Carriers, picked: Sequence[str]) -> Check:
    """Check that each image that holds the model is picked."""
    missed = [name for name in NAMES if carriers.carries(name) and name not in picked]
    return judge(
        "nothing missed",
        not missed,
        found=f"{len(missed)} more that {'holds' if len(missed) == 1 else 'hold'} it",
        wanted="every image that holds the model, shown or hidden",
        because="each of these adds at least as much as the model weighs",
        not_yet="somebody would ship it without knowing.",
        look="In which other recipe does a line write the model into a layer that is shipped?",
    )


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of an edited file."""
    mounted = cast(MountedTrial, trial)
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield no_model_inside(mounted)
    if task == "q3-early":
        yield ends_at_start(mounted)
        yield says_why(mounted)
        yield empty_folder(mounted)


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
