"""What is mounted into a container, as values: parsed, refused where it is not there, named without the host's paths.

Knows the local disk and no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from layerlab.errors import EngineRefused

# What an engine does about a folder that is not there: refuse it as `--mount` does, or make one as `-v` does.
Missing = Literal["refuse", "create"]


@dataclass(frozen=True)
class Mount:
    """One ``source → "/path:ro"``; the source is a folder or file of this machine, or the name of a volume."""

    source: str
    target: str
    read_only: bool

    @property
    def is_local(self) -> bool:
        """True for a path of this machine, False for a named volume."""
        return Path(self.source).is_absolute()

    @property
    def is_there(self) -> bool:
        """True where there is something to mount; of a named volume only its engine knows."""
        return not self.is_local or Path(self.source).exists()

    @property
    def content(self) -> str:
        """What is mounted, named by what is in it: where it lies differs from machine to machine.

        A folder that is not there yet is named as an empty one, for that is what a container sees.
        """
        return f"content:{_digest(Path(self.source))}" if self.is_local else self.source


def mounted(mounts: Mapping[str, str] | None) -> Iterator[Mount]:
    """Read what `Engine.start` is given, in the order of the sources.

    Raises
    ------
    EngineRefused
        A target is no full path, or the source is a relative one: an engine would take it for a volume's name.
    """
    for source, given in sorted((mounts or {}).items()):
        target, _, mode = given.partition(":")
        if not target.startswith("/") or mode not in ("", "ro", "rw"):
            raise EngineRefused(f"{given!r} is no place in a container. Write a full path, as in '/app/models:ro'.")
        if not Path(source).is_absolute() and ("/" in source or source.startswith(".")):
            raise EngineRefused(
                f"{source!r} is neither a full path nor the name of a volume. Mount {str(Path(source).absolute())!r}."
            )
        yield Mount(source, target, mode == "ro")


def require_sources(mounts: Mapping[str, str] | None) -> None:
    """Raise EngineRefused for the first source that is not there."""
    for mount in mounted(mounts):
        if not mount.is_there:
            raise EngineRefused(
                f"{mount.source} is not there, so it cannot be mounted. Is it spelled right? "
                "(`docker run -v` would have made an empty folder of that name.)"
            )


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    try:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path] * path.is_file():
            digest = "folder"  # a folder that lies where a file should is something to be seen
            if file.is_file():
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
            total.update(f"{file.relative_to(path).as_posix()}\0{digest}\n".encode())
    except OSError as error:
        raise EngineRefused(
            f"{error.filename} is to be mounted and cannot be read: {error.strerror}. Make it readable."
        ) from error
    return total.hexdigest()
