"""`layerlab test --on ENGINE`: the contract and the notebooks on an engine of another version, and what came of them.

docs/engines.md holds the table of what was seen.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab import bases
from layerlab.course.engines import live_engines, prepare_engine
from layerlab.course.testing import SIDE_BY_SIDE, prepare_bases, with_bytecode
from layerlab.engine.journal import RUN
from layerlab.setup import steps
from layerlab.setup.bootstrap import CHECKOUT

if TYPE_CHECKING:
    from layerlab.engine.temporary import Running

# What any engine owes the course. test_contract_podman.py holds all of test_contract.py and test_ownership.py.
_SHARED = ("buildkit_live", "by_hand", "folders", "layer_files", "local_registry", "probe_live")
CONTRACT = {"docker": ("contract", "ownership", *_SHARED), "podman": ("contract_podman", *_SHARED)}
COURSE = ("tests/notebooks/test_run.py::test_every_cell_passes", "-k", "not recorded- and not live-solutions")


def test_on(name: str, pytest_arguments: Sequence[str] = (), *, checkout: Path = CHECKOUT) -> int:
    """Start the engine, give it the base images of this machine's own, run the tests on it, and remove it.

    Parameters
    ----------
    name
        One of `layerlab.engine.temporary.KINDS`.

    Returns
    -------
    int
        0, or 1 where a test failed.

    Raises
    ------
    PrivateEngineError
        Where such an engine can't be started.
    """
    from layerlab.engine import private
    from layerlab.engine.temporary import check, running

    check(where := private.data_folder() / "on")  # before bases are built for it
    report = checkout / "build" / f"test-on-{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    with ExitStack() as stack:
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which ends without taking anything away
        stack.callback(signal.signal, signal.SIGTERM, before)
        own = prepare_engine()
        if own.started_here:
            stack.callback(private.stop)
        prepare_bases(own)
        with steps.Quietly(f"Fetching and starting {name}") as step:
            engine = stack.enter_context(running(name, where, on_line=step))
        _lend_bases(engine)
        passed = _pytest(engine, report, pytest_arguments, checkout)
    if report.exists():
        print(f"{name}: {told(report)}")
    return 0 if passed else 1


def _pytest(engine: Running, report: Path, arguments: Sequence[str], checkout: Path) -> bool:
    """Run the tests in the engine's network, where the ports of its containers are; each that needs it must find it."""
    tests = [f"tests/engine/test_{one}.py" for one in CONTRACT[engine.kind.kind]]
    how = ("--require-engine", *SIDE_BY_SIDE, f"--junitxml={report}", "-o", "junit_family=xunit1")
    command = engine.inside(sys.executable, "-m", "pytest", *how, *tests, *COURSE, *arguments)
    environment = {**with_bytecode(engine.environment, checkout), RUN: uuid.uuid4().hex}
    return subprocess.call(command, cwd=checkout, env=environment) == 0


def told(report: Path) -> str:
    """Say in a line what a run came to: the contract's tests as numbers, each notebook that did not pass by name."""
    contract: Counter[str] = Counter()
    notebooks: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((mark for mark in ("failure", "error", "skipped") if case.find(mark) is not None), "passed")
        if "notebooks" in case.get("classname", ""):
            notebooks[case.get("name", "").rstrip("]").split("-", 2)[-1]] = outcome
        else:
            contract["failed" if outcome in ("failure", "error") else outcome] += 1
    numbers = ", ".join(f"{contract[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
    others = sorted(name for name, outcome in notebooks.items() if outcome != "passed")
    but = f"; not {', '.join(others)}" if others else ""
    return f"contract {numbers}; notebooks {len(notebooks) - len(others)} of {len(notebooks)} passed{but}"


def _lend_bases(engine: Running) -> None:
    """Copy the bases that the engines of this machine hold: on it alone none can be built."""
    from layerlab.engine.live import LiveEngine

    opened = LiveEngine.open(engine.endpoint, kind=engine.kind.kind, why="its bases are loaded", timeout=900)
    with closing(opened) as target:
        for source in live_engines():
            with closing(source):
                for base in bases.status(source):
                    there = {one.key for one in bases.status(target) if one.state in ("official", "stand-in")}
                    if base.state in ("official", "stand-in") and base.key not in there:
                        with steps.Quietly(f"Loading {base.reference}"):
                            target.client.images.load(source.save(base.reference))
