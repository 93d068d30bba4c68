"""Two ways to copy by two installers: four images of one service, and what a pair of them can show. Builds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from layerlab.units import size

SMALL = "yes: a fast installer makes a small image"
LARGE = "no: a fast installer makes a large image, wherever it is used"
COPIED = "no: with the installer in what is copied the image grows, without it it does not"
CLAIMS = (SMALL, LARGE, COPIED)

_COLUMNS = ("image", "the builder installs with", "copied from it", "added to the base")
_ALIKE = 0.01  # of what is added: less than this is no difference that anybody would pull for


@dataclass(frozen=True)
class Corner:
    """One of the four images; ``added_bytes`` is what it adds to its base."""

    dockerfile: str
    installer: str
    copied: str
    added_bytes: int = 0


CORNERS: Mapping[str, Corner] = {
    "A": Corner("Dockerfile.two-folders-pip", "pip", "site-packages and /usr/local/bin"),
    "B": Corner("Dockerfile.today", "uv", "site-packages and /usr/local/bin"),
    "C": Corner("Dockerfile.one-folder-pip", "pip", "one folder with the packages"),
    "D": Corner("Dockerfile.one-folder-uv", "uv", "one folder with the packages"),
}


def pair(first: str, second: str) -> str:
    """Name two of the images, as a learner chooses them."""
    return f"{first} and {second}"


@dataclass(frozen=True)
class Square:
    """The four images, weighed."""

    corners: Mapping[str, Corner]

    def between(self, name: str) -> tuple[Corner, Corner]:
        """Return the two images of a pair, the one made by pip first where the installers differ."""
        first, second = sorted((self.corners[letter] for letter in name.split(" and ")), key=lambda one: one.installer)
        return first, second

    def changes(self, name: str) -> tuple[str, ...]:
        """Say in what the two images of a pair differ."""
        one, other = self.between(name)
        told = (("the installer", one.installer, other.installer), ("what is copied", one.copied, other.copied))
        return tuple(what for what, here, there in told if here != there)

    def grows(self, name: str) -> bool:
        """True where of a pair the second image adds clearly more than the first; see `between`."""
        first, second = self.between(name)
        return second.added_bytes > first.added_bytes * (1 + _ALIKE)

    def shrinks(self, name: str) -> bool:
        """True where of a pair the second image adds clearly less than the first; see `between`."""
        first, second = self.between(name)
        return second.added_bytes < first.added_bytes * (1 - _ALIKE)

    def against(self, claim: str) -> str | None:
        """Return a pair that speaks against a claim, or None where all four images agree with it."""
        by_installer = [pair("A", "B"), pair("C", "D")]
        if claim == SMALL:
            return next((name for name in by_installer if not self.shrinks(name)), None)
        if claim == LARGE:
            return next((name for name in by_installer if not self.grows(name)), None)
        # Copying decides where the heaviest of one way is lighter than the lightest of the other.
        lean, wide = ("C", "D"), ("A", "B")
        heavy = max(lean, key=lambda letter: self.corners[letter].added_bytes)
        light = min(wide, key=lambda letter: self.corners[letter].added_bytes)
        holds = self.corners[heavy].added_bytes < self.corners[light].added_bytes
        return None if holds else pair(light, heavy)

    def told(self, name: str) -> str:
        """Say what a pair adds: ``A adds 24.1 MB, B 73.1 MB``."""
        first, second = name.split(" and ")
        one, other = (size(self.corners[letter].added_bytes) for letter in (first, second))
        return f"{first} adds {one}, {second} {other}"

    @property
    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (letter, one.installer, one.copied, size(one.added_bytes)) for letter, one in sorted(self.corners.items())
        ]

    def __repr__(self) -> str:
        rows = [_COLUMNS, *self._rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align:left">{escape(name)}</th>' for name in _COLUMNS)
        rows = "".join(
            f'<tr><th scope="row">{letter}</th>{_cell(installer)}{_cell(copied)}<td>{added}</td></tr>'
            for letter, installer, copied, added in self._rows
        )
        caption = "<caption>One service, four images</caption>"
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(text: str) -> str:
    # JupyterLab sets every column to the right; words read better from the left.
    return f'<td style="text-align:left">{escape(text)}</td>'
