"""Tables in a terminal: titles that are not broken, numbers to the right, long text cut. Knows no image."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from layerlab.units import one_line, printable


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
    console.print()
    say(console, title)
    console.print(made)


def say(console: Console, text: str) -> None:
    """Print a line as it is; what would command the terminal becomes visible."""
    console.print(printable(text), highlight=False, markup=False, soft_wrap=True)


def line(text: str, width: int | None = 70) -> Text:
    """Return a text on one line, cut where it is long; nothing in it commands the terminal, or is markup."""
    return Text(one_line(text, width))
