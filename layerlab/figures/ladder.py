"""The size ladder: how large each image is, and how much of it is base. Draws a table of `measure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from layerlab.figures import palette, sheet
from layerlab.figures.panel import ROW_PX, Panel
from layerlab.figures.rungs import CLAIM_NAME, Guess, Rung, band, read, text
from layerlab.figures.table import Table

if TYPE_CHECKING:
    import pandas as pd

# An image this many times larger than the next one flattens all others, so they get a panel of their own.
_DWARFS = 3.0
_GAP_PX = 62


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
    rungs = read(frame, claims or {}, predictions, reveal=reveal)
    title = "Size on disk" if any(rung.size is not None for rung in rungs) else "Size on disk: not measured yet"
    alt = _alt(rungs)
    source = " · ".join((source, *_counted_by_the_engine(frame)))
    drawn = sheet.compose(title=title, source=source, alt=alt, **_parts(_panels(rungs)))
    return sheet.Figure(drawn, table=_table(rungs, title, source), alt=alt)


def _counted_by_the_engine(frame: pd.DataFrame) -> tuple[str, ...]:
    if "counted_by" not in frame:
        return ()
    names = frame.loc[frame["counted_by"] == "engine", "name"].tolist()
    return (f"by the engine's own count: {', '.join(names)}",) if names else ()


def _panels(rungs: Sequence[Rung]) -> list[Panel]:
    sizes = sorted((rung.size for rung in rungs if rung.size is not None), reverse=True)
    everything = Panel(rungs, 1)
    if len(sizes) < 2 or sizes[0] < _DWARFS * sizes[1]:
        return [everything]
    smaller = [rung for rung in rungs if rung.size is not None and rung.size < sizes[0]]
    return [everything, Panel(smaller, 2)]


def _parts(panels: Sequence[Panel]) -> dict[str, Any]:
    """Stack the panels, the first on top, and gather what `sheet.compose` draws."""
    plot_px = sum(panel.px for panel in panels) + (len(panels) - 1) * _GAP_PX
    axes: dict[str, Any] = {}
    notes = [note for panel in panels for note in panel.questions()]
    top = plot_px
    for panel in panels:
        axes |= panel.axes(((top - panel.px) / plot_px, top / plot_px))
        if panel.number > 1:
            notes.append(_panel_title(panels[0].rungs, panel.rungs, top / plot_px))
        top -= panel.px + _GAP_PX
    return {
        "traces": [trace for panel in panels for trace in panel.traces()],
        "axes": axes,
        "shapes": [slot for panel in panels for slot in panel.slots()],
        "notes": notes,
        "plot_px": max(plot_px, ROW_PX),
    }


def _panel_title(every: Sequence[Rung], kept: Sequence[Rung], top: float) -> dict[str, Any]:
    left_out = ", ".join(escape(rung.name) for rung in every if rung not in kept)
    return {
        "text": f"<b>The same without {left_out}</b>, on a larger scale",
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


def _alt(rungs: Sequence[Rung]) -> str:
    known = [rung for rung in rungs if rung.size is not None]
    if not known:
        guessed = "; ".join(f"{rung.name} {band(rung.guess)}" for rung in rungs if rung.guess)
        names = ", ".join(rung.name for rung in rungs) or "nothing"
        return f"Blank bars, to be measured: {names}." + (f" Predicted: {guessed}." if guessed else "")
    largest, smallest = max(known, key=_size), min(known, key=_size)
    sentence = f"{largest.name} takes {text(largest.size)} on disk{_split(largest)}"
    if _size(smallest) < _size(largest):
        below = 1 - _size(smallest) / _size(largest)
        sentence += f"; {smallest.name} takes {text(smallest.size)}{_split(smallest)}, {below:.0%} less"
    unknown = [rung.name for rung in rungs if rung.size is None]
    return sentence + "." + (f" Not measured yet: {', '.join(unknown)}." if unknown else "")


def _size(rung: Rung) -> int:
    return rung.size or 0


def _split(rung: Rung) -> str:
    return "" if rung.added is None else f", {text(rung.added)} of it added to its base"


def _table(rungs: Sequence[Rung], title: str, source: str) -> Table:
    columns = {
        "image": [rung.name for rung in rungs],
        "size on disk": [text(rung.size) for rung in rungs],
        "base": [text(rung.base) for rung in rungs],
        "added": [text(rung.added) for rung in rungs],
    }
    if any(rung.guess for rung in rungs):
        columns["predicted"] = [band(rung.guess) for rung in rungs]
    if any(rung.claim for rung in rungs):
        columns[CLAIM_NAME] = ["–" if rung.claim is None else text(rung.claim) for rung in rungs]
    rows = tuple(zip(*columns.values(), strict=True))
    return Table(title, source, tuple(columns), rows, frozenset(range(1, len(columns))))
