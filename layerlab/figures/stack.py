"""Layers as bars, one a row, base-first: of an image on disk, and of a base as it is pulled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 28
_NO_HISTORY = "(history does not tell)"
# How most RUN lines of official images begin: as labels they would all read the same.
_OPENING = re.compile(r"(?<=^RUN )(?:set -\w+\s*(?:;|&&)\s*)?(?:apt-get update\s*(?:;|&&)\s*)?")
_FLAGS = re.compile(r"(?<=apt-get install)(?: -\S+)+")
_NAMES = {"base": "base image", "added": "added by this Dockerfile", "": "layer (base unknown)"}


def layer_stack(frame: pd.DataFrame, *, source: str, title: str = "Layers, the lowest first") -> sheet.Figure:
    """Draw the layers of one image in the order the Dockerfile stacks them, split into base and added.

    Parameters
    ----------
    frame
        `measure.layers`.
    source
        Which engine and bases the numbers come from: the subtitle.
    """
    texts = [text or _NO_HISTORY for text in frame["instruction"].tolist()]
    sizes = [int(size) for size in frame["size_bytes"].tolist()]
    # Without a base every part is NA, which str() shows as "nan"; with one it is base or added.
    parts = [part if part in palette.PARTS else "" for part in map(str, frame["part"].tolist())]
    alt = _stack_alt(texts, sizes, parts)
    drawn = sheet.compose(
        _part_bars(texts, sizes, parts),
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(texts)) * _ROW_PX,
        axes={"xaxis": sheet.size_axis(max(sizes, default=0)), "yaxis": _instructions(texts)},
        shapes=_divider(parts),
    )
    rows = [
        (str(i), part or "?", units.size(size), f"{share:.1%}", " ".join(text.split()))
        for i, part, size, share, text in zip(
            frame["index"].tolist(), parts, sizes, frame["share"].tolist(), texts, strict=True
        )
    ]
    columns = ("layer", "part", "size", "share", "instruction")
    return sheet.Figure(drawn, table=Table(title, source, columns, tuple(rows), frozenset({0, 2, 3})), alt=alt)


def official_layers(
    frame: pd.DataFrame, *, source: str, title: str = "Pulled size of the official base, layer by layer"
) -> sheet.Figure:
    """Draw what a pull of an official base fetches: packed bytes, layer by layer.

    Parameters
    ----------
    frame
        `measure.blobs`.
    source
        Which tag, digest and date the record is of.
    """
    texts = frame["what"].tolist()
    sizes = [int(size) for size in frame["compressed_bytes"].tolist()]
    total = sum(sizes)
    alt = f"A pull fetches {units.size(total)} in {len(sizes)} layers{_largest(texts, sizes)}."
    drawn = sheet.compose(
        _row_bars(palette.BASE, "", texts, sizes, range(len(texts))),
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(texts)) * _ROW_PX,
        axes={
            "xaxis": sheet.size_axis(max(sizes, default=0)),
            "yaxis": sheet.row_axis([sheet.one_line(f"{i} {text}", 40) for i, text in enumerate(texts)]),
        },
    )
    rows = [
        (str(i), units.size(size), f"{size / (total or 1):.1%}", text)
        for i, (size, text) in enumerate(zip(sizes, texts, strict=True))
    ]
    columns = ("layer", "pulled size", "share", "what it holds")
    return sheet.Figure(drawn, table=Table(title, source, columns, tuple(rows), frozenset({0, 1, 2})), alt=alt)


def essence(instruction: str) -> str:
    """Return an instruction without what most of them begin with, so that labels can be told apart.

    >>> essence("RUN set -eux; apt-get update && apt-get install -y --no-install-recommends git")
    'RUN apt-get install git'
    """
    return _FLAGS.sub("", _OPENING.sub("", " ".join(instruction.split())))


def _part_bars(texts: Sequence[str], sizes: Sequence[int], parts: Sequence[str]) -> list[Any]:
    bars: list[Any] = []
    for part, mark in (("base", palette.BASE), ("added", palette.ADDED), ("", palette.UNSPLIT)):
        rows = [i for i, given in enumerate(parts) if given == part]
        if rows:
            name = f"{_NAMES[part]}: {units.size(sum(sizes[i] for i in rows))}"
            bars += _row_bars(mark, name, texts, sizes, rows)
    return bars


def _row_bars(
    mark: palette.Mark, name: str, texts: Sequence[str], sizes: Sequence[int], rows: Sequence[int]
) -> list[Any]:
    total = sum(sizes) or 1
    labels = [f"<b>{units.size(sizes[i])}</b>" if sizes[i] == max(sizes) else units.size(sizes[i]) for i in rows]
    hover = [
        f"<b>{units.size(sizes[i])}</b>, {sizes[i] / total:.1%} of the whole<br>{sheet.hover_text(texts[i])}"
        for i in rows
    ]
    values = [sizes[i] for i in rows]
    return [
        sheet.bar(mark, x=values, y=list(rows), name=name, hovertext=hover, hoverinfo="text", showlegend=bool(name)),
        sheet.end_labels(values, list(rows), labels),
    ]


def _instructions(texts: Sequence[str]) -> dict[str, Any]:
    labels = [sheet.one_line(f"{i} {essence(text)}") for i, text in enumerate(texts)]
    return sheet.row_axis(labels, is_code=True)


def _divider(parts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the line between the base's layers and ours."""
    if "base" not in parts or "added" not in parts:
        return []
    y = parts.index("added") - 0.5
    line = {"color": palette.INK, "width": 1.5, "dash": "dash"}
    return [{"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y, "line": line}]


def _stack_alt(texts: Sequence[str], sizes: Sequence[int], parts: Sequence[str]) -> str:
    sentence = f"{len(sizes)} layers, {units.size(sum(sizes))} in all{_largest(texts, sizes)}."
    own = [i for i, part in enumerate(parts) if part == "added"]
    if own:
        heaviest = max(own, key=lambda i: sizes[i])
        sentence += (
            f" {len(own)} of them were added here, {units.size(sum(sizes[i] for i in own))}, "
            f"most by {sheet.one_line(texts[heaviest], 50)} ({units.size(sizes[heaviest])})."
        )
    return sentence


def _largest(texts: Sequence[str], sizes: Sequence[int]) -> str:
    if not sizes:
        return ""
    top = max(range(len(sizes)), key=lambda i: sizes[i])
    share = sizes[top] / (sum(sizes) or 1)
    return (
        f"; the largest is layer {top}, {sheet.one_line(texts[top], 50)}, with {units.size(sizes[top])} ({share:.0%})"
    )
