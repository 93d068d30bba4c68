"""An image archive as a stream → an Image and the files of its layers, in one pass and without unpacking anything.

Knows the layouts: `docker save` of 20.10 (``ID/layer.tar``), OCI blobs (`docker save` from 25 on, buildx, skopeo),
Podman's flat ``DIGEST.tar``. The list of layers may stand behind the layers, so every blob that is a tar is read.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from layerlab import units
from layerlab.archive import headers as tar
from layerlab.archive.collecting import paused
from layerlab.archive.entries import LayerFiles
from layerlab.archive.headers import BLOCK, FILE_FLAGS, ZEROS, Member
from layerlab.archive.layer import MOST_ENTRIES, clean_path, read_layer, too_many_entries
from layerlab.archive.manifests import Chosen, choose, choose_by_digest, image_of
from layerlab.archive.members import members
from layerlab.archive.packed import PackedLayer, gzipped_bytes
from layerlab.archive.packing import Packing, packing, unpacked
from layerlab.archive.stream import Stream
from layerlab.errors import ArchiveError
from layerlab.image import Image

_CHUNK = 1 << 18
# Registries take manifests of up to 4 MiB; what is larger is a bill of materials, or made to do harm.
_LONGEST_JSON = 8 << 20
_MOST_JSON = 64 << 20
_LONGEST_CHAIN = 16
_BLOBS = "blobs/"

_Layer = TypeVar("_Layer")
# A stream that stands before a blob, how the blob is packed, its bytes and its name → what was wanted of it.
_Reader = Callable[[Stream, Packing, int, str], _Layer]


@dataclass(frozen=True)
class ImageArchive:
    """An image, and what each of its layers holds; both base-first."""

    image: Image
    layers: tuple[LayerFiles, ...]


def read(source: Path | Iterable[bytes], *, reference: str | None = None) -> ImageArchive:
    """Read one image out of an archive.

    Parameters
    ----------
    source
        A file (packed with gzip or zstd, or not), or the chunks of a stream, such as `Engine.save`.
    reference
        Which image, by tag or id, where the archive holds several.

    Raises
    ------
    ArchiveError
        Damaged, cut off, hostile, no image archive, or without the image that was asked for. Nothing is unpacked.
    """
    blobs = _Blobs(_files_of)
    _read_all(blobs, source)
    return _assembled(choose(blobs.documents, reference), blobs)


def read_layers(
    source: Iterable[bytes],
    *,
    digest: str,
    known: Callable[[str], LayerFiles | None] = lambda blob: None,
    note: Callable[[str, str], None] = lambda blob, diff_id: None,
) -> tuple[LayerFiles, ...]:
    """Return the layers of the image that an engine calls by that digest, and read no further than they need.

    Parameters
    ----------
    source
        The chunks of a stream, such as `Engine.save`.
    known
        The digest of a blob → the layer that it is known to hold, or None; such a blob is passed over.
    note
        Told of each packed blob the digest and the diff_id of its layer.

    Raises
    ------
    ArchiveError
        As `read`.
    """
    blobs = _Blobs(_files_of, known)
    with paused():
        blobs.read(iter(source), until=lambda: _have_all(blobs, digest))
    chosen = choose_by_digest(blobs.documents, digest)
    if chosen is None or not blobs.has(chosen.layers):
        chosen = choose(blobs.documents, digest)
    for name, diff_id in zip(chosen.layers, chosen.diff_ids, strict=True):
        if name.startswith(_BLOBS) and _digest(name) != diff_id:
            note(_digest(name), diff_id)
    return _layers(chosen, blobs)


def read_blob(path: Path) -> LayerFiles:
    """Read one layer's blob, packed or not; its ``diff_id`` is left empty. Raises ArchiveError."""
    return _of_blob(path, _files_of)


def read_packed_blob(path: Path) -> PackedLayer:
    """Return what one layer's blob takes packed; see `read_packed` and `read_blob`."""
    return _of_blob(path, _packed)


def read_packed(source: Path | Iterable[bytes], *, reference: str | None = None) -> tuple[PackedLayer, ...]:
    """Return what each layer of an image takes packed, base-first: as it lies there, or packed here and thrown away.

    For the parameters, and for what it raises, see `read`. Packing takes about a second for 40 MB.
    """
    blobs = _Blobs(_packed)
    _read_all(blobs, source)
    chosen = choose(blobs.documents, reference)
    layers = zip(chosen.layers, chosen.diff_ids, strict=True)
    return tuple(replace(blobs.layer(name), diff_id=diff_id) for name, diff_id in layers)


