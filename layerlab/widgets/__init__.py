"""Panels for notebooks: models and views, given callables, never an engine.

Importing this package loads no ipywidgets: each name comes with its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name → module that owns it.
_PUBLIC = {
    "Band": "layerlab.widgets.prediction",
    "BaseChoice": "layerlab.widgets.base_choice",
    "BuildPanel": "layerlab.widgets.build_panel",
    "Choice": "layerlab.widgets.questions",
    "DockerfilePanel": "layerlab.widgets.dockerfile_panel",
    "MeasuredBase": "layerlab.widgets.base_choice",
    "MultiChoice": "layerlab.widgets.questions",
    "Order": "layerlab.widgets.questions",
    "PointAt": "layerlab.widgets.questions",
    "Prediction": "layerlab.widgets.prediction",
    "Rollout": "layerlab.widgets.rollout",
    "ShortText": "layerlab.widgets.questions",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
