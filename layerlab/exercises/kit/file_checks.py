"""The checks that most Dockerfile tasks share, asked of a `Trial`. What a value is worth, `layerlab.checks` says.

What a Dockerfile did wrong is a FAIL; what could not be measured at all passes through and becomes a SKIP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from layerlab.checks import Check, behaviour, static
from layerlab.checks import size as size_checks
from layerlab.dockerfile.shell import shipped
from layerlab.errors import BaseError, BuildCancelled, BuildFailed, EngineError, LayerLabError
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size
from layerlab.widgets.questions import cut

_T = TypeVar("_T")
# An exercise need not document how to fail at these: nearly every Dockerfile is asked them, or, as for "read-only",
# only an engine can show it. Tests of the kit see each of them fail.
SHARED = frozenset({"answered", "no blank left", "reads", "builds", "serves", "same answers", "read-only"})


def no_blank_left(trial: Trial) -> Check:
    """Check that every blank is filled; needs no engine."""
    return static.no_blank_left(trial.text)


def reads(trial: Trial) -> Check:
    """Check that the text is a Dockerfile at all; needs no engine."""
    return static.reads(trial.text)


def stages(trial: Trial) -> Check:
    """Check that there are two stages; needs no engine."""
    return static.stages(trial.dockerfile)


def builds(trial: Trial) -> Check:
    """Check that an image comes of it; a failing step is told by the line of its output that names the fault."""
    result = _value_or_fault(lambda: trial.built)
    check = behaviour.builds(result)
    if isinstance(result, BuildFailed) and (told := behaviour.telling_line(result.log_tail)):
        return replace(check, found=f"line {result.line}: {cut(told, 110)}")
    return check


def serves(trial: Trial) -> Check:
    """Check that the service starts and answers what it is asked."""
    return behaviour.serves(_value_or_fault(lambda: trial.probe))


def same_answers(trial: Trial) -> Check:
    """Check that every answer is, letter for letter, what the service answered before."""
    now = _value_or_fault(lambda: trial.probe)
    # The service as it was takes a build and a start, for nothing where there is no answer to compare.
    before = None if isinstance(now, LayerLabError) else trial.before
    return behaviour.same_answers(before, now)


def not_root(trial: Trial) -> Check:
    """Check that the service runs as somebody else than root; a SKIP where it does not run."""
    return behaviour.not_root(_value_or_fault(lambda: trial.probe), dockerfile=trial.dockerfile)


def read_only(trial: Trial) -> Check:
    """Check that the service also serves where it can write nothing into its image."""
    return behaviour.read_only(_value_or_fault(lambda: trial.read_only_probe))


def no_compiler_added(trial: Trial) -> Check:
    """Check that no compiler lies in the image beyond what its base has."""
    return behaviour.no_compiler_added(trial.contents, trial.base_contents)


def no_installer_added(trial: Trial) -> Check:
    """Check that nothing that was added installs packages, hidden again or not; the base's own pip does not count."""
    return behaviour.no_installer_added(trial.contents, trial.base_contents, copied_files=trial.copied_files)


def little_came_along(trial: Trial, *, stage: str, share: float) -> Check:
    """Check that most of what a builder holds beyond the need stays behind.

    Parameters
    ----------
    stage
        Name or number of the builder.
    share
        How much of the builder's luggage may come along, 0 to 1. Relative, so that it is fair on every base.
    """
    sizes = trial.sizes
    held = max(0, trial.stage(stage).added_bytes(trial.base) - sizes.needed_bytes)
    return size_checks.luggage(
        sizes, most_bytes=int(share * held), which_is=f"{share:.0%} of the {size(held)} in the builder"
    )


def heaviest_layer(trial: Trial) -> str:
    """Return the size of the largest layer that was added, with the line that wrote it."""
    worst = max(trial.image.layers_added_to(trial.base), key=lambda layer: layer.size_bytes, default=None)
    if worst is None:
        return "nothing"
    told = (one for stage in shipped(trial.dockerfile) for one in stage.instructions)
    lines = [one.line for one in told if one.logical == worst.instruction]
    return f"{size(worst.size_bytes)} by line {lines[-1]}" if lines else size(worst.size_bytes)


def _value_or_fault(ask: Callable[[], _T]) -> _T | LayerLabError:
    """Return the value, or what the Dockerfile did wrong; what the engine cannot do is raised."""
    try:
        return ask()
    except (EngineError, BaseError, BuildCancelled):
        raise
    except LayerLabError as fault:
        return fault
