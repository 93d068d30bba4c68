"""Picks an engine and says which and why. The seam itself is in `layerlab.engine.protocol`."""

from __future__ import annotations

from layerlab.engine.choice import connect
from layerlab.engine.protocol import Engine, EngineInfo

__all__ = ["Engine", "EngineInfo", "connect"]
