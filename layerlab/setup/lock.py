"""A lock between processes that ends with its holder, however that ends. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerlab.setup import steps


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock ``path``; wait for another holder, saying so."""
    with path.open("a+") as file:
        if not _acquire(file.fileno(), wait=False):
            steps.say("Another process is preparing the same environment; waiting for it.")
            _acquire(file.fileno(), wait=True)
        yield  # closing the file lets go of it


if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int, *, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:  # LK_LOCK gives up after ten tries, a second each
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _acquire(descriptor: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
