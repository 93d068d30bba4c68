"""What the lesson claims, from one data file, and how to show a claim beside what was measured.

Knows no engine and no base: whoever asks says what was measured, and on what.
"""

from __future__ import annotations

import csv
import textwrap
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Literal

from layerlab import units
from layerlab.errors import LayerLabError
from layerlab.units import as_html

About = Literal["image", "base", "added", "reduction", "difference", "statement"]

VERDICTS = ("holds", "right number, other reason", "not here", "no longer")
_DEPENDS = "depends on "
_ABOUT = ("image", "base", "added", "reduction", "difference", "statement")
_FILE = Path(__file__).resolve().parents[1] / "notebooks" / "claims.csv"
_MB = 1_000_000
_BYTES = {"MB": _MB, "kB": 1000, "B": 1}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One number or checkable statement of the lesson, in our words.

    ``verdict`` is what official bases are expected to show; ``where`` is the place in the lesson.
    ``base_value`` is what the lesson gives for the base of the same image.
    """

    id: str
    notebook: str
    about: About
    image: str
    statement: str
    value: float | None
    value_high: float | None
    base_value: float | None
    unit: str
    where: str
    verdict: str
    mechanism: str
    true_when: str

    @property
    def value_bytes(self) -> int | None:
        """The claimed value in bytes (the lower end of a range); None where it is no size."""
        return None if self.value is None or self.unit not in _BYTES else round(self.value * _BYTES[self.unit])

    @property
    def added_bytes(self) -> int | None:
        """What the claim leaves for the Dockerfile's own lines: its total less its figure for the base."""
        if self.value_bytes is None or self.base_value is None:
            return None
        return self.value_bytes - round(self.base_value * _MB)

    @property
    def value_text(self) -> str:
        """The claimed value as text, no more precise than it was claimed; empty for a statement."""
        if self.value is None:
            return ""
        if self.value_high is not None:
            return f"{self.value:g} to {self.value_high:g} {self.unit}"
        if self.unit == "MB" and self.value >= 1000:
            return f"{self.value / 1000:g} GB"
        return f"{self.value:g} {self.unit}"


