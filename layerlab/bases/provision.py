"""Sees to it that an engine has its bases, all of them: pulled where a registry answers, else built as stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from layerlab.bases import inventory, registry
from layerlab.bases.progress import Progress
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.resolution import resolve
from layerlab.bases.specs import BASES, parse
from layerlab.engine import connect
from layerlab.engine.protocol import Engine
from layerlab.errors import BaseUnavailable, DigestMismatch, PullFailed

if TYPE_CHECKING:
    from layerlab.bases.standin.watching import OnKeyProgress


def ensure(keys: Sequence[str] = tuple(BASES), *, on_line: Callable[[str], None] | None = None) -> None:
    """Wait until the engine that the course uses has these bases, building or pulling what is missing.

    Parameters
    ----------
    on_line
        Receives a line each time the work moves on to something else, or by a tenth.

    Raises
    ------
    BaseUnavailable, PullFailed
        See `resolution.resolve`.
    """
    engine = connect()
    if not engine.info.is_live:
        # `connect` passes by a private engine that has no base yet, and that is the one to fill.
        engine.close()
        engine = connect("private")
    try:
        for key in keys:
            resolve(engine, key, on_progress=_lines(on_line) if on_line else None)
    finally:
        engine.close()


def provide(
    keys: Sequence[str], *, on_progress: OnKeyProgress, cancelled: Cancelled = never, engine: Engine | None = None
) -> None:
    """Fill the private engine: pull the official bases if a registry answers, else build stand-ins of them.

    Raises
    ------
    BaseUnavailable, BuildFailed, BuildCancelled
    """
    from layerlab.bases import standin

    opened = engine or connect("private")
    try:
        if not _pull_all(opened, keys, on_progress, cancelled):
            standin.build(opened, keys, on_progress=on_progress, cancelled=cancelled)
    finally:
        if engine is None:
            opened.close()


def _pull_all(engine: Engine, keys: Sequence[str], on_progress: OnKeyProgress, cancelled: Cancelled) -> bool:
    """Pull what is missing; False where stand-ins have to take their place, all of them: one Python for all."""
    from layerlab.bases import standin

    held = inventory.held(engine)
    if any(one.is_standin and BASES[one.key].follows_course for one in held) or not registry.answers():
        return False
    for key in keys:
        if any((one.key, one.minor) == (key, BASES[key].official_minor) for one in held):
            continue
        try:
            registry.fetch(
                engine,
                parse(BASES[key].reference()),
                on_progress=partial(on_progress, key),
                cancelled=cancelled,
            )
        except DigestMismatch:
            raise
        except (PullFailed, BaseUnavailable) as error:
            on_progress(key, Progress(BASES[key].reference(), f"no pull, so a stand-in: {error}", 0.0))
            if BASES[key].follows_course:
                return False
            # It has a Python of its own and comes from another registry: the others stay official.
            standin.build(engine, (key,), on_progress=on_progress, cancelled=cancelled)
    return True


def _lines(on_line: Callable[[str], None]) -> Callable[[Progress], None]:
    last: list[tuple[str, str, int]] = []

    def show(progress: Progress) -> None:
        now = (progress.reference, progress.detail.split(",")[0], int(progress.fraction * 10))
        if last != [now]:
            last[:] = [now]
            on_line(f"{progress.reference}: {progress.detail} ({progress.fraction:.0%})")

    return show
