"""One row a file: its bytes, the layer and line that wrote them, the package, the cause, and whether they are waste."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from layerlab.archive.entries import FileEntry, LayerFiles
from layerlab.attribution.causes import Cause, cause, source_of_bytecode
from layerlab.image import Image
from layerlab.waste import Union, Wasted, union

_FROM_CONTEXT = re.compile(r"(COPY|ADD)\s+(?!.*--from=)", re.IGNORECASE | re.DOTALL)


class Attributed(NamedTuple):
    """A file, or symbolic link, in one layer.

    Attributes
    ----------
    layer
        Index, base-first; ``instruction`` made it, which stands in ``line`` of the Dockerfile where that is known.
    package
        ``python:fastapi 0.115.0``, ``debian:gcc-12``; empty where no package database claims the file.
    wasted
        How and by whom its bytes were hidden, or None where a container sees them.
    """

    path: str
    size_bytes: int
    layer: int
    instruction: str
    line: int | None
    package: str
    cause: Cause
    wasted: Wasted | None


def attribute(
    image: Image,
    layers: Sequence[LayerFiles],
    *,
    base_layers: int = 0,
    lines: Mapping[int, int] | None = None,
    site_layer: str = "",
    merged: Union | None = None,
) -> tuple[Attributed, ...]:
    """Name every byte of an image; the sizes add up to the sum of its layers.

    Parameters
    ----------
    layers
        What the image's layers hold, base-first (`Engine.layer_files`, `archive.read`).
    base_layers
        How many of the lowest layers are the base's.
    lines
        Layer → line of the Dockerfile.
    site_layer
        Words in the instruction of the layer by which a stand-in base reaches this machine's package indexes.
    merged
        The `union` of the layers, where it is known already.
    """
    merged = merged or union(layers)
    hidden = _hidden(merged)
    owners: dict[str, str] = {}
    seen: dict[str, FileEntry] = {}
    rows: list[Attributed] = []
    instructions = [layer.instruction for layer in image.layers]
    for number, layer in enumerate(layers):
        owners.update(layer.owners)
        instruction = instructions[number] if number < len(instructions) else ""
        is_context = bool(_FROM_CONTEXT.match(instruction))
        for entry in layer.entries:
            if entry.kind not in ("file", "symlink"):
                continue
            package = owners.get(entry.path) or owners.get(source_of_bytecode(entry.path), "")
            if number < base_layers:
                why: Cause = "site layer" if site_layer and site_layer in instruction else "base"
            else:
                again = _is_again(seen.get(entry.path), entry)
                why = cause(entry.path, package, is_again=again, is_context=is_context)
            wasted = next(hidden.get((entry.path, number), iter(())), None)
            line = (lines or {}).get(number)
            rows.append(Attributed(entry.path, entry.size_bytes, number, instruction, line, package, why, wasted))
            seen[entry.path] = entry
    return tuple(rows)


def _hidden(merged: Union) -> dict[tuple[str, int], Iterator[Wasted]]:
    # One tar may hold a path twice, so each place has a queue.
    places: dict[tuple[str, int], list[Wasted]] = {}
    for one in merged.wasted:
        places.setdefault((one.path, one.written_by), []).append(one)
    return {place: iter(found) for place, found in places.items()}


def _is_again(below: FileEntry | None, entry: FileEntry) -> bool:
    return (
        below is not None
        and entry.size_bytes > 0
        and below.size_bytes == entry.size_bytes
        and below.checksum is not None
        and below.checksum == entry.checksum
    )
