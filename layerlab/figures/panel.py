"""One panel of the size ladder: bars on a scale of their own, blank slots, markers. Knows rows, no tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from layerlab import units
from layerlab.figures import palette, sheet
from layerlab.figures.rungs import CLAIM_NAME, PREDICTION_NAME, Rung, text

ROW_PX = 50

# Markers sit just off the bar, so that its end keeps room for its label.
_ABOVE, _BELOW, _HALF_SLOT = -0.38, 0.38, 0.29
# The part of a bar's axis that two words and a size take up in the narrowest cell.
_ROOM_FOR_WORDS = 0.24
_KINDS = (
    ("base", palette.BASE, "base image"),
    ("added", palette.ADDED, "added by this Dockerfile"),
    ("size", palette.UNSPLIT, "not split (base unknown)"),
)


@dataclass(frozen=True)
class Panel:
    """Some rows on one pair of axes; ``number`` counts from 1, and the first panel carries the legend."""

    rungs: Sequence[Rung]
    number: int

    @property
    def px(self) -> int:
        """Height of the panel."""
        return max(1, len(self.rungs)) * ROW_PX

    def axes(self, domain: tuple[float, float]) -> dict[str, Any]:
        """Return both axes, the panel lying between two parts of the plot's height."""
        x = sheet.size_axis(self._end, room=1.42) | {"anchor": self._y}
        if not self._end:
            # Nothing measured and nothing predicted: a scale would give the answer away.
            x |= {"showticklabels": False, "showgrid": False}
        y = sheet.row_axis([rung.name for rung in self.rungs]) | {"domain": list(domain), "anchor": self._x}
        return {f"xaxis{self._suffix}": x, f"yaxis{self._suffix}": y}

    def traces(self) -> list[Any]:
        """Return bars, the totals at their ends, and the markers around them."""
        return [*self._bars(), self._totals(), *self._claims(), *self._guesses()]

    def slots(self) -> list[dict[str, Any]]:
        """Return an outline for each bar whose length nobody knows yet: as long as the axis."""
        line = {"color": palette.SOFT_INK, "width": 1.5, "dash": "dot"}
        place = {"type": "rect", "xref": f"{self._x} domain", "yref": self._y, "x0": 0, "x1": 1, "line": line}
        return [{**place, "y0": y - _HALF_SLOT, "y1": y + _HALF_SLOT} for y in self._unmeasured]

    def questions(self) -> list[dict[str, Any]]:
        """Return the question mark in each such outline."""
        place = {"xref": f"{self._x} domain", "yref": self._y, "x": 0.02, "xanchor": "left", "showarrow": False}
        return [
            {**place, "text": "<b>?</b>", "y": y, "font": {"size": 16, "color": palette.SOFT_INK}}
            for y in self._unmeasured
        ]

    @property
    def _suffix(self) -> str:
        return "" if self.number == 1 else str(self.number)

    @property
    def _x(self) -> str:
        return f"x{self._suffix}"

    @property
    def _y(self) -> str:
        return f"y{self._suffix}"

    @property
    def _end(self) -> int:
        return max((rung.reach for rung in self.rungs), default=0)

    @property
    def _unmeasured(self) -> list[int]:
        return [y for y, rung in enumerate(self.rungs) if rung.size is None]

    def _bars(self) -> Iterable[go.Bar]:
        for kind, mark, name in _KINDS:
            seen = [(y, rung, size) for y, rung in enumerate(self.rungs) if (size := _part(rung, kind)) is not None]
            if seen:
                yield sheet.bar(
                    mark,
                    x=[size for *_, size in seen],
                    y=[y for y, *_ in seen],
                    text=[self._inside(kind, size) for *_, size in seen],
                    textposition="inside",
                    **self._common(name, [rung for _, rung, _ in seen]),
                )

    def _inside(self, kind: str, size: int) -> str:
        has_room = kind != "size" and size > _ROOM_FOR_WORDS * self._end
        return f"{kind} {units.size(size)}" if has_room else ""

    def _totals(self) -> go.Scatter:
        known = [(y, rung) for y, rung in enumerate(self.rungs) if rung.size is not None]
        x = [float(rung.size or 0) for _, rung in known]
        labels = [_end_label(rung) for _, rung in known]
        return sheet.end_labels(x, [y for y, _ in known], labels, xaxis=self._x, yaxis=self._y)

    def _claims(self) -> Iterable[go.Scatter]:
        seen = [(y, rung, rung.claim) for y, rung in enumerate(self.rungs) if rung.claim is not None]
        if seen:
            x, y = [claim for *_, claim in seen], [y + _ABOVE for y, *_ in seen]
            common = self._common(CLAIM_NAME, [rung for _, rung, _ in seen])
            yield _symbols(x, y, "triangle-down", palette.CLAIM, common)

    def _guesses(self) -> Iterable[go.Scatter]:
        seen = [(y + _BELOW, rung, rung.guess) for y, rung in enumerate(self.rungs) if rung.guess is not None]
        if seen:
            # A band is a line from its lowest to its highest value; None lifts the pen between two.
            yield go.Scatter(
                x=[value for *_, guess in seen for value in (*guess, None)],
                y=[value for y, *_ in seen for value in (y, y, None)],
                mode="lines",
                line={"color": palette.PREDICTION, "width": 2},
                hoverinfo="skip",
                showlegend=False,
                cliponaxis=False,
                xaxis=self._x,
                yaxis=self._y,
            )
            x, y = [sum(guess) / 2 for *_, guess in seen], [y for y, *_ in seen]
            common = self._common(PREDICTION_NAME, [rung for _, rung, _ in seen])
            yield _symbols(x, y, "diamond", palette.PREDICTION, common)

    def _common(self, name: str, rungs: Sequence[Rung]) -> dict[str, Any]:
        return {
            "name": name,
            "legendgroup": name,
            "showlegend": self.number == 1,
            "hovertext": [_hover(rung) for rung in rungs],
            "hoverinfo": "text",
            "xaxis": self._x,
            "yaxis": self._y,
        }


def _symbols(x: Sequence[float], y: Sequence[float], symbol: str, colour: str, common: dict[str, Any]) -> go.Scatter:
    marker = {"symbol": symbol, "size": 11, "color": colour, "line": {"color": palette.PAPER, "width": 1}}
    return go.Scatter(x=list(x), y=list(y), mode="markers", marker=marker, cliponaxis=False, **common)


def _part(rung: Rung, kind: str) -> int | None:
    if kind == "size":
        return rung.size if rung.added is None else None
    return rung.base if kind == "base" else rung.added


def _end_label(rung: Rung) -> str:
    added = "" if rung.added is None else f"  {text(rung.added)} added"
    return f"<b>{text(rung.size)}</b>{added}"


def _hover(rung: Rung) -> str:
    return "<br>".join([f"<b>{escape(rung.name)}</b>", *(f"{name} {value}" for name, value in rung.known)])
