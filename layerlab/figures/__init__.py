"""Tables in, figures out: each with its numbers as text beside it. Measures nothing itself."""

from __future__ import annotations

from layerlab.figures.calibration import calibration
from layerlab.figures.ladder import size_ladder
from layerlab.figures.sheet import Figure
from layerlab.figures.stack import layer_stack, official_layers
from layerlab.figures.timeline import build_timeline
from layerlab.figures.timing import step_times

__all__ = ["Figure", "build_timeline", "calibration", "layer_stack", "official_layers", "size_ladder", "step_times"]
