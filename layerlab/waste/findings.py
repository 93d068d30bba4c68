"""Wasted files gathered into findings: who wrote them, who hid them, and the fix in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlab.waste.union import How, Union, Wasted


@dataclass(frozen=True)
class Maker:
    """What made a layer: its instruction, the line of the Dockerfile where that is known, and whose layer it is."""

    layer: int
    instruction: str
    line: int | None = None
    is_base: bool = False

    @property
    def where(self) -> str:
        """``line 7``, ``layer 7`` or ``the base``."""
        if self.is_base:
            return "the base"
        return f"line {self.line}" if self.line else f"layer {self.layer + 1}"

    @property
    def keyword(self) -> str:
        """The instruction's keyword, ``RUN`` where it is unknown."""
        return (self.instruction.split(maxsplit=1) or ["RUN"])[0].upper()


@dataclass(frozen=True)
class Finding:
    """Files that one layer wrote and another hid in the same way.

    Attributes
    ----------
    paths
        The largest first.
    fix
        What to change, in one line.
    """

    size_bytes: int
    how: How
    writer: Maker
    hider: Maker
    paths: tuple[str, ...]
    fix: str


def findings(union: Union, makers: Sequence[Maker]) -> tuple[Finding, ...]:
    """Gather what is wasted, the most expensive first; the sizes add up to `Union.waste_bytes`.

    Parameters
    ----------
    makers
        One for each layer, base-first.
    """
    groups: dict[tuple[int, int, How], list[Wasted]] = {}
    for one in union.wasted:
        groups.setdefault((one.written_by, one.hidden_by, one.how), []).append(one)
    found = [_finding(files, makers[writer], makers[hider]) for (writer, hider, _), files in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.size_bytes, one.writer.layer, one.hider.layer)))


def _finding(files: Sequence[Wasted], writer: Maker, hider: Maker) -> Finding:
    largest = sorted(files, key=lambda one: (-one.size_bytes, one.path))
    how = files[0].how
    total = sum(one.size_bytes for one in files)
    return Finding(total, how, writer, hider, tuple(one.path for one in largest), fix(how, writer, hider))


def fix(how: How, writer: Maker, hider: Maker) -> str:
    """Say in one line how to keep these bytes out of the image."""
    if hider.is_base:
        return "this lies within the base: only another base is without it"
    if writer.layer == hider.layer:
        return f"{hider.where} packs the same path twice: write it once"
    if how == "same again":
        if hider.keyword in ("COPY", "ADD"):
            return f"{writer.where} has the same file already: leave it out of what {hider.where} copies"
        return f"{hider.where} writes again what {writer.where} has: only its command can be told not to"
    if writer.is_base:
        if how == "attributes only":
            return f"{hider.where} copies files of the base to change their mode or owner: leave them as they are"
        if how == "rewritten":
            return f"{hider.where} replaces files of the base, which are carried on: choose a base that needs no change"
        return f"{hider.where} hides files of the base, which are carried on: choose a base without them"
    if how == "attributes only":
        if writer.keyword in ("COPY", "ADD"):
            return f"set mode and owner in {writer.where}: {writer.keyword} --chmod=… --chown=…"
        return f"join the chmod or chown of {hider.where} to the {writer.keyword} in {writer.where}"
    if writer.keyword in ("COPY", "ADD"):
        what = "a .dockerignore or a narrower source keeps out what" if how != "rewritten" else "copy once what"
        return f"{what} {writer.where} copies and {hider.where} {'changes' if how == 'rewritten' else 'removes'}"
    verb = "change" if how == "rewritten" else "rm"
    return f"join the {verb} of {hider.where} to the {writer.keyword} in {writer.where}"
