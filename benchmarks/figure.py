"""A measured figure: medians with their spread, and the target it is held against. Knows no engine and no clock."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table.

    Attributes
    ----------
    key
        Its name in results.json.
    what
        What was measured, against what.
    value
        The median, in ``unit`` ("s", or "ratio" of ours to the peer in the same pair).
    low, high
        The quartiles; None for a single run.
    target
        The largest value that is good enough; None for a figure that only goes with another.
    note
        What a reader must know to judge it, such as the medians behind a ratio.
    """

    key: str
    what: str
    value: float
    unit: str
    runs: int
    target: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    measured_on: str = ""

    @property
    def verdict(self) -> str:
        """``PASS``, ``FAIL``, or nothing without a target."""
        if self.target is None:
            return ""
        # As precise as it is printed: 1.004 is shown as 1.00, and is that.
        return "PASS" if round(self.value, 2) <= self.target else "FAIL"


def of_runs(
    key: str, what: str, values: Sequence[float], *, unit: str = "s", target: float | None = None, note: str = ""
) -> Figure:
    """Sum up runs as their median and quartiles."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (None, None, None)
    return Figure(
        key=key,
        what=what,
        value=statistics.median(values),
        unit=unit,
        runs=len(values),
        target=target,
        low=low,
        high=high,
        note=note,
        measured_on=date.today().isoformat(),
    )


def of_pairs(
    key: str, what: str, ours: Sequence[float], peers: Sequence[float], *, target: float, peer: str, note: str = ""
) -> Figure:
    """Sum up pairs, each measured one after the other, as the median and quartiles of their ratios."""
    ratios = [one / other for one, other in zip(ours, peers, strict=True)]
    medians = f"ours {statistics.median(ours):.3f} s, {peer} {statistics.median(peers):.3f} s"
    told = f"{medians}; {note}" if note else medians
    return of_runs(key, what, ratios, unit="ratio", target=target, note=told)
