"""BuildKit on a Docker engine, driven by buildx: what `docker build` does."""

from __future__ import annotations

from layerlab.engine.live.buildkit.building import LiveBuildKitBuild

__all__ = ["LiveBuildKitBuild"]
