"""Every byte of an image by name: layer, Dockerfile line, package, cause. Given values; asks no engine."""

from __future__ import annotations

from layerlab.attribution.causes import CAUSES, Cause
from layerlab.attribution.files import Attributed, attribute

__all__ = ["CAUSES", "Attributed", "Cause", "attribute"]
