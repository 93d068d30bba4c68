"""The private engine's life cycle, against small programs that behave like dockerd and containerd. No engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from layerlab.engine import private
from layerlab.engine.private import (
    command,
    lifecycle,
    mounting,
    network,
    packages,
    ping,
    places,
    preflight,
    process,
    programs,
    removal,
)
from layerlab.errors import DiskFull, PrivateEngineError

# Answers /_ping and /info like an engine; FAKE_* in its environment makes it misbehave.
FAKE_DOCKERD = """
import json, os, signal, socket, sys, time
flags = dict(word.split("=", 1) for word in sys.argv[1:])
if "FAKE_FAILURE" in os.environ:
    print("level=warning msg=something"); print(os.environ["FAKE_FAILURE"]); sys.exit(1)
if "FAKE_DEAF" in os.environ:
    time.sleep(600)
open(flags["--pidfile"], "x").write(str(os.getpid()))   # a second one fails here, as dockerd does
with open(os.environ["FAKE_STARTS"], "a") as starts:
    starts.write(f"{os.getpid()}\\n")
time.sleep(0.3)
address = flags["--host"].removeprefix("unix://")
server = socket.socket(socket.AF_UNIX); server.bind(address); server.listen()
def end(*_):
    os.unlink(address); os.unlink(flags["--pidfile"]); os._exit(0)
signal.signal(signal.SIGTERM, end)
info = json.dumps({"Driver": os.environ.get("FAKE_DRIVER", "overlayfs"), "ServerVersion": "28.5.2+fake"})
while True:
    connection, _ = server.accept()
    path = connection.recv(65536).split()[1]
    body = "OK" if path == b"/_ping" else info
    connection.sendall(f"HTTP/1.0 200 OK\\r\\n\\r\\n{body}".encode()); connection.close()
"""

# Listens where its configuration says.
FAKE_CONTAINERD = """
import os, signal, socket, sys, time
lines = open(sys.argv[1].removeprefix("--config=")).read().splitlines()
address = next(line.split('"')[1] for line in lines if line.startswith("address"))
if "FAKE_CONTAINERD_FAILURE" in os.environ:
    print(os.environ["FAKE_CONTAINERD_FAILURE"]); sys.exit(1)
server = socket.socket(socket.AF_UNIX); server.bind(address); server.listen()
def end(*_):
    os.unlink(address); os._exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    server.accept()[0].close()
"""

# What a second checkout does, with what needs root and a free network namespace taken out.
START_ELSEWHERE = """
from layerlab.engine.private import lifecycle, network, preflight
network.check_neighbours = lambda where: None
preflight.check_system = lambda: None
preflight.WANTED_FREE_BYTES = 0
print(lifecycle.start().pid)
"""


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[places.Paths]:
    """Paths of a data folder of the test's own; whatever runs on it afterwards is killed."""
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "d"))
    found = private.paths()
    found.root.mkdir(parents=True)
    # Asked for now: a test that takes its environment back must not lead to the engine of this machine's user.
    ours = (found, private.earlier_paths())
    assert all(engine.root.is_relative_to(tmp_path) for engine in ours)
    yield found
    for engine in ours:
        left = [one for one in (process.daemon(engine),) if one] + process.leftovers(engine)
        process.end(left, patience_seconds=0.2)
    if found.exec_root.parent != found.root:  # pytest's folders may be too long for sockets
        shutil.rmtree(found.exec_root.parent, ignore_errors=True)


