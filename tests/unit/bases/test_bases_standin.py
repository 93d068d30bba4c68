"""What stand-ins are made from: this machine's archive as apt tells it, the recipes, the site layer."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine

from layerlab.bases import BASES, system_python
from layerlab.bases.inventory import SITE_LAYER
from layerlab.bases.standin import build, cpython, debian, distroless, recipes, rootfs, shell, site
from layerlab.bases.standin.building import PLANS
from layerlab.bases.standin.kits import GLIBC, KITS, MUSL, Kit
from layerlab.bases.standin.unpacked import Unpacked
from layerlab.dockerfile import parse
from layerlab.engine.protocol import StartRequest
from layerlab.errors import BaseUnavailable, BuildCancelled

STANZA = """\
Repo-URI: {uri}
Release: {release}
Component: {component}
Origin: {origin}
Architecture: amd64
Sourcesentry: {entry}:1
"""


def targets(*rows: tuple[str, str, str, str], entry: str = "/nowhere") -> str:
    names = ("uri", "release", "component", "origin")
    return "\n".join(STANZA.format(entry=entry, **dict(zip(names, row, strict=True))) for row in rows)


DEBIAN = targets(
    ("http://mirror.example/debian/", "bookworm", "main", "Debian"),
    ("http://mirror.example/debian/", "bookworm", "contrib", "Debian"),
    ("http://mirror.example/debian/", "bookworm-updates", "main", "Debian"),
    ("http://mirror.example/debian/", "bookworm-backports", "main", "Debian Backports"),
    ("http://mirror.example/security/", "bookworm-security", "main", "Debian"),
    ("https://packages.example/", "stable", "main", "Somebody"),
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A machine whose programs print what the test says; keys are their first words."""
    said = {"apt-get indextargets": DEBIAN}
    release = tmp_path / "os-release"
    release.write_text('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n')
    monkeypatch.setattr(debian, "OS_RELEASE", release)
    monkeypatch.setattr(debian, "_KEYRING", str(tmp_path / "{id}-keyring.gpg"))

    def output(command: list[Any], **_: object) -> str:
        return said.get(" ".join(str(word) for word in command[:2]), "")

    monkeypatch.setattr(shell, "output", output)
    return said


def test_the_archive_is_the_distribution_s_own(machine: dict[str, str], tmp_path: Path) -> None:
    found = debian.archive(log=tmp_path / "log")
    assert found.sources() == (
        "deb http://mirror.example/debian/ bookworm main contrib\n"
        "deb http://mirror.example/debian/ bookworm-updates main\n"
        "deb http://mirror.example/security/ bookworm-security main\n"
    )
    assert found.sources("deb-src").startswith("deb-src http://mirror.example/debian/ bookworm main contrib\n")
    assert (found.codename, found.architecture, found.is_encrypted, found.environment) == (
        "bookworm",
        "amd64",
        False,
        {},
    )


def test_the_archive_s_key_and_proxy_are_the_configured_ones(machine: dict[str, str], tmp_path: Path) -> None:
    entry = tmp_path / "debian.sources"
    entry.write_text("Types: deb\nSigned-By: /usr/share/keyrings/ours.gpg\n")
    machine["apt-get indextargets"] = targets(
        ("https://mirror.example/debian/", "bookworm", "main", "Debian"), entry=str(entry)
    )
    machine["apt-config shell"] = "found='http://proxy.example:3128'\n"
    found = debian.archive(log=tmp_path / "log")
    assert (
        found.sources() == "deb [signed-by=/usr/share/keyrings/ours.gpg] https://mirror.example/debian/ bookworm main\n"
    )
    assert found.is_encrypted
    assert found.environment["http_proxy"] == "http://proxy.example:3128"


def test_another_system_is_told_what_it_lacks(
    machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine["apt-get indextargets"] = ""
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)
    with pytest.raises(BaseUnavailable, match="apt-get update"):
        debian.archive(log=tmp_path / "log")


