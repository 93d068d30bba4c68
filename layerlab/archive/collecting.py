"""Python's garbage collector, paused: entries by the hundred thousand make no cycles, yet each pass visits them all."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect no cycles within; a fifth of the time goes otherwise. What counts references goes on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
