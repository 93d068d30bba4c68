"""Every byte of an image by name: layer, Dockerfile line, package, cause. Given values; asks no engine."""

from __future__ import annotations

from layerlab.attribution.causes import CAUSES, Cause
from layerlab.attribution.files import Attributed, attribute
from layerlab.attribution.surface import Surface, surface

__all__ = ["CAUSES", "Attributed", "Cause", "Surface", "attribute", "surface"]
