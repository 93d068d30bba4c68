"""Layer Lab: container image optimization, measured on your own engine.

Importing this package loads nothing heavy: pandas, plotly and the Docker SDK come with first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name → module that owns it. A test keeps this table, __all__ and the type checker's view equal.
_PUBLIC: dict[str, str] = {}

__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
