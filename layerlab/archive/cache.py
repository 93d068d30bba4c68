"""What was read of layers before, by diff_id: a layer never changes, so a base is read once for ever.

Only for layers that an engine vouches for: an archive from elsewhere can claim any diff_id.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from layerlab.archive import columns
from layerlab.archive.entries import LayerFiles
from layerlab.archive.packed import PackedLayer
from layerlab.errors import ArchiveError


class _Cache:
    """A folder with one file a layer. Losing it costs time and nothing else, so its faults are passed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_bytes())

    def _write(self, name: str, value: Any) -> None:
        text = json.dumps(value, separators=(",", ":")).encode()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, half = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text)
                Path(half).replace(self.folder / name)
            except OSError:
                Path(half).unlink(missing_ok=True)
                raise


class LayerCache(_Cache):
    """What layers hold."""

    def get(self, diff_id: str) -> LayerFiles | None:
        """Return a layer that was put here, or None."""
        try:
            kept = columns.decode(self._read(_entries_of(diff_id)))
        except (OSError, ValueError, ArchiveError):
            return None
        return kept if kept.diff_id == diff_id else None

    def put(self, layer: LayerFiles) -> None:
        """Keep a layer; where that fails (no room, no permission) it is read again next time."""
        self._write(_entries_of(layer.diff_id), columns.encode(layer))
        self._write(_size_of(layer.diff_id), {"diff_id": layer.diff_id, "size_bytes": layer.size_bytes})

    def size_bytes(self, diff_id: str) -> int | None:
        """Return the size of a layer that was put here, or None. Reads one number instead of all entries."""
        try:
            kept = self._read(_size_of(diff_id))
            return int(kept["size_bytes"]) if kept["diff_id"] == diff_id else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note_blob(self, blob: str, diff_id: str) -> None:
        """Remember which layer a packed blob holds, by its digest, so that it need not be unpacked again."""
        self._write(_blob_of(blob), {"blob": blob, "diff_id": diff_id})

    def diff_id(self, blob: str) -> str:
        """Return the diff_id of the layer in a blob: its digest, where nobody has noted another."""
        try:
            kept = self._read(_blob_of(blob))
            return str(kept["diff_id"]) if kept["blob"] == blob else blob
        except (OSError, ValueError, KeyError, TypeError):
            return blob


class PackedCache(_Cache):
    """What layers take packed."""

    def get(self, diff_id: str) -> PackedLayer | None:
        """Return what was put here, or None."""
        try:
            kept = PackedLayer(**self._read(_packed_of(diff_id)))
        except (OSError, ValueError, TypeError):
            return None
        return kept if kept.diff_id == diff_id else None

    def put(self, layer: PackedLayer) -> None:
        """Keep it; where that fails the layer is packed again next time."""
        self._write(_packed_of(layer.diff_id), asdict(layer))


def _entries_of(diff_id: str) -> str:
    return f"{diff_id.replace(':', '-')}.v{columns.VERSION}.json"


def _size_of(diff_id: str) -> str:
    return f"{diff_id.replace(':', '-')}.size.v{columns.VERSION}.json"


def _blob_of(blob: str) -> str:
    return f"{blob.replace(':', '-').replace('/', '-')}.blob.json"


def _packed_of(diff_id: str) -> str:
    return f"{diff_id.replace(':', '-')}.packed.json"
