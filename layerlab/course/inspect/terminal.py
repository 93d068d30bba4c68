"""An inspection as tables for a terminal: layers, causes, packages, waste. Readable without colour."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from layerlab.course.inspect.document import document
from layerlab.inspection import Inspection
from layerlab.units import size

_MOST_ROWS = 12


def show(inspection: Inspection, console: Console) -> None:
    """Print what was found, the most expensive first."""
    found = document(inspection)
    base = found["base"]
    stands = f", {size(base['size_bytes'])} of it {base['name']}" if base else ", base unknown (name it with --base)"
    _say(console, f"{inspection.name}: {size(inspection.size_bytes)}{stands}")
    _titled(console, "Layers, the lowest first", _layers(found["layers"]))
    _titled(console, "Added to the base, by cause", _sums("cause", list(found["causes"].items())))
    if packages := [(one["package"], one["size_bytes"]) for one in found["packages"]]:
        _titled(console, "Added to the base, by package", _sums("package", packages))
    _titled(console, f"Waste: {size(inspection.waste_bytes)} that no container sees", _waste(inspection))


def _layers(layers: list[dict[str, Any]]) -> Table:
    table = _table(_Number("layer"), _Number("size"), _Number("of it waste"), "made by")
    for one in layers:
        mark = "(base) " if one["is_base"] else f"line {one['line']}: " if one["line"] else ""
        table.add_row(
            str(one["layer"] + 1),
            size(one["size_bytes"]),
            size(one["waste_bytes"]) if one["waste_bytes"] else "",
            _line(mark + one["instruction"]),
        )
    return table


def _sums(head: str, sums: list[tuple[str, int]]) -> Table:
    table = _table(_Number("size"), head)
    for name, total in sums[:_MOST_ROWS]:
        table.add_row(size(total), _line(name))
    if rest := sums[_MOST_ROWS:]:
        table.add_row(size(sum(total for _, total in rest)), f"… {len(rest)} more")
    return table


def _waste(inspection: Inspection) -> Table:
    table = _table(_Number("size"), "written by", "hidden by", "what", "mend")
    for one in inspection.findings[:_MOST_ROWS]:
        more = f" and {len(one.paths) - 1} more" if len(one.paths) > 1 else ""
        table.add_row(
            size(one.size_bytes), one.writer.where, one.hider.where, _line(f"{one.how}: /{one.paths[0]}{more}"), one.fix
        )
    if rest := inspection.findings[_MOST_ROWS:]:
        table.add_row(size(sum(one.size_bytes for one in rest)), "", "", f"… {len(rest)} more", "")
    return table


class _Number(str):
    """The head of a column of numbers, which stand to the right."""


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if isinstance(head, _Number) else "left")
    return table


def _titled(console: Console, title: str, table: Table) -> None:
    # A title of the table itself would be broken to the table's width.
    _say(console, f"\n{title}")
    console.print(table)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _line(text: str, width: int = 70) -> Text:
    line = " ".join(text.split())
    return Text(line if len(line) <= width else f"{line[: width - 1]}…")
