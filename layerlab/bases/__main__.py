"""`python -m layerlab.bases [slim] [full]`: builds or pulls the bases of the private engine, in the foreground.

`layerlab.bases.background` starts this, and reads how far it is.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence

import filelock

from layerlab.bases import background, provision
from layerlab.bases.progress import Progress
from layerlab.bases.specs import BASES
from layerlab.errors import LayerLabError


def main(keys: Sequence[str]) -> int:
    """Be the process: provide the bases on the private engine, and write down how far it is.

    Returns
    -------
    int
        0 when all are there, 1 when one failed, 3 when another process is at work.
    """
    background.folder().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(background.folder() / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return 3
    with lock:
        return _work(tuple(keys) or tuple(BASES))


def _work(keys: tuple[str, ...]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    report = _Report(keys)
    try:
        provision.provide(keys, on_progress=report)
    except KeyboardInterrupt:
        background.write("ended", message="It was ended before it was done")
        return 1
    except LayerLabError as error:
        print(f"FAIL {error}", flush=True)
        background.write("failed", message=str(error).strip())
        return 1
    except BaseException as error:
        # Whoever waits reads only the state file, and has to hear of a fault of ours too.
        background.write("failed", message=f"{type(error).__name__}: {error}")
        raise
    background.write("ready")
    return 0


class _Report:
    """Writes progress to the state file, and each new task to the log."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._bases = {key: Progress(key, "waiting", 0.0) for key in keys}
        background.write("building", bases=self._bases)

    def __call__(self, key: str, progress: Progress) -> None:
        if self._bases[key].detail.split(",")[0] != progress.detail.split(",")[0]:
            print(f"{time.strftime('%H:%M:%S')} {key}: {progress.detail} ({progress.fraction:.0%})", flush=True)
        self._bases[key] = progress
        background.write("building", bases=self._bases)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
