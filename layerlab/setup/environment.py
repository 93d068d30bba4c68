"""One Python environment on disk: whether it is finished, whose it is, and how it gets ready.

Standard library only. Never removes an environment that this course did not make.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from layerlab.errors import SetupError
from layerlab.setup import steps
from layerlab.setup.install import install, python_of
from layerlab.setup.lock import only_one

MARKER = "layerlab-environment.json"  # written last: an environment without it is not finished
UNFINISHED = "layerlab-unfinished"  # written first: what is found with it was interrupted
LOCK = "layerlab.lock"


def is_ready(home: Path, checkout: Path, *, extras: Sequence[str] = ()) -> bool:
    """Say whether ``home`` was finished for this checkout, this pyproject.toml and this Python."""
    try:
        marker = json.loads((home / MARKER).read_text())
        fits = marker["key"] == _key(checkout) and {*extras} <= {*marker["extras"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return fits and python_of(home).exists()


def prepare(home: Path, checkout: Path, *, extras: Sequence[str] = ()) -> None:
    """Make or update ``home``; one process at a time, the others wait and find it ready.

    Raises
    ------
    SetupError
        ``home`` can't be written to, is somebody else's, or can't be filled.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / LOCK).touch()
    except OSError as error:
        raise SetupError(
            f"The environment cannot be made in {home} ({error.strerror}). "
            "Name a folder you may write to in LAYERLAB_VENV, then run the same command again."
        ) from error
    with only_one(home / LOCK):
        if not is_ready(home, checkout, extras=extras):  # the process this one waited for may have made it
            _fill(home, checkout, extras)


def _fill(home: Path, checkout: Path, extras: Sequence[str]) -> None:
    # What it has already stays: `make lab` after `make test` takes the test tools from nobody.
    everything = tuple(sorted({*_extras_of(home), *extras}))
    steps.say(f"Preparing the course's Python environment in {home}; nothing outside it is changed.")
    _make_room(home)
    if _is_ours(home) or not _is_environment(home):
        (home / UNFINISHED).touch()  # not in one the user made: that is never emptied
    (home / MARKER).unlink(missing_ok=True)
    install(home, checkout, extras=everything)
    (home / MARKER).write_text(json.dumps({"key": _key(checkout), "extras": everything}))
    (home / UNFINISHED).unlink(missing_ok=True)


def _make_room(home: Path) -> None:
    """Keep a usable environment, empty one of ours that is not, refuse anything else."""
    if (home / UNFINISHED).exists():
        _empty(home, "was interrupted while it was made")
    elif _is_environment(home) and not _fits_this_python(home):
        if not _is_ours(home):
            raise SetupError(
                f"{home} belongs to another Python and was not made by this course. "
                "Delete it, or name another folder in LAYERLAB_VENV."
            )
        _empty(home, "belongs to another Python")
    elif not _is_environment(home) and {path.name for path in home.iterdir()} != {LOCK}:
        raise SetupError(f"{home} holds files that are no Python environment. Name another in LAYERLAB_VENV.")


def _is_environment(home: Path) -> bool:
    return (home / "pyvenv.cfg").exists()


def _is_ours(home: Path) -> bool:
    return (home / MARKER).exists() or (home / UNFINISHED).exists()


def _fits_this_python(home: Path) -> bool:
    # venv and virtualenv write `version`, uv writes `version_info`.
    settings = (home / "pyvenv.cfg").read_text()
    version = re.search(r"^version(?:_info)? *= *(\d+\.\d+)", settings, re.MULTILINE)
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    return version is not None and version[1] == mine and python_of(home).exists()


def _empty(home: Path, why: str) -> None:
    """Remove what is in an environment, all but the lock that others may be waiting for."""
    steps.say(f"  {home.name} {why}: starting afresh")
    try:
        for path in home.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be removed ({error.strerror}). Delete {home}.") from error


def _extras_of(home: Path) -> tuple[str, ...]:
    try:
        return tuple(json.loads((home / MARKER).read_text())["extras"])
    except (OSError, ValueError, KeyError):
        return ()


def _key(checkout: Path) -> str:
    """Hash what an environment depends on; the checkout's path too, for the scripts' paths are absolute."""
    version = f"{sys.implementation.cache_tag} {checkout}\n"
    return hashlib.sha256(version.encode() + (checkout / "pyproject.toml").read_bytes()).hexdigest()
