"""Reads image archives as streams, into the entries of each layer. Unpacks nothing, keeps no content."""

from __future__ import annotations

from layerlab.archive.entries import FileEntry, Kind, LayerFiles, total_bytes
from layerlab.archive.image_archive import ImageArchive, read

__all__ = ["FileEntry", "ImageArchive", "Kind", "LayerFiles", "read", "total_bytes"]
