"""Decides which Python environment a verb runs in, has it made where none will do, and moves into it.

Standard library only: it runs before anything is installed. A second start costs a hash and an exec.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from layerlab.errors import SetupError
from layerlab.setup import environment
from layerlab.setup.install import python_of

CHECKOUT = Path(__file__).resolve().parents[2]
TEST_VERBS = frozenset({"test", "check"})
_CAME_FROM = "LAYERLAB_MOVED_INTO"


def ensure(arguments: Sequence[str], *, checkout: Path = CHECKOUT) -> None:
    """Return at once in an environment that will do; else make one and run the same command in it.

    Parameters
    ----------
    arguments
        The command line after ``layerlab``; its first word decides whether the test tools are needed.

    Raises
    ------
    SetupError
        The environment cannot be made.
    """
    if not (checkout / "pyproject.toml").is_file():
        return  # installed from a wheel: its installer has seen to the dependencies
    extras = ("test",) if TEST_VERBS.intersection(arguments[:1]) else ()
    home = environment_folder(checkout)
    moved_into = os.environ.pop(_CAME_FROM, None)  # popped, because children of ours decide for themselves
    inside = home.exists() and home.samefile(sys.prefix)
    if inside and environment.is_ready(home, checkout, extras=extras):
        return
    if next(unmet(checkout, extras=extras), None) is None:
        return
    environment.prepare(home, checkout, extras=extras)
    if inside:
        return
    if moved_into == str(home):
        raise SetupError(f"The environment in {home} was made, but its Python does not use it. Delete it.")
    _move_into(home, arguments)


def environment_folder(checkout: Path = CHECKOUT) -> Path:
    """Give the folder: ``LAYERLAB_VENV``, else ``.venv`` in the checkout, else in the user's cache.

    The cache serves checkouts that can't be written to.
    """
    if chosen := os.environ.get("LAYERLAB_VENV"):
        return Path(chosen).expanduser().absolute()
    home = checkout / ".venv"
    if os.access(home if home.exists() else checkout, os.W_OK):
        return home
    name = hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
    return _cache_folder() / "layerlab" / f"venv-{name}"


def unmet(checkout: Path = CHECKOUT, *, extras: Sequence[str] = ()) -> Iterator[str]:
    """Yield the requirements of pyproject.toml that the running interpreter does not meet.

    Only lower bounds (``>=``) are compared, release numbers only; environment markers are the
    installer's business, so a requirement with one is taken as met.
    """
    import tomllib

    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [project["name"], *project["dependencies"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    return (line for line in wanted if ";" not in line and not _is_met(line))


def _is_met(requirement: str) -> bool:
    match = re.match(r"([A-Za-z0-9._-]+)(?:>=([0-9.]+))?$", requirement)
    if match is None:
        raise SetupError(
            f"pyproject.toml asks for {requirement!r}. Write `name` or `name>=1.2`, all that the bootstrap reads."
        )
    try:
        found = metadata.version(match[1])
    except metadata.PackageNotFoundError:
        return False
    return _release(found) >= _release(match[2] or "0")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def _move_into(home: Path, arguments: Sequence[str]) -> None:
    os.environ[_CAME_FROM] = str(home)
    command = [str(python_of(home)), "-m", "layerlab", *arguments]
    sys.stdout.flush()
    if os.name == "nt":  # exec there gives the console back to the shell while the child still runs
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def _cache_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
