"""What lies in a context folder and survives `.dockerignore`. Knows the disk; knows no Dockerfile's content."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from layerlab.context.ignore import Pattern, unignored
from layerlab.errors import ContextError

IGNORE = ".dockerignore"
_MAX_DOCKERFILE_BYTES = 1_000_000


@dataclass(frozen=True)
class ContextFile:
    """One file, folder or symbolic link that COPY can see; ``path`` is relative, with slashes."""

    path: str
    kind: Literal["file", "folder", "link"]
    size_bytes: int = 0
    is_executable: bool = False
    link_target: str = ""


def existing_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a folder that is there, or raise ContextError."""
    root = Path(folder)
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except FileNotFoundError:
        raise ContextError(f"There is no folder {root}. Give the folder that holds the Dockerfile.") from None
    except OSError as fault:
        raise unreadable(root, fault) from fault
    if not is_folder:
        raise ContextError(f"{root} is a file, and a build context is a folder. Give the folder it lies in.")
    return root.absolute()


def read_dockerfile(path: Path, root: Path) -> str:
    """Read a Dockerfile, as far as one may be long; ContextError if it is not there."""
    try:
        with path.open("rb") as stream:
            # One byte more than a Dockerfile may have is enough for the parser to refuse it.
            data = stream.read(_MAX_DOCKERFILE_BYTES + 1)
    except FileNotFoundError:
        near = ", ".join(sorted(one.name for one in root.glob("*ockerfile*"))[:8])
        hint = f"Here are: {near}." if near else "Create it, or name another."
        raise ContextError(f"There is no Dockerfile {path}. {hint}") from None
    except IsADirectoryError:
        raise ContextError(f"{path} is a folder, not a Dockerfile. Give the file's path.") from None
    except OSError as fault:
        raise unreadable(path, fault) from fault
    # The parser says at which line a file is no text.
    return data.decode("utf-8", "surrogateescape")


def read_ignore_file(root: Path, dockerfile: Path) -> tuple[str | None, str | None]:
    """Return the name and text of the ignore file that counts, or None twice."""
    for path in (dockerfile.with_name(dockerfile.name + IGNORE), root / IGNORE):
        try:
            text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as fault:
            raise unreadable(path, fault) from fault
        return path.name, text
    return None, None


def list_entries(root: Path, patterns: Sequence[Pattern], *, must_be_readable: bool = True) -> tuple[ContextFile, ...]:
    """Return what the patterns leave, sorted by path; ContextError if something cannot be read."""
    try:
        paths = sorted(unignored(root, patterns))
        found = (_checked(root, path, must_be_readable=must_be_readable) for path in paths)
        return tuple(entry for entry in found if entry is not None)
    except OSError as fault:
        raise unreadable(Path(fault.filename or root), fault) from fault


def _checked(root: Path, path: str, *, must_be_readable: bool) -> ContextFile | None:
    status = os.lstat(root / path)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        # A socket cannot be in a tar, and reading a pipe would wait for ever.
        return None
    if must_be_readable and stat.S_ISREG(status.st_mode) and not os.access(root / path, os.R_OK):
        raise PermissionError(13, "Permission denied", str(root / path))
    return make_entry(root, path, status)


def make_entry(root: Path, path: str, status: os.stat_result) -> ContextFile:
    """Describe one path from its lstat."""
    if stat.S_ISLNK(status.st_mode):
        return ContextFile(path, "link", link_target=os.readlink(root / path))  # noqa: PTH115
    if stat.S_ISDIR(status.st_mode):
        return ContextFile(path, "folder", is_executable=True)
    return ContextFile(path, "file", status.st_size, bool(status.st_mode & 0o111))


def unreadable(path: Path, fault: OSError) -> ContextError:
    """Say that a path cannot be read, and why."""
    reason = fault.strerror or str(fault)
    return ContextError(f"{path} cannot be read ({reason}). Make it readable, or list it in .dockerignore.")
