"""What no container sees: who wrote it, who hid it, and the fix beside each bar. Draws a table of `measure.waste`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 54
_MOST_BARS = 12
# Where the words of a row stand, below its bar, and how many letters of them are written.
_BELOW, _LETTERS = 0.36, 100


def waste_bars(frame: pd.DataFrame, *, source: str, title: str = "Waste: what no container sees") -> sheet.Figure:
    """Draw what is wasted, a bar for each pair of a layer that wrote and one that hid, with the fix in words.

    Parameters
    ----------
    frame
        `measure.waste`. What lies within the base is one bar, for nobody here can fix it.
    source
        Which engine and bases the numbers come from: the subtitle.
    """
    found: list[dict[Any, Any]] = [row for row in frame.to_dict("records") if row["size_bytes"]]
    bars = list(_bars(found))
    sizes, places = [bar.size_bytes for bar in bars], list(range(len(bars)))
    ends = [f"<b>{units.size(bar.size_bytes)}</b>  {bar.how}" for bar in bars]
    hover = [bar.hover for bar in bars]
    alt = _alt(found)
    figure = sheet.compose(
        [
            sheet.bar(
                palette.WASTED, x=sizes, y=places, hovertext=hover, hoverinfo="text", showlegend=False, width=0.3
            ),
            sheet.end_labels(sizes, places, ends),
            _words([bar.fix for bar in bars], places),
        ],
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(bars)) * _ROW_PX,
        axes={
            "xaxis": sheet.size_axis(max(sizes, default=0), room=1.6),
            "yaxis": sheet.row_axis([bar.name for bar in bars]),
        },
    )
    return sheet.Figure(figure, table=_table(found, title, source), alt=alt)


class _Bar(NamedTuple):
    """One row of the figure."""

    name: str
    size_bytes: int
    how: str
    fix: str
    hover: str


def _bars(found: Sequence[dict[Any, Any]]) -> Iterator[_Bar]:
    own = [row for row in found if not row["is_base"]]
    for row in own[:_MOST_BARS]:
        name = f"{row['written_by']} → {row['hidden_by']}"
        yield _Bar(name, row["size_bytes"], row["how"], row["fix"], _hover(row))
    together = (
        ("the rest", own[_MOST_BARS:], "the table lists them"),
        ("within the base", [row for row in found if row["is_base"]], "only another base is without it"),
    )
    for name, rows, fix in together:
        if rows:
            how = f"{len(rows)} finding{'s' * (len(rows) != 1)}"
            yield _Bar(name, sum(row["size_bytes"] for row in rows), how, fix, f"<b>{name}</b>: {how}")


def _words(texts: Sequence[str], places: Sequence[int]) -> go.Scatter:
    return go.Scatter(
        x=[0] * len(places),
        y=[place + _BELOW for place in places],
        text=[f"\u00a0{escape(sheet.one_line(text, _LETTERS), quote=False)}" for text in texts],
        mode="text",
        textposition="middle right",
        textfont={"size": 12, "color": palette.SOFT_INK},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def _hover(row: dict[Any, Any]) -> str:
    more = f" and {row['files'] - 1:,} more" if row["files"] > 1 else ""
    path = sheet.hover_text(f"/{row['largest']}{more}")
    return f"<b>{units.size(row['size_bytes'])}</b>, {row['how']}<br>{path}<br>{sheet.hover_text(row['fix'])}"


def _alt(found: Sequence[dict[Any, Any]]) -> str:
    if not found:
        return "Nothing is wasted: a container sees every byte of the layers."
    own = [row for row in found if not row["is_base"]]
    total, added = (sum(row["size_bytes"] for row in rows) for rows in (found, own))
    # Where no finding is the base's, there may be none, or nobody knows which layers are.
    above = f", {units.size(added)} of it by what was added to the base" if len(own) < len(found) else ""
    sentence = f"{units.size(total)} are wasted{above}."
    if not own:
        return sentence
    top = own[0]
    return f"{sentence} The most expensive: {top['hidden_by']} hides what {top['written_by']} wrote; {top['fix']}."


def _table(found: Sequence[dict[Any, Any]], title: str, source: str) -> Table:
    rows = tuple(
        (
            row["written_by"], row["hidden_by"], row["how"], units.size(row["size_bytes"]), f"{row['files']:,}",
            f"/{row['largest']}", row["fix"],
        )
        for row in found
    )  # fmt: skip
    columns = ("written by", "hidden by", "how", "size", "files", "the largest of them", "fix")
    return Table(title, source, columns, rows, frozenset({3, 4}))
