"""What the docker command needs to find the private engine and its plugins. Knows variables and links, no engine.

The docker command 28.5 looks for plugins in ``cliPluginsExtraDirs`` of its configuration, in ``cli-plugins`` beside
it, and in four system folders (cli-plugins/manager, ``getPluginDirs``); no variable names another. So
``DOCKER_CONFIG`` names a folder of ours: our plugins, and links to the user's own and to their configuration.
Credentials are read through the links and copied nowhere; nothing is ever written into the user's folder, unless by
a command of theirs (`docker login`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from layerlab.engine.private.places import Paths, paths

PLUGINS = "cli-plugins"
# Credentials, and the user's other engines by name. What buildx and BuildKit write down of builds goes into ours.
_LINKED = ("config.json", "contexts", "trust")
_EMPTIED = ("BUILDX_BUILDER", "DOCKER_TLS", "DOCKER_TLS_VERIFY")


def variables(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables by which a terminal's ``docker``, and all libraries, find our engine; make their folder.

    Notes
    -----
    ``DOCKER_HOST`` stands above ``DOCKER_CONTEXT`` (cli/command, ``resolveContextName``). What would make the docker
    command speak TLS to a unix socket, or build elsewhere, is emptied, which counts as not set.
    """
    where = paths()
    _link(where, _users_folder(given, where))
    docker = str(where.program_folders[0])
    path = [folder for folder in given.get("PATH", os.defpath).split(os.pathsep) if folder != docker]
    emptied = {name: "" for name in _EMPTIED if given.get(name)}
    return {
        "PATH": os.pathsep.join([docker, *path]),
        "DOCKER_HOST": where.url,
        "DOCKER_CONFIG": str(where.client),
        **emptied,
    }


def _users_folder(given: Mapping[str, str], where: Paths) -> Path:
    named = given.get("DOCKER_CONFIG", "")
    # In a terminal of the course ours is named already.
    return Path(named) if named and Path(named) != where.client else Path.home() / ".docker"


def _link(where: Paths, user: Path) -> None:
    """Make the folder anew; what the docker command itself put there, as a login without a user's folder, stays."""
    where.root.mkdir(parents=True, exist_ok=True)
    where.client.mkdir(mode=0o700, exist_ok=True)
    plugins = where.client / PLUGINS
    shutil.rmtree(plugins, ignore_errors=True)
    plugins.mkdir()
    for entry in where.client.iterdir():
        if entry.is_symlink():
            entry.unlink()
    for plugin in (*_entries(where.plugins), *_entries(user / PLUGINS)):
        _link_unless_taken(plugins / plugin.name, plugin)
    for name in _LINKED:
        if (user / name).exists():
            _link_unless_taken(where.client / name, user / name)


def _link_unless_taken(link: Path, target: Path) -> None:
    if not link.exists() and not link.is_symlink():
        link.symlink_to(target)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
