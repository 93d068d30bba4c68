"""Layers that were read before, by diff_id: a layer never changes, so a base is read once for ever.

Only for layers that an engine vouches for: an archive from elsewhere can claim any diff_id.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from layerlab.archive import columns
from layerlab.archive.entries import LayerFiles
from layerlab.errors import ArchiveError


class LayerCache:
    """A folder with one file a layer. Losing it costs time and nothing else, so its faults are passed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, diff_id: str) -> LayerFiles | None:
        """Return a layer that was put here, or None."""
        try:
            kept = columns.decode(json.loads(self._path(diff_id).read_bytes()))
        except (OSError, ValueError, ArchiveError):
            return None
        return kept if kept.diff_id == diff_id else None

    def put(self, layer: LayerFiles) -> None:
        """Keep a layer; where that fails (no room, no permission) it is read again next time."""
        text = json.dumps(columns.encode(layer), separators=(",", ":")).encode()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, half = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text)
                Path(half).replace(self._path(layer.diff_id))
            except OSError:
                Path(half).unlink(missing_ok=True)
                raise

    def _path(self, diff_id: str) -> Path:
        return self.folder / f"{diff_id.replace(':', '-')}.v{columns.VERSION}.json"
