"""A layer's entries as columns of JSON, which are read back ten times faster than one object an entry.

For caches and recordings. Knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

from layerlab.archive.entries import FileEntry, LayerFiles
from layerlab.errors import ArchiveError

VERSION = 3


def encode(layer: LayerFiles) -> dict[str, Any]:
    """Return a layer as JSON values: a list for each field of its entries."""
    columns = zip(*layer.entries, strict=True) if layer.entries else ((),) * len(FileEntry._fields)
    paths = {entry.path for entry in layer.entries}
    packages = {package: number for number, package in enumerate(dict.fromkeys(layer.owners.values()))}
    return {
        "version": VERSION,
        "diff_id": layer.diff_id,
        "packed_bytes": layer.packed_bytes,
        "packages": list(packages),
        "owner": [packages.get(layer.owners.get(entry.path, ""), -1) for entry in layer.entries],
        "elsewhere": {path: packages[one] for path, one in layer.owners.items() if path not in paths},
        **{name: list(column) for name, column in zip(FileEntry._fields, columns, strict=True)},
    }


def decode(columns: Mapping[str, Any]) -> LayerFiles:
    """Return the layer that `encode` was given.

    Raises
    ------
    ArchiveError
        Another version wrote them, or a column is missing or too short.
    """
    try:
        if columns["version"] != VERSION:
            raise ValueError(f"version {columns['version']}, not {VERSION}")
        rows = zip(*(_column(columns, name) for name in FileEntry._fields), strict=True)
        packages = columns["packages"]
        owned = zip(columns["path"], columns["owner"], strict=True)
        owners = {path: packages[number] for path, number in owned if number >= 0}
        owners |= {path: packages[number] for path, number in columns["elsewhere"].items()}
        # What FileEntry._make does, a third of its time: the columns are as many as the fields.
        entries = tuple(map(tuple.__new__, repeat(FileEntry), rows))
        return LayerFiles(columns["diff_id"], entries, columns["packed_bytes"], owners)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ArchiveError(
            f"Kept entries of a layer cannot be read ({error}). Delete them: they are read anew."
        ) from error


def _column(columns: Mapping[str, Any], name: str) -> Sequence[Any]:
    if name != "size_bytes":
        return columns[name]  # type: ignore[no-any-return]
    # In what was kept or recorded before, a symbolic link had the bytes of what it says.
    sizes = zip(columns["kind"], columns[name], strict=True)
    return [0 if kind == "symlink" else size for kind, size in sizes]
