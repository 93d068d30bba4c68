"""One image, and the size that each tool gives it, as bars of what was counted. Draws a table of `measure.tools`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 34
_UNKNOWN = "not measured"
_PARTS = (("files", palette.FILES), ("files in whole blocks", palette.BLOCKS), ("packed layers", palette.PACKED))


def sizes_by_tool(
    frame: pd.DataFrame, *, source: str, title: str = "One image, and what each tool calls its size"
) -> sheet.Figure:
    """Draw what each tool prints for one image, a bar a tool, split into what it counts.

    Parameters
    ----------
    frame
        `measure.tools`. A figure that is no measurement but the rule of a store that is not here says so.
    source
        Which engine and bases the numbers come from: the subtitle.
    """
    said: list[dict[Any, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    names = [f"{row['store']}: {row['tool']}" if row["store"] else row["tool"] for row in said]
    alt = _alt(said)
    ends = [f"<b>{_size(row)}</b>  {_how(row)}" for row in said]
    totals = [row["size_bytes"] or 0 for row in said]
    drawn = sheet.compose(
        [*_bars(said), sheet.end_labels(totals, range(len(said)), ends)],
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(said)) * _ROW_PX,
        axes={"xaxis": sheet.size_axis(max(totals, default=0), room=1.5), "yaxis": sheet.row_axis(names)},
        shapes=_dividers([row["store"] for row in said]),
    )
    rows = tuple((row["store"] or "either", row["tool"], _size(row), row["counts"], _how(row)) for row in said)
    columns = ("image store", "tool", "prints", "counts", "how we know")
    return sheet.Figure(drawn, table=Table(title, source, columns, rows, frozenset({2})), alt=alt)


def _bars(said: Sequence[dict[Any, Any]]) -> list[Any]:
    bars = []
    # Packed first: in the row that counts both, files then stand behind it.
    for part, mark in reversed(_PARTS):
        seen = [(y, row, size) for y, row in enumerate(said) if (size := _part(row, part))]
        if seen:
            bars.append(
                sheet.bar(
                    mark,
                    x=[size for *_, size in seen],
                    y=[y for y, *_ in seen],
                    name=part,
                    hovertext=[f"<b>{units.size(size)}</b> of {part}<br>{_how(row)}" for _, row, size in seen],
                    hoverinfo="text",
                    showlegend=True,
                )
            )
    return bars


def _part(row: dict[Any, Any], part: str) -> int:
    size, packed = row["size_bytes"] or 0, row["packed_bytes"] or 0
    if part == "packed layers":
        return min(size, packed)
    is_blocks = str(row["counts"]).endswith("blocks")
    return max(0, size - packed) if is_blocks == (part == "files in whole blocks") else 0


def _dividers(stores: Sequence[str]) -> list[dict[str, Any]]:
    """Return a line wherever another store begins."""
    line = {"color": palette.SOFT_INK, "width": 1, "dash": "dot"}
    ends = [y - 0.5 for y in range(1, len(stores)) if stores[y] != stores[y - 1]]
    place = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "line": line}
    return [{**place, "y0": y, "y1": y} for y in ends]


def _size(row: dict[Any, Any]) -> str:
    return _UNKNOWN if row["size_bytes"] is None else units.size(row["size_bytes"])


def _how(row: dict[Any, Any]) -> str:
    if row["size_bytes"] is None:
        return ""
    return "measured here" if row["is_measured"] else "by its rule"


def _alt(said: Sequence[dict[Any, Any]]) -> str:
    told: dict[str, list[dict[Any, Any]]] = {}
    for row in said:
        told.setdefault(row["store"], []).append(row)
    kept = "".join(f" {row['tool'].capitalize()}: {_size(row)}." for row in told.pop("", ()))
    return " ".join(_of_store(store, rows) for store, rows in told.items()) + kept


def _of_store(store: str, rows: Sequence[dict[Any, Any]]) -> str:
    how = "On this engine's" if rows[0]["is_measured"] else "By the rule of the"
    if len({row["size_bytes"] for row in rows}) == 1:
        return f"{how} {store} store all {len(rows)} commands print {_size(rows[0])}."
    return f"{how} {store} store " + ", ".join(f"{row['tool']} prints {_size(row)}" for row in rows) + "."
