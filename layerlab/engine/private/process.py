"""Which processes are our engine's, and how they end. Knows process ids, never what an engine answers.

A pid alone proves nothing: it is reused. Ours are known by the paths on their command line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab.engine.private.places import Paths

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Record:
    """What a start wrote down. ``created`` is the process's start in seconds since 1970."""

    pid: int
    created: float
    version: str = ""
    mirrors: tuple[str, ...] = ()


def write_record(paths: Paths, record: Record) -> None:
    """Write ``record`` in one step, so that a reader never sees half of it."""
    draft = paths.record.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(paths.record)


def read_record(paths: Paths) -> Record | None:
    """Read what the last start wrote down; None if it is not there or not readable."""
    try:
        fields = json.loads(paths.record.read_text())
        return Record(
            pid=int(fields["pid"]),
            created=float(fields["created"]),
            version=str(fields.get("version", "")),
            mirrors=tuple(fields.get("mirrors", ())),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def data_root_flag(paths: Paths) -> str:
    """Give the argument by which our ``dockerd`` is told from every other."""
    return f"--data-root={paths.data_root}"


def daemon(paths: Paths) -> psutil.Process | None:
    """Find our running ``dockerd``: by what its start wrote down, its pid file, or its arguments."""
    import psutil

    record = read_record(paths)
    if record and (process := _ours(record.pid, paths, created=record.created)):
        return process
    if (pid := _read_pid(paths.pid_file)) and (process := _ours(pid, paths)):
        return process
    # A starter killed between starting and writing down leaves an engine that only this finds.
    for process in psutil.process_iter():
        if is_ours(process, paths):
            return process
    return None


def is_ours(process: psutil.Process, paths: Paths) -> bool:
    """Say whether a process is a ``dockerd`` on our data root."""
    command = _command(process)
    return bool(command) and Path(command[0]).name == "dockerd" and data_root_flag(paths) in command


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process still runs; a zombie does not.

    Notes
    -----
    In a container without an init nobody reaps orphans, so one must not wait until a zombie is gone.
    """
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def leftovers(paths: Paths) -> list[psutil.Process]:
    """Find what outlives a killed ``dockerd``: its containerd, the shims, and the containers below them.

    Notes
    -----
    Ours is ``containerd --config=EXEC_ROOT/containerd/containerd.toml``, and each shim has ``-address
    EXEC_ROOT/containerd/containerd.sock``; so had those that the earlier engine's dockerd 20.10 started.
    """
    import psutil

    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if _is_containerd_of(paths, _command(process)):
            found.update((one.pid, one) for one in (process, *_children(process)))
    return list(found.values())


def end(processes: Iterable[psutil.Process], *, patience_seconds: float) -> None:
    """Ask the processes to end, and kill those that have not after ``patience_seconds``."""
    asked = list(processes)
    for process in asked:
        _signal(process, kill=False)
    deaf = _still_alive(asked, seconds=patience_seconds)
    for process in deaf:
        _signal(process, kill=True)
    _still_alive(deaf, seconds=5)


def forget(paths: Paths) -> None:
    """Remove the files that name processes which are no more."""
    containerd = paths.containerd_socket
    stale = (
        paths.record,
        paths.pid_file,
        paths.socket,
        containerd,
        containerd.with_name(f"{containerd.name}.ttrpc"),
        *(containerd.with_name(name) for name in ("containerd.pid", "containerd-debug.sock")),  # the earlier engine's
    )
    for path in stale:
        path.unlink(missing_ok=True)


def _ours(pid: int, paths: Paths, *, created: float | None = None) -> psutil.Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        # The kernel counts starts in ticks of 10 ms, and psutil adds the boot time, which NTP may shift.
        same = created is None or abs(process.create_time() - created) < 2
    except psutil.Error:
        return None
    return process if same and is_ours(process, paths) else None


def _is_containerd_of(paths: Paths, command: list[str]) -> bool:
    if not command or not Path(command[0]).name.startswith("containerd"):
        return False
    below = f"{paths.exec_root}/containerd/"
    return any(word.removeprefix("--config=").startswith(below) for word in command[1:])


def _command(process: psutil.Process) -> list[str]:
    """Give a process's arguments; none for one that is gone, not ours to see, or a zombie."""
    import psutil

    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return []


def _children(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _still_alive(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Wait until none is alive, at most ``seconds``; give those that are."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def _signal(process: psutil.Process, *, kill: bool) -> None:
    import contextlib

    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill() if kill else process.terminate()


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
