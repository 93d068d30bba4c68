"""Compiles CPython once for all stand-ins, in a container of the private engine; keeps the result as a tar archive."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerlab.bases.registry import Cancelled, never
from layerlab.bases.standin import recipes
from layerlab.bases.standin.debian import Source
from layerlab.engine.protocol import Engine
from layerlab.errors import BaseUnavailable, BuildCancelled, DoesNotServe

_TAIL_LINES = 12
_CPU_SHARES = 8192  # of 1024 that other containers have
# It takes two minutes on two cores; a machine with one slow core gets half an hour.
_LONGEST_SECONDS = 3600


@dataclass(frozen=True)
class CPython:
    """A compiled CPython: its /usr/local as a tar archive, and the packages of the libraries it is linked against."""

    tar: Path
    version: str
    libraries: tuple[str, ...]


def finished(tar: Path) -> CPython | None:
    """Return what an earlier run compiled into ``tar``, or None."""
    try:
        facts: dict[str, Any] = json.loads(tar.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return CPython(tar, facts["version"], tuple(facts["libraries"])) if tar.is_file() else None


def compile(
    engine: Engine,
    toolchain: str,
    source: Source,
    source_tar: Path,
    work: Path,
    tar: Path,
    *,
    cancelled: Cancelled = never,
) -> CPython:
    """Compile in a container of the image ``toolchain``; a run that was killed is taken up where it stopped.

    Parameters
    ----------
    work
        A folder for this source alone, mounted into the container; it is removed at the end.

    Raises
    ------
    BaseUnavailable
        The compiler failed; with the last lines it printed.
    BuildCancelled
    """
    work.mkdir(parents=True, exist_ok=True)
    _remove_left_container(engine, work)
    shutil.copyfile(recipes.folder() / "cpython" / "compile.sh", work / "compile.sh")
    _link(source_tar, work / "source.tar")
    command = ["/bin/sh", "-c", "exec /bin/sh /cpython/compile.sh > /cpython/log 2>&1"]
    container = engine.start(toolchain, command, mounts={str(work): "/cpython"})
    with container:
        (work / "container").write_text(container.id)
        # slim waits for this; the packages of full, which are installed meanwhile, take what is left.
        engine.client.containers.get(container.id).update(cpu_shares=_CPU_SHARES)
        exit_code = _wait(container, cancelled)
    if exit_code != 0 or not (work / "cpython.tar").exists():
        raise BaseUnavailable(
            f"CPython {source.version} could not be compiled (exit code {exit_code}). Run it again; if it stays so, "
            f"this is what the compiler said last:\n{_tail(work / 'log')}"
        )
    return _keep(work, source, tar)


def _wait(container: Any, cancelled: Cancelled) -> int:
    for _ in range(_LONGEST_SECONDS):
        with contextlib.suppress(DoesNotServe):  # it still runs
            return int(container.wait(seconds=1.0))
        if cancelled():
            raise BuildCancelled("Compiling CPython was cancelled. Run it again to go on where it stopped.")
    raise BaseUnavailable(f"CPython was not compiled within {_LONGEST_SECONDS // 60} min. Look at this machine's load.")


def _remove_left_container(engine: Engine, work: Path) -> None:
    """Remove the container of a run that was killed: two compilers in one folder would spoil it."""
    note = work / "container"
    if note.exists():
        left = note.read_text().strip()
        if any(left == one.id for one in engine.client.containers.list(all=True)):
            engine.client.containers.get(left).remove(force=True, v=True)
        note.unlink()


def _keep(work: Path, source: Source, tar: Path) -> CPython:
    libraries = tuple((work / "libraries").read_text().split())
    made = CPython(tar, source.version, libraries)
    facts = {name: value for name, value in asdict(made).items() if name != "tar"}
    tar.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    (work / "cpython.tar").replace(tar)
    shutil.rmtree(work)
    return made


def _link(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.hardlink_to(path)


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return "(nothing)"
