"""Four recipes of one service, and which of their images carry the model: measured, not remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerlab.units import size

RECIPES: Mapping[str, tuple[str, str]] = {
    "A": ("Dockerfile.today", "fetches the model"),
    "B": ("Dockerfile.removed", "fetches it, and removes it in a later line"),
    "C": ("Dockerfile.builder", "fetches it in a builder, and copies the builder's folder"),
    "D": ("Dockerfile.mounted", "does not fetch it; containers get it mounted"),
}


def named(letter: str) -> str:
    """Return a recipe as a learner chooses it."""
    return f"{letter}: {RECIPES[letter][1]}"


@dataclass(frozen=True)
class Carriers:
    """What each image adds to its base, and how large the model is."""

    added: Mapping[str, int]
    model_bytes: int

    def carries(self, name: str) -> bool:
        """True where what the image adds cannot be less than the model."""
        return self.added[name] >= self.model_bytes

    def told(self, name: str) -> str:
        """Say what one adds: ``B adds 53.1 MB``."""
        return f"{name[0]} adds {size(self.added[name])}"
