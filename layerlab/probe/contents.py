"""What lies in an image: Python distributions, the application, tools. Judges nothing; an image says it of itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from layerlab.attribution.causes import INSTALLERS
from layerlab.narration import tell
from layerlab.probe.asking import ask

if TYPE_CHECKING:
    from layerlab.engine.protocol import Engine

_SHELLS = ("sh", "bash", "ash", "dash")
_ASSIGNMENT = re.compile(r"\w+=")


@dataclass(frozen=True)
class Distribution:
    """An installed Python package; ``size_bytes`` are its files on disk, without bytecode."""

    name: str
    version: str
    size_bytes: int
    folder: str

    @property
    def is_installer(self) -> bool:
        """True for pip, uv and what they bring along to install others."""
        return self.name in INSTALLERS


@dataclass(frozen=True)
class Tool:
    """A program that builds or installs; ``size_bytes`` is 0 where the path is another name for a program."""

    name: str
    path: str
    size_bytes: int = 0


@dataclass(frozen=True)
class Contents:
    """What an image holds for the Python that its start command runs.

    Attributes
    ----------
    python
        Path of that Python.
    application_bytes
        Files in the working directory that belong to no distribution, without bytecode; of the root
        folder only the files that lie right in it.
    """

    distributions: tuple[Distribution, ...]
    application_bytes: int
    tools: tuple[Tool, ...]
    python: str = ""

    def added_to(self, base: Contents) -> Contents:
        """Return what the base has not: distributions by name, version and folder, tools by path."""
        held = {(one.name, one.version, one.folder) for one in base.distributions}
        paths = {tool.path for tool in base.tools}
        return Contents(
            tuple(one for one in self.distributions if (one.name, one.version, one.folder) not in held),
            self.application_bytes,
            tuple(tool for tool in self.tools if tool.path not in paths),
            self.python,
        )

    def needed_bytes(self, base: Contents) -> int:
        """Return what the running service needs on top of the base: its packages and itself, no installer."""
        own = self.added_to(base)
        return sum(one.size_bytes for one in own.distributions if not one.is_installer) + own.application_bytes


def contents(engine: Engine, image: str) -> Contents:
    """Let the image's own Python say what is installed, with the image's ENV and as its user.

    Notes
    -----
    Which Python is told by the start command: ``/opt/venv/bin/uvicorn`` names in its first line the
    interpreter whose packages it imports (packaging.python.org, "Entry points specification").

    Raises
    ------
    EngineRefused
        The image has no Python on its PATH.
    ImageNotFound, NotRecorded
    """
    tell("looking into the image")
    config = engine.inspect(image).get("Config") or {}
    told = ask(engine, image, "contents", program((*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))))
    return Contents(
        distributions=tuple(
            Distribution(one["name"], one["version"], one["size"], one["folder"]) for one in told["distributions"]
        ),
        application_bytes=told["application_bytes"],
        tools=tuple(Tool(one["name"], one["path"], one["size"]) for one in told["tools"]),
        python=told["python"],
    )


def program(command: Sequence[str]) -> str:
    """Return the program that a start command runs, through a shell's ``-c`` as well; empty where there is none.

    >>> program(("/bin/sh", "-c", "exec uvicorn main:app"))
    'uvicorn'
    """
    if not command:
        return ""
    if PurePosixPath(command[0]).name in _SHELLS and len(command) > 2 and command[1] == "-c":
        try:
            words = shlex.split(command[2])
        except ValueError:
            return ""
        return next((word for word in words if word != "exec" and not _ASSIGNMENT.match(word)), "")
    return command[0]
