"""Packages unpacked into a folder: the real apt and dpkg, against a mirror in a folder that a key made here signs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from layerlab.engine.private import packages
from layerlab.engine.private.packages import Package
from layerlab.errors import PrivateEngineError

SYSTEM_STATE = (Path("/var/lib/apt/lists"), Path("/var/cache/apt"), Path("/var/lib/dpkg/status"), Path("/etc/apt"))
HAS_TOOLS = all(shutil.which(name) for name in ("apt-get", "dpkg-deb", "gpg"))
needs_apt = pytest.mark.skipif(not HAS_TOOLS, reason="needs apt, dpkg-deb and gpg")


class Mirror:
    """A package archive in a folder, of one release ``forky``; what some packages depend on is nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "gpg"
        self.keyring = folder / "keyring.gpg"
        self.home.mkdir(mode=0o700, parents=True)
        self._gpg("--quick-generate-key", "--passphrase", "", "archive", "ed25519", "sign", "never")
        self._gpg("--output", str(self.keyring), "--export")
        (folder / "pool").mkdir()
        depending = {"engine": "what-is-nowhere", "plugin": "what-is-nowhere", "shell": "library", "library": ""}
        self.archives = [self._package(name, needed) for name, needed in depending.items()]
        self.publish()

    @property
    def release(self) -> Path:
        return self.folder / "dists" / "forky"

    def publish(self, *, valid_for: timedelta = timedelta(days=7)) -> None:
        """Write index and release file anew, and sign it."""
        index = self.release / "main" / f"binary-{_architecture()}" / "Packages"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text("\n".join(self._stanza(archive) for archive in self.archives))
        content = index.read_bytes()
        now = datetime.now(UTC)
        (self.release / "Release").write_text(
            "Origin: Debian\nSuite: testing\nCodename: forky\n"
            f"Date: {format_datetime(now - timedelta(days=30), usegmt=True)}\n"
            f"Valid-Until: {format_datetime(now + valid_for, usegmt=True)}\n"
            f"Architectures: {_architecture()}\nComponents: main\n"
            f"SHA256:\n {hashlib.sha256(content).hexdigest()} {len(content)} {index.relative_to(self.release)}\n"
        )
        (self.release / "InRelease").unlink(missing_ok=True)
        self._gpg("--output", str(self.release / "InRelease"), "--clearsign", str(self.release / "Release"))

    def forge(self) -> None:
        """Change what was signed."""
        signed = self.release / "InRelease"
        signed.write_text(signed.read_text().replace("Suite: testing", "Suite: stable"))

    def damage(self) -> None:
        """Change a package, whose hash stands in the signed index."""
        content = bytearray(self.archives[0].read_bytes())
        content[-1] ^= 1
        self.archives[0].write_bytes(content)

    def _package(self, name: str, needed: str) -> Path:
        root = self.folder / name
        (root / "usr/bin").mkdir(parents=True)
        (root / "usr/bin" / name).write_text(f"#!/bin/sh\necho {name} 28.5\n")
        (root / "usr/bin" / name).chmod(0o755)
        (root / "DEBIAN").mkdir()
        control = f"Package: {name}\nVersion: 28.5-1\nArchitecture: all\nMaintainer: nobody\nDescription: {name}\n"
        (root / "DEBIAN/control").write_text(control + (f"Depends: {needed}\n" if needed else ""))
        (root / "DEBIAN/postinst").write_text("#!/bin/sh\nfalse\n")  # would fail an installation
        (root / "DEBIAN/postinst").chmod(0o755)
        archive = self.folder / "pool" / f"{name}_28.5-1_all.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", root, archive], check=True, capture_output=True)
        return archive

    def _stanza(self, archive: Path) -> str:
        fields = subprocess.check_output(["dpkg-deb", "--field", archive], text=True)
        content = archive.read_bytes()
        return (
            f"{fields}Filename: pool/{archive.name}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )

    def _gpg(self, *arguments: str) -> None:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--pinentry-mode", "loopback", *arguments]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """Make the mirror once; each test gets a copy of its files."""
    mirror = Mirror(tmp_path_factory.mktemp("m"))
    yield mirror
    subprocess.run(["gpgconf", "--homedir", mirror.home, "--kill", "all"], check=False)


@pytest.fixture
def mirror(published: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A Debian machine that reads its packages from the mirror."""
    own = object.__new__(Mirror)
    own.folder, own.home, own.keyring = tmp_path / "m", published.home, published.keyring
    for name in ("pool", "dists"):
        shutil.copytree(published.folder / name, own.folder / name)
    own.archives = [own.folder / "pool" / archive.name for archive in published.archives]
    monkeypatch.setattr(packages, "KEYRINGS", (own.keyring,))
    monkeypatch.setattr(packages, "_mirror", lambda release: f"copy:{own.folder}")
    _system(monkeypatch, ID="debian", VERSION_CODENAME="forky")
    return own


WANTED = (Package("engine", "forky"), Package("plugin"))


@needs_apt
def test_what_a_package_depends_on_is_unpacked_where_that_is_asked_for(mirror: Mirror, tmp_path: Path) -> None:
    shell = [Package("shell", "forky")]
    alone = packages.unpack(shell, tmp_path / "alone")
    whole = packages.unpack(shell, tmp_path / "whole", with_dependencies=True)
    assert (set(alone.versions), set(whole.versions)) == ({"shell"}, {"shell", "library"})
    assert not (alone.folder / "usr/bin/library").exists()
    assert (whole.folder / "usr/bin/library").exists()
    assert packages.unpacked(shell, whole.folder) == whole


@needs_apt
def test_packages_are_unpacked_and_not_installed(mirror: Mirror, tmp_path: Path) -> None:
    before = [_stamp(path) for path in SYSTEM_STATE]
    said: list[str] = []
    found = packages.unpack(WANTED, tmp_path / "programs", on_line=said.append)
    program = found.folder / "usr/bin/engine"
    assert subprocess.check_output([program], text=True) == "engine 28.5\n"
    assert found.versions == {"engine": "28.5-1", "plugin": "28.5-1"} and found.past_date == {}
    assert said[0] == "Reading Debian's package index (forky)." and "nothing is installed" in said[-1]
    assert [_stamp(path) for path in SYSTEM_STATE] == before
    assert packages.unpacked(WANTED, found.folder) == found
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("programs")] == ["programs"]


