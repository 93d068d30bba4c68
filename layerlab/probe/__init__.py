"""Questions to a built image: does it serve, as whom, how it starts, what lies in it, rode along, or is used."""

from __future__ import annotations

from layerlab.probe.carried import CopiedItem, copied, is_installer
from layerlab.probe.contents import Contents, Distribution, Tool, contents
from layerlab.probe.effort import start_work
from layerlab.probe.running import Library, Package, Running, running
from layerlab.probe.serving import Probe, get, local_service, probe
from layerlab.probe.starting import Start, start

__all__ = [
    "Contents",
    "CopiedItem",
    "Distribution",
    "Library",
    "Package",
    "Probe",
    "Running",
    "Start",
    "Tool",
    "contents",
    "copied",
    "get",
    "is_installer",
    "local_service",
    "probe",
    "running",
    "start",
    "start_work",
]
