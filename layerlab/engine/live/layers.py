"""The shortest route to what an image's layers hold, and take packed: kept, walked where they lie, or streamed.

Notes
-----
`save` stages everything first, 36 to 60 MB a second (20.10 and 28.5); overlay2's folders and the content store of a
containerd on this machine, where this process may read them, take a tenth of that. Any other engine gives an archive.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from layerlab import units
from layerlab.archive import FileEntry, LayerFiles, PackedLayer
from layerlab.archive.cache import LayerCache, PackedCache
from layerlab.archive.collecting import paused
from layerlab.narration import tell

if TYPE_CHECKING:
    from layerlab.archive.content_store import ContentStore
    from layerlab.archive.manifests import Chosen

_CHUNK = 1 << 20
_OVERLAY = Path("/sys/module/overlay/parameters")
_PATH: Callable[[FileEntry], str] = attrgetter("path")


Save = Callable[[str], Iterator[bytes]]


def layer_files(
    described: Mapping[str, Any],
    *,
    save: Save,
    cache: LayerCache | None = None,
    content: Sequence[Path] = (),
) -> tuple[LayerFiles, ...]:
    """Return what each layer of an image holds, base-first.

    Parameters
    ----------
    described
        The engine's answer to inspecting the image.
    save
        Streams the archive of an image id.
    content
        Folders that may be the root of the containerd which keeps the engine's images; see `content_roots`.

    Raises
    ------
    ArchiveError
        The engine's archive cannot be read.
    """
    cache = cache or LayerCache(_folder())
    with paused():
        known = {diff_id: cache.get(diff_id) for diff_id in _diff_ids(described)}
        layers = {diff_id: layer for diff_id, layer in known.items() if layer is not None}
        layers |= _read(described, known.keys() - layers.keys(), save, cache, content)
        held = tuple(layers[diff_id] for diff_id in _diff_ids(described))
        unsummed = _unsummed(held)
        if not unsummed:
            return held
        if (folders := overlay_folders(described)) is not None:
            return _with_checksums(held, unsummed, folders, cache)
        # Walked on another engine, which had reason to look into other files.
        layers |= _read(described, {held[number].diff_id for number in unsummed}, save, cache, content)
        return tuple(layers[diff_id] for diff_id in _diff_ids(described))


def layer_sizes(
    described: Mapping[str, Any],
    *,
    save: Save,
    cache: LayerCache | None = None,
    content: Sequence[Path] = (),
) -> tuple[int, ...]:
    """Return the size on disk of each layer, base-first, and read those alone that were never read before.

    Parameters and errors are those of `layer_files`.
    """
    cache = cache or LayerCache(_folder())
    known = {diff_id: cache.size_bytes(diff_id) for diff_id in _diff_ids(described)}
    sizes = {diff_id: size for diff_id, size in known.items() if size is not None}
    with paused():
        read = _read(described, known.keys() - sizes.keys(), save, cache, content)
    sizes |= {diff_id: layer.size_bytes for diff_id, layer in read.items()}
    return tuple(sizes[diff_id] for diff_id in _diff_ids(described))


def packed_layers(
    described: Mapping[str, Any],
    *,
    save: Save,
    cache: PackedCache | None = None,
    content: Sequence[Path] = (),
) -> tuple[PackedLayer, ...]:
    """Return what each layer of an image takes packed, base-first.

    Parameters and errors are those of `layer_files`. Where all layers are known nothing is streamed; an archive that
    is streamed for one of them goes by whole, because it names its layers at its end.
    """
    cache = cache or PackedCache(_folder())
    diff_ids = _diff_ids(described)
    layers = {diff_id: layer for diff_id in diff_ids if (layer := cache.get(diff_id)) is not None}
    missing = set(diff_ids) - layers.keys()
    for store, image in _content_of(described, content) if missing else ():
        read = store.packed(image, missing)
        layers |= read
        missing -= read.keys()
        for layer in read.values():
            cache.put(layer)
    if not missing:
        return tuple(layers[diff_id] for diff_id in diff_ids)
    from layerlab.archive import read_packed

    _tell(described)
    image_id = str(described["Id"])
    streamed = read_packed(save(image_id), reference=image_id)
    for layer in streamed:
        cache.put(layer)
    return streamed


def content_roots(info: Mapping[str, Any], given: Path | None = None) -> tuple[Path, ...]:
    """Return where an engine's images may lie on this machine, where it keeps them in containerd at all.

    Blobs are called by their digest, so a folder of another engine's holds the right one or none.

    Parameters
    ----------
    info
        The engine's answer to ``GET /info``.
    given
        The root of the containerd that we started ourselves.

    Notes
    -----
    A containerd that dockerd starts has its root in the engine's own (moby 28.5, daemon/command/daemon_unix.go:
    ``<data-root>/containerd/daemon``); one that the system starts in ``/var/lib/containerd``.
    """
    # ["driver-type", "io.containerd.snapshotter.v1"] (moby 28.5, daemon/containerd/service.go).
    if not any("io.containerd.snapshotter" in str(pair) for pair in info.get("DriverStatus") or ()):
        return ()
    data_root = info.get("DockerRootDir")
    own = [Path(str(data_root), "containerd", "daemon")] if data_root else []
    return (*([given] if given else []), *own, Path("/var/lib/containerd"))


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
    is_ours = len(folders) == len(_diff_ids(described)) and all(
        os.access(folder, os.R_OK | os.X_OK) for folder in folders
    )
    # Only root sees overlayfs' mark of an opaque folder; anybody else would count what it hides as visible.
    return folders if is_ours and os.geteuid() == 0 and not _is_abridged() else None


def _diff_ids(described: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple((described.get("RootFS") or {}).get("Layers") or ())  # null where an image has no layer


def _is_abridged() -> bool:
    """True where this kernel writes renamed folders and changed modes as references to the layer below.

    Docker too gives up reading such folders as layers ("Native Overlay Diff" in `docker info`).
    """
    settings = (_OVERLAY / name for name in ("redirect_dir", "metacopy"))
    return any(setting.exists() and setting.read_text().startswith("Y") for setting in settings)


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("layerlab")) / "layers"


def _read(
    described: Mapping[str, Any], missing: Set[str], save: Save, cache: LayerCache, content: Sequence[Path]
) -> dict[str, LayerFiles]:
    """Read those layers by the shortest route, and keep them."""
    missing = set(missing)
    layers: dict[str, LayerFiles] = {}
    if missing and (folders := overlay_folders(described)) is not None:
        from layerlab.archive.folders import read_folder

        places = dict(zip(_diff_ids(described), folders, strict=True))
        layers = {diff_id: read_folder(places[diff_id], diff_id) for diff_id in missing}
    else:
        for store, image in _content_of(described, content) if missing else ():
            layers |= store.layers(image, missing - layers.keys())
    for layer in layers.values():
        cache.put(layer)
    rest = missing - layers.keys()
    return layers | _streamed(described, rest, save, cache) if rest else layers


def _content_of(described: Mapping[str, Any], content: Sequence[Path]) -> Iterator[tuple[ContentStore, Chosen]]:
    if not content:
        return
    from layerlab.archive.content_store import ContentStore

    for root in content:
        store = ContentStore(root)
        image = store.image(str(described["Id"]))
        # An index may have an image for each of several platforms, and the engine shows the one that it runs.
        if image is not None and image.diff_ids == _diff_ids(described):
            yield store, image


def _streamed(described: Mapping[str, Any], missing: Set[str], save: Save, cache: LayerCache) -> dict[str, LayerFiles]:
    from layerlab.archive.image_archive import read_layers

    _tell(described)
    image_id = str(described["Id"])
    layers = read_layers(
        save(image_id),
        digest=image_id,
        known=lambda blob: None if (diff_id := cache.diff_id(blob)) in missing else cache.get(diff_id),
        note=cache.note_blob,
    )
    for layer in layers:
        if layer.diff_id in missing:
            cache.put(layer)
    return {layer.diff_id: layer for layer in layers if layer.diff_id in missing}


def _tell(described: Mapping[str, Any]) -> None:
    name = next(iter(described.get("RepoTags") or ()), str(described["Id"])[:19])
    size = units.size(int(described.get("Size") or 0))
    tell(f"reading the layers of {name} for its exact size ({size} by the engine's own count)")


def _unsummed(layers: Sequence[LayerFiles]) -> dict[int, list[int]]:
    """Return, layer by layer, the entries whose checksums tell a chmod from a change, and that nobody has read.

    They are files that a later layer has again in the same size.
    """
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
    return missing


def _with_checksums(
    layers: Sequence[LayerFiles], unsummed: Mapping[int, Sequence[int]], folders: Sequence[Path], cache: LayerCache
) -> tuple[LayerFiles, ...]:
    summed = {layer: _summed(layers[layer], folders[layer], numbers) for layer, numbers in unsummed.items()}
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
