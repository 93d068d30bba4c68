"""When each step of a build ran, and what ran beside it: one or several builds on one clock.

Draws tables of `measure.timeline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 28
# Two steps that follow each other on one clock may touch by the width of a time stamp.
_TOUCH_SECONDS = 0.05

_Row = dict[Any, Any]


def build_timeline(frames: Mapping[str, pd.DataFrame], *, source: str, title: str = "What ran when") -> sheet.Figure:
    """Draw the steps of builds as bars on one time axis, a lane for each step, the lanes of a stage together.

    Parameters
    ----------
    frames
        Name of a build → its `measure.timeline`.
    source
        Which engine built, and whether it was replayed: the subtitle.
    """
    rows: list[_Row] = [{**row, "build": name} for name, frame in frames.items() for row in frame.to_dict("records")]
    alt = " ".join(_sentence(name, [row for row in rows if row["build"] == name]) for name in frames)
    end = max((row["began"] + row["seconds"] for row in rows), default=0.0)
    labels = [sheet.one_line(f"{row['stage']}: {row['instruction']}", 40) for row in rows]
    drawn = sheet.compose(
        _bars(rows),
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(rows)) * _ROW_PX,
        axes={
            "xaxis": sheet.number_axis(end, suffix=" s", room=1.4),
            "yaxis": sheet.row_axis(labels, is_code=True),
        },
        shapes=_rules(rows),
        notes=_names(rows) if len(frames) > 1 else (),
    )
    columns = ("build", "stage", "line", "begins", "takes", "answer", "layer", "instruction")
    table = Table(title, source, columns, tuple(_cells(row) for row in rows), frozenset({2, 3, 4, 6}))
    return sheet.Figure(drawn, table=table, alt=alt)


def _bars(rows: Sequence[_Row]) -> list[Any]:
    places = list(range(len(rows)))
    bar = sheet.bar(
        palette.TIME,
        base=[row["began"] for row in rows],
        x=[row["seconds"] for row in rows],
        y=places,
        hovertext=[_hover(row) for row in rows],
        hoverinfo="text",
        showlegend=False,
    )
    ends = [row["began"] + row["seconds"] for row in rows]
    return [bar, sheet.end_labels(ends, places, [_said(row) for row in rows])]


def _names(rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """Write the name of each build at the right end of its first lane."""
    firsts = {row["build"]: place for place, row in reversed(list(enumerate(rows)))}
    place = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "y", "showarrow": False}
    return [{**place, "y": y, "text": f"<b>{escape(name, quote=False)}</b>"} for name, y in firsts.items()]


def _rules(rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """Return a line between two stages, and a heavier one between two builds."""
    rules = []
    for place in range(1, len(rows)):
        above, below = rows[place - 1], rows[place]
        if above["build"] != below["build"]:
            rules.append(_rule(place - 0.5, {"width": 1.5}))
        elif above["stage"] != below["stage"]:
            rules.append(_rule(place - 0.5, {"width": 0.7, "dash": "dot"}))
    return rules


def _rule(y: float, look: dict[str, Any]) -> dict[str, Any]:
    place = {"xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y}
    return {"type": "line", **place, "line": {"color": palette.SOFT_INK, **look}}


def _sentence(name: str, rows: Sequence[_Row]) -> str:
    if not rows:
        return f"{name}: nothing to see."
    end = max(row["began"] + row["seconds"] for row in rows)
    said = f"{name}: {len(rows)} steps, {sum(row['is_cached'] for row in rows)} from the cache, "
    said += f"over after {units.duration(end)}"
    pair = _together(rows)
    if pair is None:
        return f"{said}; no two steps at once."
    first, second = (sheet.one_line(f"{row['stage']}: {row['instruction']}", 40) for row in pair)
    return f"{said}; at once ran {first} and {second}."


def _together(rows: Sequence[_Row]) -> tuple[_Row, _Row] | None:
    """Return the two steps that ran beside each other for longest, or None."""
    pairs = [(_overlap(a, b), n, m) for n, a in enumerate(rows) for m, b in enumerate(rows[:n])]
    seconds, n, m = max(pairs, default=(0.0, 0, 0))
    return (rows[m], rows[n]) if seconds > _TOUCH_SECONDS else None


def _overlap(a: _Row, b: _Row) -> float:
    begins, ends = max(a["began"], b["began"]), min(a["began"] + a["seconds"], b["began"] + b["seconds"])
    return float(ends - begins)


def _said(row: _Row) -> str:
    size = f" · {units.size(row['size_bytes'])}" if _has_layer(row) else ""
    return ("cached" if row["is_cached"] else units.duration(row["seconds"])) + size


def _has_layer(row: _Row) -> bool:
    # NA is neither true nor equal to itself.
    return isinstance(row["size_bytes"], int) and row["size_bytes"] > 0


def _hover(row: _Row) -> str:
    when = f"{row['build']}, stage {row['stage']}, from {row['began']:.1f} s: {_said(row)}"
    return f"{when}<br>{sheet.hover_text(row['instruction'])}"


def _cells(row: _Row) -> tuple[str, ...]:
    return (
        row["build"],
        row["stage"],
        str(row["line"]),
        f"{row['began']:.1f} s",
        units.duration(row["seconds"]),
        "cached" if row["is_cached"] else "ran",
        units.size(row["size_bytes"]) if _has_layer(row) else "–",
        row["instruction"],
    )
