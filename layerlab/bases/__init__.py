"""Provides the base images: present, else registry or mirror, else (private engine only) a stand-in of our own.

Never changes which engine was chosen, and never calls a stand-in official.
"""

from __future__ import annotations

from layerlab.bases.background import Background
from layerlab.bases.background import start as start_background
from layerlab.bases.background import status as background_status
from layerlab.bases.background import stop as stop_background
from layerlab.bases.inventory import BaseStatus, Provenance, build_arguments, provenance, py_minor, status
from layerlab.bases.official import OfficialBase, OfficialLayer, official
from layerlab.bases.progress import LayerProgress, Progress
from layerlab.bases.provision import ensure
from layerlab.bases.resolution import Base, resolve
from layerlab.bases.specs import BASES, BaseSpec

__all__ = [
    "BASES",
    "Background",
    "Base",
    "BaseSpec",
    "BaseStatus",
    "LayerProgress",
    "OfficialBase",
    "OfficialLayer",
    "Progress",
    "Provenance",
    "background_status",
    "build_arguments",
    "ensure",
    "official",
    "provenance",
    "py_minor",
    "resolve",
    "start_background",
    "status",
    "stop_background",
]
