"""What `layerlab inspect` does: finds the image, looks into it, shows it, and holds it against a budget."""

from __future__ import annotations

import json
import sys
from collections import Counter

from rich.console import Console

from layerlab.checks import Check
from layerlab.course.inspect import terminal
from layerlab.course.inspect.budget import Budget, judged
from layerlab.course.inspect.document import document
from layerlab.course.inspect.targets import archive_named
from layerlab.image import Image
from layerlab.inspection import Inspection, of_archive, of_engine

_STATUS = {"FAIL": 1, "SKIP": 2}


def inspect(
    target: str, *, base: str | None = None, as_json: bool = False, budget: Budget | None = None,
    console: Console | None = None,
) -> int:  # fmt: skip
    """Look into an image or an image archive.

    Parameters
    ----------
    target
        A file, or the name of an image that the engine holds.
    base
        Name of the image it stands on.

    Returns
    -------
    int
        0; 1 where the budget is exceeded; 2 where a rule could not be decided.

    Raises
    ------
    ArchiveError, ImageNotFound, EngineError
    """
    found = looked_into(target, base=base)
    if as_json:
        sys.stdout.write(json.dumps(document(found), indent=1) + "\n")
    else:
        terminal.show(found, console or Console())
    checks = judged(found, budget or Budget())
    # Programs read the JSON from stdout, so verdicts stand apart from it.
    verdicts(checks, Console(stderr=True) if as_json else console or Console())
    return next((_STATUS[status] for status in ("FAIL", "SKIP") if any(c.status == status for c in checks)), 0)


def looked_into(target: str, *, base: str | None = None) -> Inspection:
    """Look into a file, or an image of the engine; an archive needs no engine unless a base is named."""
    if named := archive_named(target):
        path, reference = named
        return of_archive(path, reference=reference, base=_image(base) if base else None)
    from layerlab.build import image
    from layerlab.engine import connect

    engine = connect()
    try:
        return of_engine(engine, image(engine, target), base=image(engine, base) if base else None)
    finally:
        engine.close()


def verdicts(checks: tuple[Check, ...], console: Console) -> None:
    """Print a line a rule, and the tally."""
    for check in checks:
        console.print(check.line, markup=False, highlight=False, soft_wrap=True)
    if checks:
        counts = Counter(check.status for check in checks)
        tally = ", ".join(f"{counts[status]} {status}" for status in ("PASS", "FAIL", "SKIP"))
        console.print(tally, markup=False, highlight=False)


def _image(reference: str) -> Image:
    from layerlab.build import image
    from layerlab.engine import connect

    engine = connect()
    try:
        return image(engine, reference)
    finally:
        engine.close()
