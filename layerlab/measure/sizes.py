"""The three sizes of images as tables: side by side, and as each tool prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from layerlab.inspection import ThreeSizes


def sizes(measured: Mapping[str, ThreeSizes]) -> pd.DataFrame:
    """Put the three sizes of images side by side, one row an image; they are never to be mixed.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``size_bytes`` (uncompressed), ``compressed_bytes`` (NA where nobody packed the layers, then
        ``why_not`` says why), ``engine_size_bytes``; whole numbers (``Int64``).
    """
    rows = [
        (name, one.size_bytes, one.compressed_bytes, one.engine_size_bytes, one.why_not)
        for name, one in measured.items()
    ]
    numbers = ["size_bytes", "compressed_bytes", "engine_size_bytes"]
    frame = pd.DataFrame(rows, columns=["name", *numbers, "why_not"])
    return frame.astype({"name": "str", **dict.fromkeys(numbers, "Int64"), "why_not": "str"})


def tools(measured: ThreeSizes) -> pd.DataFrame:
    """List what each tool prints for one image, on either image store, and what a registry keeps.

    Returns
    -------
    pandas.DataFrame
        ``store`` ("" where it makes no difference), ``tool``, ``counts`` (what the figure is made of), ``size_bytes``
        (NA where it was not measured), ``packed_bytes`` (how much of it is packed layers) and ``is_measured`` (False
        for a store that is not here: its rule, applied to this image's layers).
    """
    rows = [tuple(row) for row in measured.said]
    columns = ["store", "tool", "counts", "size_bytes", "packed_bytes", "is_measured"]
    kinds = {"store": "str", "tool": "str", "counts": "str", "size_bytes": "Int64", "packed_bytes": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype({**kinds, "is_measured": "bool"})
