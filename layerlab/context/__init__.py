"""Build contexts as values: files after `.dockerignore`, digests, and a deterministic tar. Knows no engine."""

from __future__ import annotations

from layerlab.context.build_context import BuildContext, MissingSource
from layerlab.context.folder import ContextFile

__all__ = ["BuildContext", "ContextFile", "MissingSource"]
