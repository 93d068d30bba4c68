"""Runs a long command quietly: one line that says what and how long, its last lines when it fails.

Standard library only, because the bootstrap speaks through it before anything is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from layerlab.errors import SetupError

HEARTBEAT_SECONDS = 10.0  # CI systems take a silent job for a dead one
TAIL_LINES = 15
_STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line with the minutes and seconds since the start, on stderr and at once."""
    minutes, seconds = divmod(int(time.monotonic() - _STARTED), 60)
    print(f"[{minutes:d}:{seconds:02d}] {text}", file=sys.stderr, flush=True)


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> tuple[str, ...]:
    """Run a command, showing only that it is under way.

    Parameters
    ----------
    title
        What the command does, in the words of the learner.
    env
        Variables added to this process's own.

    Returns
    -------
    tuple of str
        Its last lines of output.

    Raises
    ------
    SetupError
        The command cannot be started, or ends with a status other than 0; its last lines close the message.
    """
    say(f"{title} …")
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"{title}: `{command[0]}` cannot be started ({error.strerror}).") from error
    tail = _follow(process, title, began)
    if process.returncode:
        lines = "\n".join(f"    {line}" for line in tail)
        raise SetupError(f"{title}: failed with status {process.returncode}. The last lines were:\n{lines}")
    say(f"{title}: done in {time.monotonic() - began:.1f} s")
    return tail


def _follow(process: subprocess.Popen[str], title: str, began: float) -> tuple[str, ...]:
    """Read a process to its end, keep its last lines, and show a sign of life now and then."""
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            last = f": {tail[-1][:70]}" if tail else ""
            say(f"  still at it after {time.monotonic() - began:.0f} s{last}")

    heart = threading.Thread(target=beat, name=f"heartbeat of {title}", daemon=True)
    heart.start()
    try:
        assert process.stdout is not None  # opened as a pipe just above
        tail.extend(line.rstrip() for line in process.stdout if line.strip())
        process.wait()
    except BaseException:
        process.terminate()  # Ctrl-C: a child in a session of its own would go on without us
        process.wait()
        raise
    finally:
        over.set()
    return tuple(tail)
