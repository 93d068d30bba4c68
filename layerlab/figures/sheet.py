"""The sheet every figure is drawn on: title, provenance, caption, axes, and the twin in the MIME bundle.

Knows plotly and the palette; no data. Nothing in it depends on the run: same numbers, same bytes.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Sequence
from html import escape, unescape
from typing import Any

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette
from layerlab.figures.table import Table

PLOTLY_MIME = "application/vnd.plotly.v1+json"

# Letters a line that still fit a 600-pixel cell at the sizes used below.
_TEXT_WIDTH, _HOVER_LINES = 84, 12
_AMOUNT = re.compile(r"(\d) (B|kB|MB|GB|s|min)\b")
_EDGE_PX, _TITLE_PX, _LINE_PX, _LEGEND_PX, _AXIS_PX = 14, 36, 17, 22, 34


class Figure:
    """A plotly figure with the same numbers as a table, for whoever cannot see or draw it.

    Attributes
    ----------
    figure
        The ``plotly.graph_objects.Figure``.
    table
        The numbers as text.
    alt
        One or two sentences with the numbers that matter; printed below the figure as well.
    """

    def __init__(self, figure: go.Figure, *, table: Table, alt: str) -> None:
        self.figure = figure
        self.table = table
        self.alt = alt

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        plot = json.loads(self.figure.to_json(remove_uids=True))
        # Not "responsive": drawn while it is scrolled out of sight (Run All), JupyterLab's place for it has no
        # height yet, and plotly would fit the figure into that. JupyterLab tells plotly of resizes itself.
        plot["config"] = {"displaylogo": False, "responsive": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
        return {PLOTLY_MIME: plot, "text/html": self.table.html(self.alt), "text/plain": str(self)}

    def __repr__(self) -> str:
        return self.table.text(self.alt)


def compose(
    traces: Sequence[go.Bar | go.Scatter | go.Icicle],
    *,
    title: str,
    source: str,
    alt: str,
    plot_px: int,
    axes: dict[str, Any],
    shapes: Sequence[dict[str, Any]] = (),
    notes: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Lay traces out between title, provenance and legend above, and the caption below."""
    legend_px = _legend_px(traces)
    provenance, caption = _lines(source), _lines(alt)
    top = _TITLE_PX + _LINE_PX * len(provenance) + legend_px + 10
    bottom = _AXIS_PX + _LINE_PX * len(caption) + 10
    left = max(_label_px(axis) for name, axis in axes.items() if name.startswith("yaxis"))
    layout = {
        "height": top + plot_px + bottom,
        "margin": {"l": left, "r": _EDGE_PX, "t": top, "b": bottom},
        "legend": {**_LEGEND, "y": 1 + 4 / plot_px},
        "showlegend": legend_px > 0,
        "annotations": [*notes, *_frame_texts(title, provenance, caption, left=left, top=top)],
        "shapes": list(shapes),
        "meta": {"alt": alt, "source": source},
        **_LOOK,
        **axes,
    }
    return go.Figure(data=list(traces), layout=layout)


def size_axis(largest_bytes: float, *, room: float = 1.18, start: float = 0) -> dict[str, Any]:
    """Return a byte axis from ``start`` to ``room`` × the way to the largest value, its ticks in decimal units."""
    way = ((largest_bytes - start) or 1) * room
    ticks = _nice_ticks(way, smallest=1.0, start=start)
    return {
        "range": [start, start + way],
        "tickvals": ticks,
        "ticktext": [short_size(tick) for tick in ticks],
        **_X_LOOK,
    }


def number_axis(largest: float, *, suffix: str, room: float = 1.25) -> dict[str, Any]:
    """Return an axis from 0 for plain numbers, each tick followed by its unit."""
    end = (largest or 1) * room
    ticks = _nice_ticks(end)
    return {"range": [0, end], "tickvals": ticks, "ticktext": [f"{tick:g}{suffix}" for tick in ticks], **_X_LOOK}


