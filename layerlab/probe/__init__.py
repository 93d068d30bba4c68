"""Questions to a built image: does it serve, as whom, what becomes of a start, what lies in it, what rode along."""

from __future__ import annotations

from layerlab.probe.carried import Ride, copied, is_installer
from layerlab.probe.contents import Contents, Distribution, Tool, contents
from layerlab.probe.serving import Probe, get, local_service, probe
from layerlab.probe.starting import Start, start

__all__ = [
    "Contents",
    "Distribution",
    "Probe",
    "Ride",
    "Start",
    "Tool",
    "contents",
    "copied",
    "get",
    "is_installer",
    "local_service",
    "probe",
    "start",
]
