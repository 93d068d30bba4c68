"""The checks of exercise 08. Every limit is measured on the image that was inherited; none is typed."""

from __future__ import annotations

from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.exercises.ex08_measuring.unknown import Unknown
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.inspection import Inspection
from layerlab.units import size

SEEN = "A container sees every file of it."
EARLY = "It was written early, and later lines build on it."
DATA = "It holds data, and neither caches nor packages."
NO_RM = "No `rm` in the history names a file of it."
REASONS = (EARLY, NO_RM, SEEN, DATA)

# Of the waste that the recipe had. What a fix may leave: a folder's bytecode that a later line writes anew.
SHARE = 0.1


def wrote(entry: int, unknown: Unknown) -> Check:
    """Check that the line of the history wrote most of what no container sees."""
    layer, truth = unknown.layer_of(entry), unknown.findings[0]
    written = layer.size_bytes if layer else 0
    hidden = unknown.hidden_bytes[layer.index] if layer else 0
    return judge(
        "wrote it",
        layer is not None and layer.index == truth.writer.layer,
        found=f"{size(written)} written, {size(hidden)} of it unseen",
        wanted="the line whose bytes no container sees",
        because=f"of the {size(written)} that it wrote, {size(hidden)} are in no container",
        not_yet=_not_the_writer(written, hidden),
        look="Which line's bytes are in no folder that `du` lists?",
    )


def _not_the_writer(written: int, hidden: int) -> str:
    if not written:
        return "that line adds no byte of content; nothing of it can go unseen."
    if not hidden:
        return "all that it wrote is there for every container to read: large, and not wasted."
    return f"of what it wrote, a container sees all but {size(hidden)}."


def hid(entry: int, unknown: Unknown) -> Check:
    """Check that the line of the history hid it."""
    layer, truth = unknown.layer_of(entry), unknown.findings[0]
    hiding = unknown.hiding_bytes[layer.index] if layer else 0
    return judge(
        "hid it",
        layer is not None and layer.index == truth.hider.layer,
        found=f"a line that hides {size(hiding)} of the layers below it",
        wanted="the line that hid what you found",
        because=f"its layer says that /{truth.paths[0].rpartition('/')[0]} and the like are gone",
        not_yet="before it and after it a container sees the same of those bytes.",
        look="Which layer holds a whiteout for them, whatever its line is called?",
    )


def evidence(reason: str, unknown: Unknown) -> Check:
    """Check that the reason tells the largest layer from the wasteful one."""
    largest = unknown.largest
    is_seen = unknown.hidden_bytes[largest.index] == 0
    return judge(
        "evidence decides",
        reason == SEEN and is_seen,
        found=f"“{reason}”",
        wanted="what is true of that layer and false of the waste",
        because=f"all {size(largest.size_bytes)} of it can be read in a container, of the waste nothing",
        not_yet="it is as true of the layer that you named in part 1.",
        look="What can you measure that comes out otherwise for the two layers?",
    )


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the edited recipe."""
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield waste(trial)
    yield nothing_left_lying(trial)


def waste(trial: Trial) -> Check:
    """Check that the layers above the base hide hardly anything, neither of their own nor of the base."""
    before = sum(one.size_bytes for one in trial.inspection_before.own_findings)
    found = trial.inspection.own_findings
    now, most = sum(one.size_bytes for one in found), int(SHARE * before)
    worst = f", most of it by {found[0].writer.where}, hidden by {found[0].hider.where}" if now else ""
    return judge(
        "waste",
        now <= most,
        found=f"{size(now)}{worst}",
        wanted=f"at most {size(most)}",
        because=f"{size(now)} is hidden now, {size(before)} was before",
        not_yet="every machine that pulls it stores what no container of it can read.",
        look="At the end of which line is it still there?",
    )


def nothing_left_lying(trial: Trial) -> Check:
    """Check that what was hidden is gone, and not left for every container to see."""
    wasted = sum(one.size_bytes for one in trial.inspection_before.own_findings)
    now, before = _seen_bytes(trial.inspection), _seen_bytes(trial.inspection_before)
    most = before + int(SHARE * wasted)
    return judge(
        "nothing left lying",
        now <= most,
        found=f"{size(now)} to be seen above the base",
        wanted=f"at most {size(most)}",
        because=f"a container sees {size(now)} above the base, and saw {size(before)} before",
        not_yet="what was hidden is in plain sight now, and weighs as much.",
        look="Which folder does no request ever open?",
    )


def _seen_bytes(inspection: Inspection) -> int:
    """Return what a container sees of the layers above the base."""
    return sum(file.size_bytes for file in inspection.union.visible if file.layer >= inspection.base_layers)
