"""One lock per data folder, so that two checkouts that start, stop or install at once do it one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from layerlab.engine.private.places import Paths
from layerlab.errors import PrivateEngineError


@contextmanager
def locked(paths: Paths, *, seconds: float) -> Iterator[None]:
    """Hold the lock; wait for it at most ``seconds``.

    Raises
    ------
    PrivateEngineError
        If somebody else holds it that long.

    Notes
    -----
    The kernel releases the lock (flock(2)) when its holder dies, so it never is stale.
    """
    import filelock

    paths.root.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(paths.lock)
    try:
        lock.acquire(timeout=seconds)
    except filelock.Timeout as error:
        raise PrivateEngineError(
            f"Somebody else has been busy with the private engine for {seconds:.0f} s and holds {paths.lock}. "
            "Wait for them, or end that process."
        ) from error
    try:
        yield
    finally:
        lock.release()
