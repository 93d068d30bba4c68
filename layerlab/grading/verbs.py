"""What `layerlab new-exercise`, `release` and `verify` print, and the status they end with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerlab.checks import Check, Verdicts
from layerlab.grading.new_exercise import new_exercise as written
from layerlab.grading.release import Released
from layerlab.grading.release import release as release_folder
from layerlab.grading.verify import exit_status
from layerlab.grading.verify import verify as verify_folder

CHECKOUT = Path(__file__).resolve().parents[2]


def new_exercise(name: str, *, checkout: Path = CHECKOUT) -> int:
    """Write a new exercise from the skeleton and say what comes next. Returns 0; raises ReleaseError as it does."""
    folder, notebook = (path.relative_to(checkout) for path in written(name, checkout=checkout))
    number = name.partition("_")[0]
    print(f"written {folder}: exercise, checks, mistakes, texts and a service that works")
    print(f"written {notebook}: its solution")
    print(f"Change them, then run `layerlab release {number}` and `layerlab verify {number}` on a live engine.")
    print(f"`layerlab record {number}` lets it answer where there is no engine. docs/authoring.md says how.")
    return 0


def release(names: Sequence[str] = (), *, force: bool = False, checkout: Path = CHECKOUT) -> int:
    """Release the exercises of a checkout, one line for each. Returns 0; raises ReleaseError as `release` does."""
    for done in release_folder(checkout / "solutions", checkout / "exercises", names=names, force=force):
        print(_told(done, checkout))
    return 0


def verify(names: Sequence[str] = (), *, engine: str | None = None, checkout: Path = CHECKOUT) -> int:
    """Verify the exercises of a checkout, one line for each check as it is decided, then the tally.

    Returns
    -------
    int
        0: all passed. 1: something failed. 2: nothing failed, but this engine could not decide everything.
    """
    checks: list[Check] = []
    for check in verify_folder(checkout / "solutions", checkout / "exercises", names=names, engine=engine):
        print(check.line, flush=True)
        checks.append(check)
    print(Verdicts(tuple(checks)).tally)
    return exit_status(checks)


def _told(done: Released, checkout: Path) -> str:
    line = f"{done.change} {done.path.relative_to(checkout)}"
    return f"{line} (what was there is now {done.backup.relative_to(checkout)})" if done.backup else line
