"""A Docker engine of our own: one `dockerd` per user, with its own data, socket and log, for all checkouts.

Knows how to install, start, stop and remove it; what an engine is asked for is `live`'s business.
"""

from __future__ import annotations

from layerlab.engine.private.install import install, installed
from layerlab.engine.private.lifecycle import Status, ensure, is_running, log_tail, purge, start, status, stop
from layerlab.engine.private.places import Paths, data_folder, paths

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