@needs_apt
def test_an_index_past_its_date_is_taken_and_remembered(mirror: Mirror, tmp_path: Path) -> None:
    mirror.publish(valid_for=timedelta(days=-3))
    packages.unpack(WANTED, tmp_path / "programs")
    known = packages.unpacked(WANTED, tmp_path / "programs")
    assert known is not None and list(known.past_date) == ["forky"]


@needs_apt
@pytest.mark.parametrize("deed", ["forge", "another key", "unsigned"])
def test_what_debian_did_not_sign_is_refused(
    mirror: Mirror, tmp_path: Path, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if deed == "forge":
        mirror.forge()
    elif deed == "unsigned":
        (mirror.release / "InRelease").unlink()
    else:
        monkeypatch.setattr(packages, "KEYRINGS", (Mirror(tmp_path / "stranger").keyring,))
    with pytest.raises(PrivateEngineError, match=r"signature can't be verified.*debian-archive-keyring.*recordings"):
        packages.unpack(WANTED, tmp_path / "programs")
    assert not (tmp_path / "programs").exists()


@needs_apt
def test_a_wrong_hash_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    mirror.damage()
    with pytest.raises(PrivateEngineError, match=r"another hash than its index says, and nothing was unpacked"):
        packages.unpack(WANTED, tmp_path / "programs")
    assert not (tmp_path / "programs").exists()


@needs_apt
def test_a_mirror_that_is_not_there_is_said(mirror: Mirror, tmp_path: Path) -> None:
    shutil.rmtree(mirror.folder)
    with pytest.raises(PrivateEngineError, match=r"mirror can't be read.*run it again; or install Docker"):
        packages.unpack(WANTED, tmp_path / "programs")


@needs_apt
def test_a_package_that_is_gone_is_named(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(PrivateEngineError, match=r"(?s)package can't be fetched.*runc"):
        packages.unpack((*WANTED, Package("runc", "forky")), tmp_path / "programs")


@needs_apt
@pytest.mark.parametrize("harm", ["a file is gone", "a file is cut short", "no inventory", "a package more is wanted"])
def test_what_is_not_whole_is_noticed_and_unpacked_again(mirror: Mirror, tmp_path: Path, harm: str) -> None:
    folder = packages.unpack(WANTED[:1], tmp_path / "programs").folder
    wanted = WANTED if "more" in harm else WANTED[:1]
    program = folder / "usr/bin/engine"
    if "gone" in harm:
        program.unlink()
    elif "cut" in harm:
        program.write_text("#!/bi")
    elif "inventory" in harm:
        (folder / packages.INVENTORY).unlink()
    assert packages.unpacked(wanted, folder) is None
    packages.unpack(wanted, folder)
    assert packages.unpacked(wanted, folder) is not None and program.stat().st_size > 10


@needs_apt
def test_a_draft_that_was_killed_or_is_no_good_never_gets_the_name(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "programs.draft/usr").mkdir(parents=True)

    def finish(draft: Path) -> None:
        assert (draft / "usr/bin/engine").is_file()
        raise PrivateEngineError("does not run here")

    with pytest.raises(PrivateEngineError, match="does not run here"):
        packages.unpack(WANTED, tmp_path / "programs", finish=finish)
    assert packages.unpacked(WANTED, tmp_path / "programs") is None
    assert packages.unpack(WANTED, tmp_path / "programs").folder.is_dir()


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"packages": [{}], "versions": {}, "past_date": {}})])
def test_an_unreadable_inventory_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / packages.INVENTORY).write_text(text)
    assert packages.unpacked((), tmp_path) is None


