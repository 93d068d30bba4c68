"""Which combinations of the axes there are: those that can exist and teach something. Knows no recipe and no engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, fields

from layerlab.design_space.axes import AS_IS, AXES, COMPILED, FULL, NONE, PIP, TWO, UV


@dataclass(frozen=True)
class Combination:
    """One option of each axis, by their keys."""

    base: str
    stages: str
    installer: str
    bytecode: str
    user: str

    def __post_init__(self) -> None:
        for axis in AXES:
            if (key := getattr(self, axis.key)) not in axis.keys:
                raise ValueError(f"{key!r} is no {axis.title.lower()}. There are {', '.join(axis.keys)}.")

    @property
    def options(self) -> tuple[str, ...]:
        """The five keys, in the order of the axes."""
        return tuple(getattr(self, axis.key) for axis in AXES)

    @property
    def name(self) -> str:
        """A short name that no other combination has.

        >>> Combination("slim", "two", "uv", "as-is", "root").name
        'slim two uv as-is root'
        """
        return " ".join(self.options)

    @property
    def title(self) -> str:
        """The five choices in words.

        >>> Combination("slim", "two", "uv", "as-is", "root").title
        'slim, two stages, uv, bytecode as installed, user root'
        """
        said = {axis.key: axis.name(getattr(self, axis.key)) for axis in AXES}
        return (
            f"{said['base']}, {said['stages']}, {said['installer']}, bytecode {said['bytecode']}, user {said['user']}"
        )

    def differences(self, other: Combination) -> tuple[str, ...]:
        """Name the axes in which another combination differs."""
        return tuple(axis.key for axis in AXES if getattr(self, axis.key) != getattr(other, axis.key))


@dataclass(frozen=True)
class Gap:
    """A combination that is not there, why, and the nearest one that is."""

    reason: str
    nearest: Combination


# Why some are missing: when, and the reason.
_MISSING: tuple[tuple[Callable[[Combination], bool], str], ...] = (
    (
        lambda one: one.base == FULL and one.bytecode != AS_IS,
        "Beside a base as large as full nobody would see the bytecode.",
    ),
    (
        lambda one: one.installer != UV and one.bytecode == COMPILED,
        "pip compiles whatever it installs: as installed, it is compiled already.",
    ),
    (
        lambda one: one.installer == UV and one.bytecode == NONE,
        "uv compiles nothing unless it is told to: as installed, it is without already.",
    ),
    (
        lambda one: one.stages == TWO and one.installer == PIP,
        "What pip caches stays behind in the builder anyway: it would be the image of pip --no-cache-dir.",
    ),
    (
        lambda one: one.installer == PIP and one.bytecode == NONE,
        "Whoever leaves bytecode away to save bytes does not keep a cache.",
    ),
)


def _reasons(one: Combination) -> list[str]:
    return [reason for is_missing, reason in _MISSING if is_missing(one)]


def _all() -> tuple[Combination, ...]:
    every = (Combination(*keys) for keys in itertools.product(*(axis.keys for axis in AXES)))
    return tuple(one for one in every if not _reasons(one))


assert [field.name for field in fields(Combination)] == [axis.key for axis in AXES]

# In the order of a walk that builds each after one that it shares most steps with: the user is the last line.
COMBINATIONS = _all()


def gap(wanted: Combination) -> Gap | None:
    """Say why a combination is not there, with the nearest that is; None where it is there."""
    reasons = _reasons(wanted)
    return Gap(" ".join(reasons), min(COMBINATIONS, key=lambda one: _distance(one, wanted))) if reasons else None


def _distance(one: Combination, other: Combination) -> tuple[int, int]:
    """Count the choices in which two differ; of equals, the one whose difference comes last among the axes is nearer.

    A reader who asks for a base or an installer means it more than one who asks for its bytecode.
    """
    different = one.differences(other)
    return len(different), -sum(2**place for place, axis in enumerate(AXES) if axis.key in different)


def neighbours(one: Combination) -> tuple[Combination, ...]:
    """List the combinations that differ from this one in a single axis."""
    return tuple(other for other in COMBINATIONS if len(one.differences(other)) == 1)


def named(name: str) -> Combination:
    """Return the combination of that name. Raises ValueError where none bears it."""
    for one in COMBINATIONS:
        if one.name == name:
            return one
    raise ValueError(f"{name!r} is no combination. A name looks like {COMBINATIONS[0].name!r}.")
