"""The five choices behind a recipe, and what each of them trades. Knows no recipe text and no engine."""

from __future__ import annotations

from dataclasses import dataclass

FULL, SLIM, MUSL = "full", "slim", "musl"
ONE, TWO = "one", "two"
PIP, NO_CACHE, UV = "pip", "no-cache", "uv"
AS_IS, COMPILED, NONE = "as-is", "compiled", "none"
ROOT, NUMBER = "root", "number"


@dataclass(frozen=True)
class Axis:
    """One choice: its options by their keys, each with a title, and what is given for what.

    ``key`` names the field of a `Combination`.
    """

    key: str
    title: str
    options: tuple[tuple[str, str], ...]
    trades: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the options."""
        return tuple(key for key, _ in self.options)

    def name(self, key: str) -> str:
        """Return the title of an option."""
        return dict(self.options)[key]


AXES = (
    Axis(
        "base",
        "Base",
        ((FULL, "full"), (SLIM, "slim"), (MUSL, "musl")),
        "What is there already when something is missing, against bytes and tools that nobody asked for.",
    ),
    Axis(
        "stages",
        "Stages",
        ((ONE, "one stage"), (TWO, "two stages")),
        "One recipe that is read from top to bottom, against leaving the tools of the installation behind.",
    ),
    Axis(
        "installer",
        "Installer",
        ((PIP, "pip"), (NO_CACHE, "pip --no-cache-dir"), (UV, "uv")),
        "What the base has anyway, against a faster program that has to be brought along.",
    ),
    Axis(
        "bytecode",
        "Bytecode",
        ((AS_IS, "as installed"), (COMPILED, "compiled"), (NONE, "none")),
        "Bytes in the image, against work at each start.",
    ),
    Axis(
        "user",
        "User",
        ((ROOT, "root"), (NUMBER, "a number")),
        "A process that may write wherever it likes, against an intruder who may do so too.",
    ),
)
