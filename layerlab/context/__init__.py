"""Build contexts as values: files after `.dockerignore`, digests, a deterministic tar, what reruns. Knows no engine."""

from __future__ import annotations

from layerlab.context.build_context import BuildContext, MissingSource
from layerlab.context.folder import ContextFile
from layerlab.context.reruns import reruns

__all__ = ["BuildContext", "ContextFile", "MissingSource", "reruns"]
