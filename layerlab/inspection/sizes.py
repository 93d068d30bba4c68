"""The three sizes of one image, and what each tool prints of them on either of Docker's image stores.

Knows the rules of both stores. What the engine that is here prints is measured; the other store's figures are
computed by rule from the layers of this image, and say so.

Notes
-----
The classic store (overlay2) counts the bytes of files: `docker images`, `inspect` and the sum of `history` agree.
The containerd store keeps a layer twice, packed as it came and unpacked for containers. Seen on Docker 28.5.2:
`docker images` gives both together, `inspect` the packed part alone (until moby #53426, August 2026), and `history`
what the unpacked files take on the disk, in whole blocks: a COPY of 193 bytes into a folder counts 12,288.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from layerlab.errors import LayerLabError
from layerlab.image import Image

if TYPE_CHECKING:
    from layerlab.archive import FileEntry, LayerFiles
    from layerlab.engine.protocol import Engine, EngineInfo

Store = Literal["classic", "containerd", "Podman"]
Counts = Literal[
    "files", "files in whole blocks", "packed layers", "packed layers and files in whole blocks", "layers as archives"
]

# What `docker info` calls the storage driver where the classic store is in use; containerd's snapshotters have other
# names ("overlayfs", "native").
_CLASSIC = frozenset({"overlay2", "overlay", "fuse-overlayfs", "btrfs", "zfs", "vfs", "aufs", "devicemapper"})
# As ext4 and xfs are made by default. A symbolic link below 60 bytes lies in the inode itself.
_BLOCK = 4096
_IN_INODE = 60

_TOOLS = ("docker images", "docker history, sum", "docker inspect")
_COUNTS: dict[Store, tuple[Counts, Counts, Counts]] = {
    "classic": ("files", "files", "files"),
    "containerd": ("packed layers and files in whole blocks", "files in whole blocks", "packed layers"),
    "Podman": ("layers as archives", "layers as archives", "layers as archives"),
}


class ToolSize(NamedTuple):
    """What one tool prints for the image.

    Attributes
    ----------
    store
        On which image store; "" where that makes no difference.
    size_bytes
        None where it was not measured: see `ThreeSizes.why_not`.
    packed_bytes
        How much of that is packed layers.
    is_measured
        True for what was measured here; False for a rule applied to this image's layers.
    """

    store: Store | Literal[""]
    tool: str
    counts: Counts
    size_bytes: int | None
    packed_bytes: int | None
    is_measured: bool


@dataclass(frozen=True, kw_only=True)
class ThreeSizes:
    """One image: uncompressed, compressed, and what its engine calls size.

    Attributes
    ----------
    size_bytes
        Uncompressed: the bytes of all files in all layers.
    compressed_bytes
        The packed layers together; None where nobody can pack them here, and ``why_not`` says why.
    engine_size_bytes
        ``Size`` in the engine's answer to inspecting the image.
    listed_bytes
        ``Size`` in its list of images, which `docker images` prints.
    history_bytes
        The sizes in its history together, as the engine counts them.
    disk_bytes
        What the files and folders take in whole blocks, layer by layer.
    is_packed_here
        The layers lay unpacked and were packed for the measurement.
    """

    name: str
    store: Store
    driver: str
    size_bytes: int
    compressed_bytes: int | None
    engine_size_bytes: int
    listed_bytes: int
    history_bytes: int
    disk_bytes: int
    is_packed_here: bool = False
    why_not: str = ""

    @property
    def said(self) -> tuple[ToolSize, ...]:
        """What each tool prints: on the store that is here as measured, on the others by rule; and the registry."""
        packed = self.compressed_bytes
        rules = {
            "classic": self._rows("classic", self.size_bytes, self.size_bytes, self.size_bytes),
            "containerd": self._rows(
                "containerd", None if packed is None else packed + self.disk_bytes, self.disk_bytes, packed
            ),
        }
        here = self._rows(self.store, self.listed_bytes, self.history_bytes, self.engine_size_bytes, is_measured=True)
        others = [row for store, rows in rules.items() if store != self.store for row in rows]
        registry = "a registry, packed by gzip" if self.is_packed_here else "a registry"
        return (*here, *others, ToolSize("", registry, "packed layers", packed, packed, True))

    def _rows(
        self, store: Store, listed: int | None, history: int | None, inspected: int | None, *, is_measured: bool = False
    ) -> tuple[ToolSize, ...]:
        sizes = dict(zip(_TOOLS, (listed, history, inspected), strict=True))
        counts = dict(zip(_TOOLS, _COUNTS[store], strict=True))
        return tuple(
            ToolSize(store, tool, counts[tool], size, self._packed_part(counts[tool]), is_measured)
            for tool, size in sizes.items()
        )

    def _packed_part(self, counts: Counts) -> int | None:
        return self.compressed_bytes if counts.startswith("packed layers") else 0


def three_sizes(engine: Engine, image: Image) -> ThreeSizes:
    """Measure the sizes of an image that an engine holds.

    Raises
    ------
    ImageNotFound, ArchiveError, NotRecorded
        What its layers hold cannot be had. What they take packed may be missing: that is told by ``why_not``.
    """
    layers = engine.layer_files(image.id)
    packed, packed_here, why_not = _packed(engine, image)
    listed = next((entry["Size"] for entry in engine.images() if entry["Id"] == image.id), image.engine_size_bytes)
    return ThreeSizes(
        name=image.name,
        store=store_of(engine.info),
        driver=engine.info.storage,
        size_bytes=sum(layer.size_bytes for layer in layers),
        compressed_bytes=packed,
        engine_size_bytes=image.engine_size_bytes,
        listed_bytes=int(listed),
        history_bytes=sum(int(entry.get("Size") or 0) for entry in engine.history(image.id)),
        disk_bytes=disk_bytes(layers),
        is_packed_here=packed_here,
        why_not=why_not,
    )


def store_of(info: EngineInfo) -> Store:
    """Tell from the name of its storage driver which kind of image store an engine has."""
    if info.name == "Podman":
        return "Podman"
    return "classic" if info.storage in _CLASSIC else "containerd"


def disk_bytes(layers: Iterable[LayerFiles]) -> int:
    """Return what the layers take on a disk, unpacked each into a folder of its own, in whole blocks."""
    # Each layer has a root folder, whether or not its archive names it.
    return sum(_BLOCK + sum(_blocks(entry) for entry in layer.entries if entry.path) * _BLOCK for layer in layers)


def _blocks(entry: FileEntry) -> int:
    if entry.kind == "dir":
        return 1
    if entry.kind == "symlink":
        return int(len(entry.link.encode("utf-8", "surrogateescape")) >= _IN_INODE)
    return -(-entry.size_bytes // _BLOCK)


def _packed(engine: Engine, image: Image) -> tuple[int | None, bool, str]:
    try:
        layers = engine.packed_layers(image.id)
    except LayerLabError as error:
        return None, False, str(error)
    return sum(layer.compressed_bytes for layer in layers), any(layer.is_packed_here for layer in layers), ""
