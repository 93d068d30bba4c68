"""`layerlab review`: reads a Dockerfile, reviews it, prints what was found; the status says whether anything was."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from layerlab.context import BuildContext
from layerlab.context.folder import read_dockerfile
from layerlab.dockerfile import parse
from layerlab.errors import ContextError, LayerLabError, ReviewError
from layerlab.report.other_linters import ask_others
from layerlab.report.tables import say
from layerlab.review import Review, review, rule_names, visible

if TYPE_CHECKING:
    from layerlab.inspection import Inspection

# Whoever names no folder may build from another one than the Dockerfile's, so what it lacks is no fault.
_NEEDS_THE_CONTEXT = ("missing-source",)
_NOT_THIS_IMAGE = "That image was not built from this file, so prices are not measured on it."


def review_file(
    file: str,
    *,
    context: Path | None = None,
    image: str | None = None,
    bandwidth_bits: float,
    as_json: bool = False,
    ignore: Collection[str] = (),
    others: bool = False,
    console: Console | None = None,
) -> int:
    """Review a Dockerfile, "-" being standard input.

    Parameters
    ----------
    context
        The folder that a build would be sent; by default the one that the file lies in.
    image
        A tag that was built from this file: prices are then measured.
    others
        Also ask hadolint and `docker build --check`, where they are installed; they never change the status.

    Returns
    -------
    int
        0 without a finding, 1 with some.

    Raises
    ------
    ReviewError
        The file cannot be read, or is no Dockerfile; or a rule's name is unknown.
    EngineError
        The engine that should hold ``image`` has none of that name.
    """
    if unknown := sorted(set(ignore) - set(rule_names())):
        raise ReviewError(f"There is no rule {visible(unknown[0])!r}. There are: {', '.join(rule_names())}.")
    try:
        text = _read(file)
        found = _reviewed(text, file, context, image, ignore)
    except (ContextError, LayerLabError) as error:
        # The message may quote the file, and the file may be anybody's.
        raise ReviewError(visible(str(error))) from error
    if as_json:
        sys.stdout.write(json.dumps(found.document(bandwidth_bits=bandwidth_bits), indent=1) + "\n")
    else:
        _show(found, file, bandwidth_bits, console or Console())
    if others:
        for voice in ask_others(text):
            say(Console(stderr=True) if as_json else console or Console(), voice)
    return 1 if found.findings else 0


def _reviewed(text: str, file: str, context: Path | None, image: str | None, ignore: Collection[str]) -> Review:
    dockerfile = parse(text)
    looked_into = _look_into(image) if image else None
    if context is not None:
        folder = BuildContext.open(context, Path(file).absolute(), dockerfile_text=text)
        return review(dockerfile, context=folder, inspection=looked_into, ignore=ignore)
    beside = None if file == "-" else _context_beside(Path(file), text)
    return review(dockerfile, context=beside, inspection=looked_into, ignore={*ignore, *_NEEDS_THE_CONTEXT})


def _context_beside(path: Path, text: str) -> BuildContext | None:
    try:
        return BuildContext.open(path.absolute().parent, path.name, dockerfile_text=text)
    except ContextError:
        # Nobody said that a build is sent this folder: what cannot be read in it concerns nobody.
        return None


def _read(file: str) -> str:
    if file == "-":
        # One byte more than a Dockerfile may have is enough for the parser to refuse it.
        return sys.stdin.buffer.read(1_000_001).decode("utf-8", "surrogateescape")
    path = Path(file)
    return read_dockerfile(path, path.parent)


def _look_into(image: str) -> Inspection:
    from layerlab.report.inspecting import looked_into

    return looked_into(image).inspection


def _show(found: Review, file: str, bandwidth_bits: float, console: Console) -> None:
    say(console, f"{visible(file)}: {found.tally}")
    if found.is_measured is None:
        say(console, _NOT_THIS_IMAGE)
    if found.findings:
        say(console, "")
        for line in found.text(bandwidth_bits=bandwidth_bits).rpartition("\n\n")[0].split("\n"):
            say(console, line)
