"""The way from one image to another in steps, a cause each, that add up. Draws a table of `measure.changes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 34
# Steps that take up less than this part of an axis from zero cannot be told apart: then it begins further right.
_DWARFED = 0.2


@dataclass(frozen=True)
class _Row:
    """One bar, between two sums."""

    name: str
    start: int
    end: int
    kind: str  # "size", "more" or "less"

    @property
    def label(self) -> str:
        return units.size(self.end) if self.kind == "size" else units.signed(self.end - self.start)


_KINDS = (
    ("size", palette.UNSPLIT, "size on disk"),
    ("more", palette.ADDED, "added"),
    ("less", palette.REMOVED, "gone"),
)


def size_waterfall(
    frame: pd.DataFrame, *, source: str, names: tuple[str, str] = ("before", "after"), title: str = ""
) -> sheet.Figure:
    """Draw how the size of one image becomes that of another, step by step; the steps add up to the difference.

    Parameters
    ----------
    frame
        `measure.changes`.
    names
        What the two images are called.
    source
        Which engine and bases the numbers come from: the subtitle.
    """
    before, after = (sheet.one_line(name, 40) for name in names)
    title = title or f"From {before} to {after}, by cause"
    rows = list(_rows(frame, before, after))
    left, right = _range(rows)
    alt = _alt(rows, left)
    drawn = sheet.compose(
        _bars(rows, left),
        title=title,
        source=source,
        alt=alt,
        plot_px=len(rows) * _ROW_PX,
        axes={
            "xaxis": sheet.size_axis(right, start=left),
            "yaxis": sheet.row_axis([row.name for row in rows]),
        },
        shapes=_connections(rows),
    )
    return sheet.Figure(drawn, table=_table(frame, (before, after), title, source), alt=alt)


def _rows(frame: pd.DataFrame, before: str, after: str) -> Iterator[_Row]:
    reached = int(frame["before_bytes"].sum())
    yield _Row(before, 0, reached, "size")
    for cause, difference in zip(frame["cause"].tolist(), frame["difference_bytes"].tolist(), strict=True):
        if difference:
            yield _Row(cause, reached, reached + difference, "more" if difference > 0 else "less")
            reached += difference
    yield _Row(after, 0, reached, "size")


def _range(rows: Sequence[_Row]) -> tuple[int, int]:
    """Return where the axis begins and the largest value on it."""
    sums = [row.end for row in rows]
    low, high = min(sums), max(sums)
    if 0 < high - low < _DWARFED * high:
        return max(0, low - (high - low) // 2), high
    return 0, high


def _bars(rows: Sequence[_Row], left: int) -> list[Any]:
    bars: list[Any] = []
    for kind, mark, name in _KINDS:
        seen = [(y, row) for y, row in enumerate(rows) if row.kind == kind]
        if seen:
            bars.append(
                sheet.bar(
                    mark,
                    base=[left if kind == "size" else row.start for _, row in seen],
                    x=[row.end - (left if kind == "size" else row.start) for _, row in seen],
                    y=[y for y, _ in seen],
                    name=name,
                    hovertext=[f"<b>{sheet.hover_text(row.name)}</b> {row.label}" for _, row in seen],
                    hoverinfo="text",
                    showlegend=True,
                    # Told, for plotly would derive it from how far apart the bars of one kind lie.
                    width=0.58,
                )
            )
    ends = [max(row.start, row.end) for row in rows]
    labels = [f"<b>{row.label}</b>" if row.kind == "size" else row.label for row in rows]
    return [*bars, sheet.end_labels(ends, list(range(len(rows))), labels)]


def _connections(rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """Return the thin lines that hand the sum of one row to the next."""
    line = {"color": palette.SOFT_INK, "width": 1, "dash": "dot"}
    place = {"type": "line", "xref": "x", "yref": "y", "line": line, "layer": "below"}
    return [{**place, "x0": row.end, "x1": row.end, "y0": y, "y1": y + 1} for y, row in enumerate(rows[:-1])]


def _alt(rows: Sequence[_Row], left: int) -> str:
    before, *steps, after = rows
    sentence = f"{before.name} takes {before.label}, {after.name} {after.label}"
    sentence += f": {units.signed(after.end - before.end)}." if steps else ": no cause differs."
    if steps:
        most = max(steps, key=lambda step: abs(step.end - step.start))
        sentence += f" The largest step is {most.name} ({most.label})."
    return f"{sentence} The axis begins at {units.size(left)}." if left else sentence


def _table(frame: pd.DataFrame, names: tuple[str, str], title: str, source: str) -> Table:
    columns = ("before_bytes", "after_bytes", "difference_bytes")
    steps = zip(frame["cause"].tolist(), *(frame[column].tolist() for column in columns), strict=True)
    totals = ("all", *(int(frame[column].sum()) for column in columns))
    rows = tuple(
        (name, units.size(before), units.size(after), units.signed(change))
        for name, before, after, change in (*steps, totals)
    )
    return Table(title, source, ("cause", *names, "difference"), rows, frozenset({1, 2, 3}))
