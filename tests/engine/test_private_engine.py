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
    pytest.mark.skipif(
        not second_engine.is_possible(),
        reason=second_engine.WANTED,
    ),
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
    assert facts["Driver"] == "overlayfs" and facts["Containerd"]["Address"] == str(where.containerd_socket)
    assert facts["ServerVersion"] == status.version
    assert where.socket.stat().st_mode & 0o007 == 0


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


def test_a_killed_containerd_takes_the_engine_along_and_both_come_back(
    where: private.Paths, start: Callable[[], list[str]]
) -> None:
    start()
    with second_engine.client(where) as client:
        container = client.containers.run(_import_image(client), ["/bin/sleep", "600"], detach=True)
    dead = private.status().pid
    (containerd,) = (one for one in process.leftovers(where) if one.name() == "containerd")
    containerd.kill()
    second_engine.until(lambda: private.status().state == "stale")
    assert not private.is_running()
    said = start()
    assert "killed" in said[0] and said[-1] != str(dead)
    with second_engine.client(where) as client:
        kept = client.containers.get(container.id)
        kept.start()
        kept.remove(force=True)


def test_a_killed_starter_leaves_nothing_unknown(
    where: private.Paths, namespace: int, start: Callable[[], list[str]]
) -> None:
    die = "lambda *a, **k: os.kill(os.getpid(), 9)"
    for step in ("lifecycle._wait_for_containerd", "process.write_record", "lifecycle._interview"):
        private.stop()
        code = f"import os; from layerlab.engine.private import lifecycle, process; {step} = {die}"
        command = second_engine.inside(namespace, f"{code}\n{second_engine.START}")
        killed = subprocess.run(command, check=False, timeout=60)
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert process.leftovers(where), "it was killed in the middle"
        assert start()[-1] == str(private.status().pid) and private.status().state == "running"
        assert len([one for one in process.leftovers(where) if one.name() == "containerd"]) == 1
    assert private.stop().state == "installed" and not process.leftovers(where)


def test_images_live_in_our_containerd_and_a_terminal_builds_there(
    where: private.Paths, start: Callable[[], list[str]], tmp_path: Path
) -> None:
    start()
    with second_engine.client(where) as client:
        _import_image(client)
    (tmp_path / "Dockerfile").write_text('FROM layerlab/sleeper\nCOPY Dockerfile /Dockerfile\nCMD ["/bin/sleep"]\n')
    terminal = {**os.environ, **private.variables(), "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    before = {path: path.stat().st_mtime_ns for path in (Path.home() / ".docker").rglob("*")}
    ids = []
    for _ in range(2):
        command = ["docker", "build", "--quiet", "--tag", "layerlab/terminal", str(tmp_path)]
        ids.append(subprocess.check_output(command, env=terminal, text=True).strip())
    assert ids[0] == ids[1], "nothing in the image tells when it was built"
    manifest = where.containerd_root / "io.containerd.content.v1.content/blobs/sha256" / ids[0].removeprefix("sha256:")
    assert manifest.is_file()
    assert {path: path.stat().st_mtime_ns for path in (Path.home() / ".docker").rglob("*")} == before
    version = subprocess.check_output(["docker", "compose", "version", "--short"], env=terminal, text=True)
    assert version.startswith("2.")
    with second_engine.client(where) as client:
        client.images.remove("layerlab/terminal")


def test_mirrors_reach_the_engine(
    where: private.Paths, start: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    private.stop()
    monkeypatch.setenv("LAYERLAB_REGISTRY_MIRROR", "127.0.0.1:5999,https://mirror.example")
    start()
    told = ping.info(where.socket)["RegistryConfig"]
    assert told["Mirrors"] == ["http://127.0.0.1:5999/", "https://mirror.example/"]
    assert set(told["InsecureRegistryCIDRs"]) == {"127.0.0.0/8", "::1/128"}  # nothing but loopback does without TLS


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
    assert mounting.mounts_below(where.root)  # the container's own file system
    os.kill(private.status().pid, signal.SIGKILL)
    assert private.purge().state == "absent"
    assert not where.programs.exists() and not where.data_root.exists() and not where.exec_root.exists()
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
