"""BuildKit on a Docker engine: which route leads there, and a build that takes it."""

from __future__ import annotations

from layerlab.engine.live.buildkit.building import LiveBuildKitBuild

__all__ = ["LiveBuildKitBuild"]
