"""The kernel's table of mounts, and undoing some of them. Knows nothing of engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNT_TABLE = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo: ``source`` is the folder inside ``device`` that is seen at ``point``."""

    device: str
    source: Path
    point: Path
    kind: str


def mounts(table: Path = MOUNT_TABLE) -> Iterator[Mount]:
    """Read the mounts in the order they were made (proc(5))."""
    for line in table.read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        _, _, device, source, point, *_ = before.split(" ")
        yield Mount(device, Path(_plain(source)), Path(_plain(point)), after.split(" ")[0])


def mount_of(path: Path, among: Iterable[Mount]) -> Mount:
    """Choose the mount that ``path`` is on; with none, an unknown one at the root."""
    best = Mount("", Path("/"), Path("/"), "unknown")
    for mount in among:
        # `>=`: of two mounts on one point the later hides the earlier.
        if path.is_relative_to(mount.point) and len(mount.point.parts) >= len(best.point.parts):
            best = mount
    return best


def mounts_below(folder: Path) -> list[Path]:
    """List the mount points below ``folder``, and not itself, the deepest first."""
    top = folder.resolve()
    found = [mount.point for mount in mounts() if mount.point != top and mount.point.is_relative_to(top)]
    return sorted(found, key=lambda point: len(point.parts), reverse=True)


def is_bound_to_itself(folder: Path) -> bool:
    """Say whether ``folder`` is a mount of nothing but itself, rather than of a disk.

    Notes
    -----
    dockerd mounts its data root so, to make the mounts below it propagate. It undoes it at a clean end; after a
    kill it stays.
    """
    top = folder.resolve()
    listed = tuple(mounts())
    here = mount_of(top, listed)
    around = mount_of(top.parent, listed)
    inside = around.source / top.parent.relative_to(around.point) / top.name
    return here.point == top and (here.device, here.source) == (around.device, inside)


def unmount(point: Path) -> None:
    """Detach what is mounted at ``point``, even while it is in use; whoever asked looks whether it worked."""
    import subprocess

    command = ["umount", "--lazy", "--no-canonicalize", str(point)]
    subprocess.run(command, capture_output=True, check=False, timeout=30)


def _plain(name: str) -> str:
    # The kernel writes blanks, tabs, newlines and backslashes in octal: /my\040folder.
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        name = name.replace(code, character)
    return name
