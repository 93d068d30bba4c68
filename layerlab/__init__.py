"""Layer Lab: container image optimization, measured on your own engine.

Importing this package loads nothing heavy: pandas, plotly and the Docker SDK come with first use.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

from layerlab.version import __version__

if TYPE_CHECKING:
    from layerlab import (
        bases,
        build,
        claims,
        design_space,
        errors,
        exercises,
        figures,
        measure,
        probe,
        review,
        units,
        widgets,
    )
    from layerlab.engine import connect
    from layerlab.lab.lab import open_lab

# name → module that owns it ("layerlab" for the modules of this package themselves).
_PUBLIC = {
    "bases": "layerlab",
    "build": "layerlab",
    "claims": "layerlab",
    "connect": "layerlab.engine",
    "design_space": "layerlab",
    "errors": "layerlab",
    "exercises": "layerlab",
    "figures": "layerlab",
    "measure": "layerlab",
    "open_lab": "layerlab.lab.lab",
    "probe": "layerlab",
    "review": "layerlab",
    "units": "layerlab",
    "widgets": "layerlab",
}

# What takes seconds to load the first time, and why.
_SLOW = {"figures": "plotly", "measure": "pandas"}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    owner = _PUBLIC[name]
    if owner != __name__:
        return getattr(import_module(owner), name)
    with _said(name):
        return import_module(f"{owner}.{name}")


def _said(name: str) -> AbstractContextManager[None]:
    """Say below a notebook's cell what is loaded, where that takes long."""
    if name not in _SLOW or "IPython" not in sys.modules:
        return nullcontext()
    # By its name, since this package also runs where ipywidgets is not installed yet.
    waiting = import_module("layerlab.widgets.waiting").waiting
    said: AbstractContextManager[None] = waiting(f"loading {_SLOW[name]}, once in a session")
    return said


def __dir__() -> list[str]:
    return sorted(__all__)
