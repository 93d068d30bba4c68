"""The private engine with a real dockerd, in a network namespace and a data folder of its own.

The engine the other tests use lives in this machine's namespace, which must look the same afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import second_engine

from layerlab.engine import private
from layerlab.engine.private import mounting, ping, process

pytestmark = [
    pytest.mark.skipif(not second_engine.is_possible(), reason="needs root, Linux, docker.io and iptables"),
    pytest.mark.usefixtures("neighbours"),
]


def test_start_twice_gives_one_engine(where: private.Paths, start: Callable[[], list[str]]) -> None:
    first = start()
    second = start()
    assert first[-1] == second[-1] and len(first) == 2 and len(second) == 1
    status = private.status()
    assert status.state == "running" and str(status.pid) == first[-1]
    facts = ping.info(where.socket)
    assert facts["DockerRootDir"] == str(where.data_root)
    assert facts["Driver"] in ("overlay2", "fuse-overlayfs")
    assert facts["ServerVersion"] == status.version
    assert where.socket.stat().st_mode & 0o007 == 0
    writes_a_key = int(status.version.split(".")[0]) < 23
    assert (where.root / "key.json").exists() is writes_a_key  # and not in /etc/docker


def test_two_starts_at_once_give_one_engine(
    where: private.Paths, namespace: int, start: Callable[[], list[str]]
) -> None:
    private.stop()
    inside = second_engine.inside(namespace, second_engine.START)
    racers = [subprocess.Popen(inside, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pids = {racer.communicate(timeout=90)[0].splitlines()[-1] for racer in racers}
    assert pids == {str(private.status().pid)}


def test_a_killed_engine_comes_back_without_its_orphans(where: private.Paths, start: Callable[[], list[str]]) -> None:
    start()
    with second_engine.client(where) as client:
        image = _import_image(client)
        container = client.containers.run(image, ["/bin/sleep", "600"], detach=True)
        container.reload()
        sleeper = psutil.Process(container.attrs["State"]["Pid"])
    dead = private.status().pid
    os.kill(dead, signal.SIGKILL)
    second_engine.until(lambda: private.status().state == "stale")
    said = start()
    assert "killed" in said[0] and said[-1] != str(dead)
    assert not process.is_alive(sleeper)
    with second_engine.client(where) as client:
        kept = client.containers.get(container.id)  # what is on disk survives; what ran has ended
        assert kept.status == "exited"
        assert client.images.get(image).id == image
        kept.remove()
        # A container runs again: nothing of the old one stands in the way.
        assert client.containers.run(image, ["/bin/sleep", "0"], remove=True) == b""


def test_mirrors_reach_the_engine(
    where: private.Paths, start: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    private.stop()
    monkeypatch.setenv("LAYERLAB_REGISTRY_MIRROR", "127.0.0.1:5999,https://mirror.example")
    start()
    told = ping.info(where.socket)["RegistryConfig"]
    assert told["Mirrors"] == ["http://127.0.0.1:5999/", "https://mirror.example/"]
    assert told["InsecureRegistryCIDRs"] == ["127.0.0.0/8"]  # nothing but loopback does without TLS


def test_ports_are_published_to_this_machine_only(where: private.Paths, start: Callable[[], list[str]]) -> None:
    start()
    with second_engine.client(where) as client:
        image = _import_image(client)
        container = client.containers.run(image, ["/bin/sleep", "60"], detach=True, ports={"8000/tcp": None})
        container.reload()
        published = container.attrs["NetworkSettings"]["Ports"]["8000/tcp"]
        container.remove(force=True)
    assert [binding["HostIp"] for binding in published] == ["127.0.0.1"]


def test_a_second_data_folder_is_refused_beside_a_living_engine(
    namespace: int, tmp_path: Path, start: Callable[[], list[str]]
) -> None:
    pid = start()[-1]
    done = _start_elsewhere(namespace, tmp_path)
    assert done.returncode == 1
    assert f"Another Docker engine lives in this network namespace (process {pid})" in done.stderr
    assert private.is_running() and not (tmp_path / "d" / "engine" / "data").exists()


def test_traces_of_a_stopped_engine_are_left_alone_by_others_and_known_to_us(
    namespace: int, tmp_path: Path, start: Callable[[], list[str]]
) -> None:
    start()
    assert private.stop().state == "installed"
    done = _start_elsewhere(namespace, tmp_path)
    assert done.returncode == 1 and "interface docker0" in done.stderr and "chain DOCKER" in done.stderr
    assert start()[0].startswith("Starting a private engine")


def test_purge_leaves_no_mount_and_no_data_even_after_a_kill(
    where: private.Paths, start: Callable[[], list[str]]
) -> None:
    start()
    with second_engine.client(where) as client:
        image = _import_image(client)
        client.containers.run(image, ["/bin/sleep", "600"], detach=True)
    assert mounting.mounts_below(where.data_root)  # the container's own file system
    os.kill(private.status().pid, signal.SIGKILL)
    assert private.purge().state == "installed"
    assert not where.data_root.exists() and not where.exec_root.exists()
    assert not mounting.mounts_below(where.root) and not process.leftovers(where)
    assert start()[-1] == str(private.status().pid)  # and it starts again, from nothing


def _import_image(client: Any) -> str:
    return second_engine.import_image(client, "layerlab/sleeper", "/bin/sleep")


def _start_elsewhere(namespace: int, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        second_engine.inside(namespace, second_engine.START),
        env={**os.environ, "LAYERLAB_DATA": str(folder / "d")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
