"""Reads image archives as streams, into the entries of each layer. Unpacks nothing, keeps no content.

Importing it loads no reader: an engine needs the entries long before anybody asks for an archive.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from layerlab.archive.entries import FileEntry, Kind, LayerFiles, total_bytes

if TYPE_CHECKING:
    from layerlab.archive.image_archive import ImageArchive, read

__all__ = ["FileEntry", "ImageArchive", "Kind", "LayerFiles", "read", "total_bytes"]


def __getattr__(name: str) -> Any:
    if name in ("ImageArchive", "read"):
        return getattr(import_module("layerlab.archive.image_archive"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
