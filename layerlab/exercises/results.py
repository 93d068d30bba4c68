"""What a passed check leaves behind: that a task was passed, when, and how large its image was. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from layerlab.answers import Answers

KIND = "results"


class Sizes(Protocol):
    """What an image is made of; the luggage is what was added beyond what the service needs."""

    @property
    def base_bytes(self) -> int:
        """What its base takes."""

    @property
    def needed_bytes(self) -> int:
        """What was added and is needed."""

    @property
    def luggage_bytes(self) -> int:
        """What was added and is not needed."""


@dataclass(frozen=True)
class Reached:
    """The sizes of an image that passed, uncompressed."""

    base_bytes: int
    needed_bytes: int
    luggage_bytes: int

    @property
    def size_bytes(self) -> int:
        """The whole image."""
        return self.base_bytes + self.needed_bytes + self.luggage_bytes


def remember(results: Answers, task: str, sizes: Sizes | None = None) -> None:
    """Keep that a task was passed; a larger image never takes the place of a smaller one.

    Raises AnswerError or DiskFull, as `Answers.keep` does.
    """
    before = results.get(task)
    smallest = reached(before)
    if sizes is not None:
        now = Reached(sizes.base_bytes, sizes.needed_bytes, sizes.luggage_bytes)
        smallest = now if smallest is None else min(smallest, now, key=lambda one: one.size_bytes)
    value = {"passed": True, **({"sizes": vars(smallest)} if smallest else {})}
    if value != before:
        results.keep(task, value)


def is_passed(kept: Any) -> bool:
    """True where a kept result says that its task was passed."""
    return isinstance(kept, dict) and kept.get("passed") is True


def reached(kept: Any) -> Reached | None:
    """Return the sizes in a kept result; None where there are none, or no whole numbers of bytes."""
    sizes = kept.get("sizes") if isinstance(kept, dict) else None
    values = [sizes.get(name) for name in Reached.__dataclass_fields__] if isinstance(sizes, dict) else []
    if not values or not all(type(value) is int and value >= 0 for value in values):
        return None
    return Reached(*values)
