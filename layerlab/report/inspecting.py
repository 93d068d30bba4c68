"""What `layerlab inspect` does: finds the image, looks into it, shows it, and holds it against a budget."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from layerlab.checks import Check
from layerlab.engine.protocol import engine_text
from layerlab.errors import LayerLabError
from layerlab.image import Image
from layerlab.inspection import Inspection, of_archive, of_engine
from layerlab.report import terminal
from layerlab.report.budget import Budget, judged
from layerlab.report.document import document
from layerlab.report.tables import say
from layerlab.report.targets import archive_named

_STATUS = {"FAIL": 1, "SKIP": 2}


def inspect(
    target: str, *, base: str | None = None, as_json: bool = False, html: Path | None = None,
    budget: Budget | None = None, console: Console | None = None,
) -> int:  # fmt: skip
    """Look into an image or an image archive.

    Parameters
    ----------
    target
        A file, or the name of an image that the engine holds.
    base
        Name of the image it stands on.
    html
        A file for the report, which is written as well; one of this name is replaced.

    Returns
    -------
    int
        0; 1 where the budget is exceeded; 2 where a rule could not be decided.

    Raises
    ------
    ArchiveError, ImageNotFound, EngineError
    LayerLabError
        The report cannot be written.
    """
    require_other_file(html, target)
    found, source = looked_into(target, base=base)
    if as_json:
        sys.stdout.write(json.dumps(document(found), indent=1) + "\n")
    else:
        terminal.show(found, console or Console())
    checks = judged(found, budget or Budget())
    # Programs read the JSON from stdout, so verdicts stand apart from it.
    beside = Console(stderr=True) if as_json else console or Console()
    verdicts(checks, beside)
    if html:
        from layerlab.report import html as report

        report.write(html, report.inspection_page(found, checks, source=source))
        say(beside, f"The report is {html}.")
    return next((_STATUS[status] for status in ("FAIL", "SKIP") if any(c.status == status for c in checks)), 0)


class Looked(NamedTuple):
    """What was found in an image, and where it was read from, in words."""

    inspection: Inspection
    source: str


def looked_into(target: str, *, base: str | None = None) -> Looked:
    """Look into a file, or an image of the engine; an archive needs no engine unless a base is named."""
    if named := archive_named(target):
        path, reference = named
        read = of_archive(path, reference=reference, base=_image(base) if base else None)
        return Looked(read, f"Read from the archive {path.name}")
    from layerlab.build import image
    from layerlab.engine import connect

    engine = connect()
    try:
        found = of_engine(engine, image(engine, target), base=image(engine, base) if base else None)
        # The label comes with the base: whoever reads the report elsewhere has to know.
        standin = " · on a stand-in base" if found.image.config.label("layerlab.standin") == "true" else ""
        return Looked(found, f"{engine_text(engine.info)}{standin}")
    finally:
        engine.close()


def require_other_file(html: Path | None, *targets: str) -> None:
    """Refuse to write a report over what it is to speak of."""
    for target in targets:
        if html and html.exists() and Path(target).exists() and html.samefile(target):
            raise LayerLabError(f"{html} is the archive itself. Name another file for the report.")


def verdicts(checks: tuple[Check, ...], console: Console) -> None:
    """Print a line a rule, and the tally."""
    for check in checks:
        say(console, check.line)
    if checks:
        counts = Counter(check.status for check in checks)
        tally = ", ".join(f"{counts[status]} {status}" for status in ("PASS", "FAIL", "SKIP"))
        say(console, tally)


def _image(reference: str) -> Image:
    from layerlab.build import image
    from layerlab.engine import connect

    engine = connect()
    try:
        return image(engine, reference)
    finally:
        engine.close()
