"""Requests in fewer words than the seam's own. Holds no test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest


def asked(what: BuildContext | Path | str, **options: Any) -> BuildRequest:
    """Ask for a build of a context, or of a folder as it lies on disk."""
    context = what if isinstance(what, BuildContext) else BuildContext.open(what)
    return BuildRequest(context=context, **options)
