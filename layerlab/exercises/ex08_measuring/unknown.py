"""The image that nobody explained: what each line of its history wrote, and what of that a container sees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from layerlab.exercises.kit.bench import Bench, built
from layerlab.image import Image, Layer
from layerlab.inspection import Inspection
from layerlab.waste import Finding
from layerlab.widgets.waiting import waiting

APP = "exercise08/herbarium"
INHERITED = "Dockerfile.inherited"
_TAG = "layerlab/ex08:herbarium"


@dataclass(frozen=True)
class Unknown:
    """An image as its engine describes it, and what lies in its layers."""

    image: Image
    inspection: Inspection

    @classmethod
    def built(cls, bench: Bench) -> Unknown:
        """Build it and look into it. Raises what a build raises, and BaseError."""
        with waiting("preparing the image"):
            # Not shown: the panel of a build would name the recipe.
            built(bench.begin(APP, dockerfile=INHERITED, tag=_TAG), "the image")
            # As the engine tells it: a build puts the recipe's own words into the history.
            image = bench.image(_TAG)
            return cls(image, bench.inspect(image, base=bench.base("slim")))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is hidden by lines that were added to the base, the most expensive first."""
        return self.inspection.own_findings

    @cached_property
    def hidden_bytes(self) -> Counter[int]:
        """Layer → how much of what it wrote no container sees."""
        hidden: Counter[int] = Counter()
        for one in self.inspection.union.wasted:
            hidden[one.written_by] += one.size_bytes
        return hidden

    @cached_property
    def hiding_bytes(self) -> Counter[int]:
        """Layer → how much it hides of what lies below it."""
        hiding: Counter[int] = Counter()
        for one in self.inspection.union.wasted:
            hiding[one.hidden_by] += one.size_bytes
        return hiding

    def layer_of(self, entry: int) -> Layer | None:
        """Return the layer that a line of the history made, or None."""
        return next((layer for layer in self.image.layers if layer.history_index == entry), None)

    @property
    def largest(self) -> Layer:
        """The largest layer above the base."""
        added = self.image.layers[self.inspection.base_layers :]
        return max(added, key=lambda layer: layer.size_bytes)