@pytest.fixture
def dockerd(tmp_path: Path, where: places.Paths, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fakes where our programs are unpacked; the machine is taken to be fit and the network ours."""
    program = _fake(where.programs / "usr/sbin/dockerd", FAKE_DOCKERD)
    _fake(where.programs / "usr/bin/containerd", FAKE_CONTAINERD)
    whole = {"packages": [asdict(one) for one in programs.wanted()], "versions": {}, "past_date": {}, "files": {}}
    (where.programs / packages.INVENTORY).write_text(json.dumps(whole))
    monkeypatch.setenv("FAKE_STARTS", str(tmp_path / "starts"))
    monkeypatch.delenv(command.MIRRORS, raising=False)
    monkeypatch.setattr(preflight, "check_system", lambda: None)
    monkeypatch.setattr(preflight, "WANTED_FREE_BYTES", 0)
    monkeypatch.setattr(network, "check_neighbours", lambda where: None)
    return program


def _fake(program: Path, code: str) -> Path:
    program.parent.mkdir(parents=True)
    source = program.with_name(f"{program.name}.py")
    source.write_text(code)
    program.write_text(
        f"#!/bin/bash\nexport PYTHONHOME={sys.base_prefix}\n"
        f'exec -a {program.name} {Path(sys.executable).resolve()} -s -S {source} "$@"\n'
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def pretend() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run a Python program under another name and with other arguments; it is killed afterwards."""
    running: list[subprocess.Popen[str]] = []

    def run(name: str, *arguments: str, code: str = "import time; time.sleep(600)") -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [name, "-s", "-S", "-c", f"print('up', flush=True); {code}", *arguments],
            executable=str(Path(sys.executable).resolve()),
            env={**os.environ, "PYTHONHOME": sys.base_prefix},
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(child)
        assert child.stdout is not None and child.stdout.readline() == "up\n"
        return child

    yield run
    for child in running:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


# --- places ----------------------------------------------------------------------------------


def test_data_folder_is_named_by_the_environment(where: places.Paths, tmp_path: Path) -> None:
    assert where.root == tmp_path / "d" / "engine-28"
    assert where.data_root.parent == where.pid_file.parent == where.lock.parent == where.root


def test_one_folder_has_one_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "link"))
    assert private.data_folder() == tmp_path / "real"


@pytest.mark.parametrize("length", [60, 80, 95, 200])
def test_sockets_never_have_too_long_a_path(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLAB_DATA", "/" + "x" * (length - 1))
    found = private.paths()
    deepest = found.exec_root / "containerd" / "containerd.sock.ttrpc"
    assert max(len(os.fsencode(found.socket)), len(os.fsencode(deepest))) <= places.LONGEST_SOCKET_PATH
    if found.exec_root.parent != found.root:
        assert str(found.exec_root.parent) in found.note and "too long" in found.note


def test_a_long_path_leads_every_session_to_the_same_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLAB_DATA", "/" + "x" * 150)
    first = private.paths()
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert private.paths() == first
    monkeypatch.setenv("LAYERLAB_DATA", "/" + "y" * 150)
    assert private.paths().socket != first.socket


def test_import_loads_nothing_heavy() -> None:
    code = "import sys; from layerlab.engine import private; private.is_running(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"psutil", "filelock", "docker", "subprocess", "http.client"}
    assert "layerlab.engine.private.lifecycle" not in loaded


def test_every_public_name_is_there() -> None:
    assert all(callable(getattr(private, name)) for name in private.__all__)
    with pytest.raises(AttributeError, match="no attribute 'pause'"):
        _ = private.pause


# --- process ---------------------------------------------------------------------------------


def test_daemon_is_found_by_record_pid_file_or_arguments(where: places.Paths, pretend) -> None:
    child = pretend("dockerd", process.data_root_flag(where))
    assert process.daemon(where).pid == child.pid  # by its arguments alone
    where.pid_file.write_text(str(child.pid))
    assert process.daemon(where).pid == child.pid
    process.write_record(where, process.Record(child.pid, psutil.Process(child.pid).create_time()))
    assert process.daemon(where).pid == child.pid


def test_a_reused_pid_is_not_our_engine(where: places.Paths, pretend) -> None:
    stranger = pretend("dockerd", "--data-root=/var/lib/docker")
    where.pid_file.write_text(str(stranger.pid))
    process.write_record(where, process.Record(stranger.pid, psutil.Process(stranger.pid).create_time()))
    assert process.daemon(where) is None
    assert private.status().state == "stale"


def test_a_longer_folder_of_the_same_beginning_is_not_ours(where: places.Paths, pretend) -> None:
    pretend("dockerd", process.data_root_flag(where) + "-2")
    pretend("sudo", "dockerd", process.data_root_flag(where))
    assert process.daemon(where) is None


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"pid": 1}', '{"pid": null, "created": 1}'])
def test_an_unreadable_record_counts_as_none(where: places.Paths, text: str) -> None:
    where.record.write_text(text)
    assert process.read_record(where) is None


