"""The twin of a figure: the same numbers as a table, in HTML and in plain text. Knows only strings.

Cells may hold what an image brings along, such as a path: in HTML it is escaped, in a terminal it commands nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from layerlab.units import one_line


@dataclass(frozen=True)
class Table:
    """A caption, column heads and rows of text; the first column names the row."""

    caption: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right_aligned: frozenset[int] = frozenset()

    def html(self, summary: str) -> str:
        """Return an accessible table, headed by its caption and followed by ``summary``."""
        head = "".join(
            f'<th scope="col"{self._style(i)}>{escape(one_line(c))}</th>' for i, c in enumerate(self.columns)
        )
        body = "".join(f"<tr>{self._html_row(row)}</tr>" for row in self.rows)
        caption = f"<caption><strong>{escape(self.caption)}</strong><br>{escape(self.source)}</caption>"
        return (
            f'<figure class="layerlab-twin" role="group" aria-label="{escape(summary, quote=True)}">'
            f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<figcaption>{escape(summary)}</figcaption></figure>"
        )

    def text(self, summary: str) -> str:
        """Return the table aligned for a terminal, with its caption above and ``summary`` below."""
        lines = [tuple(map(one_line, line)) for line in (self.columns, *self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        head, *body = (self._text_row(line, widths) for line in lines)
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([self.caption, self.source, "", head, rule, *body, "", summary])

    def _html_row(self, row: Sequence[str]) -> str:
        first, *others = row
        cells = "".join(f"<td{self._style(i)}>{escape(one_line(cell))}</td>" for i, cell in enumerate(others, start=1))
        return f'<th scope="row"{self._style(0)}>{escape(one_line(first))}</th>{cells}'

    def _style(self, column: int) -> str:
        return f' style="text-align:{"right" if column in self.right_aligned else "left"}"'

    def _text_row(self, row: Sequence[str], widths: Sequence[int]) -> str:
        cells = (
            cell.rjust(width) if i in self.right_aligned else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()
