"""What the workbench shows: its badge, lines to read, and results behind a fold. Knows values only."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Badge:
    """One line, always of the same form: which engine, which bases; and, folded, why this engine."""

    engine: str
    bases: str
    why: str

    def __str__(self) -> str:
        return f"{self.engine} · {self.bases}"

    def __repr__(self) -> str:
        return f"{self}\n(because {self.why})"

    def _repr_html_(self) -> str:
        return (
            f"<details><summary><strong>{escape(self.engine)}</strong> · {escape(self.bases)}</summary>"
            f"Chosen because {escape(self.why)}.</details>"
        )


@dataclass(frozen=True)
class Text:
    """Lines to read, with numbers so that prose and errors can point at them."""

    content: str
    numbered: bool = True

    @property
    def code_lines(self) -> list[str]:
        """The lines that are instructions: neither comments nor blank."""
        return [line for line in self.content.splitlines() if line.strip() and not line.startswith("#")]

    def __repr__(self) -> str:
        lines = self.content.rstrip("\n").split("\n")
        return "\n".join(f"{n:>3}  {line}" if self.numbered else line for n, line in enumerate(lines, 1))


@dataclass(frozen=True)
class Fold:
    """Results behind one line; as plain text they stand open, because text cannot be unfolded."""

    title: str
    shown: tuple[Any, ...]

    def __repr__(self) -> str:
        return "\n\n".join([self.title, *(repr(one) for one in self.shown)])

    def _repr_html_(self) -> str:
        inner = "".join(_html(one) for one in self.shown)
        return f"<details><summary>{escape(self.title)}</summary>{inner}</details>"


def _html(shown: Any) -> str:
    drawn = getattr(shown, "_repr_html_", None)
    return str(drawn()) if drawn else f"<pre>{escape(repr(shown))}</pre>"
