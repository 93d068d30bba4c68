"""Installing an engine without starting its service, against an apt-get that only pretends. No engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from layerlab.engine.private import programs
from layerlab.errors import PrivateEngineError

# Says what it was asked, and whether services were denied meanwhile; "install" makes the programs appear.
APT_GET = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> {folder}/asked
case "$*" in *update*) echo Hit:1 bookworm; touch {folder}/lists/x_Packages.lz4; exit 0;; esac
if [ -e {folder}/broken ]; then rm {folder}/broken; echo E: 404 Not Found; exit 100; fi
{folder}/policy-rc.d docker start; echo "start: $?" >> {folder}/asked
echo Setting up docker.io
for name in dockerd iptables; do printf '#!/bin/sh\\n' > {folder}/bin/$name; chmod +x {folder}/bin/$name; done
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that plays a Debian machine: bin, lists, policy-rc.d, os-release; root runs here."""
    for name in ("bin", "lists"):
        (tmp_path / name).mkdir()
    (tmp_path / "lists" / "x_Packages.lz4").touch()
    (tmp_path / "os-release").write_text('NAME="Debian"\nID=debian\n')
    _program(tmp_path / "bin" / "apt-get", APT_GET.format(folder=tmp_path))
    for name in ("update-rc.d", "systemctl"):
        _program(tmp_path / "bin" / name, f'#!/bin/sh\necho "{name} $@" >> {tmp_path}/asked\n')
    monkeypatch.setattr(programs, "search_path", lambda: f"{tmp_path}/bin")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(programs, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(programs, "APT_LISTS", tmp_path / "lists")
    monkeypatch.setattr(programs, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_it_is_said_first_and_then_streamed(machine: Path) -> None:
    said: list[str] = []
    assert programs.install(said.append) == machine / "bin" / "dockerd"
    assert said[0].startswith("Installing docker.io and iptables") and "not started" in said[0]
    assert "Setting up docker.io" in said[1:]


def test_no_service_starts_and_none_will_at_boot(machine: Path) -> None:
    programs.install()
    asked = (machine / "asked").read_text().splitlines()
    assert "install -y --no-install-recommends docker.io iptables" in asked[0]
    assert asked[1:] == [
        "start: 101",
        "systemctl disable docker.service docker.socket containerd.service",
        "update-rc.d docker disable",
    ]
    assert not (machine / "policy-rc.d").exists()


def test_a_service_that_cannot_be_kept_off_is_named(machine: Path) -> None:
    _program(machine / "bin" / "systemctl", "#!/bin/sh\necho Failed to disable unit >&2\nexit 1\n")
    said: list[str] = []
    programs.install(said.append)
    assert "may start at boot: Failed to disable unit" in said[-1]


def test_a_second_time_nothing_is_done(machine: Path) -> None:
    programs.install()
    before = (machine / "asked").read_text()
    said: list[str] = []
    programs.install(said.append)
    assert said == [] and (machine / "asked").read_text() == before


def test_empty_lists_are_fetched_first(machine: Path) -> None:
    (machine / "lists" / "x_Packages.lz4").unlink()
    programs.install()
    asked = (machine / "asked").read_text().splitlines()
    assert asked[0].endswith("update") and "install" in asked[1]


def test_outdated_lists_are_fetched_anew(machine: Path) -> None:
    (machine / "broken").touch()
    assert programs.install().exists()
    asked = (machine / "asked").read_text().splitlines()
    assert [("update" in line, "install -y" in line) for line in asked[:3]] == [
        (False, True),
        (True, False),
        (False, True),
    ]


def test_a_permissive_policy_of_the_users_comes_back(machine: Path) -> None:
    policy = machine / "policy-rc.d"
    _program(policy, "#!/bin/sh\n# mine\nexit 0\n")
    programs.install()
    assert "start: 101" in (machine / "asked").read_text()
    assert policy.read_text() == "#!/bin/sh\n# mine\nexit 0\n" and os.access(policy, os.X_OK)


def test_a_forbidding_policy_of_the_users_is_not_touched(machine: Path) -> None:
    policy = machine / "policy-rc.d"
    _program(policy, "#!/bin/sh\nexit 101\n")
    before = policy.stat()
    programs.install()
    assert (policy.stat().st_ino, policy.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_policy_comes_back_after_a_failure(machine: Path) -> None:
    _program(machine / "policy-rc.d", "#!/bin/sh\nexit 0\n")
    with pytest.raises(KeyboardInterrupt), programs.services_denied():
        raise KeyboardInterrupt
    assert (machine / "policy-rc.d").read_text() == "#!/bin/sh\nexit 0\n"


def test_what_a_killed_installation_left_is_put_right(machine: Path) -> None:
    _program(machine / "policy-rc.d", programs._DENY)
    kept = machine / "policy-rc.d.layerlab-kept"
    _program(kept, "#!/bin/sh\n# mine\nexit 0\n")
    with programs.services_denied():
        assert programs._is_ours(machine / "policy-rc.d")
    assert "# mine" in (machine / "policy-rc.d").read_text() and not kept.exists()
    (machine / "policy-rc.d").write_text(programs._DENY)
    with programs.services_denied():
        pass
    assert not (machine / "policy-rc.d").exists()


def test_apts_own_words_are_in_the_error(machine: Path) -> None:
    _program(machine / "bin" / "apt-get", "#!/bin/sh\necho E: You do not have enough free space\nexit 100\n")
    with pytest.raises(PrivateEngineError, match=r"status 100.*recorded") as caught:
        programs.install()
    assert "enough free space" in str(caught.value)
    assert not (machine / "policy-rc.d").exists()


def test_without_root_it_says_what_root_would_run(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PrivateEngineError, match=r"sudo apt-get install --no-install-recommends docker.io iptables"):
        programs.install()
    assert not (machine / "asked").exists()


@pytest.mark.parametrize("release", ["ID=fedora\n", "", "ID=arch\nID_LIKE=rhel\n"])
def test_another_system_gets_an_address(machine: Path, release: str) -> None:
    (machine / "os-release").write_text(release)
    with pytest.raises(PrivateEngineError, match=r"only Debian and Ubuntu.*docs.docker.com"):
        programs.install()


def test_a_derivative_of_ubuntu_counts(machine: Path) -> None:
    (machine / "os-release").write_text('ID=linuxmint\nID_LIKE="ubuntu debian"\n')
    assert programs.install().name == "dockerd"


def test_docker_from_elsewhere_is_not_installed_again(machine: Path) -> None:
    _program(machine / "bin" / "dockerd", "#!/bin/sh\n")
    assert programs.missing_packages() == ("iptables",)
    programs.install()
    assert "disable" not in (machine / "asked").read_text()  # a service of the user's stays as it is


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