def row_axis(labels: Sequence[str], *, is_code: bool = False) -> dict[str, Any]:
    """Return an axis with one labelled row for each thing, the first one on top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": [escape(label, quote=False) + " " for label in labels],
        "range": [len(labels) - 0.45, -0.55],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 11, "family": palette.CODE_FONT} if is_code else {"size": 13},
    }


def bar(mark: palette.Mark, **given: Any) -> go.Bar:
    """Return a horizontal bar trace that looks as its meaning demands."""
    pattern = {"shape": mark.pattern, "fgcolor": palette.INK, "fgopacity": 0.55, "size": 7, "solidity": 0.18}
    return go.Bar(
        orientation="h",
        marker={"color": mark.fill, "line": {"color": palette.INK, "width": 1}, "pattern": pattern},
        insidetextfont={"color": mark.ink, "size": 12},
        insidetextanchor="middle",
        textangle=0,
        # Else plotly shrinks the words until they fit, down to nothing.
        constraintext="none",
        **given,
    )


def end_labels(x: Sequence[float], y: Sequence[float], text: Sequence[str], **given: Any) -> go.Scatter:
    """Return the totals written beside the ends of bars."""
    return go.Scatter(
        x=list(x),
        y=list(y),
        text=[f" {part}" for part in text],
        mode="text",
        textposition="middle right",
        textfont={"size": 12, "color": palette.INK},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        **given,
    )


def one_line(text: str, width: int = 34) -> str:
    """Cut an instruction to one line, fit to print."""
    return units.one_line(text, width)


def hover_text(text: str) -> str:
    """Wrap a long instruction for the hover box; plotly reads `<` as markup, so it is escaped."""
    lines = _lines(units.one_line(text))
    return _markup([*lines[:_HOVER_LINES], "…"] if len(lines) > _HOVER_LINES else lines)


_LOOK: dict[str, Any] = {
    "template": {"data": {}},
    "font": {"family": palette.FONT, "size": 12, "color": palette.INK},
    "paper_bgcolor": palette.PAPER,
    "plot_bgcolor": palette.PAPER,
    "barmode": "stack",
    "bargap": 0.42,
    "hoverlabel": {"align": "left", "font": {"family": palette.CODE_FONT, "size": 12}},
    "autosize": True,
    # Dragging a bar chart about loses it; hovering is what helps here.
    "dragmode": False,
}
_LEGEND: dict[str, Any] = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "yanchor": "bottom",
    "traceorder": "normal",
    "itemclick": False,
    "itemdoubleclick": False,
}
_X_LOOK: dict[str, Any] = {
    "gridcolor": palette.GRID,
    "zerolinecolor": palette.SOFT_INK,
    "tickfont": {"color": palette.SOFT_INK},
    "fixedrange": True,
    "ticks": "",
}


def _frame_texts(
    title: str, provenance: Sequence[str], caption: Sequence[str], *, left: int, top: int
) -> list[dict[str, Any]]:
    """Place the texts around the plot from the sheet's left edge, at the same distance on every width."""
    edge = {"showarrow": False, "align": "left", "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper"}
    edge |= {"yanchor": "top", "xshift": _EDGE_PX - left}
    soft = {"size": 12, "color": palette.SOFT_INK}
    return [
        {**edge, "y": 1, "text": f"<b>{escape(title, quote=False)}</b>", "yshift": top - 8, "font": {"size": 16}},
        {**edge, "y": 1, "text": _markup(provenance), "yshift": top - _TITLE_PX, "font": soft},
        {**edge, "y": 0, "text": _markup(caption), "yshift": 4 - _AXIS_PX, "font": soft},
    ]


def _legend_px(traces: Sequence[go.Bar | go.Scatter | go.Icicle]) -> int:
    # plotly knows no legend for an icicle, so its traces have no such attribute.
    shown = [len(trace.name) for trace in traces if "showlegend" in trace and trace.showlegend]
    # A cell of 600 pixels holds about 50 letters of legend beside the row labels; then it wraps.
    return _LEGEND_PX * min(len(shown), math.ceil((sum(shown) + 5 * len(shown)) / 50))


def _label_px(axis: dict[str, Any]) -> int:
    # Fixed rather than automatic, so that the texts above know where the sheet begins.
    is_code = axis["tickfont"].get("family") == palette.CODE_FONT
    longest = max((len(unescape(label)) for label in axis["ticktext"]), default=0)
    return round(longest * (6.7 if is_code else 7.7)) + _EDGE_PX


def _lines(text: str, width: int = _TEXT_WIDTH) -> list[str]:
    # Neither "apt-get" nor "115 MB" may fall apart: textwrap leaves hyphens whole and breaks at no U+00A0.
    whole = _AMOUNT.sub("\\1\u00a0\\2", text)
    return [line for part in whole.splitlines() for line in textwrap.wrap(part, width, break_on_hyphens=False)]


def _markup(lines: Sequence[str]) -> str:
    return "<br>".join(escape(line, quote=False) for line in lines)


def _nice_ticks(way: float, *, smallest: float = 0.0, start: float = 0, wanted: int = 5) -> list[float]:
    rough = way / wanted
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough * 0.999)
    step = max(step, smallest)
    return [i * step for i in range(math.ceil(start / step), int((start + way) / step) + 1)]


def short_size(size_bytes: float) -> str:
    """Print a size as it stands at an axis."""
    # "50.0 MB" is right for a measurement and noise on an axis.
    return re.sub(r"(\.\d*?)0+ ", r"\1 ", units.size(size_bytes)).replace(". ", " ")
