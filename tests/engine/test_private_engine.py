"""The private engine with a real dockerd, in a network namespace and a data folder of its own.

The engine the other tests use lives in this machine's namespace, which must look the same afterwards.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from layerlab.engine import private
from layerlab.engine.private import mounting, ping, process
from layerlab.engine.private.packages import missing_packages

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0 or bool(missing_packages()),
    reason="starting a dockerd needs root, Linux, docker.io and iptables",
)

START = "from layerlab.engine import private; print(private.start(on_line=print).pid)"


@pytest.fixture(scope="module")
def namespace() -> Iterator[int]:
    """A network namespace with nothing but a loopback; gives the process that holds it open."""
    # A new namespace's loopback is down; SIOCSIFFLAGS (0x8914) with IFF_UP is what `ip link set lo up` does.
    code = (
        "import fcntl, socket, struct, time\n"
        "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))\n"
        "print('up', flush=True); time.sleep(600)"
    )
    command = ["unshare", "--net", sys.executable, "-c", code]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "up\n"
    yield holder.pid
    holder.kill()
    holder.wait()
    holder.stdout.close()


@pytest.fixture(scope="module")
def where(neighbours: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[private.Paths]:
    """The second engine's paths; purged afterwards, whatever the tests did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_DATA", str(tmp_path_factory.mktemp("d")))
        found = private.paths()
        yield found
        private.purge()
        assert process.daemon(found) is None and not process.leftovers(found)
        assert not mounting.mounts_below(found.root)
        if found.exec_root.parent != found.root:
            shutil.rmtree(found.exec_root.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def start(namespace: int, where: private.Paths) -> Callable[[], list[str]]:
    """Start the engine from a process of its own inside the namespace; gives the lines it printed."""

    def run() -> list[str]:
        inside = ["nsenter", f"--net=/proc/{namespace}/ns/net", sys.executable, "-c", START]
        return subprocess.check_output(inside, text=True, timeout=90).splitlines()

    return run


@pytest.fixture(scope="module", autouse=True)
def neighbours() -> Iterator[None]:
    """Hold that the machine's own bridge, rules and engine are as they were before."""
    before = (_network(), private.status().pid)
    yield  # LAYERLAB_DATA names the same folder before and after: `where` comes later and goes earlier
    assert (_network(), private.status().pid) == before


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
    inside = ["nsenter", f"--net=/proc/{namespace}/ns/net", sys.executable, "-c", START]
    racers = [subprocess.Popen(inside, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pids = {racer.communicate(timeout=90)[0].splitlines()[-1] for racer in racers}
    assert pids == {str(private.status().pid)}


def test_a_killed_engine_comes_back_without_its_orphans(where: private.Paths, start: Callable[[], list[str]]) -> None:
    start()
    with _client(where) as client:
        image = _import_image(client, where)
        container = client.containers.run(image, ["/bin/sleep", "600"], detach=True)
        container.reload()
        sleeper = psutil.Process(container.attrs["State"]["Pid"])
    dead = private.status().pid
    os.kill(dead, signal.SIGKILL)
    _until(lambda: private.status().state == "stale")
    said = start()
    assert "killed" in said[0] and said[-1] != str(dead)
    assert not process.is_alive(sleeper)
    with _client(where) as client:
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
    with _client(where) as client:
        image = _import_image(client, where)
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
    with _client(where) as client:
        image = _import_image(client, where)
        client.containers.run(image, ["/bin/sleep", "600"], detach=True)
    assert mounting.mounts_below(where.data_root)  # the container's own file system
    os.kill(private.status().pid, signal.SIGKILL)
    assert private.purge().state == "installed"
    assert not where.data_root.exists() and not where.exec_root.exists()
    assert not mounting.mounts_below(where.root) and not process.leftovers(where)
    assert start()[-1] == str(private.status().pid)  # and it starts again, from nothing


def _client(where: private.Paths) -> Any:
    from contextlib import closing

    return closing(docker.DockerClient(base_url=where.url))


def _import_image(client: Any, where: private.Paths) -> str:
    """Make an image of the host's own ``sleep``; no registry is needed. Gives its id."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in ("/bin/sleep", *_libraries("/bin/sleep")):
            archive.add(os.path.realpath(path), arcname=path)
    answer = client.api.import_image_from_data(packed.getvalue(), repository="layerlab/sleeper")
    return str(json.loads(answer.splitlines()[-1])["status"])


def _libraries(program: str) -> set[str]:
    listed = subprocess.check_output(["ldd", program], text=True).split()
    return {word for word in listed if word.startswith("/")}


def _start_elsewhere(namespace: int, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nsenter", f"--net=/proc/{namespace}/ns/net", sys.executable, "-c", START],
        env={**os.environ, "LAYERLAB_DATA": str(folder / "d")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _network() -> tuple[str, ...]:
    """This namespace's bridge and the rules an engine keeps, without those that come and go with containers."""
    listed = [
        subprocess.run(
            ["iptables", "-w", "10", "-t", table, "-S"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for table in ("filter", "nat")
    ]
    fleeting = ("-A DOCKER ", "/32", "br-")
    lasting = [line for rules in listed for line in rules if not any(word in line for word in fleeting)]
    bridge = [line for line in Path("/proc/net/route").read_text().splitlines() if line.startswith("docker0")]
    return (*lasting, *bridge)


def _until(holds: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)
