"""Run sheets for whoever teaches the course: one table a notebook, out of what its cells carry in their metadata.

A cell that stops a class has ``metadata.layerlab.teach``: the minute it is reached at, what to ask, the split to
expect, what to say if all are right, and what to leave out if it is late. Knows notebooks, no engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerlab.course.run import read
from layerlab.errors import SetupError
from layerlab.grading.cells import settings

PAGE = Path("docs") / "instructors.md"
BEGIN, END = "<!-- run sheets: begin -->", "<!-- run sheets: end -->"
_HEADINGS = ("minute", "cell", "ask", "expect", "if all are right", "if it is late")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_MINUTES = re.compile(r"\*\*Minutes:\*\* *(\d+)")


@dataclass(frozen=True)
class Stop:
    """A cell at which a class stops and speaks: ``minute`` counts from the beginning of its notebook."""

    cell: str
    minute: int
    ask: str
    expect: str
    all_right: str
    late: str


@dataclass(frozen=True)
class Sheet:
    """One notebook as a teacher needs it."""

    file: str
    title: str
    minutes: int
    stops: tuple[Stop, ...]


def write(checkout: Path) -> bool:
    """Put the sheets of all notebooks into the page for instructors; say whether that changed it.

    Raises
    ------
    SetupError
        The page has no place for them, or a cell's ``teach`` lacks something.
    """
    page = checkout / PAGE
    before = page.read_text(encoding="utf-8")
    after = filled(before, sheets(checkout / "notebooks"))
    if after != before:
        page.write_text(after, encoding="utf-8")
    return after != before


def sheets(folder: Path) -> tuple[Sheet, ...]:
    """Read the sheets of the notebooks in a folder, in the order of the course."""
    return tuple(_sheet(path) for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb")))


def filled(page: str, made: Iterable[Sheet]) -> str:
    """Return the page with these sheets in the place of those it had."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SetupError(f"{PAGE} has no lines {BEGIN!r} and {END!r}. Put them back where the run sheets belong.")
    return f"{before}{BEGIN}\n\n" + "\n\n".join(map(text, made)) + f"\n\n{END}{after}"


def text(sheet: Sheet) -> str:
    """Write one sheet in Markdown."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_row, sheet.stops)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"### {sheet.title}\n\n`{sheet.file}`, {sheet.minutes} minutes.\n\n{table}"


def _row(stop: Stop) -> tuple[str, ...]:
    said = (stop.ask, stop.expect, stop.all_right, stop.late)
    return (str(stop.minute), f"`{stop.cell}`", *(one.replace("|", "\\|") for one in said))


def _sheet(path: Path) -> Sheet:
    notebook = read(path)
    opening = notebook.cells[0].source
    title, minutes = _TITLE.search(opening), _MINUTES.search(opening)
    if title is None or minutes is None:
        raise SetupError(f"The first cell of {path.name} lacks its title or its minutes (`**Minutes:** 25`).")
    return Sheet(path.name, title[1], int(minutes[1]), tuple(_stops(notebook, path.name)))


def _stops(notebook: Any, name: str) -> Iterator[Stop]:
    for cell in notebook.cells:
        if (told := settings(cell).get("teach")) is None:
            continue
        try:
            yield Stop(
                cell.id, int(told["minute"]), *(str(told[key]) for key in ("ask", "expect", "all_right", "late"))
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SetupError(f"`teach` of cell {cell.id} in {name} lacks or misspells {error}.") from error
