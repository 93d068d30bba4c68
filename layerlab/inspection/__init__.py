"""One image looked into: what lies in its layers, and the sizes that tools give it. Shows nothing itself."""

from __future__ import annotations

from layerlab.inspection.inspection import Inspection, of_archive, of_engine
from layerlab.inspection.sizes import ThreeSizes, ToolSize, three_sizes

__all__ = ["Inspection", "ThreeSizes", "ToolSize", "of_archive", "of_engine", "three_sizes"]
