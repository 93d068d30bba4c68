"""Whose engine this network namespace belongs to, and which addresses are free in it. Changes neither.

Two engines in one namespace cannot live together: the second flushes the first one's iptables chains.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
from pathlib import Path

from layerlab.engine.private import process
from layerlab.engine.private.command import engine_path
from layerlab.engine.private.places import Paths, earlier_paths
from layerlab.engine.private.preflight import name_servers
from layerlab.errors import PrivateEngineError

BRIDGE = "docker0"

# Docker's own first choice first, so that what learners read elsewhere is what they see.
_CANDIDATES = (
    *(f"172.{second}.0.1/16" for second in range(17, 32)),
    *(f"192.168.{third}.1/20" for third in range(240, -1, -16)),
    *(f"10.{second}.0.1/16" for second in range(201, 250)),
)


def check_neighbours(paths: Paths) -> None:
    """Refuse a network namespace in which another engine lives.

    Raises
    ------
    PrivateEngineError
        If another ``dockerd`` runs here, or its bridge or chains are here and we did not leave them.
    """
    stranger = _other_daemon(paths)
    if stranger and (earlier := process.daemon(earlier_paths())) and earlier.pid == stranger:
        raise PrivateEngineError(
            f"The course's earlier engine still runs (process {stranger}), and two can't live side by side. "
            "End it with `layerlab engine stop`; its images stay until `layerlab engine purge --earlier`."
        )
    traces = () if stranger or is_marked(paths) or is_marked(earlier_paths()) else _traces(paths)
    if stranger or traces:
        seen = f"process {stranger}" if stranger else ", ".join(traces)
        raise PrivateEngineError(
            f"Another Docker engine lives in this network namespace ({seen}), and a second one would flush "
            "its iptables chains. Use that one (set DOCKER_HOST, or LAYERLAB_ENGINE=docker); if it is gone "
            "and only its traces are left, a reboot clears them."
        )


def mark(paths: Paths) -> None:
    """Write down that bridge and chains in this namespace are ours from now on."""
    paths.marker.write_text(json.dumps(_here()))


def is_marked(paths: Paths) -> bool:
    """Say whether our engine ran in this network namespace since the machine booted."""
    try:
        marked = json.loads(paths.marker.read_text())
    except (OSError, ValueError):
        return False
    return bool(marked == _here())


def bridge_address() -> str:
    """Choose an address with prefix length for the bridge that collides with no route of this host.

    Raises
    ------
    PrivateEngineError
        If every private range is routed somewhere.
    """
    taken = (*_routes(), *_resolvers())
    for candidate in _CANDIDATES:
        network = ipaddress.IPv4Interface(candidate).network
        if not any(network.overlaps(other) for other in taken):
            return candidate
    raise PrivateEngineError(
        "Every private address range is routed somewhere on this host, so containers would find no network. "
        "Disconnect a VPN that takes 172.16.0.0/12, 192.168.0.0/16 and 10.0.0.0/8, and start again."
    )


def _here() -> dict[str, object]:
    # The inode number of a namespace is reused after a reboot, so the boot belongs to the name.
    return {
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "network": os.stat("/proc/self/ns/net").st_ino,  # noqa: PTH116
    }


def _traces(paths: Paths) -> tuple[str, ...]:
    # if_nameindex asks the kernel about our own namespace; /sys/class/net shows the one sysfs was mounted in.
    links = tuple(f"interface {name}" for _, name in socket.if_nameindex() if name == BRIDGE)
    chains = tuple(f"chain DOCKER in table {table}" for table in ("filter", "nat") if _has_chain(table, paths))
    return links + chains


def _has_chain(table: str, paths: Paths) -> bool:
    import subprocess

    iptables = shutil.which("iptables", path=engine_path(paths))
    if iptables is None:
        return False
    listed = subprocess.run(
        [iptables, "-w", "10", "-t", table, "-S"], capture_output=True, text=True, check=False, timeout=20
    )
    return "-N DOCKER" in listed.stdout.splitlines()


def _other_daemon(paths: Paths) -> int | None:
    """Find another's ``dockerd`` in our network namespace."""
    import psutil

    own = _namespace(os.getpid())
    for one in psutil.process_iter(["name"]):
        if one.info["name"] == "dockerd" and _namespace(one.pid) == own and not process.is_ours(one, paths):
            return int(one.pid)
    return None


def _namespace(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino  # noqa: PTH116
    except OSError:
        return None


def _routes(table: Path = Path("/proc/net/route")) -> tuple[ipaddress.IPv4Network, ...]:
    """Read this namespace's IPv4 routes, the default route and our own bridge's left out."""
    found = []
    for line in table.read_text().splitlines()[1:]:
        link, destination, *_, mask = line.split()[:8]
        if link != BRIDGE and int(mask, 16):
            found.append(ipaddress.IPv4Network((_address(destination), _address(mask))))
    return tuple(found)


def _address(hexadecimal: str) -> str:
    # The kernel prints the four bytes in the machine's own order, which is backwards on x86 and ARM.
    return socket.inet_ntoa(int(hexadecimal, 16).to_bytes(4, "little"))


def _resolvers() -> tuple[ipaddress.IPv4Network, ...]:
    servers = name_servers(Path("/etc/resolv.conf"))
    return tuple(ipaddress.IPv4Network(server) for server in servers if ":" not in server)
