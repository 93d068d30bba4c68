"""What BuildKit's caches hold in a session: results of steps, and cache mounts that were filled. Opens no file."""

from __future__ import annotations

from collections.abc import Iterable

from layerlab.engine.recorded.buildkit_plan import Step
from layerlab.engine.recorded.session_images import SessionImages

EMPTY, FILLED = "empty", "filled"
_MOUNT = "mount:"


def mounts_state(step: Step, images: SessionImages, *, no_cache: bool) -> str:
    """Say how the cache mounts of a step are when it runs: with filled ones it may print and take something else.

    Without the cache they are empty (seen with Docker Engine 28.5 and buildx 0.29).
    """
    if no_cache:
        return EMPTY
    mounts = {f"{_MOUNT}{one}" for one in step.caches}
    return FILLED if mounts and mounts <= images.cache else EMPTY


def remember(steps: Iterable[Step], images: SessionImages) -> None:
    """Note steps that are over."""
    for step in steps:
        images.cache |= {step.key, *(f"{_MOUNT}{one}" for one in step.caches)}