def test_leftovers_are_containerd_and_shims_of_ours_only(where: places.Paths, pretend) -> None:
    below = f"{where.exec_root}/containerd"
    ours = {
        pretend("containerd", f"--config={below}/containerd.toml").pid,
        pretend("containerd", "--config", f"{below}/containerd.toml").pid,  # as dockerd 20.10 started it
        pretend("/usr/bin/containerd-shim-runc-v2", "-address", f"{below}/containerd.sock").pid,
    }
    pretend("containerd", "--config", "/etc/containerd/config.toml")
    pretend("containerd")
    pretend("containerd-shim-runc-v2", "-namespace", "moby")
    pretend("cat", f"{below}/containerd.toml")
    assert {one.pid for one in process.leftovers(where)} == ours


def test_a_process_that_does_not_listen_is_killed(pretend) -> None:
    deaf = pretend(
        "deaf", code="import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
    )
    assert deaf.stdout.readline() == "deaf\n"
    process.end([psutil.Process(deaf.pid)], patience_seconds=0.2)
    assert deaf.wait(timeout=1) == -signal.SIGKILL


# --- ping ------------------------------------------------------------------------------------


def test_nothing_answers_on_a_dead_socket(where: places.Paths) -> None:
    import socket

    assert not ping.answers(where.socket)  # no such file
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(where.socket))
    dead.close()
    assert where.socket.exists() and not ping.answers(where.socket)
    with pytest.raises(OSError):
        ping.info(where.socket)


def test_without_unix_sockets_nothing_runs(where: places.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("socket.AF_UNIX")
    assert not private.is_running()


def test_what_does_not_speak_http_is_no_engine(where: places.Paths, pretend) -> None:
    pretend(
        "ssh",
        code=f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(where.socket)!r}); s.listen()\n"
        "while True: c, _ = s.accept(); c.sendall(b'SSH-2.0-OpenSSH'); c.close()",
    )
    _until(where.socket.exists)
    assert not ping.answers(where.socket)


# --- life cycle ------------------------------------------------------------------------------


def test_start_twice_gives_one_engine_and_stop_leaves_none(where: places.Paths, dockerd: Path) -> None:
    assert private.status().state == "installed"
    said: list[str] = []
    first = private.start(on_line=said.append)
    assert (first.state, first.version) == ("running", "28.5.2+fake")
    assert len(said) == 1 and said[0].startswith(f"Starting a private engine on {where.data_root}.")
    for again in (private.start(), private.ensure(), private.status()):
        assert (again.state, again.pid, again.since) == ("running", first.pid, first.since)
    assert private.is_running() and ping.info(where.socket)["Driver"] == "overlayfs"
    stopped = private.stop()
    assert (stopped.state, stopped.pid, stopped.version) == ("installed", None, "")
    assert process.daemon(where) is None and not process.leftovers(where) and not private.is_running()
    assert private.stop().state == "installed"


@pytest.mark.slow
def test_the_engine_survives_its_starter(where: places.Paths, dockerd: Path) -> None:
    pid = int(subprocess.check_output([sys.executable, "-c", START_ELSEWHERE], text=True))
    assert private.status().pid == pid and private.status().state == "running"
    assert os.getsid(pid) == pid != os.getsid(0)  # a session of its own: Ctrl-C does not reach it


