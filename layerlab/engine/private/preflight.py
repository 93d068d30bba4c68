"""What the machine must offer before our engine may start: root, disk, file system. Changes nothing."""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
from pathlib import Path

from layerlab.engine.private.mounting import mount_of, mounts
from layerlab.errors import DiskFull, PrivateEngineError
from layerlab.units import size

# The programs, the bases and a course's images take about 5 GB, for the image store keeps layers packed as well.
WANTED_FREE_BYTES = 6_000_000_000

# No overlayfs on top of these: they cannot hold its whiteouts or its trusted.* attributes.
UNFIT_FILE_SYSTEMS = frozenset(
    {"overlay", "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "vfat", "exfat", "ecryptfs"}
)


def check_system() -> None:
    """Refuse everything but root on Linux.

    Raises
    ------
    PrivateEngineError
        Saying which of the two it is.
    """
    if not sys.platform.startswith("linux"):
        raise PrivateEngineError(
            f"The private engine runs on Linux only, and this is {sys.platform}. "
            "Start Docker Desktop or Podman instead."
        )
    if os.geteuid() != 0:
        raise PrivateEngineError(
            f"User {os.geteuid()} may not start an engine; that needs root. "
            "Start it as root, use Docker or Podman, or go on with recordings (LAYERLAB_ENGINE=recorded)."
        )


def free_bytes(folder: Path) -> int:
    """Say how many bytes a user may still write where ``folder`` is or will be."""
    return shutil.disk_usage(_nearest(folder)).free


def check_disk(data_root: Path) -> None:
    """Refuse to start with too little space for bases and images.

    Raises
    ------
    DiskFull
        With less than ``WANTED_FREE_BYTES`` free.
    """
    free = free_bytes(data_root)
    if free < WANTED_FREE_BYTES:
        raise DiskFull(
            f"Only {size(free)} are free at {data_root}, and the course needs {size(WANTED_FREE_BYTES)}. "
            "Free some space, or name a folder on a larger disk in LAYERLAB_DATA."
        )


def check_file_system(data_root: Path) -> None:
    """Refuse a file system on which overlayfs can't stack layers.

    Raises
    ------
    PrivateEngineError
        containerd would then copy every layer in full, so every size and time of the course would be wrong.
    """
    kind = file_system(data_root)
    if kind in UNFIT_FILE_SYSTEMS or kind.startswith("fuse"):
        raise PrivateEngineError(
            f"{data_root} is on a file system ({kind}) on which layers cannot be stacked. "
            "Name a folder on a local disk (ext4, xfs, btrfs; in a container: a volume) in LAYERLAB_DATA."
        )


def file_system(folder: Path) -> str:
    """Name the type of the file system ``folder`` is or will be on."""
    return mount_of(_nearest(folder).resolve(), tuple(mounts())).kind


def name_servers(resolv_conf: Path) -> tuple[str, ...]:
    """Read the addresses in the ``nameserver`` lines of a resolv.conf(5); what is no address is left out."""
    try:
        lines = resolv_conf.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    named = (words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver")
    return tuple(server for server in named if _address(server))


def container_name_servers(
    resolv_conf: Path = Path("/etc/resolv.conf"),
    upstream: tuple[Path, ...] = (
        Path("/run/systemd/resolve/resolv.conf"),
        Path("/run/NetworkManager/no-stub-resolv.conf"),
    ),
) -> tuple[str, ...]:
    """Name the servers for ``--dns``; empty if the host's own list works inside containers.

    Notes
    -----
    A container cannot reach the host's loopback. Docker then falls back to 8.8.8.8, which a closed network
    blocks; so the servers behind the local resolver are named instead.
    """
    if any(not _is_loopback(server) for server in name_servers(resolv_conf)):
        return ()
    for path in upstream:
        if reachable := tuple(server for server in name_servers(path) if not _is_loopback(server)):
            return reachable
    return ()


def _is_loopback(server: str) -> bool:
    address = _address(server)
    return address is not None and address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])  # fe80::1%eth0 names a link, too
    except ValueError:
        return None


def _nearest(folder: Path) -> Path:
    # os.path.exists says False, where Path.exists raises, for what this user may not see.
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110
        folder = folder.parent
    return folder
