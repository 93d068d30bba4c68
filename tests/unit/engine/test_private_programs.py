"""Which programs our engine is made of, fetched by packages that only pretend. No engine, no mirror."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from layerlab.engine import private
from layerlab.engine.private import command, network, packages, ping, preflight, programs
from layerlab.engine.private.packages import Package, Unpacked
from layerlab.errors import DiskFull, PrivateEngineError


class Mirror:
    """Unpacks shell scripts in place of Debian's programs; takes note of what was wanted."""

    def __init__(self) -> None:
        self.wanted: list[tuple[Package, ...]] = []
        self.programs = {"usr/sbin/dockerd", "usr/bin/containerd", "usr/sbin/runc", "usr/bin/docker"}
        self.broken = ""

    def unpack(
        self,
        wanted: Sequence[Package],
        folder: Path,
        *,
        on_line: Callable[[str], None] | None = None,
        finish: Callable[[Path], None],
    ) -> Unpacked:
        self.wanted.append(tuple(wanted))
        draft = folder.with_name("draft")
        for name in self.programs:
            program = draft / name
            program.parent.mkdir(parents=True, exist_ok=True)
            refuses = program.name == self.broken
            program.write_text("#!/bin/sh\n" + ("echo GLIBC_2.38 not found >&2; exit 1\n" if refuses else "exit 0\n"))
            program.chmod(0o755)
        if Package("iptables") in wanted:
            extensions = draft / "usr/lib/x86_64-linux-gnu/xtables"
            extensions.mkdir(parents=True)
            multi = draft / "usr/sbin/xtables-nft-multi"
            multi.write_text('#!/bin/sh\necho "$@"; ls -d "$XTABLES_LIBDIR"; echo "$LD_LIBRARY_PATH"\n')
            multi.chmod(0o755)
        finish(draft)
        draft.rename(folder)
        found = Unpacked(folder, tuple(wanted), {"docker.io": "28.5.2"}, {"forky": "Fri, 06 Nov 2026 08:08:01 UTC"})
        packages._write_inventory(found, folder)
        return found


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "d"))
    made = Mirror()
    monkeypatch.setattr(packages, "unpack", made.unpack)
    monkeypatch.setattr(preflight, "check_system", lambda: None)
    monkeypatch.setattr(preflight, "WANTED_FREE_BYTES", 0)
    monkeypatch.setattr(network, "check_neighbours", lambda where: None)
    _has_iptables(monkeypatch, yes=True)
    return made


def test_they_are_fetched_once(mirror: Mirror) -> None:
    assert programs.installed() is None and programs.past_date() == {}
    dockerd = programs.install()
    assert dockerd == programs.install() == programs.installed() == private.paths().programs / "usr/sbin/dockerd"
    assert mirror.wanted == [programs.DOCKER]
    assert list(programs.past_date()) == ["forky"]


def test_a_file_that_is_gone_is_noticed_and_all_is_fetched_again(mirror: Mirror) -> None:
    programs.install().unlink()
    assert programs.installed() is None
    shutil.rmtree(private.paths().programs)
    assert programs.install().exists() and len(mirror.wanted) == 2


def test_under_a_running_engine_nothing_is_exchanged(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.install().unlink()
    monkeypatch.setattr(ping, "answers", lambda socket: True)
    with pytest.raises(PrivateEngineError, match=r"layerlab engine stop.*start it again"):
        programs.install()
    assert len(mirror.wanted) == 1


def test_iptables_is_fetched_where_the_machine_has_none_and_runs_from_the_folder(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    _has_iptables(monkeypatch, yes=False)
    folder = programs.install().parents[2]
    assert mirror.wanted == [(*programs.DOCKER, *programs.IPTABLES)]
    for name in ("iptables", "ip6tables"):
        called, extensions, libraries = subprocess.check_output(
            [folder / "usr/sbin" / name, "-t", "nat", "-S"], text=True
        ).splitlines()
        assert called == f"{name} -t nat -S"
        assert extensions == f"{folder}/usr/lib/x86_64-linux-gnu/xtables"
        assert libraries == f"{folder}/usr/lib/x86_64-linux-gnu:{folder}/lib/x86_64-linux-gnu"
    assert str(folder / "usr/sbin") in command.engine_path(private.paths()).split(os.pathsep)


def test_what_the_machine_cannot_run_is_said_before_it_is_kept(mirror: Mirror) -> None:
    mirror.broken = "runc"
    with pytest.raises(PrivateEngineError, match=r"runc of Debian forky does not run.*GLIBC_2.38.*Debian 12 or newer"):
        programs.install()
    assert programs.installed() is None


def test_a_package_without_its_program_is_said(mirror: Mirror) -> None:
    mirror.programs.remove("usr/bin/docker")
    with pytest.raises(PrivateEngineError, match="hold no docker any more"):
        programs.install()


def test_nothing_is_fetched_where_no_engine_could_start(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "WANTED_FREE_BYTES", 10**18)
    with pytest.raises(DiskFull):
        programs.install()

    def refuse(*_: object) -> None:
        raise PrivateEngineError("There is another.")

    monkeypatch.setattr(preflight, "WANTED_FREE_BYTES", 0)
    for module, name in ((network, "check_neighbours"), (preflight, "check_system")):
        monkeypatch.setattr(module, name, refuse)
        with pytest.raises(PrivateEngineError, match="There is another"):
            programs.install()
    assert mirror.wanted == []


def _has_iptables(monkeypatch: pytest.MonkeyPatch, *, yes: bool) -> None:
    which = shutil.which

    def found(name: str, path: str | None = None) -> str | None:
        return ("/usr/sbin/iptables" if yes else None) if name == "iptables" else which(name, path=path)

    monkeypatch.setattr(programs.shutil, "which", found)
