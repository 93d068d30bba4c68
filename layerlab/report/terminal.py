"""An inspection as tables for a terminal: layers, causes, packages, waste. Readable without colour."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from layerlab.inspection import Inspection
from layerlab.report.document import document
from layerlab.report.tables import Number, line, say, table, titled
from layerlab.units import size

_MOST_ROWS = 12


def show(inspection: Inspection, console: Console) -> None:
    """Print what was found, the most expensive first."""
    found = document(inspection)
    base = found["base"]
    stands = f", {size(base['size_bytes'])} of it {base['name']}" if base else ", base unknown (name it with --base)"
    say(console, f"{inspection.name}: {size(inspection.size_bytes)}{stands}")
    titled(console, "Layers, the lowest first", _layers(found["layers"]))
    titled(console, "Added to the base, by cause", _sums("cause", list(found["causes"].items())))
    if packages := [(one["package"], one["size_bytes"]) for one in found["packages"]]:
        titled(console, "Added to the base, by package", _sums("package", packages))
    titled(console, f"Waste: {size(inspection.waste_bytes)} that no container sees", _waste(inspection))


def _layers(layers: list[dict[str, Any]]) -> Table:
    made = table(Number("layer"), Number("size"), Number("of it waste"), "made by")
    for one in layers:
        mark = "(base) " if one["is_base"] else f"line {one['line']}: " if one["line"] else ""
        made.add_row(
            str(one["layer"] + 1),
            size(one["size_bytes"]),
            size(one["waste_bytes"]) if one["waste_bytes"] else "",
            line(mark + one["instruction"]),
        )
    return made


def _sums(head: str, sums: list[tuple[str, int]]) -> Table:
    made = table(Number("size"), head)
    for name, total in sums[:_MOST_ROWS]:
        made.add_row(size(total), line(name))
    if rest := sums[_MOST_ROWS:]:
        made.add_row(size(sum(total for _, total in rest)), f"… {len(rest)} more")
    return made


def _waste(inspection: Inspection) -> Table:
    made = table(Number("size"), "written by", "hidden by", "what", "mend")
    found = [one for one in inspection.findings if one.size_bytes]
    for one in found[:_MOST_ROWS]:
        more = f" and {len(one.paths) - 1} more" if len(one.paths) > 1 else ""
        made.add_row(
            size(one.size_bytes),
            one.writer.where,
            one.hider.where,
            line(f"{one.how}: /{one.paths[0]}{more}"),
            line(one.fix, None),
        )
    if rest := found[_MOST_ROWS:]:
        made.add_row(size(sum(one.size_bytes for one in rest)), "", "", f"… {len(rest)} more", "")
    return made
