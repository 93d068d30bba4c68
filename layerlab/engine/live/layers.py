"""The shortest route to what an image's layers hold, and take packed: kept, walked where they lie, or streamed.

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
from operator import attrgetter
from pathlib import Path
from typing import Any

import platformdirs

from layerlab.archive import FileEntry, LayerFiles, PackedLayer
from layerlab.archive.cache import LayerCache, PackedCache
from layerlab.archive.collecting import paused

_CHUNK = 1 << 20
_OVERLAY = Path("/sys/module/overlay/parameters")
_PATH: Callable[[FileEntry], str] = attrgetter("path")


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
    with paused():
        return _layer_files(described, save, cache or LayerCache(_folder()))


def _layer_files(
    described: Mapping[str, Any], save: Callable[[str], Iterator[bytes]], cache: LayerCache
) -> tuple[LayerFiles, ...]:
    diff_ids = tuple(described["RootFS"]["Layers"])
    folders = overlay_folders(described)
    kept = [cache.get(diff_id) for diff_id in diff_ids]
    if folders is not None:
        places = zip(kept, folders, diff_ids, strict=True)
        layers = tuple(layer or _walked(folder, diff_id, cache) for layer, folder, diff_id in places)
        return _with_checksums(layers, folders, cache)
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
    return folders if is_ours and os.geteuid() == 0 and not _is_abridged() else None


def _is_abridged() -> bool:
    """True where this kernel writes renamed folders and changed modes as references to the layer below.

    Docker too gives up reading such folders as layers ("Native Overlay Diff" in `docker info`).
    """
    settings = (_OVERLAY / name for name in ("redirect_dir", "metacopy"))
    return any(setting.exists() and setting.read_text().startswith("Y") for setting in settings)


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


def _with_checksums(layers: Sequence[LayerFiles], folders: Sequence[Path], cache: LayerCache) -> tuple[LayerFiles, ...]:
    """Add the checksums that tell a chmod from a change: of files that a later layer has again in the same size."""
    places: dict[tuple[str, int], list[tuple[int, int]]] = {}
    several = _paths_in_several(layers)
    for layer, held in enumerate(layers):
        for number, entry in enumerate(held.entries):
            if entry.path in several and entry.kind == "file" and entry.size_bytes:
                places.setdefault((entry.path, entry.size_bytes), []).append((layer, number))
    missing: dict[int, list[int]] = {}
    for again in places.values():
        for layer, number in again if len(again) > 1 else ():
            if layers[layer].entries[number].checksum is None:
                missing.setdefault(layer, []).append(number)
    summed = {layer: _summed(layers[layer], folders[layer], numbers) for layer, numbers in missing.items()}
    for held in summed.values():
        cache.put(held)
    return tuple(summed.get(layer, held) for layer, held in enumerate(layers))


def _paths_in_several(layers: Sequence[LayerFiles]) -> set[str]:
    # Few among many, so everything else is done for these alone.
    seen: set[str] = set()
    several: set[str] = set()
    for layer in layers:
        own = set(map(_PATH, layer.entries))
        several |= seen & own
        seen |= own
    return several


def _summed(layer: LayerFiles, folder: Path, numbers: Sequence[int]) -> LayerFiles:
    entries = list(layer.entries)
    for number in numbers:
        entries[number] = entries[number]._replace(checksum=_checksum(folder / entries[number].path))
    return replace(layer, entries=tuple(entries))


def _checksum(path: Path) -> int:
    made = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            made = zlib.crc32(chunk, made)
    return made
