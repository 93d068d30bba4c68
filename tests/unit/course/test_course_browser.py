"""Finding or installing a browser for the tests, against an apt-get that only pretends."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from layerlab.course import browser
from layerlab.errors import SetupError

# Says what it was asked, and whether services were denied meanwhile; "install" makes the program appear.
APT_GET = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> {folder}/asked
case "$*" in *update*) exit 0;; esac
if [ -e {folder}/broken ]; then echo E: Unable to locate package chromium; exit 100; fi
{folder}/policy-rc.d dbus start; echo "start: $?" >> {folder}/asked
printf '#!/bin/sh\\n' > {folder}/bin/chromium; chmod +x {folder}/bin/chromium
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that plays a Debian machine without a browser; root runs here."""
    (tmp_path / "bin").mkdir()
    apt_get = tmp_path / "bin" / "apt-get"
    apt_get.write_text(APT_GET.format(folder=tmp_path))
    apt_get.chmod(0o755)
    monkeypatch.setattr(browser, "search_path", lambda: f"{tmp_path}/bin")
    monkeypatch.setattr(browser, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def asked(machine: Path) -> list[str]:
    log = machine / "asked"
    return log.read_text().splitlines() if log.exists() else []


def test_debians_package_is_installed_after_saying_so_and_no_service_starts(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert browser.prepare() == machine / "bin" / "chromium"

    said = capsys.readouterr().err.splitlines()
    assert "Debian's package chromium is installed now" in said[0]
    assert any("Installing chromium: done" in line for line in said)
    assert asked(machine)[0].endswith("update")
    assert asked(machine)[1].endswith("install -y --no-install-recommends chromium")
    assert asked(machine)[2:] == ["start: 101"]


@pytest.mark.parametrize("name", browser.PROGRAMS)
def test_a_browser_that_is_there_is_taken_and_apt_is_left_alone(machine: Path, name: str) -> None:
    (machine / "bin" / name).touch(mode=0o755)
    assert browser.prepare() == machine / "bin" / name
    assert asked(machine) == []


def test_a_plain_user_is_told_the_command(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="sudo apt-get install --no-install-recommends chromium"):
        browser.prepare()
    assert asked(machine) == []


@pytest.mark.parametrize("system", ["ubuntu", "fedora", None])
def test_elsewhere_nothing_is_installed(machine: Path, monkeypatch: pytest.MonkeyPatch, system: str | None) -> None:
    def release() -> dict[str, str]:
        if system is None:
            raise OSError("there is no os-release, as on macOS")
        return {"ID": system, "ID_LIKE": "debian"}

    monkeypatch.setattr(platform, "freedesktop_os_release", release)
    with pytest.raises(SetupError, match="only Debian gets it from layerlab"):
        browser.prepare()
    assert asked(machine) == []


def test_what_apt_says_is_passed_on(machine: Path) -> None:
    (machine / "broken").touch()
    with pytest.raises(SetupError, match="Unable to locate package chromium"):
        browser.prepare()
    assert not (machine / "policy-rc.d").exists(), "services may start again"
