"""How often predictions came true, by how sure somebody was. Draws counts; knows no prediction."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

# Below this many in a row, one outcome more or less changes what it seems to say.
ENOUGH = 5

_ROW_PX = 46
_TRUE, _OTHERWISE = "came true", "came otherwise"


def calibration(counts: Mapping[str, tuple[int, int]], *, source: str) -> sheet.Figure:
    """Draw what became of predictions, one row for each word of confidence.

    Parameters
    ----------
    counts
        Word, from the least sure to the surest → how many came true, of how many that were read off.
    source
        Whose predictions these are: the subtitle.
    """
    title = "How sure you were, and what came"
    alt = _alt(counts)
    labels = list(counts)
    marks = ((_TRUE, palette.CAME_TRUE), (_OTHERWISE, palette.CAME_OTHERWISE))
    parts = {_TRUE: [true for true, _ in counts.values()], _OTHERWISE: [of - true for true, of in counts.values()]}
    rows = list(range(len(counts)))
    bars = [
        sheet.bar(
            mark,
            x=parts[name],
            y=rows,
            name=name,
            text=[str(number) if number else "" for number in parts[name]],
            textposition="inside",
            hovertext=[f"{word}: {number} {name}" for word, number in zip(labels, parts[name], strict=True)],
            hoverinfo="text",
            showlegend=True,
        )
        for name, mark in marks
    ]
    totals = [of for _, of in counts.values()]
    ends = sheet.end_labels(totals, rows, [_end(true, of) for true, of in counts.values()])
    axes = {"xaxis": _count_axis(max(totals, default=0)), "yaxis": sheet.row_axis(labels)}
    drawn = sheet.compose([*bars, ends], title=title, source=source, alt=alt, plot_px=_ROW_PX * len(counts), axes=axes)
    return sheet.Figure(drawn, table=_table(counts, title, source), alt=alt)


def _count_axis(largest: int) -> dict[str, object]:
    # At least as long as a row that says something, so that one prediction does not fill the sheet.
    axis = sheet.number_axis(max(largest, ENOUGH), suffix="", room=1.35)
    whole = [tick for tick in axis["tickvals"] if tick == int(tick)]
    return axis | {"tickvals": whole, "ticktext": [f"{tick:g}" for tick in whole]}


def _end(true: int, of: int) -> str:
    return f"{true} of {of}" if of else "none yet"


def _alt(counts: Mapping[str, tuple[int, int]]) -> str:
    of = sum(of for _, of in counts.values())
    if not of:
        return "No prediction has been read off yet: this fills itself while you go through the notebooks."
    true = sum(true for true, _ in counts.values())
    rows = ", ".join(f"{word} {_end(*pair)}" for word, pair in counts.items() if pair[1])
    return f"{true} of {of} predictions came true: {rows}. {_reading(counts)}"


def _reading(counts: Mapping[str, tuple[int, int]]) -> str:
    enough = [(word, true / of) for word, (true, of) in counts.items() if of >= ENOUGH]
    if len(enough) < 2:
        return f"Too few to say more: from {ENOUGH} in each of two rows on, they can be compared."
    (less, low), (more, high) = enough[0], enough[-1]
    if high > low:
        return f"What you called {more} came true more often than what you called {less}: the words mean something."
    return f"What you called {more} came true no more often than what you called {less}. What made you that sure?"


def _table(counts: Mapping[str, tuple[int, int]], title: str, source: str) -> Table:
    rows = tuple((word, str(true), str(of - true), str(of)) for word, (true, of) in counts.items())
    return Table(title, source, ("how sure", _TRUE, _OTHERWISE, "read off"), rows, frozenset({1, 2, 3}))
