"""Decides which Python environment a verb runs in, has it made where none will do, and moves into it.

Standard library only: it runs before anything is installed. A second start costs a hash and an exec.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from layerlab.course import install, steps
from layerlab.errors import SetupError

CHECKOUT = Path(__file__).resolve().parents[2]
TEST_VERBS = frozenset({"test", "check", "bench"})
MARKER = "layerlab-environment.json"  # written last: an environment without it is not finished
UNFINISHED = "layerlab-unfinished"  # written first: what is found with it was interrupted
LOCK = "layerlab.lock"
_HANDED_OVER = "LAYERLAB_HANDED_OVER"


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
    inside = home.exists() and home.samefile(sys.prefix)
    if inside and is_ready(home, checkout, extras=extras):
        return
    if not missing(checkout, extras=extras):
        return
    prepare(home, checkout, extras=extras)
    if not inside:
        _move_into(home, arguments)


def environment_folder(checkout: Path) -> Path:
    """Give the folder of the environment: ``LAYERLAB_VENV``, ``.venv`` in the checkout, or the user's cache.

    The cache serves checkouts that can't be written to.
    """
    if chosen := os.environ.get("LAYERLAB_VENV"):
        return Path(chosen).expanduser().absolute()
    home = checkout / ".venv"
    if os.access(home if home.exists() else checkout, os.W_OK):
        return home
    name = hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
    return _cache_folder() / "layerlab" / f"venv-{name}"


def is_ready(home: Path, checkout: Path, *, extras: Sequence[str] = ()) -> bool:
    """Say whether ``home`` was finished for this checkout, this pyproject.toml and this Python."""
    try:
        marker = json.loads((home / MARKER).read_text())
        return (
            marker["key"] == _key(checkout)
            and {*extras} <= {*marker["extras"]}
            and install.python_of(home).exists()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def missing(checkout: Path, *, extras: Sequence[str] = ()) -> tuple[str, ...]:
    """Name the requirements of pyproject.toml that the running interpreter does not meet.

    Only lower bounds (``>=``) are compared, release numbers only; environment markers are the installer's business,
    so a requirement with one is taken as met.
    """
    import tomllib

    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [project["name"], *project["dependencies"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    return tuple(line for line in wanted if ";" not in line and not _is_met(line))


def prepare(home: Path, checkout: Path, *, extras: Sequence[str] = ()) -> None:
    """Make or update ``home``; one process at a time, the others wait and find it ready."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The environment cannot be made in {home} ({error.strerror}). "
            "Name a folder you may write to in LAYERLAB_VENV, then run the same command again."
        ) from error
    with _locked(home):
        if is_ready(home, checkout, extras=extras):
            return  # another process made it while this one waited
        before = _extras_of(home)
        steps.say(f"Preparing the course's own Python environment in {home}. Nothing outside it is changed.")
        if (home / UNFINISHED).exists() or not _fits_this_python(home):
            _empty(home)
        (home / UNFINISHED).touch()
        (home / MARKER).unlink(missing_ok=True)
        everything = tuple(sorted({*before, *extras}))
        install.install(home, checkout, extras=everything)
        (home / MARKER).write_text(json.dumps({"key": _key(checkout), "extras": everything}))
        (home / UNFINISHED).unlink()


def _move_into(home: Path, arguments: Sequence[str]) -> None:
    if os.environ.get(_HANDED_OVER) == str(home):
        raise SetupError(
            f"The environment in {home} was made, but its Python does not run in it. Delete that folder."
        )
    os.environ[_HANDED_OVER] = str(home)
    command = [str(install.python_of(home)), "-m", "layerlab", *arguments]
    sys.stdout.flush()
    if os.name == "nt":  # exec there gives the console back to the shell while the child still runs
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def _key(checkout: Path) -> str:
    """Hash what an environment depends on; the checkout's path too, for scripts and links are absolute."""
    version = f"{sys.implementation.cache_tag} {checkout}\n"
    return hashlib.sha256(version.encode() + (checkout / "pyproject.toml").read_bytes()).hexdigest()


def _is_met(requirement: str) -> bool:
    match = re.match(r"([A-Za-z0-9._-]+)(?:>=([0-9.]+))?$", requirement)
    if match is None:
        raise SetupError(
            f"pyproject.toml asks for {requirement!r}; the bootstrap reads `name` and `name>=1.2` only."
        )
    try:
        found = metadata.version(match[1])
    except metadata.PackageNotFoundError:
        return False
    return _release(found) >= _release(match[2] or "0")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def _extras_of(home: Path) -> tuple[str, ...]:
    """Give the extras an environment has already, so that `make lab` after `make test` takes none away."""
    try:
        return tuple(json.loads((home / MARKER).read_text())["extras"])
    except (OSError, ValueError, KeyError):
        return ()


def _fits_this_python(home: Path) -> bool:
    """Say whether ``home`` is empty or an environment of this minor version whose interpreter still exists."""
    if not (home / "pyvenv.cfg").exists():
        return {path.name for path in home.iterdir()} <= {LOCK}
    version = re.search(r"^version(?:_info)? *= *(\d+\.\d+)", (home / "pyvenv.cfg").read_text(), re.MULTILINE)
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    return version is not None and version[1] == mine and install.python_of(home).exists()


def _empty(home: Path) -> None:
    """Remove what is in an unusable environment, all but the lock that others may be waiting for."""
    import shutil

    steps.say(f"  what is in {home.name} was interrupted, or belongs to another Python: starting afresh")
    for path in home.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the environment's lock, which the system lets go of when this process dies in whatever way."""
    with (home / LOCK).open("a+") as file:
        if not _try_lock(file.fileno(), wait=False):
            steps.say("Another process is preparing the same environment; waiting for it.")
            _try_lock(file.fileno(), wait=True)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, *, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:  # LK_LOCK gives up after ten tries of a second each
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _try_lock(descriptor: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


def _cache_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
