"""Runs this machine's own programs: cancellable, their output in a log, their failure as an error of ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from layerlab.bases.registry import Cancelled, never
from layerlab.engine.private.packages import search_path
from layerlab.errors import BaseUnavailable, BuildCancelled

_POLL_SECONDS = 0.25
_TAIL_LINES = 8


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    cancelled: Cancelled = never,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a program to its end, its output appended to ``log``.

    Raises
    ------
    BaseUnavailable
        It is missing, or failed; with the last lines it printed.
    BuildCancelled
        It was ended because ``cancelled`` said so.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        start = file.tell()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=folder,
                env=_environment(environment),
                start_new_session=True,  # so that it can be ended together with what it started
            )
        except FileNotFoundError as error:
            raise BaseUnavailable(
                f"There is no `{command[0]}` on this machine. Install it, and run it again."
            ) from error
        _wait(process, command, cancelled)
    if process.returncode:
        raise BaseUnavailable(
            f"`{Path(command[0]).name}` ended with status {process.returncode}. Mend what it says and run it again:\n"
            + _tail(log, start)
        )


def output(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a quick program and return what it printed; empty where it fails or is missing."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=_environment(environment),
        )
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _wait(process: subprocess.Popen[bytes], command: Sequence[str | Path], cancelled: Cancelled) -> None:
    try:
        while True:
            try:
                process.wait(_POLL_SECONDS)
                return
            except subprocess.TimeoutExpired:
                if cancelled():
                    raise BuildCancelled(f"`{Path(command[0]).name}` was ended. Run it again to go on.") from None
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all it started: mmdebstrap on SIGTERM leaves its apt running."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    process.wait()


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "PATH": search_path(),
        **(more or {}),
    }


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
