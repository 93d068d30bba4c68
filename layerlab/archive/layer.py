"""A layer's tar → its entries. Whiteouts are read as what they mean; a path that leaves the image is refused."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from layerlab.archive import members as tar
from layerlab.archive import packages
from layerlab.archive.entries import FileEntry, Kind, LayerFiles, useful
from layerlab.archive.members import FILE_FLAGS, Member
from layerlab.archive.stream import Stream
from layerlab.errors import ArchiveError

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_MOST_ENTRIES = 5_000_000

_KINDS: dict[int, Kind] = {
    tar.HARD_LINK: "hardlink",
    tar.SYMBOLIC_LINK: "symlink",
    tar.CHARACTER: "device",
    tar.BLOCK_DEVICE: "device",
    tar.FOLDER: "dir",
    tar.FIFO: "fifo",
    **dict.fromkeys(FILE_FLAGS, "file"),
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
    for entry in _entries(tar.members(stream, end, must_close=must_close), stream, owners):
        found.append(entry)
        if len(found) > _MOST_ENTRIES:
            raise ArchiveError(
                f"A layer has more than {_MOST_ENTRIES:,} entries, which would not fit into memory. "
                "Such an image was made by mistake or to do harm."
            )
    return LayerFiles("", tuple(found), packed_bytes, useful(owners, found))


def _entries(members: Iterator[Member], stream: Stream, owners: dict[str, str]) -> Iterator[FileEntry]:
    for member in members:
        path = clean_path(member.name)
        kind = _KINDS.get(member.flag)
        if kind is None or (not path and kind != "dir"):
            raise ArchiveError(
                f"{path!r} has the type flag {chr(member.flag)!r}, which no engine writes into a layer. "
                "The archive is damaged or is no image."
            )
        checksum = None
        if kind == "file" and not member.is_sparse:
            if packages.is_database(path) and member.stored_bytes <= packages.LONGEST:
                content = stream.exactly(member.stored_bytes, member.name)
                owners.update(packages.owners(path, content))
                checksum = zlib.crc32(content)
            else:
                checksum = stream.checksum(member.stored_bytes, member.name)
        yield _entry(member, path, kind, checksum)


def _entry(member: Member, path: str, kind: Kind, checksum: int | None) -> FileEntry:
    folder, _, name = path.rpartition("/")
    if name.startswith(_WHITEOUT):
        if name == _OPAQUE:
            return FileEntry(folder, "opaque")
        hidden = name[len(_WHITEOUT) :]
        return FileEntry(f"{folder}/{hidden}" if folder else hidden, "whiteout")
    link, size = "", member.size_bytes
    if kind == "hardlink":
        link = clean_path(member.link)
        if link == path:
            raise ArchiveError(f"{path!r} is a hard link to itself. The archive is damaged or was made to do harm.")
    elif kind == "symlink":
        link, size = member.link.decode("utf-8", "surrogateescape"), len(member.link)
    elif kind == "device" and member.flag == tar.CHARACTER and member.device == (0, 0):
        # How overlayfs itself marks what is removed; tars of Podman's storage can hold it.
        return FileEntry(path, "whiteout")
    return FileEntry(path, kind, size, member.mode & 0o7777, member.uid, member.gid, member.mtime, link, checksum)


def clean_path(name: bytes) -> str:
    """Return a member's name as a path below the root, without ``./``, ``/`` and a folder's closing slash.

    Raises
    ------
    ArchiveError
        The path has a ``..``, so it could lead out of the image.
    """
    path = name.decode("utf-8", "surrogateescape")
    if path.startswith(("/", "./")) or path.endswith("/") or "//" in path or "/./" in path or path == ".":
        path = "/".join(part for part in path.split("/") if part not in ("", "."))
    if ".." in path and ".." in path.split("/"):
        raise ArchiveError(
            f"The path {path[:200]!r} leads out of the image. The archive was made to do harm; nothing was unpacked."
        )
    return path
