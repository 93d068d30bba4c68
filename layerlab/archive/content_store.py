"""A content store of containerd as a folder on this machine: manifest → configuration → layers, each by its digest.

Reads what is asked for and nothing else; what isn't there is None, because an engine can still be asked for it.

Notes
-----
The folder is containerd's `root` (config.toml, ``/var/lib/containerd`` by default); blobs lie below
``io.containerd.content.v1.content/blobs/sha256`` (containerd 2.1, plugins/content/local).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from layerlab.archive.entries import LayerFiles
from layerlab.archive.image_archive import read_blob, read_packed_blob
from layerlab.archive.manifests import Chosen, choose, listed_digests
from layerlab.archive.packed import PackedLayer
from layerlab.errors import ArchiveError

_BLOBS = Path("io.containerd.content.v1.content", "blobs")


class ContentStore:
    """One folder. Whoever may not read it finds nothing in it."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / _BLOBS

    def image(self, digest: str) -> Chosen | None:
        """Return an image by the digest of its index or manifest, or None where its documents aren't all here."""
        try:
            documents = dict(self._documents(digest))
            return choose(documents | {"index.json": {"manifests": [{"digest": digest}]}}, digest)
        except (OSError, ValueError, ArchiveError):
            return None

    def layers(self, image: Chosen, wanted: set[str]) -> Mapping[str, LayerFiles]:
        """Return what those layers hold whose diff_ids are wanted, as far as their blobs are here.

        Raises
        ------
        ArchiveError
            A blob is damaged.
        """
        return {diff_id: replace(read_blob(path), diff_id=diff_id) for diff_id, path in self._held(image, wanted)}

    def packed(self, image: Chosen, wanted: set[str]) -> Mapping[str, PackedLayer]:
        """Return what those layers take packed; see `layers`."""
        return {
            diff_id: replace(read_packed_blob(path), diff_id=diff_id) for diff_id, path in self._held(image, wanted)
        }

    def _held(self, image: Chosen, wanted: set[str]) -> Iterator[tuple[str, Path]]:
        places = dict(zip(image.diff_ids, image.layers, strict=True))
        for diff_id, name in places.items():
            path = self._blobs / Path(name).relative_to("blobs")
            if diff_id in wanted and path.is_file():
                yield diff_id, path

    def _documents(self, digest: str) -> Iterator[tuple[str, Any]]:
        name = digest.replace(":", "/")
        document = json.loads((self._blobs / name).read_bytes())
        yield f"blobs/{name}", document
        for below in listed_digests(document):
            if (self._blobs / below.replace(":", "/")).is_file():
                yield from self._documents(below)
