"""The shortest road to what an image's layers hold, and take packed: kept, walked where they lie, or streamed.

Notes
-----
On Docker 20.10 `save` stages everything first, 36 to 52 MB a second; overlay2's folders, where this process may
read them, take a tenth of that. An engine on another machine or with another store gives an archive.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from layerlab.archive import FileEntry, LayerFiles, PackedLayer
from layerlab.archive.cache import LayerCache, PackedCache

_CHUNK = 1 << 20


def layer_files(
    described: Mapping[str, Any], *, save: Callable[[str], Iterator[bytes]], cache: LayerCache | None = None
) -> tuple[LayerFiles, ...]:
    """Return what each layer of an image holds, base-first.

    Parameters
    ----------
    described
        The engine's answer to inspecting the image.
    save
        Streams the archive of an image id.

    Raises
    ------
    ArchiveError
        The engine's archive cannot be read.
    """
    cache = cache or LayerCache(_folder())
    diff_ids = tuple(described["RootFS"]["Layers"])
    folders = overlay_folders(described)
    kept = [cache.get(diff_id) for diff_id in diff_ids]
    if folders is not None:
        places = zip(kept, folders, diff_ids, strict=True)
        layers = tuple(layer or _walked(folder, diff_id, cache) for layer, folder, diff_id in places)
        return _with_checksums(layers, folders)
    if all(kept):
        return tuple(layer for layer in kept if layer)
    return _streamed(save(str(described["Id"])), str(described["Id"]), cache)


def packed_layers(
    described: Mapping[str, Any], *, save: Callable[[str], Iterator[bytes]], cache: PackedCache | None = None
) -> tuple[PackedLayer, ...]:
    """Return what each layer of an image takes packed, base-first.

    Parameters and errors are those of `layer_files`. Where all layers are known nothing is streamed; an archive that
    is streamed for one of them goes by whole, because it names its layers at its end.
    """
    cache = cache or PackedCache(_folder())
    kept = [cache.get(diff_id) for diff_id in described["RootFS"]["Layers"]]
    if all(kept):
        return tuple(layer for layer in kept if layer)
    from layerlab.archive import read_packed

    image_id = str(described["Id"])
    layers = read_packed(save(image_id), reference=image_id)
    for layer in layers:
        cache.put(layer)
    return layers


def overlay_folders(described: Mapping[str, Any]) -> tuple[Path, ...] | None:
    """Return the folders of an image's layers, base-first, or None where this process cannot read them.

    overlay2 names them top-first: ``UpperDir``, then ``LowerDir`` with a colon between two.
    """
    driver = described.get("GraphDriver") or {}
    data = driver.get("Data") or {}
    if driver.get("Name") not in ("overlay2", "overlay") or not data.get("UpperDir"):
        return None
    top_first = [data["UpperDir"], *(data.get("LowerDir") or "").split(":")]
    folders = tuple(Path(name) for name in reversed(top_first) if name)
    is_ours = len(folders) == len(described["RootFS"]["Layers"]) and all(
        os.access(folder, os.R_OK | os.X_OK) for folder in folders
    )
    # Only root sees overlayfs' mark of an opaque folder; anybody else would count what it hides as visible.
    return folders if is_ours and os.geteuid() == 0 else None


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("layerlab")) / "layers"


def _walked(folder: Path, diff_id: str, cache: LayerCache) -> LayerFiles:
    from layerlab.archive.folders import read_folder

    layer = read_folder(folder, diff_id)
    cache.put(layer)
    return layer


def _streamed(chunks: Iterator[bytes], image_id: str, cache: LayerCache) -> tuple[LayerFiles, ...]:
    from layerlab.archive import read

    layers = read(chunks, reference=image_id).layers
    for layer in layers:
        cache.put(layer)
    return layers


def _with_checksums(layers: Sequence[LayerFiles], folders: Sequence[Path]) -> tuple[LayerFiles, ...]:
    """Add the checksums that tell a chmod from a change: of files that a later layer has again in the same size."""
    places: dict[tuple[str, int], list[int]] = {}
    for number, layer in enumerate(layers):
        for entry in layer.entries:
            if entry.kind == "file" and entry.size_bytes:
                places.setdefault((entry.path, entry.size_bytes), []).append(number)
    again = {place for place, numbers in places.items() if len(numbers) > 1}
    return (
        tuple(_summed(layer, folder, again) for layer, folder in zip(layers, folders, strict=True))
        if again
        else tuple(layers)
    )


def _summed(layer: LayerFiles, folder: Path, again: set[tuple[str, int]]) -> LayerFiles:
    def summed(entry: FileEntry) -> FileEntry:
        if entry.checksum is None and entry.kind == "file" and (entry.path, entry.size_bytes) in again:
            return entry._replace(checksum=_checksum(folder / entry.path))
        return entry

    return replace(layer, entries=tuple(map(summed, layer.entries)))


def _checksum(path: Path) -> int:
    made = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            made = zlib.crc32(chunk, made)
    return made
