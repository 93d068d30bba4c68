"""Unpacks packages of any Debian release into a folder and installs none: apt fetches and verifies, dpkg-deb unpacks.

Knows apt and dpkg, no engine. The system's own apt state (lists, cache, status, sources) is read and never written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from layerlab.errors import PrivateEngineError

# Debian 13 calls it .pgp and keeps the old name as a link; both are looked for.
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
# Where Debian puts iptables, mmdebstrap's helpers and their like; a user's PATH often lacks the sbin folders.
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")

INVENTORY = "packages.json"
OTHERWISE = "install Docker as https://docs.docker.com/engine/install/ says, or go on with recordings"

OnLine = Callable[[str], None]

_UNVERIFIED = ("NO_PUBKEY", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "is not signed", "signatures", "unauthenticated")
_DAMAGED = ("Hash Sum mismatch", "unexpected size", "is corrupt")
_SHOWN_LINES = 6
# To apt nothing is installed, so it fetches all that is needed; and installs nothing.
_WHOLE = ("install", "--yes", "--download-only", "--no-install-recommends")
# A line of `apt-get update --print-uris` that names an index of the component `main`.
_INDEX = re.compile(r"^'(?P<address>[^']+)/dists/(?P<suite>[^'/]+)/main/binary-[^']+'", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """A binary package and the release it comes from by its code name; by default this machine's own release."""

    name: str
    suite: str = ""


@dataclass(frozen=True)
class Unpacked:
    """What lies in a folder: each package's version, and the releases whose index was past its date when fetched.

    ``past_date`` gives a release's ``Valid-Until`` as the index has it.
    """

    folder: Path
    packages: tuple[Package, ...]
    versions: Mapping[str, str]
    past_date: Mapping[str, str] = field(default_factory=dict)


def search_path() -> str:
    """Give ``PATH`` with the system folders added that a plain user's lacks."""
    given = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*given, *(folder for folder in SBIN if folder not in given)])


