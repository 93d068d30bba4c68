"""Many recipes of one service: size on disk against the work of a start, and which of them none beats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

    Point = tuple[int, float]

_PLOT_PX = 380
_MARKS = {"full": "square", "slim": "circle", "musl": "triangle-up"}
_OTHERS, _FRONT, _YOURS = palette.UNSPLIT.fill, palette.ADDED.fill, palette.PREDICTION


def build_space(
    frame: pd.DataFrame,
    *,
    source: str,
    yours: Mapping[str, Point] | None = None,
    title: str = "Every recipe: size, and work of a start",
) -> sheet.Figure:
    """Draw each combination as a point; those on the front are filled and joined by a line.

    Parameters
    ----------
    frame
        `measure.space`. What does not serve has no place in the plot; the table has it.
    source
        Which engine and bases the points come from: the subtitle.
    yours
        Name → size and seconds of the learner's own builds, as their engine measured them, in the order they were
        spent: drawn as numbered rings.
    """
    rows: list[dict[Any, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    own = dict(yours or {})
    serving = [row for row in rows if row["start_seconds"] is not None]
    alt = _alt(serving, rows, own)
    sizes = [*(row["size_bytes"] for row in serving), *(size for size, _ in own.values())]
    seconds = [*(row["start_seconds"] for row in serving), *(took for _, took in own.values())]
    drawn = sheet.compose(
        [_line(serving), *_points(serving), *_rings(own)],
        title=title,
        source=source,
        alt=alt,
        plot_px=_PLOT_PX,
        axes={"xaxis": _size_axis(sizes), "yaxis": _seconds_axis(seconds)},
        notes=[
            _note("size on disk: each line is twice the one before", x=1, y=0),
            _note("work of a start", x=0, y=1),
            *[_note("numbered rings: yours", x=1, y=1, colour=_YOURS)] * bool(own),
        ],
    )
    return sheet.Figure(drawn, table=_table(rows, own, title, source), alt=alt)


def _line(serving: Sequence[dict[Any, Any]]) -> go.Scatter:
    best = [row for row in serving if row["is_on_front"]]
    return go.Scatter(
        x=[row["size_bytes"] for row in best],
        y=[row["start_seconds"] for row in best],
        mode="lines",
        # Between two of them nothing was built: the corner is where the next one begins to pay.
        line={"color": _FRONT, "width": 2, "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def _points(serving: Sequence[dict[Any, Any]]) -> list[go.Scatter]:
    points: list[go.Scatter] = []
    for is_on_front, fill in ((False, _OTHERS), (True, _FRONT)):
        for base, symbol in _MARKS.items():
            seen = [row for row in serving if row["base"] == base and row["is_on_front"] is is_on_front]
            if seen:
                # The front is one entry in the legend, whichever bases are on it.
                name = "front" if is_on_front else base
                is_first = all(point.name != name for point in points)
                points.append(_scatter(seen, symbol, name, fill).update(showlegend=is_first))
    return points


def _scatter(seen: Sequence[dict[Any, Any]], symbol: str, name: str, fill: str) -> go.Scatter:
    return go.Scatter(
        x=[row["size_bytes"] for row in seen],
        y=[row["start_seconds"] for row in seen],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 10, "color": fill, "line": {"color": palette.INK, "width": 1}},
        hovertext=[f"<b>{row['name']}</b><br>{_pair(row['size_bytes'], row['start_seconds'])}" for row in seen],
        hoverinfo="text",
        cliponaxis=False,
    )


def _rings(own: Mapping[str, Point]) -> list[go.Scatter]:
    if not own:
        return []
    return [
        go.Scatter(
            x=[size for size, _ in own.values()],
            y=[seconds for _, seconds in own.values()],
            mode="markers+text",
            name="yours",
            text=[f"<b>{number}</b>" for number in range(1, len(own) + 1)],
            textposition="top center",
            textfont={"size": 13, "color": _YOURS},
            marker={"symbol": "circle-open", "size": 19, "color": _YOURS, "line": {"width": 2.5}},
            hovertext=[f"<b>yours: {name}</b><br>{_pair(*point)}" for name, point in own.items()],
            hoverinfo="text",
            # A fifth entry would not fit beside the others in a narrow cell.
            showlegend=False,
            cliponaxis=False,
        )
    ]


def _size_axis(sizes: Sequence[int]) -> dict[str, Any]:
    low, high = (min(sizes), max(sizes)) if sizes else (50_000_000, 100_000_000)
    first, last = math.floor(math.log2(low / 25e6)), math.ceil(math.log2(high / 25e6))
    ticks = [25e6 * 2**step for step in range(first, last + 1)]
    inside = [tick for tick in ticks if low * 0.85 <= tick <= high * 1.15]
    return {
        "type": "log",
        "range": [math.log10(low * 0.88), math.log10(high * 1.14)],
        "tickvals": inside,
        "ticktext": [sheet.short_size(tick) for tick in inside],
        "gridcolor": palette.GRID,
        "tickfont": {"color": palette.SOFT_INK},
        "fixedrange": True,
        "ticks": "",
    }


def _seconds_axis(seconds: Sequence[float]) -> dict[str, Any]:
    axis = sheet.number_axis(max(seconds, default=1.0), suffix=" s", room=1.15)
    return {**axis, "ticktext": [f"{text} " for text in axis["ticktext"]]}


def _note(text: str, *, x: int, y: int, colour: str = palette.SOFT_INK) -> dict[str, Any]:
    """Write into a corner of the plot: 0, 0 is the lower left one."""
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "showarrow": False, "text": text}
    edges = {"xanchor": "right" if x else "left", "yanchor": "top" if y else "bottom"}
    return {**place, **edges, "xshift": 0 if x else 6, "yshift": 0 if y else 2, "font": {"size": 12, "color": colour}}


def _table(rows: Sequence[dict[Any, Any]], own: Mapping[str, Point], title: str, source: str) -> Table:
    numbers = {name: str(number) for number, name in enumerate(own, 1)}
    body = tuple(
        (
            row["name"],
            units.size(row["size_bytes"]),
            "does not serve" if row["start_seconds"] is None else f"{row['start_seconds']:.2f} s",
            "–" if row["uid"] is None else str(row["uid"] or "root"),
            "beaten by none" if row["is_on_front"] else "",
            _yours(numbers.get(row["name"]), own.get(row["name"])),
        )
        for row in rows
    )
    columns = ("recipe", "size on disk", "work of a start", "runs as", "front", "yours")
    return Table(title, source, columns, body, frozenset({1, 2, 3}))


def _yours(number: str | None, point: Point | None) -> str:
    return f"{number}: {_pair(*point)}" if point else ""


def _pair(size_bytes: int, seconds: float) -> str:
    return f"{units.size(size_bytes)}, {seconds:.2f} s"


def _alt(serving: Sequence[dict[Any, Any]], rows: Sequence[dict[Any, Any]], own: Mapping[str, Point]) -> str:
    if not serving:
        return f"None of {len(rows)} recipes serves."
    best = [row for row in serving if row["is_on_front"]]
    smallest, largest = min(serving, key=_size), max(serving, key=_size)
    told = "; ".join(f"{row['name']} ({_pair(row['size_bytes'], row['start_seconds'])})" for row in best)
    silent = len(rows) - len(serving)
    parts = [
        f"{len(serving)} recipes from {units.size(_size(smallest))} to {units.size(_size(largest))}"
        + (f"; {silent} more {'does' if silent == 1 else 'do'} not serve." if silent else "."),
        f"{len(best)} of them {'is' if len(best) == 1 else 'are'} beaten by none: {told}.",
    ]
    if own:
        hits = [str(number) for number, name in enumerate(own, 1) if name in {row["name"] for row in best}]
        numbers = f"number {' and '.join(hits)} {'is' if len(hits) == 1 else 'are'}" if hits else "none is"
        parts.append(f"Of your builds, {numbers} among them.")
    return " ".join(parts)


def _size(row: Mapping[Any, Any]) -> int:
    return int(row["size_bytes"])
