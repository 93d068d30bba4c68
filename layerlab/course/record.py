"""`layerlab record`: runs the course on a live engine and replaces the recordings by what was seen.

What is recorded, and what is taken out of it, is the recorder's business; this runs everything that replays.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from layerlab.course import steps
from layerlab.course.bootstrap import CHECKOUT
from layerlab.course.run import chosen, execute, read
from layerlab.errors import SetupError

FOLDERS = ("notebooks", "solutions")


def record(*, checkout: Path = CHECKOUT) -> int:
    """Record notebooks, solutions and the documented wrong answers anew on the engine `connect` picks.

    The old recordings stay until everything has run; a failure leaves them as they are.

    Returns
    -------
    int
        0; 1 where something failed and nothing was replaced.

    Raises
    ------
    SetupError
        There is no live engine to record.
    """
    from layerlab.engine import connect

    info = connect().info
    if not info.is_live:
        raise SetupError(f"Only a live engine can be recorded ({info.why}). Start one: `layerlab engine start`.")
    fresh = checkout / "build" / "recordings"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    os.environ |= {"LAYERLAB_RECORD": "1", "LAYERLAB_RECORDINGS": str(fresh), "LAYERLAB_ENGINE": info.kind}
    steps.say(f"Recording {info.name} {info.version} ({info.kind}) into {fresh}.")
    failed = [*_failing_notebooks(checkout / "notebooks"), *_failing_exercises(checkout)]
    for failure in failed:
        steps.say(failure)
    if failed:
        steps.say(f"The old recordings stay as they are; what was recorded is in {fresh}.")
        return 1
    _replace(checkout / "recordings", fresh)
    files = sum(path.is_file() for path in (checkout / "recordings").rglob("*"))
    steps.say(f"Recorded anew: {files} files in {checkout / 'recordings'}.")
    return 0


def _failing_notebooks(folder: Path) -> Iterator[str]:
    for path in chosen(folder, ()):
        steps.say(f"{path.name} …")
        failure = execute(read(path), path, on_cell=lambda: None)
        if failure:
            yield str(failure)


def _failing_exercises(checkout: Path) -> Iterator[str]:
    """Verify the exercises: that runs solutions, the unsolved and every documented wrong answer."""
    from layerlab.grading.verify import verify

    for check in verify(checkout / "solutions", checkout / "exercises"):
        steps.say(check.line)
        # A SKIP here would be a verdict that no recording can decide either.
        if check.status != "PASS":
            yield check.line


def _replace(old: Path, new: Path) -> None:
    kept = old.with_name(f"{old.name}.old")
    shutil.rmtree(kept, ignore_errors=True)
    if old.exists():
        old.replace(kept)
    new.replace(old)
    shutil.rmtree(kept, ignore_errors=True)
