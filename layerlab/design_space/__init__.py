"""The recipes of the design-space explorer: five choices, the combinations worth building, each as a Dockerfile.

Draws nothing and knows no course.
"""

from __future__ import annotations

from layerlab.design_space.axes import AXES, Axis
from layerlab.design_space.combinations import COMBINATIONS, Combination, Gap, gap, named, neighbours
from layerlab.design_space.front import beats, front, noise_seconds
from layerlab.design_space.measuring import Measured, Spending, matrix
from layerlab.design_space.recipe import recipe

__all__ = [
    "AXES",
    "COMBINATIONS",
    "Axis",
    "Combination",
    "Gap",
    "Measured",
    "Spending",
    "beats",
    "front",
    "gap",
    "matrix",
    "named",
    "neighbours",
    "noise_seconds",
    "recipe",
]
