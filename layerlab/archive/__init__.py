"""Reads image archives as streams, into the entries of each layer. Unpacks nothing, keeps no content.

Importing it loads no reader: an engine needs the entries long before anybody asks for an archive.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from layerlab.archive.entries import FileEntry, Kind, LayerFiles, total_bytes

if TYPE_CHECKING:
    from layerlab.archive.image_archive import ImageArchive, read, read_packed
    from layerlab.archive.packed import PackedLayer

__all__ = ["FileEntry", "ImageArchive", "Kind", "LayerFiles", "PackedLayer", "read", "read_packed", "total_bytes"]

_LATER = {
    "ImageArchive": "image_archive",
    "PackedLayer": "packed",
    "read": "image_archive",
    "read_packed": "image_archive",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"layerlab.archive.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