@pytest.mark.slow
def test_two_checkouts_at_once_get_one_engine(where: places.Paths, dockerd: Path, tmp_path: Path) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", START_ELSEWHERE], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    pids = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert pids == set((tmp_path / "starts").read_text().split()) and len(pids) == 1


def test_start_after_a_kill_clears_away_what_was_left(where: places.Paths, dockerd: Path, pretend) -> None:
    first = private.start()
    orphan = pretend("containerd-shim-runc-v2", "-address", str(where.containerd_socket))
    os.kill(first.pid, signal.SIGKILL)
    _until(lambda: process.daemon(where) is None)
    assert private.status().state == "stale"
    assert where.pid_file.exists() and where.socket.exists()
    said: list[str] = []
    second = private.start(on_line=said.append)
    assert second.state == "running" and second.pid != first.pid
    assert "killed" in said[0]
    assert orphan.wait(timeout=5) is not None


def test_a_killed_containerd_is_noticed_and_both_start_anew(where: places.Paths, dockerd: Path) -> None:
    first = private.start()
    (containerd,) = process.leftovers(where)
    os.kill(containerd.pid, signal.SIGKILL)
    _until(lambda: not process.is_alive(containerd))
    assert ping.answers(where.socket) and not private.is_running()
    assert private.status().state == "stale"
    said: list[str] = []
    second = private.start(on_line=said.append)
    assert second.state == "running" and second.pid != first.pid and "killed" in said[0]
    assert len(process.leftovers(where)) == 1


