"""A layer as overlay2 keeps it, a folder on this machine → its entries, in the order of the engine's own tar.

Knows overlayfs' marks for what is removed; reads no contents but package databases'.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from layerlab.archive import packages
from layerlab.archive.entries import FileEntry, Kind, LayerFiles, useful

# overlayfs (kernel documentation, overlayfs.rst): a removed name is a character device 0/0, and a folder that
# hides its older content carries this attribute. Only root sees it; so only root gets to read these folders.
_OPAQUE = "trusted.overlay.opaque"

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFIFO: "fifo",
}


def read_folder(folder: Path, diff_id: str) -> LayerFiles:
    """Read the folder of one layer.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    walk = _Walk()
    found = tuple(walk.entries(os.fspath(folder), ""))
    return LayerFiles(diff_id, found, None, useful(walk.owners, found))


class _Walk:
    def __init__(self) -> None:
        # (device, inode) → the first path of a file that has several.
        self._linked: dict[tuple[int, int], str] = {}
        self.owners: dict[str, str] = {}

    def entries(self, folder: str, prefix: str) -> Iterator[FileEntry]:
        """Yield what is in a folder, each sub-folder before its content, by name, as the engine's tar has it."""
        if prefix and _is_opaque(folder):
            yield FileEntry(prefix[:-1], "opaque")
        with os.scandir(folder) as found:
            listed = sorted(found, key=lambda one: os.fsencode(one.name))
        for one in listed:
            status = one.stat(follow_symlinks=False)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode))
            if kind is None:
                continue  # a socket, which no tar can hold
            path = prefix + one.name
            yield self._entry(one, path, kind, status)
            if kind == "dir":
                yield from self.entries(one.path, f"{path}/")

    def _entry(self, one: os.DirEntry[str], path: str, kind: Kind, status: os.stat_result) -> FileEntry:
        size, link, checksum = 0, "", None
        if kind == "device" and stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            return FileEntry(path, "whiteout")
        if kind == "symlink":
            link = str(Path(one.path).readlink())
        elif kind == "file":
            size = status.st_size
            checksum = None if size else 0  # CRC-32 of nothing
            if packages.is_database(path) and size <= packages.LONGEST:
                content = Path(one.path).read_bytes()
                self.owners.update(packages.owners(path, content))
                checksum = zlib.crc32(content)
            if status.st_nlink > 1:
                first = self._linked.setdefault((status.st_dev, status.st_ino), path)
                if first != path:
                    kind, size, link, checksum = "hardlink", 0, first, None
        mode = stat.S_IMODE(status.st_mode)
        return FileEntry(path, kind, size, mode, status.st_uid, status.st_gid, int(status.st_mtime), link, checksum)


def _is_opaque(folder: str) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:
        return False
