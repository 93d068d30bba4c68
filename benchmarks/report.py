"""Keeps the last results as results.json and as the table of README.md. Knows files and figures, nothing measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Figure

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
README = HERE / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEADINGS = ("what", "median", "quartiles", "target", "", "runs", "on", "note")


def read() -> dict[str, Figure]:
    """Read the results of earlier runs, by key."""
    if not RESULTS.exists():
        return {}
    return {raw["key"]: Figure(**raw) for raw in json.loads(RESULTS.read_text())["figures"]}


def write(measured: Iterable[Figure], machine: str, *, order: tuple[str, ...]) -> None:
    """Put new results beside the earlier ones, and the table into the README."""
    known = read() | {figure.key: figure for figure in measured}
    ordered = sorted(known.values(), key=lambda one: order.index(one.key) if one.key in order else len(order))
    content = {"machine": machine, "figures": [asdict(figure) for figure in ordered]}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{machine}\n\n{table(ordered)}\n{END}{after}")


def table(figures: Iterable[Figure]) -> str:
    """Write figures as a table in Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(_row(one) for one in figures)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def line(figure: Figure) -> str:
    """Write one figure as a line for the terminal."""
    wanted = f" (wanted ≤ {number(figure.target, figure.unit)})" if figure.target is not None else ""
    told = f"; {figure.note}" if figure.note else ""
    return f"{figure.verdict or 'NOTE'} {figure.what}: {number(figure.value, figure.unit)}{wanted}{told}"


def number(value: float, unit: str) -> str:
    """Write a value with its unit."""
    if unit == "ratio":
        return f"{value:.2f}"
    if unit == "MB":
        return f"{value:.0f} MB"
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def _row(figure: Figure) -> tuple[str, ...]:
    spread = ""
    if figure.low is not None and figure.high is not None:
        spread = f"{number(figure.low, figure.unit)} – {number(figure.high, figure.unit)}"
    target = f"≤ {number(figure.target, figure.unit)}" if figure.target is not None else ""
    value = number(figure.value, figure.unit)
    return (figure.what, value, spread, target, figure.verdict, str(figure.runs), figure.measured_on, figure.note)
