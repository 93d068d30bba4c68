"""Four recipes of one service, and which of their images carry the model: measured, not remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerlab.exercises.ex07_model_files.trial import fetched
from layerlab.exercises.kit.bench import Bench, built
from layerlab.units import size
from layerlab.widgets.waiting import waiting

APP = "exercise07/birds"
RECIPES: Mapping[str, tuple[str, str]] = {
    "A": ("Dockerfile.today", "fetches the model"),
    "B": ("Dockerfile.removed", "fetches it, and removes it in a later line"),
    "C": ("Dockerfile.builder", "fetches it in a builder, and copies the builder's folder"),
    "D": ("Dockerfile.mounted", "does not fetch it; containers get it mounted"),
}


def named(letter: str) -> str:
    """Return a recipe as a learner chooses it."""
    return f"{letter}: {RECIPES[letter][1]}"


NAMES = tuple(map(named, RECIPES))


@dataclass(frozen=True)
class Carriers:
    """What each image adds to its base, and how large the model is."""

    added: Mapping[str, int]
    model_bytes: int

    @classmethod
    def measured(cls, bench: Bench) -> Carriers:
        """Build the four recipes and weigh them. Raises what a build raises, and BaseError."""
        base = bench.base("slim")
        with waiting("building four images"):
            images = {
                named(letter): built(bench.begin(APP, dockerfile=file), f"image {letter}").image
                for letter, (file, _) in RECIPES.items()
            }
        model = fetched(bench.folder(APP) / "fetch_model.py")
        return cls({name: image.added_bytes(base) for name, image in images.items()}, model.stat().st_size)

    def carries(self, name: str) -> bool:
        """True where what the image adds cannot be less than the model."""
        return self.added[name] >= self.model_bytes

    def told(self, name: str) -> str:
        """Say what one adds: ``B adds 53.1 MB``."""
        return f"{name[0]} adds {size(self.added[name])}"
