"""Live engines: Docker, Podman through its Docker API, and our private one. The only importer of the SDK."""

from __future__ import annotations

from layerlab.engine.live.engine import LiveEngine, environment_tls

__all__ = ["LiveEngine", "environment_tls"]
