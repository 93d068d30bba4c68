"""The routes to BuildKit, in the order in which they are taken: buildx, the engine's own API, an old docker client.

The SDK is none: it drives the classic builder only (docker/docker-py #2230). What a client can do is asked of it
once; no route is ever tried and left.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

from layerlab.engine.protocol import BuildRequest, Limits, Route
from layerlab.errors import EngineRefused, NoBuildKit

_API_LACKS = ("secrets", "`# syntax=`", "a `.dockerignore` that hides the Dockerfile from `COPY . .`")
_CLI_LACKS = ("exact times of steps that run side by side",)
_BUILDX = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
_CLIENT = re.compile(r"Docker version (\d+)\.(\d+)")
# rawjson came with buildx 0.13 (February 2024).
_FIRST_RAWJSON = (0, 13)
# BuildKit in the client itself, with --secret and --progress, from 19.03 on; from 23.0 on buildx does it.
_FIRST_CLIENT, _FIRST_WITH_BUILDX = (19, 3), (23, 0)


@dataclass(frozen=True)
class Found:
    """A route with the program that goes it; the API needs none."""

    route: Route
    program: str | None = None


def routes() -> tuple[Found, ...]:
    """Return every route that is open from here, the best one first."""
    return _routes(os.environ.get("PATH", os.defpath))


def choose(request: BuildRequest) -> Found:
    """Return the first route on which a build can be made.

    Raises
    ------
    NoBuildKit
        There is none.
    EngineRefused
        The build asks for a limit that BuildKit does not heed.
    """
    if request.limits != Limits():
        raise EngineRefused("BuildKit heeds no limits, of memory or else. Leave them out, or build without BuildKit.")
    for found in routes():
        if found.route.can_keep_secrets or not request.secrets:
            return found
    raise NoBuildKit(
        "This build mounts a secret, and from here BuildKit can be reached only through the engine's API, which hands "
        "over no secrets. Install the buildx plugin of the docker client (`docker buildx version` then answers)."
    )


@cache
def _routes(path: str) -> tuple[Found, ...]:
    programs = dict.fromkeys(
        program for folder in path.split(os.pathsep) if folder and (program := shutil.which("docker", path=folder))
    )
    buildx = (found for program in programs if (found := _buildx(program)))
    clients = (found for program in programs if (found := _client(program)))
    api = Found(Route("api", "the engine's API", _API_LACKS))
    return (*list(buildx)[:1], api, *list(clients)[:1])


def _buildx(program: str) -> Found | None:
    match = _BUILDX.search(_said(program, "buildx", "version"))
    if match is None or (int(match[1]), int(match[2])) < _FIRST_RAWJSON:
        return None
    return Found(Route("buildx", f"docker buildx {match[0].removeprefix('v')}"), program)


def _client(program: str) -> Found | None:
    match = _CLIENT.search(_said(program, "--version"))
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if not _FIRST_CLIENT <= version < _FIRST_WITH_BUILDX:
        return None
    return Found(Route("cli", f"the docker client {version[0]}.{version[1]:02d}", _CLI_LACKS), program)


def _said(program: str, *arguments: str) -> str:
    try:
        ended = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout if ended.returncode == 0 else ""
