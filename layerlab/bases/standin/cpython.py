"""Compiles CPython once for the stand-ins of a kit, in a container of the private engine; keeps tar archives."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerlab.bases.registry import Cancelled, never
from layerlab.bases.standin import recipes
from layerlab.bases.standin.kits import Kit
from layerlab.engine.protocol import Engine, StartRequest
from layerlab.errors import BaseUnavailable, BuildCancelled, DoesNotServe

_TAIL_LINES = 12
_CPU_SHARES = 8192  # of 1024 that other containers have
# It takes two to four minutes on two cores; a machine with one slow core gets half an hour.
_LONGEST_SECONDS = 3600


@dataclass(frozen=True)
class CPython:
    """A compiled CPython: ``tars`` are the kit's outputs, ``libraries`` the packages it is linked against."""

    tars: tuple[Path, ...]
    version: str
    libraries: tuple[str, ...]


def finished(kit: Kit, parts: Path, digest: str) -> CPython | None:
    """Return what an earlier run of the same recipe left in the folder ``parts``, or None."""
    tars = _tars(kit, parts, digest)
    try:
        facts: dict[str, Any] = json.loads(tars[0].with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return CPython(tars, facts["version"], tuple(facts["libraries"])) if all(map(Path.is_file, tars)) else None


def compile(
    engine: Engine,
    kit: Kit,
    sources: Mapping[str, Path],
    parts: Path,
    work: Path,
    *,
    digest: str,
    version: str,
    cancelled: Cancelled = never,
) -> CPython:
    """Compile in a container of the kit's toolchain; a run that was killed is taken up where it stopped.

    Parameters
    ----------
    sources
        Tar archives by name: "source" is CPython's, the others are called like the kit's libraries.
    work
        A folder for this recipe alone, mounted into the container; it is removed at the end.
    digest
        Of the recipe; the tar archives in ``parts`` bear it.

    Raises
    ------
    BaseUnavailable
        The compiler failed; with the last lines it printed.
    BuildCancelled
    """
    work.mkdir(parents=True, exist_ok=True)
    _remove_left_container(engine, work)
    shutil.copytree(recipes.folder() / kit.recipe, work, dirs_exist_ok=True)
    for name, tar in sources.items():
        _link(tar, work / f"{name}.tar")
    command = ["/bin/sh", "-c", "exec /bin/sh /cpython/compile.sh > /cpython/log 2>&1"]
    container = engine.start(StartRequest(image=kit.toolchain, command=command, mounts={str(work): "/cpython"}))
    with container:
        (work / "container").write_text(container.id)
        # slim waits for this; the packages of full, which are installed meanwhile, take what is left.
        engine.client.containers.get(container.id).update(cpu_shares=_CPU_SHARES)
        exit_code = _wait(container, cancelled)
    if exit_code != 0 or not all((work / f"{name}.tar").exists() for name in kit.outputs):
        raise BaseUnavailable(
            f"CPython {version} could not be compiled (exit code {exit_code}). Run it again; if it stays so, "
            f"this is what the compiler said last:\n{_tail(work / 'log')}"
        )
    return _keep(kit, work, version, _tars(kit, parts, digest))


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
        if any(left == one.id for one in engine.client.containers.list()):
            engine.client.containers.get(left).kill()
        if any(left == one.id for one in engine.client.containers.list(all=True)):
            engine.client.containers.get(left).remove(v=True)
        note.unlink()


def _keep(kit: Kit, work: Path, version: str, tars: tuple[Path, ...]) -> CPython:
    libraries = tuple((work / "libraries").read_text().split())
    facts = {"version": version, "libraries": libraries}
    tars[0].with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    for name, tar in zip(kit.outputs, tars, strict=True):
        (work / f"{name}.tar").replace(tar)
    shutil.rmtree(work)
    return CPython(tars, version, libraries)


def _tars(kit: Kit, parts: Path, digest: str) -> tuple[Path, ...]:
    return tuple(parts / f"{name}-{digest}.tar" for name in kit.outputs)


def _link(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.hardlink_to(path)


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return "(nothing)"
