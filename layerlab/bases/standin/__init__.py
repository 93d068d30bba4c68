"""Builds stand-ins for the official bases from this machine's own distribution, in the private engine only."""

from __future__ import annotations

from layerlab.bases.standin.building import build

__all__ = ["build"]
