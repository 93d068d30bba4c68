"""The recipes in `bases/`: where they are, their ARGs filled in, and a hash that says when they changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from layerlab.errors import BaseUnavailable


def folder() -> Path:
    """Find the recipes, which lie beside the package in the course's checkout.

    Raises
    ------
    BaseUnavailable
        If they are not there: an installed package carries none.
    """
    place = Path(__file__).resolve().parents[3] / "bases"
    if not (place / "slim" / "Dockerfile").is_file():
        raise BaseUnavailable(
            "The recipes of the stand-ins are missing: they come with the course's checkout, not with the installed "
            "package. Work in a clone of the course, or restore its folder `bases` (`git checkout bases`)."
        )
    return place


def render(key: str, values: Mapping[str, str]) -> str:
    """Read a recipe's Dockerfile with these ARGs filled in as text, and their declarations gone.

    Notes
    -----
    An ARG is an entry in the history and stands before every RUN after it (``|1 NAME=value /bin/sh -c …``); the
    official images have none, and learners read the history.
    """
    text = (folder() / key / "Dockerfile").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not (line.startswith("ARG ") and line[4:].strip() in values)]
    return Template("\n".join(kept) + "\n").safe_substitute(values)


def stage(text: str, name: str) -> str:
    """Cut a Dockerfile off after its stage of this name, so that the stage can be built before the rest is ready."""
    match = re.search(rf"^FROM\s+{re.escape(name)}\b.*$", text, re.MULTILINE)
    return text[: match.start()] if match else text


def digest(*names: str, facts: tuple[str, ...] = ()) -> str:
    """Hash some recipes' files and the facts they are used with, to 12 hex digits."""
    total = hashlib.sha256()
    for name in names:
        for path in sorted((folder() / name).rglob("*")):
            if path.is_file():
                total.update(f"{name}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    for fact in facts:
        total.update(fact.encode() + b"\0")
    return total.hexdigest()[:12]
