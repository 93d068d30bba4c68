"""Threads that watch over work under way: one cancels a build, one tells how far it is. Do no work themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from layerlab.bases.progress import Progress
from layerlab.bases.registry import Cancelled
from layerlab.bases.standin.timeline import Timeline
from layerlab.build import Build

OnKeyProgress = Callable[[str, Progress], None]

_LOOK_SECONDS = 0.3
_TICK_SECONDS = 1.0


@contextmanager
def cancelling(begun: Build, cancelled: Cancelled) -> Iterator[None]:
    """Cancel a build as soon as somebody says so, even while it prints nothing."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if cancelled():
                begun.cancel()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def reporting(timeline: Timeline, keys: Sequence[str], on_progress: OnKeyProgress | None) -> Iterator[None]:
    """Tell about once a second how far each base is."""
    done = threading.Event()

    def report() -> None:
        while True:
            for key in keys:
                if on_progress:
                    on_progress(key, timeline.progress(key))
            if done.wait(_TICK_SECONDS):
                return

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()
