"""The faults of the three files: which of them are to be ranked, and what the review finds in each file.

How much harm one does is not written here: `layerlab.review` says it of the files as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from layerlab.context import BuildContext
from layerlab.review import Finding, Review, review

APP = "exercise11/spaces"
NAMES = ("Dockerfile.a", "Dockerfile.b", "Dockerfile.c")


@dataclass(frozen=True)
class Fault:
    """One of the faults to rank: as it is worded for learners, and where the review finds it."""

    text: str
    file: str
    rule: str


# In an order that is neither by harm nor by price.
FAULTS = (
    Fault("a: EXPOSE names a port where nobody listens", "Dockerfile.a", "port-mismatch"),
    Fault("c: a key is written into the image", "Dockerfile.c", "secret"),
    Fault("a: the lists of all packages stay in a layer", "Dockerfile.a", "package-lists"),
    Fault("b: the service listens to its own container only", "Dockerfile.b", "loopback"),
    Fault("a: the cleaning comes one layer too late", "Dockerfile.a", "late-removal"),
)


def worst(folder: Path, name: str) -> Finding:
    """Return what does most harm in a file."""
    return reviewed(folder, name).findings[0]


def finding(folder: Path, fault: Fault) -> Finding:
    """Return what the review says of a fault."""
    found: Finding = next(one for one in reviewed(folder, fault.file) if one.rule == fault.rule)
    return found


@cache
def reviewed(folder: Path, name: str) -> Review:
    """Return the review of one of the files."""
    return reviewed_text(folder, name, (folder / name).read_text(encoding="utf-8"))


def reviewed_text(folder: Path, name: str, text: str) -> Review:
    """Return the review of a text in the place of a file."""
    context = BuildContext.open(folder, name, dockerfile_text=text)
    return review(context.dockerfile, context=context)
