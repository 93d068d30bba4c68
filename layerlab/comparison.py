"""Two images side by side: what came, went and grew, by file, package and cause. Shows nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from layerlab.attribution import Attributed
from layerlab.inspection import Inspection

Change = Literal["came", "went", "grew", "shrank"]


class FileChange(NamedTuple):
    """A file that a container of one image sees otherwise than a container of the other; sizes in bytes."""

    path: str
    change: Change
    before_bytes: int
    after_bytes: int

    @property
    def difference_bytes(self) -> int:
        """What it adds to the second image."""
        return self.after_bytes - self.before_bytes


class Step(NamedTuple):
    """What one cause, or one package, adds to the second image (or takes from it, below zero)."""

    name: str
    before_bytes: int
    after_bytes: int

    @property
    def difference_bytes(self) -> int:
        """Bytes from the first to the second."""
        return self.after_bytes - self.before_bytes


@dataclass(frozen=True)
class Comparison:
    """The way from one image to another. All differences of `causes` add up to that of the sizes."""

    before: Inspection
    after: Inspection

    @property
    def difference_bytes(self) -> int:
        """How much larger the second image is."""
        return self.after.size_bytes - self.before.size_bytes

    @cached_property
    def shared_layers(self) -> int:
        """How many layers both have: whoever holds one image need not fetch these for the other."""
        both = {layer.diff_id for layer in self.before.layers} & {layer.diff_id for layer in self.after.layers}
        return len(both)

    @cached_property
    def fetched_bytes(self) -> int:
        """What a machine that holds the first image has to take in for the second, unpacked."""
        known = {layer.diff_id for layer in self.before.layers}
        return sum(layer.size_bytes for layer in self.after.layers if layer.diff_id not in known)

    @cached_property
    def causes(self) -> tuple[Step, ...]:
        """By cause, the base as one of them; the largest difference first."""
        return _steps(self.before.files, self.after.files, lambda one: one.cause)

    @cached_property
    def packages(self) -> tuple[Step, ...]:
        """By package, those that did not change left out. A new version is one that went and one that came."""
        steps = _steps(self.before.files, self.after.files, lambda one: one.package)
        return tuple(step for step in steps if step.name and step.difference_bytes)

    @cached_property
    def files(self) -> tuple[FileChange, ...]:
        """Files that a container sees, by size of the difference; the same file rewritten in its size is none."""
        old = {one.path: one.size_bytes for one in self.before.union.visible}
        new = {one.path: one.size_bytes for one in self.after.union.visible}
        changes = (_change(path, old.get(path), new.get(path)) for path in {**old, **new})
        return tuple(sorted(filter(None, changes), key=lambda one: (-abs(one.difference_bytes), one.path)))


def _change(path: str, before: int | None, after: int | None) -> FileChange | None:
    if before == after:
        return None
    if before is None or after is None:
        return FileChange(path, "came" if before is None else "went", before or 0, after or 0)
    return FileChange(path, "grew" if after > before else "shrank", before, after)


def _steps(
    before: Iterable[Attributed], after: Iterable[Attributed], name: Callable[[Attributed], str]
) -> tuple[Step, ...]:
    old, new = (_totals(files, name) for files in (before, after))
    steps = (Step(one, old[one], new[one]) for one in old | new)
    return tuple(sorted(steps, key=lambda step: (-abs(step.difference_bytes), step.name)))


def _totals(files: Iterable[Attributed], name: Callable[[Attributed], str]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for one in files:
        totals[name(one)] += one.size_bytes
    return totals
