"""Starts, stops and removes the private engine. Knows the order of the steps; what each needs lives next door."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from layerlab.engine.private import command, network, ping, preflight, process, removal, state
from layerlab.engine.private.locking import locked
from layerlab.engine.private.packages import OTHERWISE, OnLine
from layerlab.engine.private.places import Paths, earlier_paths, paths
from layerlab.engine.private.programs import installed
from layerlab.engine.private.state import Status, status
from layerlab.errors import PrivateEngineError

if TYPE_CHECKING:
    import subprocess

    import psutil

LARGE_LOG_BYTES = 5_000_000

# The engines this process started. Dropping a Popen of a living child warns, and an unreaped child stays a
# zombie for as long as a notebook's kernel lives.
_started: list[subprocess.Popen[bytes]] = []


def ensure(*, wait_seconds: float = 60, on_line: OnLine | None = None) -> Status:
    """Start the private engine if it is not running; raises what `start` raises."""
    return status() if ping.is_running() else start(wait_seconds=wait_seconds, on_line=on_line)


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
        Without root or programs; where another engine lives; on a file system that cannot stack layers; or when
        containerd or dockerd gives up, with the last lines of their log.
    DiskFull
        With less than `preflight.WANTED_FREE_BYTES` free.
    """
    say = on_line or (lambda line: None)
    where = paths()
    if (running := process.daemon(where)) and ping.is_running():
        _say_what_is_outdated(where, say)
        return state.of(where, running)
    preflight.check_system()
    with locked(where, seconds=wait_seconds + 30):
        running = process.daemon(where)
        if running and not ping.is_deserted(where.containerd_socket):  # another checkout was quicker
            _wait_for_dockerd(where, running, seconds=wait_seconds)
            return state.of(where, running)
        arguments, mirrors = _decide(where)
        _recover(where, say)
        say(f"Starting a private engine on {where.data_root}." + (f" {where.note}" if where.note else ""))
        return _launch(arguments, where, mirrors=mirrors, wait_seconds=wait_seconds)


def stop(*, patience_seconds: float = 30) -> Status:
    """Stop the private engine and everything it left running, the course's earlier engine too; images stay.

    Raises
    ------
    PrivateEngineError
        If its processes survive even a kill.
    """
    for where in (paths(), earlier_paths()):
        if where.root.exists():
            with locked(where, seconds=patience_seconds + 60):
                _end(where, patience_seconds=patience_seconds)
    return status()


def purge(*, earlier_only: bool = False) -> Status:
    """Stop the private engine and remove its programs, images, containers and volumes: our folders, nothing else.

    Parameters
    ----------
    earlier_only
        Remove only what the course's earlier engine (Docker 20.10) left; otherwise that goes along.

    Raises
    ------
    PrivateEngineError
        If a folder does not look like ours, a process of the engine does not end, or something stays mounted.

    Notes
    -----
    Like every dockerd, ours leaves its bridge and its iptables chains behind. So the note that they are ours
    stays as well: the next start recognises them by it.
    """
    where, earlier = paths(), earlier_paths()
    if earlier.root.exists():
        removal.check(earlier)
        with locked(earlier, seconds=90):
            _end(earlier, patience_seconds=30)
            if network.is_marked(earlier):
                where.root.mkdir(parents=True, exist_ok=True)
                network.mark(where)
            removal.remove_earlier(earlier)
    if where.root.exists() and not earlier_only:
        removal.check(where)
        with locked(where, seconds=90):
            _end(where, patience_seconds=30)
            removal.remove(where)
    return status()


# --- the steps -------------------------------------------------------------------------------


def _decide(where: Paths) -> tuple[list[str], tuple[str, ...]]:
    """Refuse where ours may not start; else give dockerd's command line and the mirrors in it. Changes nothing."""
    network.check_neighbours(where)
    dockerd = installed()
    if dockerd is None:
        raise PrivateEngineError(
            "The private engine's programs are not here. Run `layerlab engine start` or `make lab` as root on Debian, "
            f"which fetch them; or {OTHERWISE}."
        )
    preflight.check_disk(where.data_root)
    preflight.check_file_system(where.data_root)
    mirrors = command.registry_mirrors()
    arguments = command.arguments(
        dockerd,
        where,
        bridge_address=network.bridge_address(),
        name_servers=preflight.container_name_servers(),
        mirrors=mirrors,
    )
    return arguments, mirrors


def _recover(where: Paths, say: OnLine) -> None:
    """Clear away what a killed engine left running and lying about."""
    deaf = process.daemon(where)  # without its containerd it can do nothing, or it would not be cleared away
    orphans = process.leftovers(where)
    if deaf or orphans or where.pid_file.exists() or where.record.exists():
        say("Clearing away what an engine that was killed has left.")
    process.end([deaf] if deaf else [], patience_seconds=2)
    process.end(orphans, patience_seconds=1)
    removal.unbind(where)
    process.forget(where)


