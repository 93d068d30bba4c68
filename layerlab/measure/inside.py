"""What lies inside images as tables: files, causes, waste, and the way from one image to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from layerlab.attribution import CAUSES
from layerlab.comparison import Comparison
from layerlab.measure.images import PARTS
from layerlab.units import one_line, printable

if TYPE_CHECKING:
    from layerlab.inspection import Inspection

FILE_PARTS = (*PARTS, "wasted")


def causes(inspections: Mapping[str, Inspection]) -> pd.DataFrame:
    """List why every byte of each image is there, the base's apart.

    Returns
    -------
    pandas.DataFrame
        A row an image, a column for each cause that occurs (`layerlab.attribution.CAUSES`), in bytes (``int64``).
        A row adds up to all bytes of the image's layers.
    """
    rows = []
    for inspected in inspections.values():
        totals = dict.fromkeys(CAUSES, 0)
        for one in inspected.files:
            totals[one.cause] += one.size_bytes
        rows.append(list(totals.values()))
    frame = pd.DataFrame(rows, index=list(inspections), columns=list(CAUSES)).astype("int64")
    return frame.loc[:, (frame > 0).any()]


def files(inspection: Inspection) -> pd.DataFrame:
    """List every file and symbolic link of every layer, in the order in which the layers hold them.

    Returns
    -------
    pandas.DataFrame
        ``path`` (without the leading slash), ``size_bytes``, ``layer`` (its index), ``line`` in the Dockerfile (NA
        where unknown), ``instruction``, ``package`` (NA where no database claims the file), ``cause``, ``part``
        (category *base*, *added* or *wasted*; NA for a visible file where the base is unknown), and for what is wasted
        ``how`` and ``hidden_by`` (as `waste` has them). The sizes add up to all bytes of the image's layers.
    """
    found = inspection.files
    frame = pd.DataFrame(
        {
            "path": pd.Series([printable(one.path) for one in found], dtype="str"),
            "size_bytes": pd.Series([one.size_bytes for one in found], dtype="int64"),
            "layer": pd.Series([one.layer for one in found], dtype="int64"),
        }
    )
    # One text for each layer and package, not for each of its files.
    makers = [(maker.line, one_line(maker.instruction)) for maker in inspection.makers]
    frame["line"] = frame["layer"].map(dict(enumerate(line for line, _ in makers))).astype("Int64")
    frame["instruction"] = frame["layer"].map(dict(enumerate(text for _, text in makers))).astype("category")
    frame["package"] = pd.Series([printable(one.package) or None for one in found], dtype="string")
    frame["cause"] = pd.Categorical([one.cause for one in found], categories=list(CAUSES))
    visible = ["base" if n < inspection.base_layers else "added" for n in range(len(inspection.layers))]
    parts = visible if inspection.base_layers else [None] * len(visible)
    frame["part"] = pd.Categorical(
        ["wasted" if one.wasted else parts[one.layer] for one in found], categories=list(FILE_PARTS), ordered=True
    )
    frame["how"] = pd.Series([one.wasted.how if one.wasted else None for one in found], dtype="string")
    where = [maker.where for maker in inspection.makers]
    frame["hidden_by"] = pd.Series(
        [where[one.wasted.hidden_by] if one.wasted else None for one in found], dtype="string"
    )
    return frame


def waste(inspection: Inspection) -> pd.DataFrame:
    """List what no container sees, the most expensive first: files that one layer wrote and another hid.

    Returns
    -------
    pandas.DataFrame
        ``size_bytes``, ``how``, ``written_by`` and ``hidden_by`` (*line 7*, *layer 7* or *the base*), ``files`` (how
        many), ``largest`` (a path), ``fix`` and ``is_base`` (hidden within the base: none of ours). The sizes add up to
        `Inspection.waste_bytes`.
    """
    found = inspection.findings
    return pd.DataFrame(
        {
            "size_bytes": pd.Series([one.size_bytes for one in found], dtype="int64"),
            "how": pd.Series([one.how for one in found], dtype="str"),
            "written_by": pd.Series([one.writer.where for one in found], dtype="str"),
            "hidden_by": pd.Series([one.hider.where for one in found], dtype="str"),
            "files": pd.Series([len(one.paths) for one in found], dtype="int64"),
            "largest": pd.Series([printable(one.paths[0]) for one in found], dtype="str"),
            "fix": pd.Series([printable(one.fix) for one in found], dtype="str"),
            "is_base": pd.Series([one.hider.is_base for one in found], dtype="bool"),
        }
    )


def changes(before: Inspection, after: Inspection) -> pd.DataFrame:
    """List by cause what makes one image larger or smaller than another, the largest difference first.

    Returns
    -------
    pandas.DataFrame
        ``cause`` (the base as one of them), ``before_bytes``, ``after_bytes`` and ``difference_bytes``. Each column
        adds up to that of the whole images.
    """
    steps = Comparison(before, after).causes
    rows = [(*step, step.difference_bytes) for step in steps]
    kinds = {"cause": "str", "before_bytes": "int64", "after_bytes": "int64", "difference_bytes": "int64"}
    return pd.DataFrame(rows, columns=[*kinds]).astype(kinds)
