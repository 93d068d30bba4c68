"""A Docker engine of our own: one `dockerd` per user, with its own data, socket and log, for all checkouts.

Knows how to install, start, stop and remove it; what an engine is asked for is `live`'s business.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerlab.engine.private.lifecycle import ensure, purge, start, stop
    from layerlab.engine.private.ping import is_running
    from layerlab.engine.private.places import Paths, data_folder, paths
    from layerlab.engine.private.programs import install, installed
    from layerlab.engine.private.state import Status, log_tail, status

# Resolved on first use: `connect()` asks only whether ours is running, and should not pay for the rest.
_OWNERS = {
    "Paths": "places",
    "Status": "state",
    "data_folder": "places",
    "ensure": "lifecycle",
    "install": "programs",
    "installed": "programs",
    "is_running": "ping",
    "log_tail": "state",
    "paths": "places",
    "purge": "lifecycle",
    "start": "lifecycle",
    "status": "state",
    "stop": "lifecycle",
}

__all__ = [
    "Paths",
    "Status",
    "data_folder",
    "ensure",
    "install",
    "installed",
    "is_running",
    "log_tail",
    "paths",
    "purge",
    "start",
    "status",
    "stop",
]


def __getattr__(name: str) -> Any:
    if name in _OWNERS:
        return getattr(import_module(f"{__name__}.{_OWNERS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
