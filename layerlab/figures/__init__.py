"""Tables in, figures out: each with its numbers as text beside it. Measures nothing itself."""

from __future__ import annotations

from layerlab.figures.calibration import calibration
from layerlab.figures.icicle import file_icicle
from layerlab.figures.ladder import size_ladder
from layerlab.figures.sheet import Figure
from layerlab.figures.space import build_space
from layerlab.figures.stack import layer_stack, official_layers
from layerlab.figures.timeline import build_timeline
from layerlab.figures.timing import step_times
from layerlab.figures.tools import sizes_by_tool
from layerlab.figures.wasted import waste_bars
from layerlab.figures.waterfall import size_waterfall

__all__ = [
    "Figure",
    "build_space",
    "build_timeline",
    "calibration",
    "file_icicle",
    "layer_stack",
    "official_layers",
    "size_ladder",
    "size_waterfall",
    "sizes_by_tool",
    "step_times",
    "waste_bars",
]
