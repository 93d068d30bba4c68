"""How long each step of a build took, and which came from the cache. Draws a table of `measure.steps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

_ROW_PX = 28


def step_times(frame: pd.DataFrame, *, source: str, title: str = "Seconds per step") -> sheet.Figure:
    """Draw the steps of a build in the order they ran; cached ones are named as such.

    Parameters
    ----------
    frame
        `measure.steps`.
    source
        Which engine built, and whether it was replayed: the subtitle.
    """
    steps: list[dict[Any, Any]] = frame.to_dict("records")
    total = sum(step["seconds"] for step in steps)
    cached = sum(step["is_cached"] for step in steps)
    alt = f"{len(steps)} steps in {units.duration(total)}, {cached} from the cache."
    if steps:
        slowest = max(steps, key=lambda step: step["seconds"])
        alt += f" The slowest is step {slowest['number']}, {sheet.one_line(slowest['instruction'], 50)}, "
        alt += f"{units.duration(slowest['seconds'])}."
    drawn = sheet.compose(
        _bars(steps),
        title=title,
        source=source,
        alt=alt,
        plot_px=max(1, len(steps)) * _ROW_PX,
        axes={"xaxis": _seconds(steps), "yaxis": sheet.row_axis([_label(step) for step in steps], is_code=True)},
    )
    rows = tuple(
        (
            str(step["number"]),
            units.duration(step["seconds"]),
            "cached" if step["is_cached"] else "ran",
            step["instruction"],
        )
        for step in steps
    )
    table = Table(title, source, ("step", "time", "answer", "instruction"), rows, frozenset({0, 1}))
    return sheet.Figure(drawn, table=table, alt=alt)


def _bars(steps: list[dict[Any, Any]]) -> list[Any]:
    seconds = [step["seconds"] for step in steps]
    rows = list(range(len(steps)))
    labels = [("cached, " if step["is_cached"] else "") + units.duration(step["seconds"]) for step in steps]
    hover = [f"step {step['number']}<br>{sheet.hover_text(step['instruction'])}" for step in steps]
    bar = sheet.bar(palette.TIME, x=seconds, y=rows, hovertext=hover, hoverinfo="text", showlegend=False)
    return [bar, sheet.end_labels(seconds, rows, labels)]


def _label(step: dict[Any, Any]) -> str:
    return sheet.one_line(f"{step['number']} {step['instruction']}")


def _seconds(steps: list[dict[Any, Any]]) -> dict[str, Any]:
    return sheet.number_axis(max((step["seconds"] for step in steps), default=0.0), suffix=" s")
