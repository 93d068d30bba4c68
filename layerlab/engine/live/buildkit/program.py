"""The docker client whose buildx plugin builds, or what to install where none is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache

from layerlab.errors import NoBuildKit

_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
# --progress=rawjson came with buildx 0.13 (February 2024).
_FIRST = (0, 13)
_INSTALL = (
    "Install it (the package is `docker-buildx-plugin` of Docker's own, `docker-buildx` of Debian and Ubuntu; Docker "
    "Desktop brings it along) until `docker buildx version` answers, then run this cell again."
)


def docker() -> str:
    """Return the first docker client on PATH that has a buildx of today.

    Raises
    ------
    NoBuildKit
        There is none, or only one older than 0.13.
    """
    # Where plugins lie depends on the client's configuration as well (docker/cli, cli-plugins/manager).
    return _docker(os.environ.get("PATH", os.defpath), os.environ.get("DOCKER_CONFIG"))


@cache
def _docker(path: str, config: str | None) -> str:
    found = {program: _buildx(program) for program in _clients(path)}
    for program, version in found.items():
        if version and version >= _FIRST:
            return program
    told = "; ".join(
        f"{program} has {'no buildx' if version is None else 'buildx {}.{}'.format(*version)}"
        for program, version in found.items()
    )
    raise NoBuildKit(
        f"Docker's builds go through the docker client's buildx plugin, 0.13 or later, and there is none here "
        f"({told or 'no docker client is on PATH'}). {_INSTALL}"
    )


def _clients(path: str) -> Iterator[str]:
    for folder in dict.fromkeys(filter(None, path.split(os.pathsep))):
        if program := shutil.which("docker", path=folder):
            yield program


def _buildx(program: str) -> tuple[int, int] | None:
    try:
        ended = subprocess.run([program, "buildx", "version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(ended.stdout) if ended.returncode == 0 else None
    return (int(match[1]), int(match[2])) if match else None
