"""What findings cost: estimates, and what an inspection of the built image measures in their place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from layerlab.attribution.causes import INSTALLERS
from layerlab.bases import official
from layerlab.review.finding import Finding, Price
from layerlab.units import parse_size

if TYPE_CHECKING:
    from layerlab.attribution import Attributed
    from layerlab.inspection import Inspection
    from layerlab.review.subject import Subject

MODEL = re.compile(r"\.(bin|pt|pth|onnx|safetensors|gguf|ggml|h5|ckpt|pkl|joblib|tflite|pb)$", re.IGNORECASE)
_PROGRAMS = frozenset({"uv", "uvx", "pip", "pip3", "poetry", "pipenv", "pdm"})
# What a registry cannot pack: numbers as good as random.
_DENSE = frozenset({"model-baked"})
_MAKES_HISTORY = re.compile(r"\w+")


def estimated(key: str) -> Price:
    """Return what was measured elsewhere for the same thing; see estimates.toml."""
    return Price("estimated", _estimates()[key], packed_share())


def known(size_bytes: int, *, dense: bool = False) -> Price:
    """Return the price of bytes that were counted in the build context."""
    return Price("measured", size_bytes, 1.0 if dense else packed_share())


def full_over_slim() -> Price:
    """Return what the full base of Python weighs more than slim, by the publishers' own record."""
    full, slim = (parse_size(official(tag).uncompressed_published) for tag in ("python:3.12", "python:3.12-slim"))
    return Price("estimated", full - slim, packed_share())


@cache
def packed_share() -> float:
    """Return how much of an image's bytes a registry sends, by the record of the official slim base."""
    slim = official("python:3.12-slim")
    return slim.compressed_bytes / parse_size(slim.uncompressed_published)


def measured(findings: Iterable[Finding], subject: Subject, inspection: Inspection) -> tuple[Finding, ...] | None:
    """Put what the built image shows in the place of estimates.

    Returns
    -------
    tuple of Finding, or None
        None where the image was not built from this file: its history tells of other instructions.
    """
    lines = layer_lines(subject, inspection)
    if lines is None:
        return None
    rows = [(lines.get(one.layer), one) for one in inspection.files if one.layer >= inspection.base_layers]
    return tuple(_weighed(one, rows, lines) for one in findings)


def layer_lines(subject: Subject, inspection: Inspection) -> dict[int, int] | None:
    """Say which line of the file made each layer above the base, or None where history and file do not agree."""
    written = [step for stage in subject.shipped for step in subject.steps if step.stage == stage]
    history = inspection.image.history[len(inspection.image.history) - len(written) :] if written else ()
    keywords = [(_MAKES_HISTORY.match(entry.instruction) or [""])[0].upper() for entry in history]
    if keywords != [step.one.keyword for step in written]:
        return None
    first = len(inspection.image.history) - len(written)
    return {
        layer.index: written[layer.history_index - first].line
        for layer in inspection.image.layers
        if layer.history_index is not None and layer.history_index >= first
    }


Rows = list[tuple[int | None, "Attributed"]]


def _weighed(finding: Finding, rows: Rows, lines: dict[int, int]) -> Finding:
    measure = _MEASURES.get(finding.rule)
    if measure is None:
        return finding
    total = measure(finding, rows, lines)
    return replace(finding, price=Price("measured", total, 1.0 if finding.rule in _DENSE else packed_share()))


def _files(counts: Callable[[Attributed], bool]) -> Callable[[Finding, Rows, dict[int, int]], int]:
    def total(finding: Finding, rows: Rows, lines: dict[int, int]) -> int:
        return sum(one.size_bytes for line, one in rows if line in finding.lines and counts(one))

    return total


def _hidden(finding: Finding, rows: Rows, lines: dict[int, int]) -> int:
    """Bytes that one of the finding's lines hides, whoever wrote them."""
    return sum(one.size_bytes for _, one in rows if one.wasted and lines.get(one.wasted.hidden_by) in finding.lines)


def _is_installer(one: Attributed) -> bool:
    name = one.package.removeprefix("python:").partition(" ")[0]
    folder, _, program = one.path.rpartition("/")
    return name in INSTALLERS or (folder.endswith("bin") and program in _PROGRAMS)


# Rule → what of the built image it is about.
_MEASURES: dict[str, Callable[[Finding, Rows, dict[int, int]], int]] = {
    "installer-shipped": _files(_is_installer),
    "compiler-shipped": _files(lambda one: one.package.startswith(("debian:", "alpine:"))),
    "pip-cache": _files(lambda one: one.cause == "cache" and "cache/" in one.path),
    "package-lists": _files(lambda one: one.path.startswith(("var/lib/apt/lists/", "var/cache/apk/"))),
    "late-removal": _hidden,
    "copied-twice": _hidden,
    "model-baked": _files(lambda one: bool(MODEL.search(one.path)) or one.size_bytes > 10_000_000),
    "whole-stage": _files(lambda one: True),
    "slow-rebuild": _files(lambda one: one.cause in ("dependency", "bytecode")),
}


@cache
def _estimates() -> dict[str, int]:
    text = files("layerlab.review").joinpath("estimates.toml").read_text(encoding="utf-8")
    return {key: int(one["size_bytes"]) for key, one in tomllib.loads(text).items()}
