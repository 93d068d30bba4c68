"""What a running service uses of its image: packages, and system libraries that its process has mapped.

An image says it of itself while it serves. Whether that is much or little is for others to say.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from layerlab.attribution.causes import INSTALLERS
from layerlab.engine.protocol import StartRequest
from layerlab.errors import EngineRefused
from layerlab.narration import tell

if TYPE_CHECKING:
    from layerlab.engine.protocol import Engine, ExecResult


@dataclass(frozen=True)
class Package:
    """A Python distribution that the service's interpreter finds; bytecode apart, which is a choice."""

    name: str
    version: str
    size_bytes: int = field(compare=False)
    bytecode_bytes: int = field(compare=False)
    folder: str


@dataclass(frozen=True)
class Library:
    """A system package of which the process has files mapped, or one mapped file that no package claims.

    Attributes
    ----------
    files
        What is mapped: shared libraries, and tables such as a database of file types.
    size_bytes
        The package's files that are there, all of them: a package is installed whole.
    """

    name: str
    size_bytes: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Running:
    """What a service uses while it answers."""

    packages: tuple[Package, ...]
    libraries: tuple[Library, ...]

    @property
    def needed_bytes(self) -> int:
        """Packages with their bytecode, and system libraries; no installer, and not the application itself."""
        used = sum(one.size_bytes + one.bytecode_bytes for one in self.packages if one.name not in INSTALLERS)
        return used + sum(one.size_bytes for one in self.libraries)


def running(engine: Engine, image: str, *, base: str, paths: Sequence[str] = ("/health",), port: int = 8000) -> Running:
    """Let a service answer, and return what it uses that its base has not.

    Parameters
    ----------
    paths
        Asked first: some libraries are loaded by the first request that needs them.

    Notes
    -----
    Mapped files are those of ``/proc/PID/maps`` (proc(5)). A library that is read and closed again is not among them.

    Raises
    ------
    DoesNotServe
        Nothing answered.
    EngineRefused
        The image has no Python on its PATH to look with.
    ImageNotFound, NotRecorded
    """
    tell("looking at what the running service uses")
    with engine.start(StartRequest(image=image, ports=(port,))) as container:
        for path in paths:
            container.request(path, port=port, wait_seconds=60.0)
        told = _answer(container.exec(_command("uses")), image)
    mapped = [file for one in told["libraries"] for file in one["files"]]
    held = _answer(engine.run(base, _command("holds", *mapped)), base)
    return Running(
        tuple(one for one in map(_package, told["packages"]) if one not in {*map(_package, held["packages"])}),
        tuple(
            Library(one["name"], one["size"], tuple(one["files"]))
            for one in told["libraries"]
            if not {*one["files"]} <= {*held["files"]}
        ),
    )


def _package(told: dict[str, Any]) -> Package:
    return Package(told["name"], told["version"], told["size"], told["bytecode"], told["folder"])


def _command(*words: str) -> list[str]:
    script = resources.files("layerlab.probe").joinpath("inside_running.py").read_text(encoding="utf-8")
    return ["python3", "-B", "-c", script, *words]


def _answer(ended: ExecResult, image: str) -> Any:
    lines = ended.output.strip().splitlines()
    if ended.exit_code == 0 and lines:
        return json.loads(lines[-1])
    said = lines[-1] if lines else "it printed nothing"
    raise EngineRefused(
        f"The Python of {image} could not say what its service uses (exit code {ended.exit_code}): {said}. "
        "Put the folder of its python3 on PATH, or start it in that image to see why."
    )
