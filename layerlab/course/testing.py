"""`layerlab check` and `layerlab test`: every part runs, whatever failed before it; pytest's summary comes last.

What each of them runs, and what it may take, is in docs/testing.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from layerlab.course import browser
from layerlab.course.engines import Prepared, prepare_engine, variables
from layerlab.engine.journal import RUN
from layerlab.errors import LayerLabError
from layerlab.setup import steps
from layerlab.setup.bootstrap import CHECKOUT

# tests/conftest.py says what one worker does alone, and what waits for the engine's own tests.
SIDE_BY_SIDE = ("-n", "logical", "--dist", "loadscope", "--no-loadscope-reorder")
# Marks of pyproject.toml. Its own options leave out what is nightly, so `make test` need not say so.
QUICK = ("-m", "not slow and not nightly", "--hypothesis-profile=check")
NIGHTLY = ("-m", "", "--hypothesis-profile=nightly", f"--timeout={4 * 3600}")
STATIC = (
    ("ruff: rules", ("ruff", "check", ".")),
    ("ruff: format", ("ruff", "format", "--check", ".")),
    ("mypy: types", ("mypy",)),
    ("jactionlint: workflows", ("jactionlint", "--shellcheck=")),  # the empty name: no shellcheck, wherever it runs
)


def check(pytest_arguments: Sequence[str] = (), *, checkout: Path = CHECKOUT) -> int:
    """Run what needs no engine and a minute: rules, format, types and the unit tests that are not slow.

    Returns 0, or 1 if any part failed.
    """
    passed = _static(checkout)
    tests = _pytest(("-n", "logical", *QUICK, "tests/unit", "tests/repository", *pytest_arguments), checkout)
    return _conclude(passed and tests)


def test(pytest_arguments: Sequence[str] = (), *, nightly: bool = False, checkout: Path = CHECKOUT) -> int:
    """Run everything, setting up an engine and its bases first. Returns 0, or 1 if any part failed.

    Parameters
    ----------
    nightly
        Also run what takes hours: the tests marked so, and ten times the examples of each property.

    Notes
    -----
    Without a live engine the tests that need one are skipped, saying so, and so are those that need a browser
    where there is none; in CI (the variable ``CI`` is set) they fail instead.
    """
    passed = _static(checkout)
    _browser()
    engine = prepare_engine()
    try:
        bases = prepare_bases(engine)
        strict = ("--require-engine",) if engine.is_live or os.environ.get("CI") else ()
        if engine.why_not:
            what = "in CI that is a failure" if strict else "tests that need one are skipped"
            steps.say(f"No live engine, so {what}. {engine.why_not}")
        how = (*strict, *SIDE_BY_SIDE, *(NIGHTLY if nightly else ()))
        told = {**variables(engine.kind), RUN: uuid.uuid4().hex}
        tests = _pytest((*how, "tests", *pytest_arguments), checkout, told)
    finally:
        if engine.started_here:
            from layerlab.engine import private

            private.stop()
    return _conclude(passed and bases and tests)


def _static(checkout: Path) -> bool:
    verdicts = [_part(title, (sys.executable, "-m", *command), checkout) for title, command in STATIC]
    return all(verdicts)


def _part(title: str, command: Sequence[str], checkout: Path) -> bool:
    try:
        steps.run(title, command, cwd=checkout)
    except LayerLabError as error:
        steps.say(f"FAIL {error}")
        return False
    return True


def _browser() -> None:
    """Have a browser for the tests of the pages; without one they say so themselves, by skipping or failing."""
    try:
        browser.prepare()
    except LayerLabError as error:
        what = "in CI that is a failure" if os.environ.get("CI") else "tests in a browser are skipped"
        steps.say(f"No browser, so {what}. {error}")


def prepare_bases(engine: Prepared) -> bool:
    """Wait until every base of the course is there, pulled or built; say which one cannot be had."""
    if not engine.is_live:
        return True
    from layerlab.bases import BASES
    from layerlab.course.base_images import prepare

    try:
        prepare(tuple(BASES))
    except LayerLabError as error:
        steps.say(f"FAIL {error}")
        return False
    return True


def _pytest(arguments: Sequence[str], checkout: Path, told: Mapping[str, str] | None = None) -> bool:
    """Run pytest once, its output untouched, so that its summary line closes ours; ``told`` is set in its environment.

    Under the name of a run the journal notes what the tests make, and they remove it at their end.
    """
    steps.say("pytest …")
    environment = {**with_bytecode(os.environ, checkout), **(told or {})}
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=checkout, env=environment) == 0


def with_bytecode(variables: Mapping[str, str], checkout: Path) -> dict[str, str]:
    """Let Python keep what it compiles: without, each worker and kernel compiles pandas, plotly and all tests again.

    Where the environment forbids it, as containers often do, it is kept in ``build/``, so that no source folder gets
    a file.
    """
    kept = dict(variables)
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept["PYTHONPYCACHEPREFIX"] = str(checkout / "build" / "bytecode")
    return kept


def _conclude(passed: bool) -> int:
    return 0 if passed else 1