def test_what_a_starter_killed_between_both_leaves_is_known(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(process, "write_record", die)
        private.start()
    assert private.status().state in ("starting", "running", "stale")
    assert private.start().state == "running"
    assert private.stop().state == "installed" and not process.leftovers(where)


def test_a_containerd_without_dockerd_is_cleared_away(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lifecycle, "_wait_for_containerd", die)
        private.start()
    _until(lambda: private.status().state == "stale")
    (orphan,) = process.leftovers(where)
    said: list[str] = []
    assert private.start(on_line=said.append).state == "running" and "killed" in said[0]
    assert not process.is_alive(orphan)


def test_a_containerd_that_gives_up_shows_its_last_lines(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CONTAINERD_FAILURE", "containerd: failed to open boltdb")
    with pytest.raises(PrivateEngineError, match=r"containerd gave up(?s:.*)failed to open boltdb"):
        private.start()
    assert private.status().state == "installed" and process.daemon(where) is None


def test_a_containerd_of_the_systems_is_not_touched(where: places.Paths, dockerd: Path, pretend) -> None:
    systems = pretend("containerd", "--config", "/etc/containerd/config.toml")
    private.start()
    told = psutil.Process(private.status().pid).cmdline()
    assert f"--containerd={where.containerd_socket}" in told
    private.purge()
    assert systems.poll() is None


def test_a_dockerd_that_gives_up_shows_its_own_last_lines(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where.log.write_text("--- an earlier start\nan earlier sorrow\n")
    monkeypatch.setenv("FAKE_FAILURE", "failed to start daemon: Devices cgroup isn't mounted")
    with pytest.raises(PrivateEngineError, match="Devices cgroup isn't mounted") as caught:
        private.start()
    assert str(where.log) in str(caught.value) and "earlier" not in str(caught.value)
    assert private.status().state == "installed"


def test_a_dockerd_that_never_answers_is_ended(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DEAF", "1")
    with pytest.raises(PrivateEngineError, match="did not answer within 1 s"):
        private.start(wait_seconds=1)
    assert process.daemon(where) is None


@pytest.mark.parametrize("driver", ["native", "overlay2", "vfs"])
def test_another_way_to_store_layers_is_refused(
    driver: str, where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DRIVER", driver)
    with pytest.raises(PrivateEngineError, match=rf"only {driver}, which.*LAYERLAB_DATA"):
        private.start()
    assert process.daemon(where) is None and not private.is_running()


def test_a_starting_engine_is_waited_for(where: places.Paths, dockerd: Path, pretend) -> None:
    _listen(pretend, where.containerd_socket)
    pretend("dockerd", process.data_root_flag(where))
    assert private.status().state == "starting"
    with pytest.raises(PrivateEngineError, match="did not answer"):
        private.start(wait_seconds=0.3)
    assert process.daemon(where) is not None  # not ours to end: somebody else is starting it


def test_too_little_disk_starts_nothing(where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "WANTED_FREE_BYTES", 6_000_000_000)
    monkeypatch.setattr(preflight, "free_bytes", lambda folder: 1_200_000_000)
    with pytest.raises(DiskFull, match=r"Only 1.20 GB are free at .*/data, .* 6.00 GB\. Free some"):
        private.start()
    assert not where.data_root.exists() and private.status().state == "installed"


def test_a_folder_one_may_not_see_can_be_asked_about(tmp_path: Path) -> None:
    """Another user asks about root's engine; as root itself everything is visible, so a child gives root up."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    code = (
        "import os, psutil; from layerlab.engine import private; private.status(); os.setuid(65534); "
        "print(private.status().state, private.is_running())"
    )
    environment = {**os.environ, "LAYERLAB_DATA": str(folder / "d")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split() in (["installed", "False"], ["absent", "False"]), done.stderr


def test_without_dockerd_the_engine_is_absent(where: places.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "check_system", lambda: None)
    monkeypatch.setattr(network, "check_neighbours", lambda paths: None)
    assert private.status().state == "absent"
    with pytest.raises(PrivateEngineError, match=r"programs are not here.*layerlab engine start"):
        private.start()


def test_changed_mirrors_are_said_and_not_forced(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = private.start()
    monkeypatch.setenv(command.MIRRORS, "mirror.example")
    said: list[str] = []
    assert private.start(on_line=said.append).pid == first.pid
    assert command.MIRRORS in said[0]


def test_a_busy_lock_names_its_file(where: places.Paths, dockerd: Path) -> None:
    import filelock

    with filelock.FileLock(where.lock), pytest.raises(PrivateEngineError, match=r"holds .*lock"):
        # A thread of this process would share the lock object, not the lock: flock is per open file.
        private.stop(patience_seconds=-59.5)


# --- what dockerd is told ----------------------------------------------------------------------


def test_the_users_configuration_is_not_read(where: places.Paths, dockerd: Path) -> None:
    private.start()
    told = psutil.Process(private.status().pid).cmdline()
    assert f"--config-file={where.root}/daemon.json" in told
    assert f"--host=unix://{where.socket}" in told and not any("bridge=" in word for word in told)
    assert json.loads(where.config.read_text()) == {"features": {"containerd-snapshotter": True}}


def test_containerd_keeps_all_in_our_folders_and_leaves_the_systems_alone(where: places.Paths) -> None:
    command.write_configuration(where)
    told = tomllib.loads(where.containerd_config.read_text())
    assert Path(told["root"]).is_relative_to(where.data_root) and Path(told["state"]).is_relative_to(where.exec_root)
    assert told["grpc"]["address"] == str(where.containerd_socket)
    unwanted = set(told["disabled_plugins"])
    assert {"io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"} <= unwanted


def test_proxies_go_in_and_other_engines_settings_stay_out(where: places.Paths) -> None:
    given = {"HTTPS_PROXY": "http://proxy:3128", "DOCKER_HOST": "tcp://x", "LISTEN_FDS": "1", "PATH": "/bin"}
    got = command.environment(where, given)
    assert got.keys() == {"HTTPS_PROXY", "PATH"}
    path = got["PATH"].split(":")
    assert path[:2] == [f"{where.programs}/usr/bin", f"{where.programs}/usr/sbin"] and "/usr/sbin" in path


def test_mirrors_become_urls() -> None:
    text = "mirror.example, 127.0.0.1:5000,localhost:5001 ,https://a.example:8443,,http://127.1.2.3"
    assert command.registry_mirrors({command.MIRRORS: text}) == (
        "https://mirror.example",
        "http://127.0.0.1:5000",
        "http://localhost:5001",
        "https://a.example:8443",
        "http://127.1.2.3",
    )
    assert command.registry_mirrors({}) == ()


@pytest.mark.parametrize("name", ["http://mirror.example", "http://10.0.0.1:5000", "ftp://127.0.0.1", "https://"])
def test_a_mirror_that_cannot_be_trusted_is_refused(name: str) -> None:
    with pytest.raises(PrivateEngineError, match="https://"):
        command.registry_mirrors({command.MIRRORS: name})


# --- purge -----------------------------------------------------------------------------------


def test_purge_removes_the_data_root_and_nothing_beside_it(where: places.Paths, dockerd: Path) -> None:
    private.start()
    (where.data_root / "volumes").mkdir()
    beside = where.root.parent / "answers.json"
    beside.write_text("{}")
    assert private.purge().state == "absent"
    assert not where.data_root.exists() and not where.exec_root.exists() and not where.programs.exists()
    assert not process.leftovers(where)
    assert beside.exists() and where.log.exists()


def test_purge_without_an_engine_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "none"))
    assert private.purge().pid is None
    assert not (tmp_path / "none").exists()


def test_purge_refuses_what_our_start_did_not_make(where: places.Paths) -> None:
    where.data_root.mkdir()
    thesis = where.data_root / "thesis.txt"
    thesis.write_text("years of work")
    with pytest.raises(PrivateEngineError, match="our start did not make it"):
        private.purge()
    assert thesis.exists()


def test_purge_refuses_a_link(where: places.Paths, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where.data_root.symlink_to(elsewhere)
    with pytest.raises(PrivateEngineError, match="it is a link"):
        private.purge()
    assert elsewhere.exists()


def test_purge_refuses_while_something_stays_mounted(where: places.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = where.data_root / "disk"
    mounted.mkdir(parents=True)
    where.config.write_text("{}")
    _mount_table(monkeypatch, ("/", "/"), ("/", str(mounted)))
    monkeypatch.setattr(removal, "unmount", lambda point: None)
    with pytest.raises(PrivateEngineError, match="disk is still mounted"):
        private.purge()
    assert mounted.exists()


def test_mounts_are_listed_deepest_first(where: places.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [where.data_root / name for name in ("overlay2/a/merged", "overlay2", "overlay2/a")]
    shown = [Path("/"), where.data_root, where.root / "data-2" / "x", *points]
    _mount_table(monkeypatch, *(("/", str(point)) for point in shown))
    assert mounting.mounts_below(where.data_root) == [points[0], points[2], points[1]]


@pytest.mark.parametrize(
    ("device", "source", "is_own"),
    [("254:0", "/d/engine/data", True), ("254:0", "/srv/disk", False), ("8:1", "/d/engine/data", False)],
)
def test_a_disk_mounted_on_the_data_root_is_told_from_dockerds_own_mount(
    device: str, source: str, is_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = mounting.Mount("254:0", Path("/"), Path("/"), "ext4")
    here = mounting.Mount(device, Path(source), Path("/d/engine/data"), "ext4")
    monkeypatch.setattr(mounting, "mounts", lambda: iter([home, here]))
    assert mounting.is_bound_to_itself(Path("/d/engine/data")) is is_own
    assert not mounting.is_bound_to_itself(Path("/d/engine"))


def test_a_mount_of_itself_is_recognised_below_another_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    home = mounting.Mount("8:2", Path("/@home"), Path("/home"), "btrfs")
    here = mounting.Mount("8:2", Path("/@home/me/engine/data"), Path("/home/me/engine/data"), "btrfs")
    monkeypatch.setattr(mounting, "mounts", lambda: iter([home, here]))
    assert mounting.is_bound_to_itself(Path("/home/me/engine/data"))


def test_purge_refuses_while_a_process_of_ours_stays(
    where: places.Paths, dockerd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = private.start().pid
    with monkeypatch.context() as patch, pytest.raises(PrivateEngineError, match=rf"process {pid}\) does not end"):
        patch.setattr(process, "end", lambda processes, patience_seconds: None)
        private.purge()
    assert where.data_root.exists() and private.is_running()


# --- the course's earlier engine -----------------------------------------------------------------


@pytest.fixture
def earlier(where: places.Paths) -> places.Paths:
    """Give what Docker 20.10 left in its folder, and a file of somebody's beside it."""
    found = private.earlier_paths()
    (found.data_root / "overlay2").mkdir(parents=True)
    for path in (found.config, found.root / "key.json", found.log):
        path.write_text("{}")
    return found


def test_the_earlier_engines_folder_is_another(where: places.Paths, earlier: places.Paths, dockerd: Path) -> None:
    private.start()
    assert earlier.root.name == "engine" and earlier.root != where.root
    assert [path.name for path in earlier.data_root.iterdir()] == ["overlay2"]


def test_purge_takes_the_earlier_engine_along(where: places.Paths, earlier: places.Paths, dockerd: Path) -> None:
    private.start()
    private.purge()
    assert not earlier.root.exists() and not where.data_root.exists()


def test_the_earlier_engine_alone_is_removed(where: places.Paths, earlier: places.Paths, dockerd: Path) -> None:
    pid = private.start().pid
    network.mark(earlier)
    where.marker.unlink()
    (earlier.root / "notes.txt").write_text("mine")
    assert private.purge(earlier_only=True).pid == pid
    assert [path.name for path in earlier.root.iterdir()] == ["notes.txt"]
    assert network.is_marked(where), "bridge and chains that it left are still known"


def test_stop_and_purge_end_the_earlier_engine(where: places.Paths, earlier: places.Paths, pretend) -> None:
    for verb in (private.stop, private.purge):
        running = pretend("dockerd", process.data_root_flag(earlier))
        shim = pretend("containerd-shim-runc-v2", "-address", str(earlier.containerd_socket))
        verb()
        assert running.wait(timeout=5) is not None and shim.wait(timeout=5) is not None


def test_a_living_earlier_engine_is_named(
    where: places.Paths, earlier: places.Paths, pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = pretend("dockerd", process.data_root_flag(earlier))
    monkeypatch.setattr(network, "_other_daemon", lambda where: running.pid)
    with pytest.raises(PrivateEngineError, match=rf"earlier engine still runs \(process {running.pid}\).*engine stop"):
        network.check_neighbours(where)


def test_what_the_earlier_engine_left_in_the_network_is_ours(
    where: places.Paths, earlier: places.Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_other_daemon", lambda where: None)
    monkeypatch.setattr(network, "_traces", lambda where: ("interface docker0",))
    with pytest.raises(PrivateEngineError, match="docker0"):
        network.check_neighbours(where)
    network.mark(earlier)
    network.check_neighbours(where)


def _listen(pretend, address: Path) -> subprocess.Popen[str]:
    address.parent.mkdir(parents=True, exist_ok=True)
    code = f"import socket, time; s = socket.socket(socket.AF_UNIX); s.bind({str(address)!r}); s.listen()"
    running = pretend("listener", code=f"{code}; print('listens', flush=True); time.sleep(600)")
    assert running.stdout.readline() == "listens\n"
    return running


def _mount_table(monkeypatch: pytest.MonkeyPatch, *lines: tuple[str, str]) -> None:
    listed = [mounting.Mount("254:0", Path(source), Path(point), "ext4") for source, point in lines]
    for module in (mounting, removal):
        monkeypatch.setattr(module, "mounts", lambda: iter(listed))


def _until(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
