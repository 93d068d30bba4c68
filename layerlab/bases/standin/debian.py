"""What this machine's Debian or Ubuntu gives: its package archive, Python's source, a root file system.

Uses the machine's own mirrors and proxies; writes nothing below /etc and changes no configuration.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from layerlab.bases import system_python
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.standin import shell
from layerlab.errors import BaseUnavailable

OS_RELEASE = Path("/etc/os-release")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_KEYRING = "/usr/share/keyrings/{id}-archive-keyring.gpg"
_SIGNED_BY = re.compile(r"signed-by\s*[:=]\s*(/[^\s\]]+)", re.IGNORECASE)
_PRINTED_URI = re.compile(
    r"^'(?P<uri>[^']+)' (?P<name>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})", re.MULTILINE
)


@dataclass(frozen=True)
class Archive:
    """The distribution's package archive as this machine is configured for it.

    ``entries`` are (address, suite, components); archives of other makers are left out.
    """

    id: str
    codename: str
    architecture: str
    entries: tuple[tuple[str, str, tuple[str, ...]], ...]
    keyring: str | None
    proxy: str | None

    @property
    def is_encrypted(self) -> bool:
        """True where apt needs the CA certificates to read it."""
        return any(address.startswith("https:") for address, _, _ in self.entries)

    def sources(self, kind: str = "deb") -> str:
        """Write it as apt's one-line format has it, for packages ("deb") or their source ("deb-src")."""
        option = f"[signed-by={self.keyring}] " if self.keyring else ""
        return "".join(
            f"{kind} {option}{address} {suite} {' '.join(parts)}\n" for address, suite, parts in self.entries
        )

    @property
    def environment(self) -> dict[str, str]:
        """The proxy that apt is configured for, for programs that read it from the environment."""
        return {"http_proxy": self.proxy, "https_proxy": self.proxy} if self.proxy else {}


@dataclass(frozen=True)
class Source:
    """A package's source as the distribution has it, unpatched: ``version`` is upstream's, ``sha256`` apt's."""

    version: str
    name: str
    sha256: str


def archive(*, log: Path, cancelled: Cancelled = never) -> Archive:
    """Read this machine's package archive from apt itself, fetching its lists first if there are none.

    Raises
    ------
    BaseUnavailable
        On another system, or with the distribution's archive not configured.
    """
    release = _os_release()
    identity, codename = release.get("ID", ""), release.get("VERSION_CODENAME", "")
    stanzas = _targets(identity, codename)
    if not stanzas and shutil.which("apt-get"):
        # Whose archive it is stands in the lists, and a container's image comes without any.
        shell.run(["apt-get", "update"], log=log, cancelled=cancelled)
        stanzas = _targets(identity, codename)
    if not stanzas:
        raise BaseUnavailable(
            f"apt has no archive of {identity or 'this system'} configured whose lists were fetched, and stand-ins are "
            "made of Debian's or Ubuntu's packages. Run `apt-get update`, or name a registry in LAYERLAB_BASE_PREFIX."
        )
    return Archive(
        id=identity,
        codename=codename,
        architecture=stanzas[0].get("Architecture", ""),
        entries=_entries(stanzas),
        keyring=_keyring(identity, stanzas),
        proxy=_proxy(),
    )


def source(
    archive: Archive, folder: Path, package: str | None = None, *, log: Path, cancelled: Cancelled = never
) -> Source:
    """Fetch a package's source into ``folder``, CPython's by default; check it against the archive's signed index.

    Raises
    ------
    BaseUnavailable
        Where the mirror carries no sources, or what came is damaged.

    Notes
    -----
    apt gets lists and settings of its own in ``folder``; the machine's stay as they are. `apt-get source` may fail
    over a name with ``~`` behind some proxies though the tarball came, so the file decides, not the exit status.
    """
    options = own_apt(archive, folder, "deb-src")
    shell.run(["apt-get", *options, "update"], log=log, cancelled=cancelled, environment=archive.environment)
    package = package or f"python{system_python.minor()}"
    printed = shell.output(["apt-get", *options, "source", "--only-source", "--print-uris", package])
    found = _upstream(package, printed)
    if found is None:
        raise BaseUnavailable(
            f"This machine's package mirror has no source of {package}. Use a mirror with sources, or a registry."
        )
    if not _is_intact(folder / found.name, found):
        command = ["apt-get", *options, "source", "--only-source", "--download-only", package]
        try:
            shell.run(command, log=log, cancelled=cancelled, folder=folder, environment=archive.environment)
        except BaseUnavailable:
            if not (folder / found.name).exists():
                raise
    if not _is_intact(folder / found.name, found):
        raise BaseUnavailable(f"{found.name} arrived damaged. Run it again; if it stays so, use another mirror.")
    return found


