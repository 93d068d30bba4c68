"""Every file of an image as a cell within its folder and its layer. Draws a table of `measure.files`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.folding import Cell, Folding
from layerlab.figures.stack import essence
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_PLOT_PX = 520
# Columns that are seen at once: the image, its layers and two folders; a click opens more.
_COLUMNS = 5
_MOST_ROWS = 30
_WHOLE = palette.Mark(fill=palette.GRID, pattern="", ink=palette.INK)
_NAMES = {"base": "base image", "added": "added by this Dockerfile", "wasted": "wasted", "": "layer (base unknown)"}


def file_icicle(
    frame: pd.DataFrame, *, source: str, title: str = "Files in their layers, the lowest layer first"
) -> sheet.Figure:
    """Draw every file of an image within its folder and its layer, as high as it is large; a click opens a cell.

    Parameters
    ----------
    frame
        `measure.files`.
    source
        Which engine and bases the numbers come from: the subtitle, with how much was too small to be drawn apart.
    """
    sizes, layers = frame["size_bytes"].tolist(), frame["layer"].tolist()
    # A file that is seen has no part where the base is unknown: NA, which str() shows as "nan".
    parts = [part if part in palette.PARTS else "" for part in map(str, frame["part"].tolist())]
    folding = Folding(frame["path"].tolist(), sizes, layers, [part == "wasted" for part in parts])
    makers = _makers(frame, folding, layers, parts)
    totals = {part: sum(size for size, own in zip(sizes, parts, strict=True) if own == part) for part in _NAMES}
    alt = _alt(frame, totals, makers)
    source = f"{source} · {told}" if (told := _told(folding, len(sizes))) else source
    axis = sheet.row_axis([]) | {"visible": False}
    drawn = sheet.compose(
        [*_legend(totals), _trace(frame, folding.cells, makers, sum(sizes))],
        title=title,
        source=source,
        alt=alt,
        plot_px=_PLOT_PX,
        axes={"xaxis": {"visible": False, "fixedrange": True}, "yaxis": axis},
    )
    # Else plotly shrinks the words until they fit, down to nothing.
    drawn.update_layout(uniformtext={"minsize": 10, "mode": "hide"})
    return sheet.Figure(drawn, table=_table(frame, makers, title, source), alt=alt)


class _Maker:
    """A layer, as the cells speak of it."""

    def __init__(self, layer: int, line: int | None, instruction: str, part: str) -> None:
        self.part = part
        self.where = f"line {line}" if line else f"layer {layer + 1}"
        self.instruction = instruction

    @property
    def label(self) -> str:
        return sheet.one_line(f"{self.where} {essence(self.instruction)}", 22)

    @property
    def hover(self) -> str:
        return f"{self.where}{' (base)' if self.part == 'base' else ''}: {escape(sheet.one_line(self.instruction, 80))}"


def _makers(frame: pd.DataFrame, folding: Folding, layers: Sequence[int], parts: Sequence[str]) -> dict[int, _Maker]:
    firsts = frame.drop_duplicates("layer").to_dict("records")
    seen = {layer: part for layer, part in zip(layers, parts, strict=True) if part != "wasted"}
    makers = {}
    for first in firsts:
        layer = first["layer"]
        # Where all of a layer is wasted, its neighbours tell whose it is: the base's layers are the lowest ones.
        above = [part for other, part in seen.items() if other >= layer]
        part = seen.get(layer) or ("base" if "base" in above else "added" if "added" in seen.values() else "")
        makers[layer] = _Maker(layer, _whole(first["line"]), str(first["instruction"]), part)
    return makers


def _trace(frame: pd.DataFrame, cells: Sequence[Cell], makers: Mapping[int, _Maker], total: int) -> go.Icicle:
    rows = [cell.row for cell in cells if cell.row is not None]
    details = dict(zip(rows, frame.iloc[rows].to_dict("records"), strict=True))
    marks = [_WHOLE, *(_mark(cell, makers[cell.layer].part) for cell in cells)]
    has_parts = any(maker.part for maker in makers.values())
    names = ["all layers", *(makers[c.layer].label if c.parent < 0 else sheet.one_line(c.name, 40) for c in cells)]
    sizes = [total, *(cell.size_bytes for cell in cells)]
    return go.Icicle(
        ids=["image", *map(str, range(len(cells)))],
        parents=["", *("image" if cell.parent < 0 else str(cell.parent) for cell in cells)],
        labels=[escape(name, quote=False) for name in names],
        values=sizes,
        text=[units.size(size) for size in sizes],
        # On one line, so that low cells have room for it.
        texttemplate="%{label} <i>%{text}</i>",
        hovertext=[f"<b>{units.size(total)}</b>", *(_hover(cell, makers[cell.layer], details) for cell in cells)],
        hoverinfo="text",
        branchvalues="total",
        sort=False,
        maxdepth=_COLUMNS,
        tiling={"orientation": "h", "pad": 1},
        leaf={"opacity": 1},
        pathbar={"side": "top", "thickness": 22, "textfont": {"size": 12}},
        insidetextfont={"color": [mark.ink for mark in marks], "size": 12},
        marker={
            "colors": [mark.fill for mark in marks],
            "line": {"color": palette.PAPER, "width": 1},
            "pattern": {
                "shape": [mark.pattern for mark in marks] if has_parts else "",
                "bgcolor": [mark.fill for mark in marks], "fgcolor": palette.INK,
                "fgopacity": 0.22, "size": 9, "solidity": 0.1,
            },
        },
    )  # fmt: skip


def _mark(cell: Cell, part: str) -> palette.Mark:
    # A folder is of the waste's colour where nothing of it is seen; else its words tell how much is wasted.
    if cell.wasted_bytes and cell.wasted_bytes == cell.size_bytes:
        return palette.WASTED
    return palette.PARTS.get(part, palette.UNSPLIT)


def _hover(cell: Cell, maker: _Maker, details: Mapping[int, Mapping[Any, Any]]) -> str:
    if cell.row is not None:
        return "<br>".join([f"<b>{units.size(cell.size_bytes)}</b>", *_of_file(details[cell.row]), maker.hover])
    wasted = f", {units.size(cell.wasted_bytes)} of it wasted" if cell.wasted_bytes else ""
    holds = f"<b>{units.size(cell.size_bytes)}</b> in {cell.files:,} file{'s' * (cell.files != 1)}{wasted}"
    if cell.is_rest:
        return f"{holds}, each too small to be drawn<br>in {sheet.hover_text('/' + cell.path)}<br>{maker.hover}"
    return f"{holds}<br>{sheet.hover_text('/' + cell.path) + '<br>' if cell.path else ''}{maker.hover}"


def _of_file(row: Mapping[Any, Any]) -> list[str]:
    told = [sheet.hover_text(f"/{row['path']}"), f"cause: {row['cause']}"]
    if _known(row["package"]):
        told.append(f"package: {escape(sheet.one_line(row['package'], 60))}")
    if _known(row["how"]):
        told.append(f"wasted: {row['how']} by {row['hidden_by']}")
    return told


def _legend(totals: Mapping[str, int]) -> list[go.Bar]:
    """Return bars of no length, for the legend alone: an icicle has none."""
    marks = {**palette.PARTS, "": palette.UNSPLIT}
    return [
        sheet.bar(marks[part], x=[None], y=[None], name=f"{_NAMES[part]}: {units.size(total)}", showlegend=True)
        for part, total in totals.items()
        if total
    ]


def _told(folding: Folding, files: int) -> str:
    count, size_bytes = folding.folded
    if not count:
        return ""
    return (
        f"{count:,} of {files:,} files are too small to be drawn apart and are folded together, a cell for each "
        f"folder: {units.size(size_bytes)}"
    )


def _alt(frame: pd.DataFrame, totals: Mapping[str, int], makers: Mapping[int, _Maker]) -> str:
    sentence = f"{len(frame):,} files in {len(makers)} layers, {units.size(sum(totals.values()))} in all"
    sentence += f", {units.size(totals['wasted'])} of it wasted." if totals["wasted"] else "."
    for top in frame.nlargest(1, "size_bytes", keep="first").to_dict("records"):
        path, where = sheet.one_line(f"/{top['path']}", 60), makers[top["layer"]].where
        sentence += f" The largest file is {path} ({units.size(top['size_bytes'])}), from {where}."
    return sentence


def _table(frame: pd.DataFrame, makers: Mapping[int, _Maker], title: str, source: str) -> Table:
    largest = frame.nlargest(_MOST_ROWS, "size_bytes", keep="first")
    rows = [
        (
            f"/{row['path']}", units.size(row["size_bytes"]), _word(row["part"]), row["cause"],
            row["package"] if _known(row["package"]) else "–", makers[row["layer"]].where,
        )
        for row in largest.to_dict("records")
    ]  # fmt: skip
    if others := len(frame) - len(rows):
        size = units.size(int(frame["size_bytes"].sum()) - int(largest["size_bytes"].sum()))
        rows.append((f"{others:,} smaller files", size, "–", "–", "–", "–"))
    columns = ("file", "size", "part", "cause", "package", "written by")
    return Table(title, source, columns, tuple(rows), frozenset({1}))


def _word(part: Any) -> str:
    return part if part in palette.PARTS else "?"


def _known(value: Any) -> bool:
    return str(value) not in ("None", "<NA>", "nan")


def _whole(value: Any) -> int | None:
    return int(value) if _known(value) else None
