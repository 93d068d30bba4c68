"""Builds stand-ins in a process of its own that outlives notebook and terminal, and tells how far it is.

Knows the process, its lock and its state file; what it builds is `standin`'s business.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from layerlab.bases.progress import Progress
from layerlab.bases.specs import BASES
from layerlab.engine import private

if TYPE_CHECKING:
    import subprocess

State = Literal["absent", "starting", "building", "ready", "failed", "ended"]
_RUNNING = ("starting", "building")

# Between our asking for a process and its first word lies a Python start.
_START_SECONDS = 30.0
_LARGE_LOG_BYTES = 2_000_000

# Dropping a Popen of a living child warns, and an unreaped child stays a zombie as long as a kernel lives.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Background:
    """The process that builds stand-ins, as its state file and the process table show it.

    ``ended`` means it was ended or killed before it was done: the next start goes on where it stopped.
    ``bases`` holds the progress of each base under way, by key.
    """

    state: State
    pid: int | None
    message: str
    bases: tuple[tuple[str, Progress], ...]
    log: Path

    @property
    def is_running(self) -> bool:
        """True while something is being built."""
        return self.state in _RUNNING

    def of(self, key: str) -> Progress | None:
        """Return how far a base is, or None where it is not being built."""
        return dict(self.bases).get(key) if self.is_running else None


def folder() -> Path:
    """Name the folder for finished parts, work under way, state and log: one for all checkouts of this user."""
    return private.data_folder() / "bases"


def status() -> Background:
    """Look at the process that builds stand-ins; changes nothing."""
    _reap()
    found = _read()
    said: Any = found.get("state")
    state: State = said if said in get_args(State) else "absent"
    if state in _RUNNING and not _is_alive(found):
        state = "ended"
    return Background(
        state=state,
        pid=found.get("pid"),
        message=str(found.get("message") or ""),
        bases=tuple((key, _progress(one)) for key, one in (found.get("bases") or {}).items()),
        log=_log(),
    )


def start(keys: Sequence[str] = tuple(BASES)) -> Background:
    """Start building in the background what of ``keys`` the private engine lacks; a second start does nothing.

    Notes
    -----
    The process holds a lock (flock(2), so a kill releases it); whoever comes second ends at once.
    """
    import subprocess

    found = status()
    if found.is_running:
        return found
    folder().mkdir(parents=True, exist_ok=True)
    write("starting", bases={key: Progress(key, "starting", 0.0) for key in keys})
    if _log().exists() and _log().stat().st_size > _LARGE_LOG_BYTES:
        _log().replace(_log().with_suffix(".log.old"))
    with _log().open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "layerlab.bases", *keys],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            start_new_session=True,  # Ctrl-C in the starter's terminal, and its end, are not this one's
        )
    _children.append(child)
    return status()


def stop(*, patience_seconds: float = 20.0) -> Background:
    """End the process; finished parts stay, and the next start goes on from them."""
    import psutil

    found = status()
    if found.is_running and found.pid:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(found.pid)
            process.terminate()
            try:
                process.wait(patience_seconds)
            except psutil.TimeoutExpired:
                process.kill()
    return status()


def _environment() -> dict[str, str]:
    # A checkout that is not installed, only on sys.path, has to be found by the child as well.
    checkout = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH")]))
    # What `layerlab record` records is the course, not how its bases came about.
    return {**{name: value for name, value in os.environ.items() if name != "LAYERLAB_RECORD"}, "PYTHONPATH": path}


# --- the state file --------------------------------------------------------------------------


def _state_file() -> Path:
    return folder() / "state.json"


def _log() -> Path:
    return folder() / "build.log"


def write(state: State, *, message: str = "", bases: Mapping[str, Progress] | None = None) -> None:
    """Say in the state file, whole, how far this process is."""
    import psutil

    own = psutil.Process()
    content = {
        "state": state,
        "pid": None if state == "starting" else own.pid,
        "process_started": own.create_time(),
        "written": time.time(),
        "message": message,
        "bases": {key: {**asdict(one), "layers": []} for key, one in (bases or {}).items()},
    }
    partial = _state_file().with_suffix(f".{own.pid}.tmp")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(_state_file())  # a reader sees the old state or the new one, never half of it


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _progress(raw: Mapping[str, Any]) -> Progress:
    known = {field.name for field in fields(Progress)} - {"layers"}
    return Progress(**{name: value for name, value in raw.items() if name in known})


def _is_alive(found: Mapping[str, Any]) -> bool:
    import psutil

    if found.get("state") == "starting":
        return time.time() - float(found.get("written") or 0) < _START_SECONDS
    try:
        process = psutil.Process(int(found.get("pid") or 0))
        # The start time tells it from a stranger that got its number after a reboot.
        same = abs(process.create_time() - float(found.get("process_started") or 0)) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]