@dataclass(frozen=True)
class ComparedClaim:
    """A claim beside the measurement, in four parts; prints itself as text and as HTML."""

    claimed: str
    measured: str
    verdict: str
    mechanism: str
    true_when: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The four parts, each with its heading."""
        return (
            ("Another engineer's estimate", self.claimed),
            ("Measured", self.measured),
            (f"Verdict: {self.verdict}", self.mechanism),
            ("True when", self.true_when),
        )

    def __repr__(self) -> str:
        return "\n".join(
            textwrap.fill(f"{name}: {text}", 96, subsequent_indent="    ", break_on_hyphens=False)
            for name, text in self.parts
        )

    def _repr_html_(self) -> str:
        # Paragraphs and not a <dl>: JupyterLab floats its terms, and the parts end up beside each other.
        parts = "".join(f"<p><strong>{escape(name)}</strong><br>{as_html(text)}</p>" for name, text in self.parts)
        return f'<section class="layerlab-claim" aria-label="A claim beside the measurement">{parts}</section>'


def load(path: Path | None = None) -> tuple[Claim, ...]:
    """Read the claims, in the order of the lesson.

    Parameters
    ----------
    path
        Another file than the course's own `notebooks/claims.csv`.

    Raises
    ------
    LayerLabError
        Where the file is missing, or a row cannot be read: with the row's line.
    """
    return _load(path or _FILE)


def claim(claim_id: str) -> Claim:
    """Return one claim. Raises LayerLabError, naming the ids there are, for an unknown one."""
    for found in load():
        if found.id == claim_id:
            return found
    known = ", ".join(found.id for found in load())
    raise LayerLabError(f"There is no claim with the id {claim_id!r}. The ids are: {known}.")


def sizes() -> dict[str, int]:
    """Return image name → claimed bytes, for the markers of `figures.size_ladder`."""
    return {c.image: c.value_bytes for c in load() if c.about == "image" and c.value_bytes is not None}


def beside(
    claim_id: str,
    measured_bytes: int | None = None,
    *,
    added_bytes: int | None = None,
    measured_percent: float | None = None,
    found: str | None = None,
    is_standin: bool = False,
    official: str | None = None,
) -> ComparedClaim:
    """Show a claim beside what was measured.

    Parameters
    ----------
    claim_id
        An id of `notebooks/claims.csv`.
    measured_bytes
        The measured size that the claim is about: of the image, of its base, or of what was added.
    added_bytes
        What the image's own layers add. Needed for an image on a stand-in base: only this is judged.
    measured_percent
        The measured reduction, 0 to 100.
    found
        For a statement: what a command or a check found, as one printed sentence.
    is_standin
        True where a base is a stand-in: its size is never held against a claim.
    official
        Dated size of the official base, as text, shown beside a stand-in.

    Raises
    ------
    LayerLabError
        For an unknown claim.
    ValueError
        For an image on a stand-in base without ``added_bytes``.
    """
    given = claim(claim_id)
    text = found or _measured(given, measured_bytes, added_bytes, measured_percent, is_standin=is_standin)
    if is_standin and official:
        text += f" Official base: {official}."
    depends_on_base = given.about in ("image", "base", "reduction")
    scope = ", speaking of official bases" if is_standin and depends_on_base else ""
    claimed = f"{given.statement.rstrip('.')}: {given.value_text}" if given.value_text else given.statement.rstrip(".")
    return ComparedClaim(
        claimed=f"{claimed}. (Lesson: {given.where}.)",
        measured=text,
        verdict=f"{given.verdict}{scope}",
        mechanism=given.mechanism,
        true_when=given.true_when,
    )


def _measured(given: Claim, measured: int | None, added: int | None, percent: float | None, *, is_standin: bool) -> str:
    if percent is not None:
        caveat = "; the bases are stand-ins, so this is not held against the estimate" if is_standin else ""
        return f"{percent:.0f} %{caveat}."
    if is_standin and given.about == "image":
        return _on_standin(given, measured, added)
    if measured is None:
        return "not measured here."
    if is_standin and given.about == "base":
        return f"{units.size(measured)} for a stand-in base, which is not held against the estimate."
    text = f"{units.size(measured)}, {_times(given, measured)}"
    return f"{text}; {units.size(added)} of it added to the base." if added is not None else f"{text}."


def _on_standin(given: Claim, measured: int | None, added: int | None) -> str:
    if added is None:
        raise ValueError(f"{given.id!r} on a stand-in base is judged by what was added: pass added_bytes=.")
    text = f"{units.size(added)} added to a stand-in base"
    if given.added_bytes is not None:
        text += f", where the estimate has {units.size(given.added_bytes)} on top of its own figure for the base"
    if measured is None:
        return f"{text}."
    total = units.size(measured)
    return f"{text}. The total of {total} is not held against the estimate: the base is not the official one."


def _times(given: Claim, measured: int) -> str:
    low, high = given.value_bytes, given.value_high
    if not low:
        return "which the estimate does not put a size to"
    if high is not None and low <= measured <= high * _MB:
        return "within the estimate"
    nearest = low if high is None or measured < low else high * _MB
    ratio = measured / nearest
    return f"{ratio:.2g} times the estimate" if ratio >= 0.01 else "less than a hundredth of the estimate"


@cache
def _load(path: Path) -> tuple[Claim, ...]:
    if not path.is_file():
        raise LayerLabError(f"The lesson's claims are not at {path}. Run the course from its own checkout.")
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        return tuple(_read(row, f"{path.name}, line {reader.line_num}") for row in reader)


def _read(row: dict[str, str], place: str) -> Claim:
    verdict, about = row.get("verdict") or "", row.get("about") or ""
    if verdict not in VERDICTS and not verdict.startswith(_DEPENDS):
        raise LayerLabError(f"{place}: {verdict!r} is no verdict. Use one of {', '.join(VERDICTS)}, or {_DEPENDS}….")
    if about not in _ABOUT:
        raise LayerLabError(f"{place}: a claim cannot be about {about!r}. Use one of {', '.join(_ABOUT)}.")
    try:
        numbers = {name: float(row[name]) if row[name] else None for name in ("value", "value_high", "base_value")}
        texts = {name: row[name] for name in ("id", "notebook", "image", "statement", "unit", "where")}
        reasons = {name: row[name] for name in ("mechanism", "true_when")}
    except (KeyError, ValueError, TypeError) as fault:
        raise LayerLabError(f"{place} cannot be read ({fault}). Compare it with the heading of the file.") from fault
    return Claim(about=about, verdict=verdict, **texts, **numbers, **reasons)  # type: ignore[arg-type]
