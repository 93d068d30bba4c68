"""The docker client's buildx plugin, or what to install where none is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from layerlab.errors import NoBuildKit

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.")
# --progress=rawjson came with buildx 0.13 (February 2024).
_FIRST = (0, 13)
_INSTALL = (
    "Install it (the package is `docker-buildx-plugin` of Docker's own, `docker-buildx` of Debian and Ubuntu; Docker "
    "Desktop brings it along) until `docker buildx version` answers, then run this cell again."
)


def buildx(own: Path | None = None) -> str:
    """Return the path of a buildx of today: the engine's own, or the first that a docker client on PATH would take.

    Raises
    ------
    NoBuildKit
        There is none, or only one older than 0.13.

    Notes
    -----
    Started by itself it builds as `docker buildx build` does, and need not be looked for among all plugins each time.
    """
    if own and own.exists():
        return str(own)
    # Where plugins lie depends on the client's configuration as well (docker/cli, cli-plugins/manager).
    return _buildx(os.environ.get("PATH", os.defpath), os.environ.get("DOCKER_CONFIG"))


@cache
def _buildx(path: str, config: str | None) -> str:
    told = []
    for client in _clients(path):
        plugin = _plugin(client)
        match = _VERSION.match(str(plugin.get("Version")))
        if match and (int(match[1]), int(match[2])) >= _FIRST:
            return str(plugin["Path"])
        told.append(f"{client} has {f'buildx {match[1]}.{match[2]}' if match else 'no buildx'}")
    raise NoBuildKit(
        "Docker's builds go through the docker client's buildx plugin, 0.13 or later, and there is none here "
        f"({'; '.join(told) or 'no docker client is on PATH'}). {_INSTALL}"
    )


def _clients(path: str) -> Iterator[str]:
    for folder in dict.fromkeys(filter(None, path.split(os.pathsep))):
        if program := shutil.which("docker", path=folder):
            yield program


def _plugin(client: str) -> dict[str, Any]:
    """Return what a client says of its buildx; nothing where it has none that works. Needs no engine."""
    command = [client, "info", "--format", "{{json .ClientInfo.Plugins}}"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        plugins = json.loads(said) or []
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return next((one for one in plugins if one.get("Name") == "buildx" and one.get("Path")), {})