class _Blobs(Generic[_Layer]):
    """What the members of an archive turned out to be: documents, layers, and names for other members."""

    def __init__(self, reader: _Reader[_Layer], known: Callable[[str], _Layer | None] = lambda digest: None) -> None:
        self.documents: dict[str, Any] = {}
        self._known = known
        self._reader = reader
        self._json_bytes = 0
        self._entries = 0
        self._layers: dict[str, _Layer] = {}
        self._links: dict[str, str] = {}

    def read(
        self, chunks: Iterator[bytes], size_bytes: int | None = None, until: Callable[[], bool] = lambda: False
    ) -> None:
        """Read an archive to its end, or until something is true.

        Its size, where that is known, bounds what a packed one may unpack to.
        """
        outer = Stream(chunks)
        how = packing(outer.peek(4))
        if how != "plain":
            outer = Stream(unpacked(_rest(outer), how, packed_bytes=size_bytes))
        for member in members(outer):
            name = clean_path(member.name)
            if member.flag in FILE_FLAGS:
                self._take(name, member, outer)
            elif member.flag in (tar.SYMBOLIC_LINK, tar.HARD_LINK):
                self._links[name] = _target(name, member)
            if until():
                return

    def has(self, names: Iterable[str]) -> bool:
        """True where all these layers were read."""
        return all(name in self._layers for name in names)

    def layer(self, name: str) -> _Layer:
        """Return the layer of that name, through the links by which `docker save` shares equal layers."""
        for _ in range(_LONGEST_CHAIN):
            if name in self._layers:
                return self._layers[name]
            if name not in self._links:
                raise ArchiveError(
                    f"The archive names a layer {name!r} and does not hold it. "
                    "Save the image again; one for several platforms has to be saved for one of them (--platform)."
                )
            name = self._links[name]
        raise ArchiveError(f"The links to the layer {name!r} lead in a circle. The archive was made to do harm.")

    def _take(self, name: str, member: Member, outer: Stream) -> None:
        size = member.stored_bytes
        head = outer.peek(min(size, BLOCK))
        how = packing(head)
        if (layer := self._known(_digest(name))) is not None:
            outer.skip_to(outer.offset + size, name)
            self._keep(name, layer)
        elif how != "plain" or _is_tar(head):
            self._keep(name, self._reader(outer, how, size, name))
        elif head.lstrip()[:1] in (b"{", b"[") and size <= _LONGEST_JSON:
            self._json_bytes += size
            if self._json_bytes > _MOST_JSON:
                raise ArchiveError(
                    f"The archive's documents take more than {units.size(_MOST_JSON)}, which no image needs. "
                    "It was made by mistake or to do harm; it was not read further."
                )
            self.documents[name] = _json(outer.exactly(size, name), name)

    def _keep(self, name: str, layer: _Layer) -> None:
        self._entries += len(layer.entries) if isinstance(layer, LayerFiles) else 0
        if self._entries > MOST_ENTRIES:
            raise too_many_entries()
        self._layers[name] = layer


def _files_of(outer: Stream, how: Packing, size: int, name: str) -> LayerFiles:
    if how == "plain":
        return read_layer(outer, outer.offset + size, packed_bytes=size)
    inner = Stream(unpacked(_copies(outer, size, name), how, packed_bytes=size))
    return read_layer(inner, must_close=True, packed_bytes=size)


def _packed(outer: Stream, how: Packing, size: int, name: str) -> PackedLayer:
    if how == "plain":
        return PackedLayer("", gzipped_bytes(outer.chunks(size, name)), how)
    outer.skip_to(outer.offset + size, name)
    return PackedLayer("", size, how)


def _read_all(blobs: _Blobs[Any], source: Path | Iterable[bytes]) -> None:
    with paused():
        if isinstance(source, Path):
            with _opened(source) as file:
                blobs.read(_file_chunks(file), source.stat().st_size or None)
        else:
            blobs.read(iter(source))


def _of_blob(path: Path, reader: _Reader[_Layer]) -> _Layer:
    with paused(), _opened(path) as file:
        stream = Stream(_file_chunks(file))
        return reader(stream, packing(stream.peek(4)), path.stat().st_size, path.name)


def _digest(name: str) -> str:
    """Return the digest that a member is called by in an OCI layout, or what can be none."""
    return name.removeprefix(_BLOBS).replace("/", ":")


def _have_all(blobs: _Blobs[LayerFiles], digest: str) -> bool:
    chosen = choose_by_digest(blobs.documents, digest)
    return chosen is not None and blobs.has(chosen.layers)


def _layers(chosen: Chosen, blobs: _Blobs[LayerFiles]) -> tuple[LayerFiles, ...]:
    return tuple(
        replace(blobs.layer(name), diff_id=diff_id)
        for name, diff_id in zip(chosen.layers, chosen.diff_ids, strict=True)
    )


def _assembled(chosen: Chosen, blobs: _Blobs[LayerFiles]) -> ImageArchive:
    layers = _layers(chosen, blobs)
    return ImageArchive(image_of(chosen, tuple(layer.size_bytes for layer in layers)), layers)


def _is_tar(head: bytes) -> bool:
    # A layer without a change is nothing but zeros.
    if head[257:262] == b"ustar" or (head and head == ZEROS):
        return True
    return len(head) == BLOCK and head[:1] not in (b"{", b"[") and head[148:156].strip(b" \0").isdigit()


def _target(name: str, member: Member) -> str:
    link = member.link.decode("utf-8", "surrogateescape")
    path = link if member.flag == tar.HARD_LINK else posixpath.join(posixpath.dirname(name), link)
    return clean_path(posixpath.normpath(path).encode("utf-8", "surrogateescape"))


def _json(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{name} in the archive is no JSON ({error}). Save the image again.") from error


def _opened(path: Path) -> Any:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be read ({error.strerror}). Name an archive made by `docker save`."
        ) from error


def _file_chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _copies(stream: Stream, size: int, name: str) -> Iterator[bytes]:
    return (bytes(piece) for piece in stream.chunks(size, name))


def _rest(stream: Stream) -> Iterator[bytes]:
    while piece := stream.take(_CHUNK):
        yield piece
