"""Builds by BuildKit as recordings: what names one, and what was in the caches when it began. Opens no file.

They are recorded whole, where builds of the classic builder are recorded step by step: BuildKit leaves no image
for a step, and how long one takes depends on what runs beside it. The same build is told anew for each
state of the caches it met, because that is what it is about.
"""

from __future__ import annotations

from layerlab.engine.protocol import BuildRequest
from layerlab.engine.recorded.chains import solve_chain
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.steps import PlannedStep, plan_key
from layerlab.engine.recorded.store import digest

_MOUNT = "mount:"


def solve_key(request: BuildRequest, steps: tuple[PlannedStep, ...]) -> str:
    """Name a whole build. A secret counts by its id alone, as in BuildKit's own cache."""
    return digest("solve", plan_key(steps), sorted(request.secrets))


def chain_of(request: BuildRequest, steps: tuple[PlannedStep, ...]) -> str:
    """Name the chain of the image that comes of it."""
    return solve_chain(solve_key(request, steps))


def cache_state(request: BuildRequest, steps: tuple[PlannedStep, ...], session_images: SessionImages) -> str:
    """Tell what of a build the session has in its caches: a sign for each step.

    ``c`` its result, ``m`` its cache mounts are filled, ``.`` neither; ``!`` where nothing of that may be used.
    """
    if request.no_cache:
        return "!"
    return "".join(_sign(step, session_images) for step in steps if step.key)


def remember(steps: tuple[PlannedStep, ...], session_images: SessionImages) -> None:
    """Put the results and the cache mounts of a build that succeeded on the shelf."""
    for step in steps:
        session_images.cache |= {step.key, *_mounts(step)} if step.key else set()


def foundation(steps: tuple[PlannedStep, ...]) -> PlannedStep:
    """Return the FROM that the last stage stands on, however many stages lie between."""
    by_key = {step.key: step for step in steps}
    step = steps[-1]
    while not (step.is_from and step.images):
        if step.parent not in by_key:
            break  # FROM scratch
        step = by_key[step.parent]
    return step


def _sign(step: PlannedStep, session_images: SessionImages) -> str:
    if step.key in session_images.cache:
        return "c"
    mounts = _mounts(step)
    return "m" if mounts and mounts <= session_images.cache else "."


def _mounts(step: PlannedStep) -> set[str]:
    mounts = step.instruction.mounts if step.instruction.keyword == "RUN" else ()
    return {f"{_MOUNT}{dict(mount.options).get('id') or mount.target}" for mount in mounts if mount.type == "cache"}
