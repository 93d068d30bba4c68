"""Takes out of a recording what belongs to the machine it was made on: hosts, paths, names.

Text that images bring along themselves (``/root/.local``, ``/var/lib/docker``) stays as it is.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from layerlab.engine import private

INDEX = "https://pypi.org/simple"
PATH = "<path>"
USER = "<user>"
HOST = "<host>"
PRIVATE_HOST = "private.example"

_HERE = ("0.0.0.0", "127.0.0.1", "::1", "localhost", PRIVATE_HOST)
_PYTHON = (
    "pypi.org", "files.pythonhosted.org", "pip.pypa.io", "packaging.python.org", "docs.python.org", "www.python.org",
    "docs.astral.sh", "fastapi.tiangolo.com", "www.uvicorn.org", "errors.pydantic.dev", "docs.pydantic.dev",
)  # fmt: skip
_SYSTEMS = (
    "deb.debian.org", "security.debian.org", "snapshot.debian.org", "www.debian.org", "bugs.debian.org",
    "wiki.debian.org", "dl-cdn.alpinelinux.org", "www.alpinelinux.org",
)  # fmt: skip
_REGISTRIES = (
    "docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "docs.docker.com", "www.docker.com",
    "gcr.io", "ghcr.io", "quay.io", "github.com",
)  # fmt: skip
# The public addresses that tools print, and those that never leave a machine.
PUBLIC_HOSTS = frozenset((*_HERE, *_PYTHON, *_SYSTEMS, *_REGISTRIES))

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^\s/@\"'<>]+@)?(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)")
_SETTING = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|/)[^\s'\",;\]]+")
_INDEX_VARIABLE = re.compile(r"^(PIP|UV)_.*(INDEX|LINKS|TRUSTED|PROXY)|_PROXY$|^LAYERLAB_BASE_PREFIX$", re.IGNORECASE)
_PLAIN_NAMES = frozenset({"root", "user", "debian", "ubuntu", "docker", "python", "jovyan", "runner", "localhost"})
_INDEX_OPTION = re.compile(r"^\s*(index-url|extra-index-url|find-links|trusted-host|proxy)\s*=")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Redactor:
    """Replaces texts, longest first, then the host of every address that is not known to be public."""

    replacements: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_this_machine(cls, *folders: Path) -> Redactor:
        """Collect what is particular to this machine; ``folders`` are further paths of it."""
        found = dict([*_of_settings(_settings()), *_of_folders(folders), *_of_names()])
        return cls(_longest_first(found))

    def also(self, *paths: str) -> Redactor:
        """Return one that takes out these paths of this machine too."""
        found = dict(self.replacements) | dict.fromkeys(paths, PATH)
        return Redactor(_longest_first(found))

    def text(self, text: str) -> str:
        """Redact one text."""
        for private_text, neutral in self.replacements:
            if private_text in text:
                text = _pattern(private_text).sub(neutral.replace("\\", r"\\"), text)
        return _URL.sub(_public_address, text)

    def value(self, value: Value) -> Value:
        """Redact every text in a JSON value, names of fields included."""
        return self._any(value)  # type: ignore[no-any-return]

    def _any(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._any(one) for name, one in value.items()}
        if isinstance(value, Sequence):
            return [self._any(one) for one in value]
        return value


def hosts_in(text: str) -> set[str]:
    """Name the hosts of all addresses in a text.

    >>> sorted(hosts_in("see https://pip.pypa.io/x and http://127.0.0.1:8000/"))
    ['127.0.0.1', 'pip.pypa.io']
    """
    return {match["host"].strip("[]").lower() for match in _URL.finditer(text)}


def private_hosts() -> set[str]:
    """Name the hosts that this machine's own configuration mentions and that are not public."""
    return hosts_in(" ".join(_settings())) - PUBLIC_HOSTS


def _longest_first(found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _public_address(match: re.Match[str]) -> str:
    host = match["host"].strip("[]").lower()
    if host in PUBLIC_HOSTS or match["scheme"] in ("unix", "npipe"):
        return match[0] if "@" not in match[0] else f"{match['scheme']}://{match['host']}"
    return f"{match['scheme']}://{PRIVATE_HOST}"


def _pattern(text: str) -> re.Pattern[str]:
    # Whole words only: a machine called "vm1" must not eat the middle of "llvm15".
    return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(text)}(?![A-Za-z0-9_])")


def _settings() -> list[str]:
    """Return every line of this machine's configuration that may name an index, a mirror or a proxy."""
    home, prefix = Path.home(), os.environ.get("PIP_CONFIG_FILE", "")
    pip = [Path("/etc/pip.conf"), home / ".config/pip/pip.conf", home / ".pip/pip.conf", home / ".config/uv/uv.toml"]
    apt = [Path("/etc/apt/sources.list"), *_files("/etc/apt/sources.list.d"), *_files("/etc/apt/apt.conf.d")]
    docker = [Path("/etc/docker/daemon.json"), private.paths().config]
    lines = [value for name, value in os.environ.items() if _INDEX_VARIABLE.search(name)]
    lines += [line for line in _lines([*pip, Path(prefix)] if prefix else pip) if _INDEX_OPTION.match(line)]
    return lines + [line for line in _lines([*apt, *docker]) if "://" in line]


def _files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).glob("*") if path.is_file())


def _lines(paths: Iterable[Path]) -> Iterable[str]:
    for path in paths:
        try:
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue  # not there, or not ours to read: then nothing of it can have got into a log


def _of_settings(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for found in (match for line in lines for match in _SETTING.findall(line)):
        host = next(iter(hosts_in(found)), None)
        if host is None and len(found) > 4:
            yield found.rstrip("/"), PATH
        elif host and host not in PUBLIC_HOSTS:
            yield found.rstrip("/"), INDEX if "simple" in found else f"https://{PRIVATE_HOST}"
            yield host, PRIVATE_HOST


def _of_folders(folders: Iterable[Path]) -> Iterable[tuple[str, str]]:
    checkout = Path(__file__).resolve().parents[3]
    named = [os.environ.get(name) for name in ("LAYERLAB_WORK", "LAYERLAB_DATA", "LAYERLAB_RECORDINGS", "VIRTUAL_ENV")]
    own = [checkout, private.paths().root.parent, *folders, *(Path(name) for name in named if name)]
    for folder in own:
        yield str(folder.absolute()), PATH
    temporary = Path(tempfile.gettempdir())
    if temporary != Path("/tmp"):  # /tmp is in every image too
        yield str(temporary), PATH
    if Path.home() not in (Path("/root"), Path("/home/jovyan"), Path("/")):
        yield str(Path.home()), PATH


def _of_names() -> Iterable[tuple[str, str]]:
    for name, neutral in ((_user(), USER), (socket.gethostname(), HOST)):
        # A name of two letters, or one that every image knows, would take harmless text with it.
        if len(name) > 3 and name.lower() not in _PLAIN_NAMES:
            yield name, neutral


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id often has no name
        return ""
