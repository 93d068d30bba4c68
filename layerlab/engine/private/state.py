"""How the private engine is at the moment. Looks, and changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerlab.engine.private import ping, preflight, process
from layerlab.engine.private.places import Paths, paths
from layerlab.engine.private.programs import installed

if TYPE_CHECKING:
    import psutil

State = Literal["absent", "installed", "running", "stale", "starting"]

LOG_LINES = 20

# Begins the line that every start writes into the log.
START_LINE = "--- "


@dataclass(frozen=True)
class Status:
    """How the private engine is.

    ``absent``: its programs are not there. ``installed``: they are, and it is off. ``starting``: it runs and does not
    answer yet. ``stale``: dockerd or containerd was killed, and left files or the other one. ``since`` is in UTC;
    ``disk_bytes_free`` is counted at the data root.
    """

    state: State
    pid: int | None
    version: str
    socket: Path
    data_root: Path
    disk_bytes_free: int
    since: datetime | None
    log: Path


def status() -> Status:
    """Look at the private engine; needs neither root nor the lock."""
    where = paths()
    return of(where, process.daemon(where))


def of(where: Paths, running: psutil.Process | None) -> Status:
    """Describe the engine whose process has been found already."""
    record = process.read_record(where)
    return Status(
        state=_state(where, running),
        pid=running.pid if running else None,
        version=record.version if running and record else "",
        socket=where.socket,
        data_root=where.data_root,
        disk_bytes_free=preflight.free_bytes(where.data_root),
        since=_since(running),
        log=where.log,
    )


def log_tail(where: Paths | None = None, *, lines: int = LOG_LINES) -> tuple[str, ...]:
    """Read the last lines the engine has logged since its last start."""
    try:
        text = (where or paths()).log.read_text(errors="replace")
    except OSError:
        return ()
    _, _, since_start = f"\n{text}".rpartition(f"\n{START_LINE}")
    return tuple(since_start.splitlines()[1:][-lines:])


def _state(where: Paths, running: psutil.Process | None) -> State:
    if running:
        if ping.is_deserted(where.containerd_socket):  # it is started before dockerd
            return "stale"
        return "running" if ping.answers(where.socket) else "starting"
    # os.path.exists says False, where Path.exists raises, for what this user may not see.
    if os.path.exists(where.pid_file) or os.path.exists(where.record):  # noqa: PTH110
        return "stale"
    if not ping.is_deserted(where.containerd_socket):
        return "stale"
    return "installed" if installed() else "absent"


def _since(running: psutil.Process | None) -> datetime | None:
    import psutil

    try:
        return datetime.fromtimestamp(running.create_time(), UTC) if running else None
    except psutil.Error:  # it ended a moment ago
        return None
