"""The registry's program: installed, or unpacked from the distribution's package. Installs nothing, needs no root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from layerlab.engine.private.packages import search_path
from layerlab.engine.private.places import data_folder
from layerlab.errors import NoRegistry

_NAME = "docker-registry"
_DOWNLOAD_SECONDS = 120


def program(say: Callable[[str], None]) -> Path:
    """Find the program, fetching and unpacking Debian's package into the course's own folder where there is none.

    Raises
    ------
    NoRegistry
        Neither is possible here.
    """
    kept = data_folder() / "registry" / _NAME
    if found := shutil.which(_NAME, path=search_path()):
        return Path(found)
    if kept.exists():
        return kept
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoRegistry(
            f"There is no `{_NAME}` on this machine, and no apt to fetch it with. Install it, then run again."
        )
    say(f"Fetching this system's package {_NAME} and unpacking it below {data_folder().name}/ (it is not installed).")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        _run("apt-get", "download", _NAME, folder=folder)
        package = next(Path(folder).glob("*.deb"))
        _run("dpkg-deb", "-x", package.name, ".", folder=folder)
        (Path(folder) / "usr/bin" / _NAME).replace(kept)
    return kept


def _run(*command: str, folder: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NoRegistry(f"`{command[0]}` did not end within {_DOWNLOAD_SECONDS} s. Look at the network.") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NoRegistry(f"No {_NAME}: `{' '.join(command[:2])}` failed ({said}). `apt-get update` may help.")
