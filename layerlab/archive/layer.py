"""A layer's tar → its entries. Whiteouts are read as what they mean; a path that leaves the image is refused."""

from __future__ import annotations

import zlib

from layerlab.archive import headers as tar
from layerlab.archive import packages
from layerlab.archive.entries import FileEntry, Kind, LayerFiles, useful
from layerlab.archive.headers import FILE_FLAGS, Member
from layerlab.archive.members import members
from layerlab.archive.stream import Stream, called
from layerlab.errors import ArchiveError

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
MOST_ENTRIES = 5_000_000
# The kernel's, with the NUL at its end; what is longer could be unpacked by no engine.
_LONGEST_PATH = 4_096

_KINDS: dict[int, Kind] = {
    tar.HARD_LINK: "hardlink",
    tar.SYMBOLIC_LINK: "symlink",
    tar.CHARACTER: "device",
    tar.BLOCK_DEVICE: "device",
    tar.FOLDER: "dir",
    tar.FIFO: "fifo",
}


def read_layer(
    stream: Stream, end: int | None = None, *, must_close: bool = False, packed_bytes: int | None = None
) -> LayerFiles:
    """Read a layer's tar up to offset ``end``, or to the end of the stream; ``must_close`` as `members` has it.

    The layer's ``diff_id`` is left empty: only the image's configuration names it.

    Raises
    ------
    ArchiveError
        As `members`; also a path with ``..``, a hard link to itself, or more than 5,000,000 entries.
    """
    found: list[FileEntry] = []
    owners: dict[str, str] = {}
    for member in members(stream, end, must_close=must_close):
        path = clean_path(member.name)
        if _WHITEOUT in path and (hidden := _hidden(path)) is not None:
            found.append(hidden)
        elif member.flag in FILE_FLAGS and path:
            checksum = None if member.is_sparse else _checksum(path, member, stream, owners)
            found.append(_file(path, member, checksum))
        else:
            found.append(_special(path, member))
        if len(found) > MOST_ENTRIES:
            raise too_many_entries()
    return LayerFiles("", tuple(found), packed_bytes, useful(owners, found))


def _file(path: str, member: Member, checksum: int | None) -> FileEntry:
    _, _, size, _, mode, uid, gid, mtime, *_ = member
    return FileEntry(path, "file", size, mode & 0o7777, uid, gid, mtime, "", checksum)


def _checksum(path: str, member: Member, stream: Stream, owners: dict[str, str]) -> int:
    """Return the CRC-32 of a file's content; what a package database says on the way goes to ``owners``."""
    if packages.is_database(path) and member.stored_bytes <= packages.LONGEST:
        content = stream.exactly(member.stored_bytes, member.name)
        owners.update(packages.owners(path, content))
        return zlib.crc32(content)
    return stream.checksum(member.stored_bytes, member.name)


def _special(path: str, member: Member) -> FileEntry:
    """Return the entry of what is no regular file."""
    kind = _KINDS.get(member.flag)
    if kind is None or (not path and kind != "dir"):
        raise ArchiveError(
            f"{path!r} has the type flag {chr(member.flag)!r}, which no engine writes into a layer. "
            "The archive is damaged or is no image."
        )
    link = ""
    if kind == "hardlink":
        link = clean_path(member.link)
        if link == path:
            raise ArchiveError(f"{path!r} is a hard link to itself. The archive is damaged or was made to do harm.")
    elif kind == "symlink":
        link = member.link.decode("utf-8", "surrogateescape")
    elif kind == "device" and member.flag == tar.CHARACTER and member.device == (0, 0):
        # How overlayfs itself marks what is removed; tars of Podman's storage can hold it.
        return FileEntry(path, "whiteout")
    return FileEntry(path, kind, 0, member.mode & 0o7777, member.uid, member.gid, member.mtime, link)


def _hidden(path: str) -> FileEntry | None:
    """Return what a marker file hides, or None for any other file."""
    folder, slash, name = path.rpartition("/")
    if not name.startswith(_WHITEOUT):
        return None
    if name == _OPAQUE:
        return FileEntry(folder, "opaque")
    hidden = name[len(_WHITEOUT) :]
    if hidden in ("", ".", ".."):
        raise ArchiveError(f"{path!r} hides no file. The archive is damaged or was made to do harm.")
    return FileEntry(f"{folder}{slash}{hidden}", "whiteout")


def too_many_entries() -> ArchiveError:
    """Say that there are more entries than memory should be given to."""
    return ArchiveError(
        f"The image has more than {MOST_ENTRIES:,} entries, which would not fit into memory. "
        "It was made by mistake or to do harm."
    )


def clean_path(name: bytes) -> str:
    """Return a member's name as a path below the root, without ``./``, ``/`` and a folder's closing slash.

    Raises
    ------
    ArchiveError
        The path has a ``..``, so it could lead out of the image, or is longer than any system's.
    """
    if len(name) >= _LONGEST_PATH:
        raise ArchiveError(
            f"A path has {len(name):,} bytes, and no system unpacks one of {_LONGEST_PATH:,}: {called(name)}. "
            "The archive was made by mistake or to do harm."
        )
    path = name.decode("utf-8", "surrogateescape")
    if "/." not in path and "//" not in path and path[:1] not in ("/", ".") and path[-1:] != "/":
        return path
    parts = path.split("/")
    if ".." in parts:
        raise ArchiveError(
            f"The path {path[:200]!r} leads out of the image. The archive was made to do harm; nothing was unpacked."
        )
    return "/".join(part for part in parts if part not in ("", "."))
