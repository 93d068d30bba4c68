"""One row of the size ladder: what was measured, predicted and claimed of one image, and as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerlab import units

if TYPE_CHECKING:
    import pandas as pd

Guess = int | tuple[int, int]

CLAIM_NAME = "another engineer's estimate"
PREDICTION_NAME = "your prediction"


@dataclass(frozen=True)
class Rung:
    """One image of the ladder; None stands for what is not known, or not to be shown yet."""

    name: str
    size: int | None
    base: int | None
    added: int | None
    guess: tuple[int, int] | None
    claim: int | None

    @property
    def reach(self) -> int:
        """The largest value drawn in this row."""
        return max(self.size or 0, self.claim or 0, *(self.guess or (0,)))

    @property
    def known(self) -> tuple[tuple[str, str], ...]:
        """Everything known of the image, as (name, text)."""
        pairs = (
            ("size on disk", text(self.size)),
            ("base", text(self.base)),
            ("added", text(self.added)),
            ("predicted", band(self.guess)),
            (CLAIM_NAME, text(self.claim)),
        )
        values = (self.size, self.base, self.added, self.guess, self.claim)
        return tuple(pair for pair, value in zip(pairs, values, strict=True) if value is not None)


def read(
    frame: pd.DataFrame, claims: Mapping[str, int], predictions: Mapping[str, Guess] | None, *, reveal: bool
) -> list[Rung]:
    """Read the rows of `measure.images` or `measure.ladder`; without ``reveal`` only what was predicted."""
    return [_rung(record, claims, predictions, reveal=reveal) for record in frame.to_dict("records")]


def text(value: int | None) -> str:
    """Print a size, or a question mark where there is none."""
    return "?" if value is None else units.size(value)


def band(guess: tuple[int, int] | None) -> str:
    """Print a predicted size or band, or a dash where nothing was predicted."""
    if guess is None:
        return "–"
    low, high = guess
    return units.size(low) if low == high else f"{units.size(low)} to {units.size(high)}"


def _rung(
    record: Mapping[Any, Any], claims: Mapping[str, int], predictions: Mapping[str, Guess] | None, *, reveal: bool
) -> Rung:
    name = str(record["name"])
    guess = _guess(record, predictions)
    size = _whole(record, "size_bytes")
    # Whoever has not measured yet should not read the answer off someone else's.
    if size is None or not reveal:
        return Rung(name, None, None, None, guess, None)
    return Rung(name, size, _whole(record, "base_bytes"), _whole(record, "added_bytes"), guess, claims.get(name))


def _guess(record: Mapping[Any, Any], predictions: Mapping[str, Guess] | None) -> tuple[int, int] | None:
    if predictions is not None:
        guess = predictions.get(str(record["name"]))
        return (guess, guess) if isinstance(guess, int) else guess
    low, high = _whole(record, "predicted_low_bytes"), _whole(record, "predicted_high_bytes")
    return None if low is None or high is None else (low, high)


def _whole(record: Mapping[Any, Any], column: str) -> int | None:
    value = record.get(column)
    # pandas has several values for "missing", and one of them refuses to be compared: their names are safe.
    return None if str(value) in ("None", "<NA>", "nan") else int(str(value))
