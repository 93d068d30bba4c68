"""What an intruder would find in an image: commands, shells, programs that lend rights, packages. Judges nothing."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerlab.archive.entries import LayerFiles
from layerlab.waste import Union

_COMMAND_FOLDERS = ("bin", "sbin")
_SHELLS = ("sh", "ash", "bash", "dash", "ksh", "zsh")
_LENDS = stat.S_ISUID | stat.S_ISGID
_MANAGERS = ("apk", "apt", "apt-get", "dpkg", "pip", "pip3", "uv")


@dataclass(frozen=True)
class Surface:
    """What lies in an image for whoever gets into a container of it; every tuple holds paths, sorted.

    Attributes
    ----------
    commands
        Programs and names of programs in folders called ``bin`` or ``sbin``.
    setuid
        Programs that run with the rights of their owner or group, whoever starts them.
    packages
        The system packages that own a file here (``debian:libc6``); None where the image has no record of them.
    python_packages
        The Python packages that own a file here.
    """

    commands: tuple[str, ...]
    shells: tuple[str, ...]
    managers: tuple[str, ...]
    setuid: tuple[str, ...]
    packages: tuple[str, ...] | None
    python_packages: tuple[str, ...]


def surface(merged: Union, layers: Sequence[LayerFiles]) -> Surface:
    """Count what a container of these layers would show.

    Parameters
    ----------
    merged
        The `union` of the layers.
    """
    owners = _owners(layers)
    owned = {owners[one.path] for one in merged.visible if one.path in owners}
    system = sorted(name for name in owned if not name.startswith("python:"))
    commands = sorted(one.path for one in merged.visible if _is_command(one.path, one.entry.mode))
    special = (one.path for one in merged.visible if one.entry.kind == "file" and one.entry.mode & _LENDS)
    return Surface(
        commands=tuple(commands),
        shells=_named(commands, _SHELLS),
        managers=_named(commands, _MANAGERS),
        setuid=tuple(sorted(special)),
        packages=tuple(system) or None,
        python_packages=tuple(sorted(name for name in owned if name.startswith("python:"))),
    )


def _owners(layers: Sequence[LayerFiles]) -> Mapping[str, str]:
    return {path: owner for layer in layers for path, owner in layer.owners.items()}


def _is_command(path: str, mode: int) -> bool:
    # A symbolic link's own mode is 777 on Linux, so a name for a program counts as the program does.
    return posixpath.basename(posixpath.dirname(path)) in _COMMAND_FOLDERS and bool(mode & 0o111)


def _named(commands: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in commands if posixpath.basename(path) in names)
