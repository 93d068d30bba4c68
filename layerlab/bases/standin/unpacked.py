"""Debian packages unpacked into one tar archive: their files, and who they belong to. Runs none of their scripts."""

from __future__ import annotations

import copy
import io
import posixpath
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from layerlab.errors import BaseUnavailable

# What slim images leave out too; the copyright files stay, as licences ask for.
_UNWANTED = re.compile(r"usr/share/(?:man|info|locale|lintian|bug|doc(?!/[^/]+/copyright$))(?:/|$)")
# Debian since 12 keeps these under /usr and links them; packages still name the old ones.
_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
# Where distroless images keep dpkg's record, a file a package, for whoever scans them.
_STATUS = "var/lib/dpkg/status.d"


class Unpacked:
    """Files in memory, by path; what comes later takes the place of what was there."""

    def __init__(self) -> None:
        self._members: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def add(self, package: Path) -> None:
        """Unpack a package, and note down what it is and which files it has.

        Raises
        ------
        BaseUnavailable
            dpkg-deb can't read it.
        """
        for info, content in _members(package, "--fsys-tarfile"):
            if info.name and not _UNWANTED.match(info.name):
                self._put(info, content)
        record = {info.name: content for info, content in _members(package, "--ctrl-tarfile")}
        name = package.name.partition("_")[0]
        self.file(f"{_STATUS}/{name}", record["control"])
        self.file(f"{_STATUS}/{name}.md5sums", record.get("md5sums", b""))

    def file(self, path: str, content: bytes) -> None:
        """Put a file there, readable by everybody."""
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(content), 0o644
        self._put(info, content)

    def folder(self, path: str, *, mode: int, owner: int = 0) -> None:
        """Put a folder there."""
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, owner
        self._put(info, b"")

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link there."""
        info = tarfile.TarInfo(path)
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
        self._put(info, b"")

    def content(self, path: str) -> bytes:
        """Return what a file holds; empty where there is none."""
        return self._members[path][1] if path in self._members else b""

    def paths(self, folder: str) -> tuple[str, ...]:
        """Return the paths of the files below a folder, sorted."""
        return tuple(path for path in sorted(self._members) if path.startswith(folder) and self._members[path][1])

    def link_merged(self) -> None:
        """Link /bin, /lib and the like to the folders below /usr that are there."""
        for name in _MERGED:
            if f"usr/{name}" in self._members:
                self.link(name, f"usr/{name}")

    def write(self, target: Path) -> None:
        """Write all of it as one tar archive, sorted, with every file root's unless it was put there otherwise."""
        partial = target.with_suffix(".partial")
        with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as tar:
            for path in sorted(self._members):
                info, content = self._members[path]
                tar.addfile(info, io.BytesIO(content))
        partial.replace(target)

    def _put(self, info: tarfile.TarInfo, content: bytes) -> None:
        for above in _above(info.name):
            if above not in self._members:
                self.folder(above, mode=0o755)
        self._members[info.name] = (info, content)


def _above(path: str) -> tuple[str, ...]:
    parts = path.split("/")[:-1]
    return tuple("/".join(parts[: number + 1]) for number in range(len(parts)))


def _members(package: Path, what: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield one of a package's two tar archives, its paths as they are on a system that keeps all under /usr."""
    done = subprocess.run(["dpkg-deb", what, package], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise BaseUnavailable(f"{package.name} can't be unpacked ({said}). Run it again; it is fetched anew then.")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isreg() else None
            moved = copy.copy(info)
            moved.name = _under_usr(info.name)
            if info.islnk():
                moved.linkname = _under_usr(info.linkname)
            yield moved, file.read() if file else b""


def _under_usr(path: str) -> str:
    """Give a package's path the place it has today.

    >>> _under_usr("./lib/x86_64-linux-gnu/libc.so.6"), _under_usr("./etc/passwd"), _under_usr("./")
    ('usr/lib/x86_64-linux-gnu/libc.so.6', 'etc/passwd', '')
    """
    name = posixpath.normpath(path).lstrip("/")
    if name == ".":
        return ""
    return f"usr/{name}" if name.split("/")[0] in _MERGED else name
