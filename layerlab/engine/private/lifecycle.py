"""Starts, stops and removes the private engine. Knows the order of the steps; each step's knowledge lives next door.

Every change happens under one file lock, so two checkouts that start at once get one engine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerlab.engine.private import command, network, ping, preflight, process, removal
from layerlab.engine.private.install import OnLine, installed
from layerlab.engine.private.places import Paths, paths
from layerlab.errors import PrivateEngineError

if TYPE_CHECKING:
    import subprocess

    import psutil

State = Literal["absent", "installed", "running", "stale", "starting"]

LOG_LINES = 20
LARGE_LOG_BYTES = 5_000_000

# The engines this process started. Dropping a Popen of a living child warns, and an unreaped child stays a
# zombie for as long as a notebook's kernel lives.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Status:
    """How the private engine is: ``stale`` means it was killed and left its files, ``absent`` no dockerd at all.

    ``since`` is when it started, in UTC; ``disk_bytes_free`` is counted at the data root.
    """

    state: State
    pid: int | None
    version: str
    socket: Path
    data_root: Path
    disk_bytes_free: int
    since: datetime | None
    log: Path


def is_running() -> bool:
    """Say whether the private engine answers, in about a millisecond and without looking at processes."""
    return ping.answers(paths().socket)


def status() -> Status:
    """Look at the private engine; changes nothing and needs no lock."""
    where = paths()
    return _status(where, process.daemon(where))


def ensure(*, wait_seconds: float = 60, on_line: OnLine | None = None) -> Status:
    """Start the private engine if it is not running; raises what `start` raises."""
    return status() if is_running() else start(wait_seconds=wait_seconds, on_line=on_line)


def start(*, wait_seconds: float = 60, on_line: OnLine | None = None) -> Status:
    """Start the private engine, or wait for the one that somebody else is starting.

    Parameters
    ----------
    wait_seconds
        How long it may take until it answers.
    on_line
        Receives sentences about what is happening.

    Raises
    ------
    PrivateEngineError
        Without root, dockerd or iptables; where another engine lives; on a file system that cannot stack
        layers; or when dockerd gives up, with the last lines of its log.
    DiskFull
        With less than `preflight.WANTED_FREE_BYTES` free.
    """
    say = on_line or (lambda line: None)
    where = paths()
    if (running := process.daemon(where)) and ping.answers(where.socket):
        _say_what_is_outdated(where, say)
        return _status(where, running)
    dockerd = _dockerd()
    preflight.check_system()
    with _locked(where, seconds=wait_seconds + 30):
        if running := process.daemon(where):  # another checkout was quicker
            _wait(where, running, seconds=wait_seconds)
            return _status(where, running)
        _recover(where, say)
        return _launch(dockerd, where, wait_seconds=wait_seconds, say=say)


def stop(*, patience_seconds: float = 30) -> Status:
    """Stop the private engine and everything it left running; its images stay.

    Raises
    ------
    PrivateEngineError
        If its processes survive even a kill.
    """
    where = paths()
    if not where.root.exists():
        return status()
    with _locked(where, seconds=patience_seconds + 60):
        _end(where, patience_seconds=patience_seconds)
    return status()


def purge() -> Status:
    """Stop the private engine and remove its images, containers and volumes: our data root, nothing else.

    Raises
    ------
    PrivateEngineError
        If the data root does not look like ours, or something below it stays mounted.

    Notes
    -----
    Like every dockerd, ours leaves its bridge and its iptables chains behind. So the note that they are ours
    stays as well: the next start recognises them by it.
    """
    where = paths()
    if not where.root.exists():
        return status()
    removal.check(where)
    with _locked(where, seconds=90):
        _end(where, patience_seconds=30)
        removal.remove(where)
    return status()


def log_tail(where: Paths, *, lines: int = LOG_LINES) -> tuple[str, ...]:
    """Read the last lines of the engine's log."""
    try:
        return tuple(where.log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ()


# --- the steps -------------------------------------------------------------------------------


def _launch(dockerd: Path, where: Paths, *, wait_seconds: float, say: OnLine) -> Status:
    preflight.check_disk(where.data_root)
    driver = preflight.storage_driver(where.data_root)
    network.check_neighbours(where)
    mirrors = command.registry_mirrors()
    arguments = command.arguments(
        dockerd,
        where,
        storage_driver=driver,
        bridge_address=network.bridge_address(),
        name_servers=preflight.container_name_servers(),
        mirrors=mirrors,
    )
    say(f"Starting a private engine on {where.data_root}." + (f" {where.note}" if where.note else ""))
    _prepare(where)
    network.mark(where)
    running = _spawn(arguments, where)
    process.write_record(where, process.Record(running.pid, running.create_time(), mirrors=mirrors))
    try:
        _wait(where, running, seconds=wait_seconds)
        version = _check_answers(where)
    except PrivateEngineError:
        _end(where, patience_seconds=10)
        raise
    process.write_record(where, process.Record(running.pid, running.create_time(), version, mirrors))
    return _status(where, running)


def _prepare(where: Paths) -> None:
    for folder in (where.root, where.data_root, where.exec_root, where.socket.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for private in {where.root, where.socket.parent}:
        # /tmp is everybody's: a folder waiting there under our name may be a trap.
        if private.is_symlink() or private.stat().st_uid != os.geteuid():
            raise PrivateEngineError(f"{private} belongs to somebody else. Remove it, or set LAYERLAB_DATA.")
        private.chmod(0o700)
    where.config.write_text("{}\n")
    if where.log.exists() and where.log.stat().st_size > LARGE_LOG_BYTES:
        where.log.replace(where.log.with_suffix(".log.old"))


def _spawn(arguments: list[str], where: Paths) -> psutil.Process:
    import subprocess

    import psutil

    with where.log.open("ab") as log:
        log.write(f"--- {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {' '.join(arguments)}\n".encode())
        log.flush()
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=command.environment(),
            start_new_session=True,  # Ctrl-C in the starter's terminal, and its end, are not the engine's
            umask=0o022,
        )
    _started.append(child)
    return psutil.Process(child.pid)


def _wait(where: Paths, running: psutil.Process, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ping.answers(where.socket):
            return
        _reap()
        if not running.is_running():
            raise _failure(where, "The private engine gave up while starting.")
        time.sleep(0.1)
    raise _failure(where, f"The private engine did not answer within {seconds:.0f} s.")


def _failure(where: Paths, what: str) -> PrivateEngineError:
    advice = f"Mend what its log says ({where.log}), or go on with recordings (LAYERLAB_ENGINE=recorded):"
    return PrivateEngineError("\n".join((f"{what} {advice}", *log_tail(where))))


def _check_answers(where: Paths) -> str:
    """Refuse vfs, whatever made the engine choose it; give the version."""
    try:
        facts = ping.info(where.socket)
    except OSError as error:
        raise _failure(where, "The private engine answered a ping and nothing more.") from error
    if facts.get("Driver") == "vfs":
        raise PrivateEngineError(
            f"The private engine at {where.data_root} could only use vfs, which copies every layer in full and "
            "falsifies every size. Name a folder on a local disk (ext4, xfs, btrfs) in LAYERLAB_DATA."
        )
    return str(facts.get("ServerVersion", ""))


def _recover(where: Paths, say: OnLine) -> None:
    """Clear away what a killed engine left running and lying about."""
    orphans = process.leftovers(where)
    if orphans or where.pid_file.exists() or where.record.exists():
        say("Clearing away what an engine that was killed has left.")
    process.end(orphans, patience_seconds=5)
    process.forget(where)


def _end(where: Paths, *, patience_seconds: float) -> None:
    if running := process.daemon(where):
        process.end([running], patience_seconds=patience_seconds)
    process.end(process.leftovers(where), patience_seconds=5)
    _reap()
    if survivor := process.daemon(where):
        raise PrivateEngineError(
            f"The private engine (process {survivor.pid}) does not end. Look at {where.log}, and kill it by hand."
        )
    process.forget(where)


def _reap() -> None:
    _started[:] = [child for child in _started if child.poll() is None]


def _dockerd() -> Path:
    dockerd = installed()
    if dockerd is None:
        raise PrivateEngineError(
            "There is no dockerd on this machine. Run `layerlab engine start` as root on Debian or Ubuntu, which "
            "installs it, or install Docker as https://docs.docker.com/engine/install/ says."
        )
    return dockerd


def _say_what_is_outdated(where: Paths, say: OnLine) -> None:
    record = process.read_record(where)
    if record and record.mirrors != command.registry_mirrors():
        say(f"{command.MIRRORS} has changed since the engine started. Stop and start it to use the new one.")


def _status(where: Paths, running: psutil.Process | None) -> Status:
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


def _state(where: Paths, running: psutil.Process | None) -> State:
    if running:
        return "running" if ping.answers(where.socket) else "starting"
    if where.pid_file.exists() or where.record.exists():
        return "stale"
    return "installed" if installed() else "absent"


def _since(running: psutil.Process | None) -> datetime | None:
    import psutil

    with suppress(psutil.Error):
        return datetime.fromtimestamp(running.create_time(), UTC) if running else None
    return None


@contextmanager
def _locked(where: Paths, *, seconds: float) -> Iterator[None]:
    import filelock

    where.root.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(where.lock, timeout=seconds):
            yield
    except filelock.Timeout as error:
        raise PrivateEngineError(
            f"Somebody else has been starting or stopping the private engine for {seconds:.0f} s "
            f"({where.lock}). Wait for it, or end that process."
        ) from error
