"""What a layer holds, entry by entry. Values only: no tar, no file system, no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

Kind = Literal["file", "dir", "symlink", "hardlink", "device", "fifo", "whiteout", "opaque"]


class FileEntry(NamedTuple):
    """One change that a layer makes.

    A whiteout's ``path`` is what it removes, and an opaque entry's ``path`` the folder whose older content it hides:
    the marker files ``.wh.NAME`` and ``.wh..wh..opq`` (OCI image specification, layer.md) are how a tar says it.

    Attributes
    ----------
    path
        Without a leading ``/`` or ``./``; the root of the image is ``""``.
    size_bytes
        Bytes of a regular file, holes of a sparse one included; 0 for everything else, links of both kinds too.
    mtime
        Whole seconds since 1970.
    link
        What a symbolic link says, or the path that a hard link shares its content with.
    checksum
        CRC-32 of the content, or None where nobody has read it.
    """

    path: str
    kind: Kind
    size_bytes: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    link: str = ""
    checksum: int | None = None


@dataclass(frozen=True)
class LayerFiles:
    """The entries of one layer in the order of its tar, and how many bytes the layer takes where it is stored.

    Attributes
    ----------
    diff_id
        SHA-256 of the unpacked layer, as the image's configuration names it.
    packed_bytes
        Bytes of the blob as it lies in the archive: packed or not; None for a layer that was read from a folder.
    owners
        Path → the package that claims it, by the package databases in this layer. The file may lie in another one.
    """

    diff_id: str
    entries: tuple[FileEntry, ...]
    packed_bytes: int | None = None
    owners: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def size_bytes(self) -> int:
        """Size on disk: bytes of the regular files, a hard-linked file once.

        Notes
        -----
        Docker's history on overlay2 has a little more where the older builder built: it also counts what a symbolic
        link says (20.10, ``archive.ChangesSize``), and BuildKit's layers don't (seen on 28.5).
        """
        return total_bytes(self.entries)


def total_bytes(entries: Iterable[FileEntry]) -> int:
    """Add up the entries of a layer: a hard link adds nothing to the file it shares."""
    return sum(entry.size_bytes for entry in entries)


def useful(owners: Mapping[str, str], entries: Iterable[FileEntry]) -> dict[str, str]:
    """Keep of what packages claim the paths that a layer has, and Python's: their scripts may be copied apart."""
    if not owners:
        return {}
    paths = {entry.path for entry in entries}
    return {path: one for path, one in owners.items() if path in paths or one.startswith("python:")}
