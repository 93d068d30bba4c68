"""What a rule found: where, how bad, why, what fixes it, and what it costs. Values only; judges nothing."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["breaks", "leaks", "bloats", "style"]
# Worst first: a service that does not run, then what strangers can take or do, then bytes, then everybody's time.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Basis = Literal["measured", "estimated", "unknown", "none"]

_LETTERS = 72


@dataclass(frozen=True)
class Price:
    """What a finding costs in bytes of the image, and how that is known.

    Attributes
    ----------
    size_bytes
        None where it costs no bytes (``none``) or nobody knows how many (``unknown``).
    packed_share
        How much of it is left once a registry has packed it.
    """

    basis: Basis = "none"
    size_bytes: int | None = None
    packed_share: float = 1.0

    def seconds(self, bandwidth_bits: float) -> float | None:
        """Return how long every node waits for it at a bandwidth, or None without bytes."""
        return None if self.size_bytes is None else self.size_bytes * self.packed_share * 8 / bandwidth_bits


UNKNOWN = Price("unknown")


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes
    ----------
    rule
        Its name, for programs and for conversation: ``installer-shipped``.
    lines
        Of the Dockerfile, counted from 1; where each instruction begins, the one to change first.
    what, why, fix
        A sentence each. ``what`` quotes the file, with nothing in it that a terminal would obey.
    """

    rule: str
    severity: Severity
    lines: tuple[int, ...]
    what: str
    why: str
    fix: str
    price: Price = Price()

    @property
    def order(self) -> tuple[int, int, tuple[int, ...], str]:
        """Sorts the worst first: by harm, then by price, then as they stand in the file."""
        return SEVERITIES.index(self.severity), -(self.price.size_bytes or 0), self.lines, self.rule


def quoted(text: str, letters: int = _LETTERS) -> str:
    """Return text of a stranger's file on one line, cut where it is long, control characters made visible.

    >>> quoted("RUN \\x1b[31m\\n  ls")
    'RUN \\\\x1b[31m ls'
    """
    line = visible(" ".join(text.split()))
    return line if len(line) <= letters else f"{line[: letters - 1]}…"


def visible(text: str) -> str:
    """Return text with whatever steers a terminal written out: escapes, and marks that turn the direction of reading.

    Line ends and tabs stay.
    """
    return "".join(one if one in "\n\t" or not _steers(one) else _written(one) for one in text)


def _steers(character: str) -> bool:
    # Cc: control characters; Cf: invisible marks, those of bidirectional text among them; Cs: halves of characters.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") or character in "\u2028\u2029"


def _written(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
