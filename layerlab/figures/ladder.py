"""The size ladder: how large each image is, and how much of it is base. Draws a table of `measure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

Guess = int | tuple[int, int]

# An image this many times larger than the next one flattens all others, so they get a panel of their own.
_DWARFS = 3.0
_ROW_PX, _PANEL_GAP_PX = 50, 62
# Markers sit just off the bar, so that its end keeps room for its label.
_ABOVE, _BELOW = -0.38, 0.38
_CLAIM_NAME = "another engineer's estimate"


@dataclass(frozen=True)
class _Row:
    name: str
    size: int | None
    base: int | None
    added: int | None
    guess: tuple[int, int] | None
    claim: int | None

    @property
    def reach(self) -> int:
        """The largest value drawn in this row."""
        return max(self.size or 0, self.claim or 0, *(self.guess or (0,)))


def size_ladder(
    frame: pd.DataFrame,
    *,
    source: str,
    claims: Mapping[str, int] | None = None,
    predictions: Mapping[str, Guess] | None = None,
    reveal: bool = True,
) -> sheet.Figure:
    """Draw how large each image is, split into base and added.

    Parameters
    ----------
    frame
        `measure.images` or `measure.ladder`; a row without a size gets a blank bar.
    source
        Which engine and bases the numbers come from: the subtitle.
    claims
        Name → bytes that another engineer gives for it (`claims.sizes()`); drawn only where measured.
    predictions
        Name → bytes or (lowest, highest) bytes; by default the predicted columns of ``frame``.
    reveal
        False leaves every bar blank: what a reader sees who has yet to measure.
    """
    rows = _rows(frame, claims or {}, predictions, reveal=reveal)
    alt = _alt(rows)
    panels = _panels(rows)
    traces: list[Any] = []
    axes: dict[str, Any] = {}
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    plot_px = sum(len(panel) for panel in panels) * _ROW_PX + (len(panels) - 1) * _PANEL_GAP_PX
    top = plot_px
    for number, panel in enumerate(panels, start=1):
        bottom = top - len(panel) * _ROW_PX
        suffix = "" if number == 1 else str(number)
        end = max((row.reach for row in panel), default=0)
        axes |= _panel_axes(panel, suffix, end, (bottom / plot_px, top / plot_px))
        traces += _bars(panel, suffix) + _markers(panel, suffix)
        shapes += [_slot(index, suffix) for index, row in enumerate(panel) if row.size is None]
        notes += [_question(index, suffix) for index, row in enumerate(panel) if row.size is None]
        if number > 1:
            notes.append(_panel_title(rows, panel, top / plot_px))
        top = bottom - _PANEL_GAP_PX
    title = "Size on disk" if any(row.size is not None for row in rows) else "Size on disk: not measured yet"
    drawn = sheet.compose(
        _legend_first(traces),
        title=title,
        source=source,
        alt=alt,
        plot_px=max(plot_px, _ROW_PX),
        axes=axes,
        shapes=shapes,
        notes=notes,
    )
    return sheet.Figure(drawn, table=_table(rows, title, source), alt=alt)


def _rows(
    frame: pd.DataFrame, claims: Mapping[str, int], predictions: Mapping[str, Guess] | None, *, reveal: bool
) -> list[_Row]:
    rows = []
    for record in frame.to_dict("records"):
        name = str(record["name"])
        size = _whole(record, "size_bytes") if reveal else None
        known = size is not None
        rows.append(
            _Row(
                name=name,
                size=size,
                base=_whole(record, "base_bytes") if known else None,
                added=_whole(record, "added_bytes") if known else None,
                guess=_guess(record, predictions),
                # Whoever has not measured yet should not read the answer off someone else's.
                claim=claims.get(name) if known else None,
            )
        )
    return rows


def _whole(record: Mapping[Any, Any], column: str) -> int | None:
    value = record.get(column)
    # NA and NaN both differ from themselves or refuse to compare; text of either is short and known.
    return None if value is None or str(value) in ("<NA>", "nan") else int(value)


def _guess(record: Mapping[Any, Any], predictions: Mapping[str, Guess] | None) -> tuple[int, int] | None:
    if predictions is not None:
        guess = predictions.get(str(record["name"]))
        return (guess, guess) if isinstance(guess, int) else guess
    low, high = _whole(record, "predicted_low_bytes"), _whole(record, "predicted_high_bytes")
    return None if low is None or high is None else (low, high)


def _panels(rows: Sequence[_Row]) -> list[list[_Row]]:
    sizes = sorted((row.size for row in rows if row.size is not None), reverse=True)
    if len(sizes) < 2 or sizes[0] < _DWARFS * sizes[1]:
        return [list(rows)]
    return [list(rows), [row for row in rows if row.size is not None and row.size < sizes[0]]]


def _panel_axes(panel: Sequence[_Row], suffix: str, end: int, domain: tuple[float, float]) -> dict[str, Any]:
    x = sheet.size_axis(end, room=1.42) | {"anchor": f"y{suffix}"}
    if end == 0:
        # Nothing measured and nothing predicted: a scale would give the answer away.
        x |= {"showticklabels": False, "showgrid": False}
    y = sheet.row_axis([row.name for row in panel])
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": y | {"domain": list(domain), "anchor": f"x{suffix}"}}


def _bars(panel: Sequence[_Row], suffix: str) -> list[Any]:
    end = max((row.reach for row in panel), default=0) or 1
    kinds = (("base", palette.BASE), ("added", palette.ADDED), ("size", palette.UNSPLIT))
    names = {"base": "base image", "added": "added by this Dockerfile", "size": "not split (base unknown)"}
    bars = []
    for kind, mark in kinds:
        parts = [(i, row, _part(row, kind)) for i, row in enumerate(panel)]
        seen = [(i, row, size) for i, row, size in parts if size is not None]
        if seen:
            bars.append(
                sheet.bar(
                    mark,
                    x=[size for *_, size in seen],
                    y=[i for i, *_ in seen],
                    name=names[kind],
                    text=[_inside(kind, size, end) for *_, size in seen],
                    textposition="inside",
                    hovertext=[_hover(row) for _, row, _ in seen],
                    hoverinfo="text",
                    legendgroup=kind,
                    showlegend=suffix == "",
                    xaxis=f"x{suffix}",
                    yaxis=f"y{suffix}",
                )
            )
    known = [(i, row.size) for i, row in enumerate(panel) if row.size is not None]
    labels = [_end_label(row) for row in panel if row.size is not None]
    axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    return [*bars, sheet.end_labels([size for _, size in known], [i for i, _ in known], labels, **axes)]


def _part(row: _Row, kind: str) -> int | None:
    if kind == "size":
        return row.size if row.added is None else None
    return row.base if kind == "base" else row.added


def _inside(kind: str, size: int, end: int) -> str:
    """Name a part inside its bar where the bar is long enough to hold the words."""
    return f"{kind} {units.size(size)}" if kind != "size" and size > 0.24 * end else ""


def _end_label(row: _Row) -> str:
    added = "" if row.added is None else f"  {_text(row.added)} added"
    return f"<b>{_text(row.size)}</b>{added}"


def _hover(row: _Row) -> str:
    lines = [f"<b>{row.name}</b>", f"size on disk {_text(row.size)}"]
    lines += [
        f"{word} {_text(value)}" for word, value in (("base", row.base), ("added", row.added)) if value is not None
    ]
    if row.guess:
        lines.append(f"predicted {_band(row.guess)}")
    if row.claim:
        lines.append(f"{_CLAIM_NAME} {_text(row.claim)}")
    return "<br>".join(lines)


def _markers(panel: Sequence[_Row], suffix: str) -> list[Any]:
    axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    found = []
    claimed = [(i, row) for i, row in enumerate(panel) if row.claim is not None]
    if claimed:
        found.append(
            _symbols(
                [float(row.claim or 0) for _, row in claimed],
                [i + _ABOVE for i, _ in claimed],
                "triangle-down",
                palette.CLAIM,
                _CLAIM_NAME,
                [_hover(row) for _, row in claimed],
                is_first=suffix == "",
                **axes,
            )
        )
    guessed = [(i, row, row.guess) for i, row in enumerate(panel) if row.guess is not None]
    if guessed:
        found.append(_bands([(i, guess) for i, _, guess in guessed], **axes))
        found.append(
            _symbols(
                [(guess[0] + guess[1]) / 2 for *_, guess in guessed],
                [i + _BELOW for i, *_ in guessed],
                "diamond",
                palette.PREDICTION,
                "your prediction",
                [_hover(row) for _, row, _ in guessed],
                is_first=suffix == "",
                **axes,
            )
        )
    return found


def _symbols(
    x: list[float],
    y: list[float],
    symbol: str,
    colour: str,
    name: str,
    hover: list[str],
    *,
    is_first: bool,
    **axes: str,
) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 11, "color": colour, "line": {"color": palette.PAPER, "width": 1}},
        hovertext=hover,
        hoverinfo="text",
        legendgroup=name,
        showlegend=is_first,
        cliponaxis=False,
        **axes,
    )


def _bands(guesses: Sequence[tuple[int, tuple[int, int]]], **axes: str) -> go.Scatter:
    """Draw a predicted band as a line from its lowest to its highest value."""
    x: list[float | None] = []
    y: list[float | None] = []
    for index, (low, high) in guesses:
        x += [low, high, None]
        y += [index + _BELOW, index + _BELOW, None]
    line = {"color": palette.PREDICTION, "width": 2}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, cliponaxis=False, **axes)


def _slot(index: int, suffix: str) -> dict[str, Any]:
    """Return the outline of a bar whose length nobody knows yet: as long as the axis."""
    return {
        "type": "rect",
        "xref": f"x{suffix} domain",
        "yref": f"y{suffix}",
        "x0": 0,
        "x1": 1,
        "y0": index - 0.29,
        "y1": index + 0.29,
        "line": {"color": palette.SOFT_INK, "width": 1.5, "dash": "dot"},
        "fillcolor": "rgba(0,0,0,0)",
    }


def _question(index: int, suffix: str) -> dict[str, Any]:
    return {
        "text": "<b>?</b>",
        "showarrow": False,
        "xref": f"x{suffix} domain",
        "yref": f"y{suffix}",
        "x": 0.02,
        "xanchor": "left",
        "y": index,
        "font": {"size": 16, "color": palette.SOFT_INK},
    }


def _panel_title(rows: Sequence[_Row], panel: Sequence[_Row], top: float) -> dict[str, Any]:
    left_out = ", ".join(row.name for row in rows if row not in panel)
    return {
        "text": f"<b>The same without {left_out}</b>, on a longer scale",
        "showarrow": False,
        "xref": "x domain",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": top,
        "yanchor": "bottom",
        "yshift": 6,
        "font": {"size": 12, "color": palette.INK},
    }


def _legend_first(traces: Sequence[Any]) -> list[Any]:
    return sorted(traces, key=lambda trace: not trace.showlegend)


def _alt(rows: Sequence[_Row]) -> str:
    known = [row for row in rows if row.size is not None]
    if not known:
        guessed = "; ".join(f"{row.name} {_band(row.guess)}" for row in rows if row.guess)
        names = ", ".join(row.name for row in rows)
        return f"Blank bars, to be measured: {names}." + (f" Predicted: {guessed}." if guessed else "")
    largest, smallest = max(known, key=_size), min(known, key=_size)
    sentence = f"{largest.name} takes {_text(largest.size)} on disk{_split(largest)}"
    if smallest is not largest and largest.size:
        below = 1 - (smallest.size or 0) / largest.size
        sentence += f"; {smallest.name} takes {_text(smallest.size)}{_split(smallest)}, {below:.0%} less"
    unknown = [row.name for row in rows if row.size is None]
    return sentence + "." + (f" Not measured yet: {', '.join(unknown)}." if unknown else "")


def _size(row: _Row) -> int:
    return row.size or 0


def _split(row: _Row) -> str:
    return "" if row.added is None else f", {_text(row.added)} of it added to its base"


def _text(value: int | None) -> str:
    return "?" if value is None else units.size(value)


def _band(guess: tuple[int, int] | None) -> str:
    if guess is None:
        return "–"
    low, high = guess
    return units.size(low) if low == high else f"{units.size(low)} to {units.size(high)}"


def _table(rows: Sequence[_Row], title: str, source: str) -> Table:
    columns = ["image", "size on disk", "base", "added"]
    cells = [[row.name, _text(row.size), _text(row.base), _text(row.added)] for row in rows]
    if any(row.guess for row in rows):
        columns.append("predicted")
        cells = [[*cell, _band(row.guess)] for cell, row in zip(cells, rows, strict=True)]
    if any(row.claim for row in rows):
        columns.append(_CLAIM_NAME)
        cells = [[*cell, "–" if row.claim is None else _text(row.claim)] for cell, row in zip(cells, rows, strict=True)]
    numbers = frozenset(range(1, len(columns)))
    return Table(title, source, tuple(columns), tuple(tuple(cell) for cell in cells), numbers)
