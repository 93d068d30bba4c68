"""What must be true before a private engine starts: machine, disk, file system, names, network. No engine."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from layerlab.engine import private
from layerlab.engine.private import mounting, network, places, preflight
from layerlab.errors import PrivateEngineError


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> places.Paths:
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "d"))
    found = private.paths()
    found.root.mkdir(parents=True)
    return found


@pytest.fixture
def iptables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put an iptables on PATH that lists the given rules; no link and no other dockerd is seen."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    monkeypatch.setattr(network, "_other_daemon", lambda where: None)

    def listing(rules: str) -> None:
        program = folder / "iptables"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{rules}\nEND\n")
        program.chmod(0o755)

    return listing


# --- machine ---------------------------------------------------------------------------------


def test_only_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(PrivateEngineError, match="Linux only, and this is darwin"):
        preflight.check_system()


def test_only_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PrivateEngineError, match=r"User 1000 may not start an engine.*recordings"):
        preflight.check_system()


# --- disk and file system --------------------------------------------------------------------


def test_free_space_is_known_before_the_folder_exists(tmp_path: Path) -> None:
    assert preflight.free_bytes(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs"])
def test_layers_are_stacked_on_local_file_systems(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "file_system", lambda folder: kind)
    preflight.check_file_system(Path("/data"))


@pytest.mark.parametrize("kind", ["nfs4", "9p", "overlay", "fuse.sshfs"])
def test_file_systems_without_whiteouts_are_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "file_system", lambda folder: kind)
    with pytest.raises(PrivateEngineError, match=rf"\({kind}\).*LAYERLAB_DATA"):
        preflight.check_file_system(Path("/data"))


def test_the_innermost_and_latest_mount_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "27 1 254:0 / / rw,relatime shared:1 - overlay overlay rw\n"
        f"42 27 254:0 / {tmp_path} rw - nfs4 server:/x rw\n"
        f"43 27 254:0 / {tmp_path} rw shared:7 master:1 - ext4 /dev/vda rw\n"
        f"44 27 254:0 / {tmp_path}/my\\040disk rw - xfs /dev/vdb rw\n"
    )
    listed = list(mounting.mounts(table))
    monkeypatch.setattr(preflight, "mounts", lambda: iter(listed))
    (tmp_path / "my disk").mkdir()
    assert preflight.file_system(tmp_path / "engine" / "data") == "ext4"
    assert preflight.file_system(tmp_path / "my disk" / "engine") == "xfs"
    assert preflight.file_system(Path("/")) == "overlay"


def test_this_machines_own_table_is_read() -> None:
    assert preflight.file_system(Path("/proc/self")) == "proc"


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "upstream", "expected"),
    [
        ("nameserver 10.0.0.53\n", "nameserver 9.9.9.9\n", ()),
        (
            "nameserver 127.0.0.53\noptions edns0\n",
            "nameserver 10.1.1.1\nnameserver 10.1.1.2\n",
            ("10.1.1.1", "10.1.1.2"),
        ),
        ("nameserver 127.0.0.1\nnameserver 10.0.0.53\n", "nameserver 9.9.9.9\n", ()),
        ("nameserver ::1\n", "nameserver 127.0.0.1\nnameserver fe80::1%eth0\n", ("fe80::1%eth0",)),
        ("nameserver 127.0.0.1\n", "", ()),
        (
            "nameserver\nnameserver oops\n# nameserver 1.1.1.1\nnameserver 127.0.0.1\n",
            "nameserver 8.8.4.4\n",
            ("8.8.4.4",),
        ),
    ],
)
def test_containers_get_servers_they_can_reach(
    tmp_path: Path, own: str, upstream: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / "own").write_text(own)
    (tmp_path / "up").write_text(upstream)
    paths = (tmp_path / "missing", tmp_path / "up")
    assert preflight.container_name_servers(tmp_path / "own", paths) == expected


# --- network ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "is_foreign"),
    [
        ("-P FORWARD DROP\n-N DOCKER\n-N DOCKER-USER", True),
        ("-P FORWARD ACCEPT\n-N DOCKER-OLD\n-A INPUT -m comment --comment '-N DOCKER' -j ACCEPT", False),
        ("-P INPUT ACCEPT\n-N NETAVARK_FORWARD", False),
    ],
)
def test_another_engines_chains_are_left_alone(
    where: places.Paths, iptables: Callable[[str], None], rules: str, is_foreign: bool
) -> None:
    iptables(rules)
    if is_foreign:
        with pytest.raises(
            PrivateEngineError, match=r"chain DOCKER in table filter.*DOCKER_HOST.*LAYERLAB_ENGINE=docker"
        ):
            network.check_neighbours(where)
    else:
        network.check_neighbours(where)


def test_another_engines_bridge_is_left_alone(
    where: places.Paths, iptables: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    iptables("-P FORWARD ACCEPT")
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (3, "docker0")])
    with pytest.raises(PrivateEngineError, match="interface docker0"):
        network.check_neighbours(where)


def test_our_own_traces_are_recognised(where: places.Paths, iptables: Callable[[str], None]) -> None:
    iptables("-N DOCKER")
    network.mark(where)
    network.check_neighbours(where)


@pytest.mark.parametrize("text", ['{"boot": "another", "network": 1}', "", "[]"])
def test_traces_of_another_boot_or_namespace_are_not_ours(
    where: places.Paths, iptables: Callable[[str], None], text: str
) -> None:
    iptables("-N DOCKER")
    where.marker.write_text(text)
    with pytest.raises(PrivateEngineError, match="chain DOCKER"):
        network.check_neighbours(where)


def test_a_living_daemon_counts_though_we_were_here_before(
    where: places.Paths, iptables: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    iptables("-N DOCKER")
    network.mark(where)
    monkeypatch.setattr(network, "_other_daemon", lambda where: 4711)
    with pytest.raises(PrivateEngineError, match="process 4711"):
        network.check_neighbours(where)


def test_routes_are_read_without_default_and_own_bridge(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "tun0\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert [str(route) for route in network._routes(table)] == ["192.0.2.0/24", "172.16.0.0/12"]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), "172.17.0.1/16"),
        (("172.17.0.0/16", "172.18.4.0/24"), "172.19.0.1/16"),
        (("172.16.0.0/12",), "192.168.240.1/20"),
        (("172.16.0.0/12", "192.168.0.0/16"), "10.201.0.1/16"),
        (("172.17.9.9/32",), "172.18.0.1/16"),
    ],
)
def test_the_bridge_avoids_every_route(taken: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_routes", lambda: tuple(map(ipaddress.IPv4Network, taken)))
    monkeypatch.setattr(network, "_resolvers", lambda: ())
    assert network.bridge_address() == expected


def test_without_a_free_range_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    private_ranges = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    monkeypatch.setattr(network, "_routes", lambda: tuple(map(ipaddress.IPv4Network, private_ranges)))
    with pytest.raises(PrivateEngineError, match=r"Every private address range.*VPN"):
        network.bridge_address()
