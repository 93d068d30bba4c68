"""Engines of other versions: what they are made of and told, where they are refused, and that no rule stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from layerlab.engine.temporary import KINDS, Running, check, running, uplink
from layerlab.engine.temporary.kinds import configure
from layerlab.errors import PrivateEngineError

LIMITS = ("nofile=20000:20000",)


def configured(name: str, folder: Path, *, name_servers: tuple[str, ...] = ()) -> str:
    return configure(KINDS[name], folder, name_servers=name_servers, limits=LIMITS, groups="/ours")


@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith("docker")])
def test_docker_keeps_all_it_has_in_its_folder_and_images_in_the_store_asked_for(name: str, tmp_path: Path) -> None:
    script = configured(name, tmp_path, name_servers=("192.0.2.1",))
    settings = json.loads((tmp_path / "daemon.json").read_text())
    places = [settings["hosts"][0].removeprefix("unix://"), *(settings[key] for key in ("data-root", "exec-root"))]
    assert all(Path(place).is_relative_to(tmp_path) for place in (*places, settings["containerd"], settings["pidfile"]))
    assert settings["features"]["containerd-snapshotter"] == name.endswith("containerd")
    assert settings.get("storage-driver", "containerd") == KINDS[name].store
    assert (settings["cgroup-parent"], settings["dns"]) == ("/ours", ["192.0.2.1"])
    containerd = tomllib.loads((tmp_path / "containerd.toml").read_text())
    assert containerd["grpc"]["address"] == settings["containerd"]
    assert Path(containerd["root"]).is_relative_to(tmp_path) and Path(containerd["state"]).is_relative_to(tmp_path)
    assert str(tmp_path / "daemon.json") in script


def test_podman_keeps_all_it_has_in_its_folder(tmp_path: Path) -> None:
    script = configured("podman-5.8", tmp_path, name_servers=("192.0.2.1",))
    read = {name: tomllib.loads((tmp_path / f"{name}.conf").read_text()) for name in ("containers", "storage")}
    storage, networks = read["storage"]["storage"], read["containers"]["network"]["network_config_dir"]
    assert all(Path(place).is_relative_to(tmp_path) for place in (storage["graphroot"], storage["runroot"], networks))
    assert read["containers"]["containers"] == {
        "log_driver": "k8s-file", "dns_servers": ["192.0.2.1"], "default_ulimits": list(LIMITS),
    }  # fmt: skip
    assert f"unix://{tmp_path}/engine.sock" in script
    assert (tmp_path / "home/.config/containers/policy.json").exists() and f"HOME={tmp_path}/home" in script


def test_who_uses_it_reaches_no_other_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST"):
        monkeypatch.setenv(name, "another's")
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded")
    for name, variable in (("docker-26.1", "DOCKER_HOST"), ("podman-5.8", "CONTAINER_HOST")):
        given = Running(KINDS[name], tmp_path, 1).environment
        assert given[variable] == f"unix://{tmp_path}/engine.sock"
        assert "another's" not in given.values() and "LAYERLAB_ENGINE" not in given
        assert given["PATH"].split(os.pathsep)[0] == f"{tmp_path}/bin"


@pytest.mark.parametrize(("system", "user"), [("darwin", 0), ("win32", 0), ("linux", 1000)])
def test_other_systems_and_users_are_told_what_to_do_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, user: int
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    with (
        pytest.raises(PrivateEngineError, match=r"by root on Linux only.*DOCKER_HOST"),
        running("podman-5.8", tmp_path),
    ):
        pytest.fail("it began")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "told"), [("/run/layerlab", "can't see"), ("/var/lib/x", "can't see"), ("/srv/" + "x" * 80, "too long")]
)
def test_a_folder_that_will_not_do_is_refused(monkeypatch: pytest.MonkeyPatch, where: str, told: str) -> None:
    a_fit_machine(monkeypatch)
    with pytest.raises(PrivateEngineError, match=f"{told}.*LAYERLAB_DATA"):
        check(Path(where))


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    a_fit_machine(monkeypatch, lacks=("ip", "nsenter"))
    with pytest.raises(PrivateEngineError, match=r"apt-get install --no-install-recommends iproute2 util-linux"):
        check(Path("/srv/layerlab"))


def a_fit_machine(monkeypatch: pytest.MonkeyPatch, *, lacks: tuple[str, ...] = ()) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None if name in lacks else f"/usr/sbin/{name}")


# --- the network -----------------------------------------------------------------------------


class Machine:
    """Takes note of each command, and fails at the one asked for."""

    def __init__(self, fails: str) -> None:
        self.fails = fails
        self.rules: list[tuple[str, ...]] = []

    def run(self, command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        words = [Path(command[0]).name, *command[1:]]
        if self.fails and self.fails in " ".join(words):
            return subprocess.CompletedProcess(command, 1, "", "no such thing")
        if "iptables" in words:
            table, what, chain, *rule = words[words.index("-t") + 1 :]
            if what == "-I":
                self.rules.append((table, chain, *rule))
            else:
                self.rules.remove((table, chain, *rule))
        return subprocess.CompletedProcess(command, 0, "inet 10.213.7.1/30", "")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Machine]:
    (tmp_path / "ip_forward").write_text("0\n")
    monkeypatch.setattr(uplink, "_FORWARD", tmp_path / "ip_forward")

    def made(fails: str) -> Machine:
        one = Machine(fails)
        monkeypatch.setattr(subprocess, "run", one.run)
        return one

    return made


def test_rules_and_forwarding_last_as_long_as_the_engine(machine: Callable[[str], Machine], tmp_path: Path) -> None:
    here = machine("")
    with pytest.raises(KeyboardInterrupt), uplink.uplink(4711):
        assert [rule[:2] for rule in here.rules] == [
            ("nat", "POSTROUTING"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
        ]
        assert (tmp_path / "ip_forward").read_text() == "1\n"
        raise KeyboardInterrupt
    assert here.rules == []
    assert (tmp_path / "ip_forward").read_text() == "0\n"


@pytest.mark.parametrize("fails", ["link add", "route add", "FORWARD -o"])
def test_what_was_made_before_a_step_that_fails_is_taken_away(machine: Callable[[str], Machine], fails: str) -> None:
    here = machine(fails)
    with pytest.raises(PrivateEngineError, match=r"no network: no such thing"), uplink.uplink(4711):
        pytest.fail("it began")
    assert here.rules == []


def test_an_address_that_is_taken_is_passed_by(
    machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("")
    monkeypatch.setattr(os, "getpid", lambda: 7)
    assert uplink._free() == 8