def _launch(arguments: list[str], where: Paths, *, mirrors: tuple[str, ...], wait_seconds: float) -> Status:
    _prepare(where)
    command.write_configuration(where)
    network.mark(where)
    containerd = command.containerd_arguments(where.programs / "usr/bin/containerd", where)
    deadline = time.monotonic() + wait_seconds
    try:
        # A starter that is killed from here on leaves processes that `process` knows by their command lines.
        _wait_for_containerd(where, _spawn(containerd, where), seconds=wait_seconds)
        running = _spawn(arguments, where)
        created = running.create_time()
        process.write_record(where, process.Record(running.pid, created, mirrors=mirrors))
        _wait_for_dockerd(where, running, seconds=deadline - time.monotonic())
        version = _interview(where)
    except PrivateEngineError:
        _end(where, patience_seconds=10)
        raise
    process.write_record(where, process.Record(running.pid, created, version, mirrors))
    return state.of(where, running)


def _prepare(where: Paths) -> None:
    for folder in (where.root, where.data_root, where.exec_root, where.socket.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for private in {where.root, where.exec_root.parent, where.socket.parent}:
        # /tmp is everybody's: a folder waiting there under our name may be a trap.
        if private.is_symlink() or private.stat().st_uid != os.geteuid():
            raise PrivateEngineError(f"{private} belongs to somebody else. Remove it, or set LAYERLAB_DATA.")
        private.chmod(0o700)
    if where.log.exists() and where.log.stat().st_size > LARGE_LOG_BYTES:
        where.log.replace(where.log.with_suffix(".log.old"))
    with where.log.open("a") as log:
        log.write(f"{state.START_LINE}{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")


def _spawn(arguments: list[str], where: Paths) -> psutil.Process:
    import subprocess

    import psutil

    with where.log.open("ab") as log:
        log.write(f"{arguments}\n".encode())
        log.flush()
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=command.environment(where),
            start_new_session=True,  # Ctrl-C in the starter's terminal, and its end, are not the engine's
            umask=0o022,
        )
    _started.append(child)
    return psutil.Process(child.pid)


def _wait_for_containerd(where: Paths, running: psutil.Process, *, seconds: float) -> None:
    _wait(lambda: not ping.is_deserted(where.containerd_socket), "containerd", where, running, seconds=seconds)


def _wait_for_dockerd(where: Paths, running: psutil.Process, *, seconds: float) -> None:
    _wait(lambda: ping.answers(where.socket), "dockerd", where, running, seconds=seconds)


def _wait(holds: Callable[[], bool], name: str, where: Paths, running: psutil.Process, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return
        _reap()
        if not process.is_alive(running):
            raise _failure(where, f"The private engine's {name} gave up while starting.")
        time.sleep(0.05)
    raise _failure(where, f"The private engine's {name} did not answer within {max(seconds, 0):.0f} s.")


def _interview(where: Paths) -> str:
    """Refuse another way to stack layers than overlayfs, whatever made the engine choose it; give the version."""
    try:
        facts = ping.info(where.socket)
    except OSError as error:
        raise _failure(where, "The private engine answered a ping and nothing more.") from error
    if (driver := facts.get("Driver")) != "overlayfs":
        raise PrivateEngineError(
            f"The private engine at {where.data_root} could not use overlayfs, only {driver}, which falsifies every "
            "size. Name a folder on a local disk (ext4, xfs, btrfs) in LAYERLAB_DATA."
        )
    return str(facts.get("ServerVersion", ""))


def _failure(where: Paths, what: str) -> PrivateEngineError:
    advice = f"Mend what its log says ({where.log}), or go on with recordings (LAYERLAB_ENGINE=recorded):"
    return PrivateEngineError("\n".join((f"{what} {advice}", *state.log_tail(where))))


def _end(where: Paths, *, patience_seconds: float) -> None:
    if running := process.daemon(where):
        process.end([running], patience_seconds=patience_seconds)
    process.end(process.leftovers(where), patience_seconds=5)
    _reap()
    if survivors := [one for one in (process.daemon(where), *process.leftovers(where)) if one]:
        raise PrivateEngineError(
            f"The private engine (process {survivors[0].pid}) does not end. Look at {where.log}, and kill it by hand."
        )
    process.forget(where)


def _reap() -> None:
    _started[:] = [child for child in _started if child.poll() is None]


def _say_what_is_outdated(where: Paths, say: OnLine) -> None:
    record = process.read_record(where)
    if record and record.mirrors != command.registry_mirrors():
        say(f"{command.MIRRORS} has changed since the engine started. Stop and start it to use the new one.")
