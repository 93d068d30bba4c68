"""A registry of the course's own on this machine: what a push sends, what a node fetches. Holds nothing for long."""

from __future__ import annotations

from layerlab.engine.registry.values import Blob, Registry, Transfer

__all__ = ["Blob", "Registry", "Transfer"]