def unpacked(wanted: Iterable[Package], folder: Path) -> Unpacked | None:
    """Say what `unpack` put into ``folder``; None where a wanted package, or one file of them, is not there whole."""
    try:
        known = json.loads((folder / INVENTORY).read_text())
        found = Unpacked(
            folder, tuple(Package(**one) for one in known["packages"]), known["versions"], known["past_date"]
        )
        is_whole = all((folder / name).lstat().st_size == size for name, size in known["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if is_whole and set(wanted) <= set(found.packages) else None


def unpack(
    wanted: Sequence[Package],
    folder: Path,
    *,
    with_dependencies: bool = False,
    on_line: OnLine | None = None,
    finish: Callable[[Path], None] = lambda draft: None,
) -> Unpacked:
    """Fetch packages and unpack them into ``folder``, which is there whole afterwards or not at all.

    Parameters
    ----------
    wanted
        Their own content only; what they depend on has to be named as well, or asked for.
    folder
        What is there is replaced. Nobody else may unpack into it meanwhile.
    with_dependencies
        Also what they depend on, as apt finds it: for programs that are to run with libraries of their own release.
    on_line
        Receives what is about to happen, and every line apt prints.
    finish
        Called with the unpacked draft before it gets its name, to add files, or to raise where it is no good.

    Raises
    ------
    PrivateEngineError
        On another system than Debian, without its keyring, where the mirror can't be read or its signature or a
        hash is wrong, or where a package is no longer there.

    Notes
    -----
    apt verifies the release file with the Debian archive keyring of this machine, and by it each package's hash. An
    index past its date is taken (``Acquire::Check-Valid-Until``), for a mirror may be behind; that is remembered.
    The mirror, proxies and certificates are those that this machine's apt is configured for.
    """
    say = on_line or (lambda line: None)
    release, keyring = _check_system()
    packages = [Package(one.name, one.suite or release) for one in wanted]
    draft, work = (folder.with_name(f"{folder.name}.{name}") for name in ("draft", "apt"))
    for leftover in (draft, work):
        shutil.rmtree(leftover, ignore_errors=True)
    draft.mkdir(parents=True)
    suites = sorted({one.suite for one in packages})
    apt = _Apt(work, _sources(suites, release, keyring), say)
    say(f"Reading Debian's package index ({', '.join(suites)}).")
    apt.run("-o", "pkgCacheFile::Generate=false", "update")  # the download makes the cache anyway
    say(f"Fetching {len(packages)} packages; apt verifies them with {keyring}.")
    names = [f"{one.name}/{one.suite}" for one in packages]
    apt.run(*(_WHOLE if with_dependencies else ("download",)), *names)
    archives = sorted(apt.archives.glob("*.deb")) if with_dependencies else [_archive(work, one) for one in packages]
    say("Unpacking them; nothing is installed into the system.")
    with ThreadPoolExecutor(max_workers=2) as pool:
        unpacking = [(one.name.partition("_")[0], pool.submit(_unpack, one, draft)) for one in archives]
        versions = {name: each.result() for name, each in unpacking}
    finish(draft)
    found = Unpacked(folder, tuple(wanted), versions, _past_date(apt.lists))
    _write_inventory(found, draft)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    shutil.rmtree(work)
    return found


class _Apt:
    """apt with lists, cache, status, sources and configuration of its own in a folder."""

    def __init__(self, folder: Path, sources: str, say: OnLine) -> None:
        self.lists = folder / "lists"
        self.archives = folder / "cache" / "archives"
        self._folder, self._say = folder, say
        for name in ("lists/partial", "cache/archives/partial", "none"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(sources)
        (folder / "apt.conf").write_text(_configuration(folder))

    def run(self, *arguments: str) -> None:
        """Run apt-get in the folder.

        Raises
        ------
        PrivateEngineError
            If it fails, with what it said and what to do.
        """
        environment = {
            **os.environ,
            "APT_CONFIG": str(self._folder / "apt.conf"),
            "LC_ALL": "C.UTF-8",
            "PATH": search_path(),
        }
        lines = _output(["apt-get", *arguments], self._say, folder=self._folder, environment=environment)
        if lines is not None:
            raise PrivateEngineError(_explanation(arguments, lines))


def _configuration(folder: Path) -> str:
    """Write apt's configuration: the system's ways to the mirror, and of everything else nothing (apt.conf(5))."""
    import subprocess

    asked = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False)
    ours = {
        "Dir::Etc::main": os.devnull,
        "Dir::Etc::parts": folder / "none",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "none",
        "Dir::Etc::preferences": os.devnull,
        "Dir::Etc::preferencesparts": folder / "none",
        "Dir::Etc::trusted": os.devnull,
        "Dir::Etc::trustedparts": folder / "none",
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::AllowWeakRepositories": "false",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "APT::Get::AllowUnauthenticated": "false",
        # Without, a mirror that can't be reached is a warning.
        "APT::Update::Error-Mode": "any",
        # Its sandbox user may not enter a home folder.
        "APT::Sandbox::User": "root",
    }
    # A list, which grows by what is set: what the system named before has to go.
    return (
        asked.stdout + "#clear Acquire::Languages;\n" + "".join(f'{name} "{value}";\n' for name, value in ours.items())
    )


def _check_system() -> tuple[str, Path]:
    """Give this release's code name and Debian's keyring; refuse where packages can't be verified."""
    import platform

    try:
        system = platform.freedesktop_os_release()
    except OSError:
        system = {}
    if system.get("ID") != "debian" or shutil.which("apt-get", path=search_path()) is None:
        raise PrivateEngineError(
            f"This is {system.get('PRETTY_NAME', 'no Debian')}, and packages are verified with Debian's keyring, "
            f"on Debian only. Instead {OTHERWISE}."
        )
    keyring = next((one for one in KEYRINGS if one.is_file()), None)
    if keyring is None:
        raise PrivateEngineError(
            f"There is no {KEYRINGS[0]}, so packages can't be verified, and none was fetched. "
            f"Run `apt-get install debian-archive-keyring`; or {OTHERWISE}."
        )
    return system.get("VERSION_CODENAME", ""), keyring


def _sources(suites: Iterable[str], release: str, keyring: Path) -> str:
    """Name the mirror that this machine reads Debian from, for each release, in sources.list(5)'s one-line form."""
    mirror = _mirror(release)
    return "".join(f"deb [signed-by={keyring}] {mirror} {suite} main\n" for suite in suites)


def _mirror(release: str) -> str:
    """Ask apt which mirror it is configured for; that works without an index, and fetches none.

    Raises
    ------
    PrivateEngineError
        If none of Debian's is configured.
    """
    import subprocess

    listed = subprocess.run(
        ["apt-get", "update", "--print-uris"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": search_path()},
    )
    found = sorted(
        # Another maker's archive may have a release of the same name; with a wrong one the signature will not hold.
        (match["suite"] != release, not match["address"].endswith("/debian"), match["address"])
        for match in _INDEX.finditer(listed.stdout)
    )
    if not found:
        raise PrivateEngineError(
            f"apt has no mirror of Debian's configured, so nothing can be fetched. Add one to /etc/apt; or {OTHERWISE}."
        )
    return found[0][2]


def _explanation(arguments: Sequence[str], lines: Sequence[str]) -> str:
    said = "\n".join(lines[-_SHOWN_LINES:])
    text = "\n".join(lines)
    if any(word in text for word in _UNVERIFIED):
        what = (
            "Debian's signature can't be verified with this machine's keyring, and nothing was unpacked. "
            "Update the package debian-archive-keyring"
        )
    elif any(word in text for word in _DAMAGED):
        what = "What the mirror sent has another hash than its index says, and nothing was unpacked. Run it again"
    elif "update" in arguments:
        what = "This machine's Debian mirror can't be read. See what apt says below, and run it again"
    else:
        what = "A package can't be fetched. See what apt says below, and run it again"
    return f"{what}; or {OTHERWISE}.\n{said}"


def _archive(folder: Path, package: Package) -> Path:
    found = sorted(folder.glob(f"{package.name}_*.deb"))
    if not found:
        raise PrivateEngineError(f"apt reported success, and brought no {package.name}. Run it again; or {OTHERWISE}.")
    return found[-1]


def _unpack(archive: Path, folder: Path) -> str:
    """Unpack one package; give its version."""
    said: list[str] = []
    if _output(["dpkg-deb", "--extract", str(archive), str(folder)], said.append) is not None:
        raise PrivateEngineError(f"{archive.name} can't be unpacked. Mend what dpkg-deb says:\n" + "\n".join(said))
    version: list[str] = []
    _output(["dpkg-deb", "--field", str(archive), "Version"], version.append)
    return version[0]


def _output(
    command: Sequence[str],
    say: OnLine,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[str] | None:
    """Run a program, its lines passed on as they come; None if it succeeded, else all of them."""
    import subprocess

    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=folder,
        env=environment,
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            say(line.rstrip())
    return lines if process.returncode else None


def _past_date(lists: Path) -> dict[str, str]:
    """Read of which releases the index was past its date; Debian's stable releases have none."""
    from email.utils import parsedate_to_datetime

    found = {}
    for path in lists.glob("*_InRelease"):
        head = path.read_text(errors="replace").partition("\nSHA256:")[0]
        fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        until = fields.get("Valid-Until")
        if until and parsedate_to_datetime(until.replace("UTC", "+0000")) < datetime.now(UTC):
            found[fields.get("Codename", path.name)] = until
    return found


def _write_inventory(found: Unpacked, draft: Path) -> None:
    files = {
        path.relative_to(draft).as_posix(): path.lstat().st_size
        for path in sorted(draft.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    known = {
        "packages": [asdict(one) for one in found.packages],
        "versions": found.versions,
        "past_date": found.past_date,
        "files": files,
    }
    (draft / INVENTORY).write_text(json.dumps(known, indent=1) + "\n")