def own_apt(archive: Archive, folder: Path, kind: str) -> list[str]:
    """Give apt lists and settings of its own in ``folder``, for packages ("deb") or their source ("deb-src").

    The machine's stay as they are, and so do archives of other makers, which it may have as well.
    """
    parts = folder / "apt" / kind
    for name in ("sources.d", "lists/partial", "cache/archives/partial"):
        (parts / name).mkdir(parents=True, exist_ok=True)
    (parts / "sources.d" / "source.list").write_text(archive.sources(kind))
    settings = {
        "Dir::Etc::sourcelist": os.devnull,
        "Dir::Etc::sourceparts": parts / "sources.d",
        "Dir::State::lists": parts / "lists",
        "Dir::Cache": parts / "cache",
        # Its sandbox user may not enter a home folder, and apt would warn at each file.
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _targets(identity: str, codename: str) -> list[dict[str, str]]:
    return [
        one
        for one in _stanzas(shell.output(["apt-get", "indextargets", "Created-By: Packages"]))
        if one.get("Origin", "").lower() == identity and _is_wanted(one.get("Release", ""), codename)
    ]


def _os_release() -> dict[str, str]:
    try:
        lines = OS_RELEASE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name: value.strip("\"'") for name, _, value in (line.partition("=") for line in lines) if value}


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    for stanza in text.split("\n\n"):
        if stanza.strip():
            yield {name: value.strip() for name, _, value in (line.partition(":") for line in stanza.splitlines())}


def _is_wanted(suite: str, codename: str) -> bool:
    """Leave out backports and proposed updates: their packages would not fit those of the release.

    >>> _is_wanted("bookworm-security", "bookworm"), _is_wanted("bookworm-backports", "bookworm")
    (True, False)
    """
    return suite in (codename, f"{codename}-updates", f"{codename}-security", "stable", "stable-updates")


def _entries(stanzas: list[dict[str, str]]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    parts: dict[tuple[str, str], list[str]] = {}
    for one in stanzas:
        components = parts.setdefault((one["Repo-URI"], one["Release"]), [])
        if one["Component"] not in components:
            components.append(one["Component"])
    return tuple((address, suite, tuple(components)) for (address, suite), components in parts.items())


def _keyring(identity: str, stanzas: list[dict[str, str]]) -> str | None:
    """Name the key file that apt checks this archive with: the configured one, else the distribution's."""
    for one in stanzas:
        entry = Path(one.get("Sourcesentry", "").rpartition(":")[0])
        if entry.is_file() and (match := _SIGNED_BY.search(entry.read_text(errors="replace"))):
            return match[1]
    usual = _KEYRING.format(id=identity)
    return usual if Path(usual).exists() else None


def _proxy() -> str | None:
    printed = shell.output(["apt-config", "shell", "found", "Acquire::http::Proxy"])
    match = re.search(r"found='([^']+)'", printed)
    return match[1] if match and match[1] != "DIRECT" else None


def _upstream(package: str, printed: str) -> Source | None:
    """Find the upstream tarball among the addresses that apt printed."""
    for match in _PRINTED_URI.finditer(printed):
        name = unquote(match["name"])
        if found := re.match(rf"{re.escape(package)}_(\d+(?:\.\d+)+)[^_]*\.orig\.tar\.\w+$", name):
            return Source(found[1], name, match["sha256"])
    return None


def _is_intact(path: Path, wanted: Source) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
