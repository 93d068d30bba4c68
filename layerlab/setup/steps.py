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
from types import TracebackType

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
    with Quietly(title) as step:
        _follow(_start(title, command, env=env, cwd=cwd), step)
    return step.tail


class Quietly:
    """A long step: says that it begins and that it is done, and gives a sign of life meanwhile.

    Call it with every line of output; the lines themselves are kept, not shown.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._over = threading.Event()

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines so far."""
        return tuple(self._lines)

    def __call__(self, line: str) -> None:
        """Take note of a line of output."""
        if line.strip():
            self._lines.append(line.rstrip())

    def __enter__(self) -> Quietly:
        self._began = time.monotonic()
        say(f"{self._title} …")
        threading.Thread(target=self._beat, name=f"heartbeat of {self._title}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if error is None:
            say(f"{self._title}: done in {time.monotonic() - self._began:.1f} s")

    def failed(self, status: int) -> SetupError:
        """Give the error for a command that ended with this status, its last lines included."""
        lines = "\n".join(f"    {line}" for line in self._lines)
        return SetupError(f"{self._title}: failed with status {status}. The last lines were:\n{lines}")

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            last = f": {self._lines[-1][:70]}" if self._lines else ""
            say(f"  still at it after {time.monotonic() - self._began:.0f} s{last}")


def _start(
    title: str, command: Sequence[str | Path], *, env: Mapping[str, str] | None, cwd: Path | None
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
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


def _follow(process: subprocess.Popen[str], step: Quietly) -> None:
    try:
        for line in process.stdout or ():
            step(line)
        process.wait()
    except BaseException:
        process.terminate()  # Ctrl-C: a child in a session of its own would go on without us
        process.wait()
        raise
    if process.returncode:
        raise step.failed(process.returncode)