def test_a_machine_without_package_lists_fetches_them(
    machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, machine["apt-get indextargets"] = machine["apt-get indextargets"], ""
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        ran.append(command)
        machine["apt-get indextargets"] = known

    monkeypatch.setattr(shell, "run", run)
    assert debian.archive(log=tmp_path / "log").codename == "bookworm"
    assert ran == [["apt-get", "update"]]


def test_the_root_file_system_trusts_more_only_where_apt_needs_it(
    machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(command: list[object], **_: object) -> None:
        words = [str(word) for word in command]
        ran.append(words)
        Path(words[-2]).write_bytes(b"tar")
        assert Path(words[-1]).read_text() == archive.sources()

    monkeypatch.setattr(shell, "run", run)
    for address in ("http://mirror.example/debian/", "https://mirror.example/debian/"):
        machine["apt-get indextargets"] = targets((address, "bookworm", "main", "Debian"))
        archive = debian.archive(log=tmp_path / "log")
        rootfs.make(archive, tmp_path / "rootfs.tar", tmp_path, certificates=b"pem", log=tmp_path / "log")
    plain, encrypted = ran
    assert "--include=ca-certificates" not in plain and not any("certificates" in word for word in plain)
    assert "--include=ca-certificates" in encrypted
    assert any(word.endswith('"$1/etc/ssl/certs/ca-certificates.crt"') for word in encrypted)
    assert (tmp_path / "rootfs.tar").read_bytes() == b"tar"
    assert [one.name for one in tmp_path.glob("rootfs-*")] == []


def test_the_python_of_the_distribution(machine: dict[str, str]) -> None:
    system_python.minor.cache_clear()
    with pytest.raises(BaseUnavailable, match="LAYERLAB_BASE_PREFIX"):
        system_python.minor()
    machine["apt-cache show"] = "Package: python3\nVersion: 3.13.5-1\n"
    assert system_python.minor() == "3.13"
    system_python.minor.cache_clear()


PRINTED = """\
Reading package lists...
'http://m.example/p/python3.11_3.11.2-6%2bdeb12u9.dsc' python3.11_3.11.2-6+deb12u9.dsc 3171 SHA256:{other}
'http://m.example/p/python3.11_3.11.2.orig.tar.gz' python3.11_3.11.2.orig.tar.gz 7 SHA256:{good}
'http://m.example/p/python3.11_3.11.2-6.debian.tar.xz' python3.11_3.11.2-6.debian.tar.xz 9 SHA256:{other}
"""


@pytest.fixture
def fetching(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A mirror with CPython's source; apt puts ``content`` where it was told, and may fail nevertheless."""
    system_python.minor.cache_clear()
    machine["apt-cache show"] = "Version: 3.11.2-1+b1\n"
    good = hashlib.sha256(b"tarball").hexdigest()
    mirror: dict[str, Any] = {"content": b"tarball", "fails": False, "runs": []}

    def output(command: list[Any], **_: object) -> str:
        words = [str(word) for word in command]
        return (
            PRINTED.format(good=good, other="0" * 64)
            if "--print-uris" in words
            else machine.get(" ".join(words[:2]), "")
        )

    def run(command: list[Any], *, folder: Path | None = None, **_: object) -> None:
        mirror["runs"].append(command)
        if folder and mirror["content"] is not None:
            (folder / "python3.11_3.11.2.orig.tar.gz").write_bytes(mirror["content"])
        if folder and mirror["fails"]:
            raise BaseUnavailable("`apt-get` ended with status 100.")

    monkeypatch.setattr(shell, "output", output)
    monkeypatch.setattr(shell, "run", run)
    yield mirror
    system_python.minor.cache_clear()


def test_the_source_is_checked_against_the_signed_index(fetching: dict[str, Any], tmp_path: Path) -> None:
    found = debian.source(debian.archive(log=tmp_path / "log"), tmp_path, log=tmp_path / "log")
    assert (found.version, found.name) == ("3.11.2", "python3.11_3.11.2.orig.tar.gz")
    debian.source(debian.archive(log=tmp_path / "log"), tmp_path, log=tmp_path / "log")
    downloads = [one for one in fetching["runs"] if "--download-only" in one]
    assert len(downloads) == 1, "what is there and intact is not fetched again"


def test_the_source_of_a_library(machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As apt prints them: a signature beside the tarball, and a version that says what Debian took out.
    printed = (
        "'http://m.example/openssl_3.0.22.orig.tar.gz' openssl_3.0.22.orig.tar.gz 7 SHA256:{good}\n"
        "'http://m.example/openssl_3.0.22.orig.tar.gz.asc' openssl_3.0.22.orig.tar.gz.asc 9 SHA256:{good}\n"
        "'http://m.example/zlib_1.2.13.dfsg.orig.tar.bz2' zlib_1.2.13.dfsg.orig.tar.bz2 7 SHA256:{good}\n"
    ).format(good=hashlib.sha256(b"tarball").hexdigest())
    archive = debian.archive(log=tmp_path / "log")
    monkeypatch.setattr(shell, "output", lambda command, **_: printed)
    monkeypatch.setattr(shell, "run", lambda command, **_: None)
    for name in ("openssl_3.0.22.orig.tar.gz", "zlib_1.2.13.dfsg.orig.tar.bz2"):
        (tmp_path / name).write_bytes(b"tarball")
        package = name.partition("_")[0]
        found = debian.source(archive, tmp_path, package, log=tmp_path / "log")
        assert (found.name, found.version) == (name, {"openssl": "3.0.22", "zlib": "1.2.13"}[package])


def test_apt_may_fail_when_the_tarball_came(fetching: dict[str, Any], tmp_path: Path) -> None:
    fetching["fails"] = True
    assert debian.source(debian.archive(log=tmp_path / "log"), tmp_path, log=tmp_path / "log").version == "3.11.2"


def test_a_tarball_that_did_not_come_or_is_damaged(fetching: dict[str, Any], tmp_path: Path) -> None:
    fetching["fails"], fetching["content"] = True, None
    with pytest.raises(BaseUnavailable, match="status 100"):
        debian.source(debian.archive(log=tmp_path / "log"), tmp_path, log=tmp_path / "log")
    fetching["content"] = b"half a tarb"
    with pytest.raises(BaseUnavailable, match="arrived damaged"):
        debian.source(debian.archive(log=tmp_path / "log"), tmp_path, log=tmp_path / "log")


# --- recipes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(BASES))
def test_a_rendered_recipe_has_no_arg_and_says_what_it_is(key: str) -> None:
    values = {"RUNTIME_LIBRARIES": "libssl3 zlib1g", "CPYTHON_VERSION": "3.11.2", "PY_MINOR": "3.11", "RECIPE": "cafe"}
    text = recipes.render(key, values)
    found = parse(text)
    words = [one.keyword for one in found.instructions]
    assert "ARG" not in words and words[0] == "FROM" and words[-1] == "LABEL"
    assert f"layerlab.standin=true layerlab.base={key} layerlab.py_minor=3.11 layerlab.recipe=cafe" in text
    assert "ENV LANG=C.UTF-8" in text
    if key == "distroless":
        assert 'ENTRYPOINT ["/usr/bin/python3.11"]' in text and "USER 65532" in text and "RUN" not in words
        return
    assert 'CMD ["python3"]' in text and "ENV PYTHON_VERSION=3.11.2" in text
    assert '"/usr/local/bin/$(echo "$name" | tr -d 3)"' in text, "the shell's own $ are left alone"


def test_a_recipe_adds_what_its_kit_makes_and_nothing_else() -> None:
    for key, kit in KITS.items():
        added = set(re.findall(r"^ADD (\w+)\.tar", recipes.render(key, {}), re.MULTILINE))
        assert added == {*kit.outputs, *(() if kit.has_system else ("rootfs",))}


def test_bases_are_made_in_the_order_of_need_and_musl_compiles_a_cpython_of_its_own() -> None:
    assert tuple(PLANS) == tuple(BASES) == ("slim", "full", "musl", "distroless")
    steps = {key: {task.key for task in plan} for key, plan in PLANS.items()}
    assert {"rootfs", "source", "compile"} <= steps["slim"] & steps["full"]
    assert steps["musl"] & steps["slim"] == {"tool", "rootfs"}
    assert sum(task.seconds for task in PLANS["musl"] if task.key not in steps["slim"]) < 420, "seven minutes more"


def test_what_was_compiled_is_found_again_only_while_all_of_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "cpython-cafe.json").write_text('{"version": "3.11.2", "libraries": []}')
    for name in MUSL.outputs:
        assert cpython.finished(MUSL, tmp_path, "cafe") is None
        (tmp_path / f"{name}-cafe.tar").touch()
    found = cpython.finished(MUSL, tmp_path, "cafe")
    assert found and found.version == "3.11.2"
    assert [tar.name for tar in found.tars] == ["cpython-cafe.tar", "system-cafe.tar", "data-cafe.tar"]
    assert cpython.finished(MUSL, tmp_path, "beef") is None


class Toolchain:
    """An engine whose one container ends at once, leaving what the recipe's last script would."""

    def __init__(self, outputs: tuple[str, ...], *, exit_code: int = 0) -> None:
        self.outputs, self.exit_code, self.seen, self.id = outputs, exit_code, set[str](), "c0ffee"
        self.client = self.containers = self

    def start(self, request: StartRequest) -> Toolchain:
        (folder,) = (Path(path) for path in request.mounts)
        self.seen = {path.name for path in folder.iterdir()}
        for name in self.outputs:
            (folder / f"{name}.tar").write_text(name)
        (folder / "libraries").write_text("libssl3\n")
        (folder / "log").write_text("ssl.h: No such file")
        return self

    def get(self, _: str) -> Toolchain:
        return self

    def update(self, *, cpu_shares: int) -> None:
        assert cpu_shares > 1024

    def wait(self, *, seconds: float) -> int:
        return self.exit_code

    def __enter__(self) -> Toolchain:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.mark.parametrize("kit", [GLIBC, MUSL], ids=lambda kit: kit.recipe)
def test_a_kit_is_compiled_from_its_sources_and_kept(tmp_path: Path, kit: Kit) -> None:
    names = ("source", *kit.libraries)
    for name in names:
        (tmp_path / f"{name}.orig").touch()
    sources = {name: tmp_path / f"{name}.orig" for name in names}
    engine, work = Toolchain(kit.outputs), tmp_path / "work"
    made = cpython.compile(engine, kit, sources, tmp_path, work, digest="cafe", version="3.11.2")  # type: ignore[arg-type]
    assert {"compile.sh", *(f"{name}.tar" for name in names)} <= engine.seen
    assert made == cpython.finished(kit, tmp_path, "cafe")
    assert [tar.read_text() for tar in made.tars] == list(kit.outputs) and not work.exists()


def test_a_compiler_that_fails_says_its_last_lines_and_keeps_its_work(tmp_path: Path) -> None:
    engine, work = Toolchain((), exit_code=2), tmp_path / "work"
    with pytest.raises(BaseUnavailable, match=r"CPython 3\.11\.2.*exit code 2.*\nssl\.h: No such file"):
        cpython.compile(engine, MUSL, {}, tmp_path, work, digest="cafe", version="3.11.2")  # type: ignore[arg-type]
    assert (work / "compile.sh").exists() and cpython.finished(MUSL, tmp_path, "cafe") is None


# --- distroless ------------------------------------------------------------------------------


def deb(folder: Path, name: str, files: dict[str, str]) -> Path:
    """Make a binary package with dpkg-deb, as it names them."""
    tree = folder / name
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(content)
    (tree / "DEBIAN").mkdir(mode=0o755)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: one\n"
    )
    (tree / "DEBIAN" / "md5sums").write_text("".join(f"{'0' * 32}  {path}\n" for path in files))
    target = folder / f"{name}_1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, target], check=True, capture_output=True)
    return target


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")


@needs_dpkg
def test_packages_are_unpacked_under_usr_without_manuals_and_with_their_record(tmp_path: Path) -> None:
    files = {"lib/libx.so.1": "code", "usr/share/man/man1/x.1": "manual", "usr/share/doc/x/copyright": "licence"}
    made = Unpacked()
    made.add(deb(tmp_path, "x", {**files, "usr/share/doc/x/changelog": "long"}))
    made.link_merged()
    made.write(tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as tar:
        names = {member.name: member for member in tar}
        record = tar.extractfile("var/lib/dpkg/status.d/x.md5sums")
        assert record and b"  lib/libx.so.1\n" in record.read()
    assert {"usr/lib/libx.so.1", "usr/share/doc/x/copyright", "var/lib/dpkg/status.d/x"} <= set(names)
    assert names["lib"].linkname == "usr/lib"
    assert not any("man1" in name or "changelog" in name or name.startswith("lib/") for name in names)
    assert list(names) == sorted(names), "one recipe, one order"


@needs_dpkg
def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "x_1_all.deb").write_bytes(b"half a pack")
    with pytest.raises(BaseUnavailable, match=r"x_1_all\.deb can't be unpacked"):
        Unpacked().add(tmp_path / "x_1_all.deb")


DEPENDS = {
    "python3.11-minimal": "  PreDepends: libc6\n |Depends: media-types\n  Depends: mime-support\n  Depends: dpkg\n",
    "libc6": "  Depends: libgcc-s1\n  Recommends: libidn2-0\n",
    "media-types": "  Depends: <debconf-2.0>\n    debconf\n",
    "libgcc-s1": "  Depends: libc6\n",
}


def test_dependencies_join_the_layer_that_first_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "output", lambda command: "".join(DEPENDS[name] for name in command[2:]))
    wanted = distroless.Packages((("libc6",), ("python3.11-minimal",)), frozenset({"dpkg", "debconf-2.0"}))
    assert distroless.with_dependencies(wanted, ["apt-cache"]) == (
        ("libc6", "libgcc-s1"),
        ("media-types", "python3.11-minimal"),
    )


def test_the_recipe_s_lists_name_this_python_and_no_shell() -> None:
    found = distroless.packages("3.11")
    assert len(found.layers) == len(distroless.OUTPUTS)
    assert "python3.11-minimal" in found.layers[1] and "$" not in "".join(found.layers[1])
    assert {"dpkg", "debconf", "openssl"} <= found.left_out
    assert not {"dash", "bash", "busybox"} & {name for layer in found.layers for name in layer}


def test_a_stage_can_be_built_before_the_rest() -> None:
    text = recipes.stage(recipes.render("full", {}), "buildpack")
    assert "ADD rootfs.tar /" in text and "tk-dev" in text
    assert "cpython.tar" not in text
    assert len(parse(text).stages) == 1


def test_a_changed_fact_changes_the_hash() -> None:
    assert recipes.digest("slim", facts=("a",)) == recipes.digest("slim", facts=("a",))
    assert len({recipes.digest("slim"), recipes.digest("full"), recipes.digest("slim", facts=("a",))}) == 3


def test_stand_ins_are_for_the_private_engine_only(tmp_path: Path) -> None:
    with pytest.raises(BaseUnavailable, match="private engine only"):
        build(FakeEngine(), folder=tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


# --- programs --------------------------------------------------------------------------------


def test_a_program_that_fails_says_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("of somebody before\n")
    with pytest.raises(BaseUnavailable, match="`sh` ended with status 7") as caught:
        shell.run(["sh", "-c", "echo the mirror is gone; exit 7"], log=log)
    assert "the mirror is gone" in str(caught.value) and "somebody" not in str(caught.value)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseUnavailable, match="no-such-program"):
        shell.run(["no-such-program"], log=tmp_path / "log")
    assert shell.output(["no-such-program"]) == ""


def test_a_program_is_ended_when_cancelled(tmp_path: Path) -> None:
    with pytest.raises(BuildCancelled):
        shell.run(
            ["sh", "-c", f"trap 'echo ended > {tmp_path}/said; exit' TERM; sleep 60 & wait"],
            log=tmp_path / "log",
            cancelled=lambda: True,
        )
    assert (tmp_path / "said").read_text() == "ended\n"


# --- the site layer --------------------------------------------------------------------------


def pem(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(text.encode()).decode()}\n-----END CERTIFICATE-----\n"


def test_only_certificates_beyond_the_distribution_s_make_a_site(tmp_path: Path) -> None:
    (tmp_path / "one.crt").write_text(pem("one"))
    (tmp_path / "two.crt").write_text(pem("two"))
    bundle = tmp_path / "bundle.pem"
    given = {"SSL_CERT_FILE": str(bundle)}
    bundle.write_text(pem("one") + pem("two").replace("\n", "\r\n"))
    assert site.extra_bundle(given, known=tmp_path) is None
    bundle.write_text(pem("one") + pem("company"))
    assert site.extra_bundle(given, known=tmp_path) == bundle.read_bytes()
    assert site.extra_bundle({"SSL_CERT_FILE": str(tmp_path / "gone")}, known=tmp_path) is None


def test_pip_s_index_is_taken_along_as_far_as_a_container_reaches() -> None:
    config = {
        "index-url": "https://pypi.example/simple",
        "extra-index-url": "file:///opt/wheels http://127.0.0.1:3141/simple https://extra.example/simple",
        "find-links": "/opt/wheels",
        "trusted-host": "pypi.example",
        "cert": "/etc/ssl/company.pem",
    }
    assert site.pip_settings(config) == (
        "[global]\n"
        "index-url = https://pypi.example/simple\n"
        "extra-index-url = https://extra.example/simple\n"
        "trusted-host = pypi.example\n"
    )
    assert site.pip_settings({"index-url": "https://me:secret@pypi.example/simple"}) == ""
    assert site.pip_settings({}) == ""


class Container:
    """Takes files in and is committed."""

    def __init__(self, image: str, command: list[str]) -> None:
        self.image, self.command, self.archive, self.committed = image, command, b"", {}
        self.id, self.removed = "sha256:made", False

    def put_archive(self, path: str, data: bytes) -> bool:
        self.archive = data
        return path == "/"

    def commit(self, **how: Any) -> Container:
        self.committed = how
        return self

    def remove(self) -> None:
        self.removed = True


def test_the_site_layer_is_one_and_bears_its_name() -> None:
    made: list[Container] = []

    class Client:
        class containers:  # noqa: N801
            @staticmethod
            def create(image: str, command: list[str]) -> Container:
                made.append(Container(image, command))
                return made[-1]

    there = site.Site((("/etc/ssl/certs/ca-certificates.crt", b"pem"),), (("PIP_CERT", "/etc/ssl/x"),))
    assert site.apply(Client(), "sha256:base", there, cmd='["python3"]') == "sha256:made"
    (container,) = made
    assert SITE_LAYER in " ".join(container.command) and container.committed["message"] == SITE_LAYER
    assert container.committed["changes"] == ['CMD ["python3"]', "ENV PIP_CERT=/etc/ssl/x"]
    assert container.removed
    with tarfile.open(fileobj=io.BytesIO(container.archive)) as tar:
        assert [(one.name, one.mode) for one in tar] == [("etc/ssl/certs/ca-certificates.crt", 0o644)]
