"""Questions to a built image: does it still serve, as whom, what lies in it, what rode along, what it uses."""

from __future__ import annotations

from layerlab.probe.carried import Ride, copied, is_installer
from layerlab.probe.contents import Contents, Distribution, Tool, contents
from layerlab.probe.running import Library, Package, Running, running
from layerlab.probe.serving import Probe, get, local_service, probe

__all__ = [
    "Contents",
    "Distribution",
    "Library",
    "Package",
    "Probe",
    "Ride",
    "Running",
    "Tool",
    "contents",
    "copied",
    "get",
    "is_installer",
    "local_service",
    "probe",
    "running",
]
