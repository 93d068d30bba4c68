"""What the COPY lines of a service carry, by owner, beside what the running service loads. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from layerlab.errors import EngineRefused
from layerlab.units import size

if TYPE_CHECKING:
    from layerlab.exercises.kit.bench import Bench
    from layerlab.image import Image
    from layerlab.probe import CopiedItem

PYTHONS_OWN = "Python's own programs"
_COLUMNS = ("what", "carried", "for instance", "in the base too")
_LEFT = ' style="text-align:left"'  # JupyterLab sets every column to the right


@dataclass(frozen=True)
class Carried:
    """All that the COPY lines bring of one owner.

    Attributes
    ----------
    largest
        Path of its heaviest part.
    in_base
        The base has every bit of it, at the same place.
    """

    name: str
    size_bytes: int
    largest: str
    in_base: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row of a table."""
        return self.name, size(self.size_bytes), self.largest, "yes" if self.in_base else "no"


@dataclass(frozen=True)
class Audit:
    """The heaviest of what is carried, heaviest first, and how much there is in all."""

    rows: tuple[Carried, ...]
    total_bytes: int
    called: frozenset[str]

    def missed(self, name: str) -> bool:
        """True for what the service loads and would not find without the COPY lines."""
        row = self.row(name)
        return name in self.called and not row.in_base

    def row(self, name: str) -> Carried:
        """Return one row. Raises KeyError where there is none of that name."""
        found = next((row for row in self.rows if row.name == name), None)
        if found is None:
            raise KeyError(f"nothing among the heaviest is called {name!r}; there are {[r.name for r in self.rows]}")
        return found

    def __repr__(self) -> str:
        rows = [_COLUMNS, *(row.cells for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col"{_LEFT if name in (_COLUMNS[0], _COLUMNS[2]) else ""}>{escape(name)}</th>'
            for name in _COLUMNS
        )
        rows = "".join(
            f'<tr><th scope="row"{_LEFT}>{escape(row.cells[0])}</th>'
            + "".join(f"<td{_LEFT if cell == row.largest else ''}>{escape(cell)}</td>" for cell in row.cells[1:])
            + "</tr>"
            for row in self.rows
        )
        caption = f"<caption>The heaviest of {size(self.total_bytes)}, copied by the two COPY lines</caption>"
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def audit(copied_files: Sequence[CopiedItem], called: frozenset[str], *, most: int = 7) -> Audit:
    """Sum up what is carried by its owner.

    Parameters
    ----------
    called
        Names of the packages that the running service loads; see `called_by`.
    most
        How many packages to keep, the heaviest. Python's own programs are always among the rows: a service
        runs Python, and yet need not copy it.
    """
    owned: dict[str, list[CopiedItem]] = {}
    for one in copied_files:
        owned.setdefault(one.owner or PYTHONS_OWN, []).append(one)
    rows = sorted((_summed(name, parts) for name, parts in owned.items()), key=lambda row: (-row.size_bytes, row.name))
    packages = [row for row in rows if row.name != PYTHONS_OWN][:most]
    kept = tuple(row for row in rows if row in packages or row.name == PYTHONS_OWN)
    return Audit(kept, sum(one.size_bytes for one in copied_files), called)


def called_by(bench: Bench, image: Image, paths: Sequence[str]) -> frozenset[str]:
    """Let a service answer these paths in its own image and return the packages that it loaded for them.

    Raises EngineRefused where it could not, and whatever `Bench.run` raises.
    """
    script = resources.files(__package__).joinpath("called.py").read_text(encoding="utf-8")
    ran = bench.run(image, ("python", "-B", "-c", script, *paths))
    # A service may print at its start; what was asked for comes last.
    last = (ran.output.strip().splitlines() or ["it printed nothing"])[-1]
    if ran.exit_code != 0:
        raise EngineRefused(
            f"The service could not be asked in its own image (exit code {ran.exit_code}): {last}. Run this again; "
            "if it stays so, start a container of that image and read what it prints."
        )
    return frozenset(json.loads(last))


def _summed(name: str, parts: Sequence[CopiedItem]) -> Carried:
    heaviest = max(parts, key=lambda part: part.size_bytes)
    return Carried(name, sum(part.size_bytes for part in parts), heaviest.path, all(part.in_base for part in parts))
