"""A Docker engine of our own: one `dockerd` and `containerd` per user, with own data, sockets and log.

All checkouts share it. Knows how to fetch, start, stop and remove it; what an engine is asked for is `live`'s business.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerlab.engine.private.client import variables
    from layerlab.engine.private.lifecycle import ensure, purge, start, stop
    from layerlab.engine.private.ping import is_running
    from layerlab.engine.private.places import Paths, data_folder, earlier_paths, paths
    from layerlab.engine.private.preflight import check_system
    from layerlab.engine.private.programs import install, installed, past_date
    from layerlab.engine.private.state import Status, log_tail, status

# Resolved on first use: `connect()` asks only whether ours is running, and should not pay for the rest.
_OWNERS = {
    "Paths": "places",
    "Status": "state",
    "check_system": "preflight",
    "data_folder": "places",
    "earlier_paths": "places",
    "ensure": "lifecycle",
    "install": "programs",
    "installed": "programs",
    "is_running": "ping",
    "log_tail": "state",
    "past_date": "programs",
    "paths": "places",
    "purge": "lifecycle",
    "start": "lifecycle",
    "status": "state",
    "stop": "lifecycle",
    "variables": "client",
}

__all__ = [
    "Paths",
    "Status",
    "check_system",
    "data_folder",
    "earlier_paths",
    "ensure",
    "install",
    "installed",
    "is_running",
    "log_tail",
    "past_date",
    "paths",
    "purge",
    "start",
    "status",
    "stop",
    "variables",
]


def __getattr__(name: str) -> Any:
    if name in _OWNERS:
        return getattr(import_module(f"{__name__}.{_OWNERS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