@pytest.mark.parametrize(
    ("system", "name"), [({"ID": "ubuntu", "PRETTY_NAME": "Ubuntu 24.04"}, "Ubuntu 24.04"), ({}, "no Debian")]
)
def test_another_system_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: dict[str, str], name: str
) -> None:
    _system(monkeypatch, **system)
    with pytest.raises(PrivateEngineError, match=rf"This is {name}.*docs.docker.com.*recordings"):
        packages.unpack(WANTED, tmp_path / "programs")
    assert not any(tmp_path.iterdir())


@needs_apt
def test_without_the_keyring_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _system(monkeypatch, ID="debian", VERSION_CODENAME="forky")
    monkeypatch.setattr(packages, "KEYRINGS", (tmp_path / "none.gpg",))
    with pytest.raises(PrivateEngineError, match=r"no .*none.gpg.*apt-get install debian-archive-keyring"):
        packages.unpack(WANTED, tmp_path / "programs")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (
            "'http://a.example/debian/dists/bookworm/InRelease' a 0\n"
            "'https://maker.example/apt/dists/bookworm/main/binary-amd64/Packages.xz' b 0\n"
            "'http://a.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' c 0\n"
            "'http://a.example/debian-security/dists/bookworm-security/main/binary-amd64/Packages.xz' d 0\n",
            "http://a.example/debian",
        ),
        ("'http://a.example/mirror/dists/stable/main/binary-arm64/Packages.gz' a 0\n", "http://a.example/mirror"),
    ],
)
def test_the_machines_own_mirror_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, expected: str
) -> None:
    _apt_get(tmp_path, monkeypatch, printed)
    assert packages._mirror("bookworm") == expected


def test_without_a_mirror_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _apt_get(tmp_path, monkeypatch, "'https://maker.example/apt/dists/bookworm/stable/binary-amd64/Packages.xz' b 0\n")
    with pytest.raises(PrivateEngineError, match=r"no mirror of Debian's configured.*/etc/apt"):
        packages._mirror("bookworm")


def _apt_get(folder: Path, monkeypatch: pytest.MonkeyPatch, printed: str) -> None:
    program = folder / "apt-get"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def _system(monkeypatch: pytest.MonkeyPatch, **release: str) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)


def _architecture() -> str:
    return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


def _stamp(path: Path) -> tuple[int, ...]:
    return (path.stat().st_mtime_ns, *(one.stat().st_mtime_ns for one in sorted(path.rglob("*")) if one.exists()))
