"""What `layerlab compare` does: looks into two images and prints the way from one to the other."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from layerlab.comparison import Comparison, FileChange, Step
from layerlab.report.inspecting import looked_into, require_other_file
from layerlab.report.tables import Number, line, say, table, titled
from layerlab.units import signed, size

_MOST_ROWS = 12
VERSION = 1


def compare(
    before: str, after: str, *, as_json: bool = False, html: Path | None = None, console: Console | None = None
) -> int:
    """Compare two images, or archives, and return 0.

    Parameters
    ----------
    html
        A file for the report, which is written as well; one of this name is replaced.

    Raises
    ------
    ArchiveError, ImageNotFound, EngineError
    LayerLabError
        The report cannot be written.
    """
    require_other_file(html, before, after)
    old, new = looked_into(before), looked_into(after)
    found = Comparison(old.inspection, new.inspection)
    if as_json:
        sys.stdout.write(json.dumps(document(found), indent=1) + "\n")
    else:
        show(found, console or Console())
    if html:
        from layerlab.report import html as report

        # Mostly both come from one engine, which need not be named twice.
        source = " · ".join(dict.fromkeys((old.source, new.source)))
        report.write(html, report.comparison_page(found, source=source))
        say(Console(stderr=True) if as_json else console or Console(), f"The report is {html}.")
    return 0


def show(found: Comparison, console: Console) -> None:
    """Print causes, packages and files, the largest difference first."""
    old, new = found.before, found.after
    say(
        console,
        f"{old.name} → {new.name}: {size(old.size_bytes)} → {size(new.size_bytes)}, {signed(found.difference_bytes)}",
    )
    say(
        console,
        f"{found.shared_layers} layers in common; who holds the first image takes in "
        f"{size(found.fetched_bytes)} for the second.",
    )
    titled(console, "By cause", _steps("cause", found.causes))
    if found.packages:
        titled(console, "By package", _steps("package", found.packages))
    if found.files:
        titled(console, "Files that a container sees otherwise", _files(found.files))


def document(found: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON values; sizes in bytes, all steps and file changes included."""

    def steps(each: Sequence[Step]) -> list[dict[str, Any]]:
        return [{**one._asdict(), "difference_bytes": one.difference_bytes} for one in each]

    return {
        "version": VERSION,
        "before": {"name": found.before.name, "size_bytes": found.before.size_bytes},
        "after": {"name": found.after.name, "size_bytes": found.after.size_bytes},
        "difference_bytes": found.difference_bytes,
        "shared_layers": found.shared_layers,
        "fetched_bytes": found.fetched_bytes,
        "causes": steps(found.causes),
        "packages": steps(found.packages),
        "files": [one._asdict() for one in found.files],
    }


def _steps(head: str, steps: Sequence[Step]) -> Any:
    made = table(Number("before"), Number("after"), Number("difference"), head)
    for one in steps[:_MOST_ROWS]:
        made.add_row(size(one.before_bytes), size(one.after_bytes), signed(one.difference_bytes), line(one.name))
    if rest := steps[_MOST_ROWS:]:
        made.add_row("", "", signed(sum(one.difference_bytes for one in rest)), f"… {len(rest)} more")
    return made


def _files(files: Sequence[FileChange]) -> Any:
    made = table(Number("difference"), "", "file")
    for one in files[:_MOST_ROWS]:
        made.add_row(signed(one.difference_bytes), one.change, line(f"/{one.path}"))
    if rest := files[_MOST_ROWS:]:
        made.add_row(signed(sum(one.difference_bytes for one in rest)), "", f"… {len(rest)} more")
    return made
