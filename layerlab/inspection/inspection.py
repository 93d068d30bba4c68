"""One image looked into: its layers, files, waste and causes, from an engine or an archive. Shows nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab.attribution import Attributed, Surface, attribute, surface
from layerlab.bases.inventory import SITE_LAYER
from layerlab.image import Image, shared_prefix
from layerlab.narration import tell
from layerlab.waste import Finding, Maker, Union, findings, union

if TYPE_CHECKING:
    from layerlab.archive import LayerFiles
    from layerlab.engine.protocol import Engine


@dataclass(frozen=True)
class Inspection:
    """An image and everything that lies in its layers, base-first.

    Attributes
    ----------
    base_layers
        How many of the lowest layers belong to the base.
    base
        What the base is called, or "" where none was found: then every layer counts as added.
    lines
        Layer → line of the Dockerfile, where that is known.
    """

    image: Image
    layers: tuple[LayerFiles, ...]
    base_layers: int = 0
    base: str = ""
    lines: tuple[tuple[int, int], ...] = ()

    @property
    def name(self) -> str:
        """The image's first tag, else the beginning of its id."""
        return self.image.name

    @cached_property
    def size_bytes(self) -> int:
        """Uncompressed: what all layers hold together."""
        return sum(layer.size_bytes for layer in self.layers)

    @cached_property
    def union(self) -> Union:
        """The layers as one file system, and what it hides."""
        return union(self.layers)

    @property
    def waste_bytes(self) -> int:
        """All bytes that no container sees, the base's own among them."""
        return self.union.waste_bytes

    @cached_property
    def makers(self) -> tuple[Maker, ...]:
        """What made each layer."""
        lines = dict(self.lines)
        instructions = [layer.instruction for layer in self.image.layers]
        return tuple(
            Maker(number, instructions[number], lines.get(number), number < self.base_layers)
            for number in range(len(self.layers))
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wasted, the most expensive first."""
        return findings(self.union, self.makers)

    @property
    def own_findings(self) -> tuple[Finding, ...]:
        """What is wasted by layers that were added to the base."""
        return tuple(one for one in self.findings if not one.hider.is_base)

    @cached_property
    def files(self) -> tuple[Attributed, ...]:
        """Every file of every layer, with its package and cause."""
        return attribute(
            self.image,
            self.layers,
            base_layers=self.base_layers,
            lines=dict(self.lines),
            site_layer=SITE_LAYER,
            merged=self.union,
        )

    @cached_property
    def surface(self) -> Surface:
        """What an intruder would find."""
        return surface(self.union, self.layers)


def of_engine(
    engine: Engine, image: Image, *, base: Image | None = None, lines: Mapping[int, int] | None = None
) -> Inspection:
    """Look into an image that an engine holds.

    Parameters
    ----------
    base
        The image it stands on; else the largest tagged image of the engine whose layers are its lowest ones.

    Raises
    ------
    ImageNotFound, ArchiveError, NotRecorded
    """
    tell("reading the image's layers")
    layers = engine.layer_files(image.id)
    count, name = _base_of(engine, image) if base is None else (shared_prefix(image.diff_ids, base.diff_ids), base.name)
    return Inspection(image, layers, count, name, tuple((lines or {}).items()))


def of_archive(path: Path, *, reference: str | None = None, base: Image | None = None) -> Inspection:
    """Look into an image archive, as `docker save` or buildx write it.

    Raises
    ------
    ArchiveError
    """
    from layerlab.archive import read

    found = read(path, reference=reference)
    count = shared_prefix(found.image.diff_ids, base.diff_ids) if base else 0
    return Inspection(found.image, found.layers, count, base.name if base and count else "")


def _base_of(engine: Engine, image: Image) -> tuple[int, str]:
    best, name = 0, ""
    for entry in engine.images():
        tags = [tag for tag in entry.get("RepoTags") or () if tag != "<none>:<none>"]
        if not tags or entry["Id"] == image.id or set(tags) & set(image.tags):
            continue
        diff_ids: Sequence[str] = engine.inspect(entry["Id"])["RootFS"].get("Layers") or ()
        count = shared_prefix(diff_ids, image.diff_ids)
        if best < count == len(diff_ids) < len(image.diff_ids) and not _is_course_image(tags, engine.info.namespace):
            best, name = count, tags[0]
    return best, name


def _is_course_image(tags: Sequence[str], namespace: str) -> bool:
    # What a notebook built is no base, though another build of the same recipe continues its layers.
    return all(tag.startswith(namespace) for tag in tags)
