"""What commands install, fetch and start: words in, meaning out. Knows no Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layerlab.dockerfile.shell import Command, parsed

# Installers of Python packages that come as packages themselves.
INSTALLERS = frozenset({"uv", "poetry", "pipenv", "pdm", "hatch", "pip-tools", "pipx"})
# Programs that packages bring: they lie where the packages were installed, nowhere else.
SERVERS = frozenset(
    {"uvicorn", "gunicorn", "hypercorn", "fastapi", "flask", "granian", "daphne", "streamlit", "celery"}
)
_SHELLS = ("sh", "bash", "ash", "dash")
_PIP = re.compile(r"pip(?:\d+(?:\.\d+)?)?")
_PYTHON = re.compile(r"python(?:\d+(?:\.\d+)?)?")
_VERBS = {"pip": ("install",), "uv": ("install", "sync", "add"), "apk": ("add",)}
_SYSTEM = ("apt-get", "apt", "apk")
_WITH_VALUE = re.compile(
    r"-[rciftpXo]|--(?:requirement|constraints?|(?:extra-|default-)?index(?:-url)?|find-links|target|prefix|root|python|"
    r"trusted-host|cache-dir|upgrade-strategy|only-binary|no-binary|platform|python-version|option|target-release|"
    r"virtual|repository|extra|group|package|proxy|cert|timeout|retries|link-mode|python-platform)"
)


@dataclass(frozen=True)
class Install:
    """A command that installs: with what, which packages, which options and their values."""

    tool: str
    packages: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_python(self) -> bool:
        """True where it installs Python packages."""
        return self.tool not in _SYSTEM

    def has(self, *options: str) -> bool:
        """True where one of these options is given."""
        return any(option in self.options for option in options)

    @property
    def only_installers(self) -> bool:
        """True where all it brings is another installer, or pip once more."""
        names = {package_name(one) for one in self.packages}
        return (
            bool(names) and not self.has("-r", "--requirement") and names <= {*INSTALLERS, "pip", "setuptools", "wheel"}
        )


def install(command: Command) -> Install | None:
    """Read a command that installs packages; None for any other.

    >>> install(parsed("python3 -m pip install --no-cache-dir -r requirements.txt uv==0.5")[0])
    Install(tool='pip', packages=('uv==0.5',), options={'--no-cache-dir': '', '-r': 'requirements.txt'})
    """
    words = list(command.words)
    if len(words) > 2 and _PYTHON.fullmatch(command.program) and words[1] == "-m":
        words = words[2:]
    name, rest = (words[0].rpartition("/")[2] if words else ""), words[1:]
    if name == "uv" and rest[:1] == ["pip"]:
        rest = rest[1:]
    tool = "pip" if _PIP.fullmatch(name) else name
    known = tool in ("pip", "uv", "poetry", "pipenv", "pdm", "conda", "mamba", *_SYSTEM)
    options, plain = _split(rest)
    if not known or not plain or plain[0] not in _VERBS.get(tool, ("install", "sync")):
        return None
    return Install(tool, tuple(plain[1:]), options)


def package_name(requirement: str) -> str:
    """Return the name in a requirement: ``uv==0.5`` is uv's."""
    return re.split(r"[\[<>=!~@; ]", requirement, maxsplit=1)[0].lower()


def started(command: Sequence[str]) -> Command | None:
    """Return the program that a start command ends up in, through a shell's ``-c`` and through entry wrappers."""
    words = tuple(command)
    if len(words) > 2 and words[0].rpartition("/")[2] in _SHELLS and re.fullmatch(r"-\w*c", words[1]):
        found = parsed(words[2])
        return found[-1] if found else None
    while words and words[0].rpartition("/")[2] in ("tini", "dumb-init", "exec", "env", "--", "-g"):
        words = words[1:]
    return Command(" ".join(words), words) if words else None


def server(command: Command | None) -> tuple[str, tuple[str, ...]]:
    """Return the name of the server that a command starts and its arguments, through ``python -m`` as well."""
    if command is None or not command.words:
        return "", ()
    words = command.words
    if words[:2] == ("uv", "run") or words[:2] == ("poetry", "run"):
        words = words[2:]
        while words and words[0].startswith("--"):
            words = words[1:]
    if words and (words[0] == "-m" or _PYTHON.fullmatch(words[0].rpartition("/")[2])) and "-m" in words[:2]:
        words = words[words.index("-m") + 1 :]
    name = words[0].rpartition("/")[2] if words else ""
    return (name, tuple(words[1:])) if name in SERVERS else ("", ())


def option(arguments: Sequence[str], *names: str) -> str | None:
    """Return an option's value, written ``--host 0.0.0.0`` or ``--host=0.0.0.0``; None where it isn't given."""
    for at, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else arguments[at + 1] if at + 1 < len(arguments) else ""
    return None


def _split(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    plain: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            options[waiting], waiting = word, ""
        elif word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            options[name] = value
            waiting = name if not equals and _WITH_VALUE.fullmatch(name) else ""
        else:
            plain.append(word)
    return options, plain
