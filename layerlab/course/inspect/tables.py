"""Tables in a terminal: titles that are not broken, numbers to the right, long text cut. Knows no image."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Number(str):
    """The head of a column of numbers, which stand to the right."""


def table(*heads: str) -> Table:
    """Make a table without lines."""
    made = Table(box=None, pad_edge=False)
    for head in heads:
        made.add_column(head, justify="right" if isinstance(head, Number) else "left")
    return made


def titled(console: Console, title: str, made: Table) -> None:
    """Print a table below its title: a title of the table's own would be broken to its width."""
    say(console, f"\n{title}")
    console.print(made)


def say(console: Console, text: str) -> None:
    """Print a line as it is."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def line(text: str, width: int = 70) -> Text:
    """Return a text on one line, cut where it is long."""
    flat = " ".join(text.split())
    return Text(flat if len(flat) <= width else f"{flat[: width - 1]}…")
