"""Runs notebooks under nbval in one pytest process, and says of each whether every cell of it passed.

One process for a whole folder: starting pytest and its plugins costs a second, starting a kernel two, and only the
kernels have to be fresh.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

TAIL_LINES = 40
_COLOURS = re.compile(r"(\x1b|#x1B)\[[0-9;]*m")
_FAULTS = ("failure", "error", "skipped")  # a cell that a tag keeps from running has proved nothing
_CELL = re.compile(r"Cell (\d+)")


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook: how many cells passed, and what the others said."""

    passed: int
    faults: tuple[str, ...]


def run(
    notebooks: Iterable[Path], *, engine: str, work: Path, cell_seconds: float, seconds: float
) -> dict[Path, Outcome]:
    """Run notebooks in order, each in a fresh kernel, all with one engine and one folder of answers.

    Parameters
    ----------
    engine
        What ``LAYERLAB_ENGINE`` is in the kernels.
    work
        The folder of answers; the report lies beside it.
    cell_seconds, seconds
        After how long a cell, and all of them together, count as hanging.
    """
    asked = tuple(notebooks)
    report = work.with_suffix(".xml")
    output = _pytest(asked, engine=engine, work=work, report=report, cell_seconds=cell_seconds, seconds=seconds)
    cases = tuple(ElementTree.parse(report).iter("testcase")) if report.exists() else ()
    return {notebook: _outcome(notebook, cases, output) for notebook in asked}


def _pytest(
    notebooks: tuple[Path, ...], *, engine: str, work: Path, report: Path, cell_seconds: float, seconds: float
) -> str:
    options = (
        *("--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={cell_seconds}"),
        *("--override-ini=addopts=", "--override-ini=timeout=0", f"--junitxml={report}"),
        # plugins that notebooks have no use for; each costs start-up time
        *("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q", "--color=no"),
    )
    environment = {**os.environ, "LAYERLAB_ENGINE": engine, "LAYERLAB_WORK": str(work)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *map(str, notebooks)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode() if isinstance(error.stdout, bytes) else (error.stdout or "")
        return f"{said}\nStopped after {seconds:.0f} s."
    return done.stdout


def _outcome(notebook: Path, cases: Iterable[ElementTree.Element], output: str) -> Outcome:
    """Read from a JUnit report what became of one notebook's cells."""
    own = tuple(case for case in cases if f".{case.get('classname')}".endswith(f".{notebook.name}"))
    if not own:
        tail = "\n".join(output.splitlines()[-TAIL_LINES:])
        return Outcome(0, (f"None of its cells was run. pytest said:\n{tail}",))
    faults = tuple(_fault(notebook, case, mark) for case in own for mark in case if mark.tag in _FAULTS)
    return Outcome(sum(1 for case in own if not any(mark.tag in _FAULTS for mark in case)), faults)


def _fault(notebook: Path, case: ElementTree.Element, mark: ElementTree.Element) -> str:
    said = _COLOURS.sub("", mark.text or mark.get("message") or "").strip().splitlines()
    if len(said) > TAIL_LINES:  # the cell and the error are what helps; the frames between them are long
        said = [*said[: TAIL_LINES // 2], "…", *said[-TAIL_LINES // 2 :]]
    return f"{_cell_id(notebook, case.get('name') or '')} {mark.tag}: " + "\n".join(said)


def _cell_id(notebook: Path, name: str) -> str:
    """Turn nbval's "Cell 3", which counts code cells, into the id of the cell."""
    counted = _CELL.search(name)
    code = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    return f"cell `{code[int(counted[1])].id}`" if counted and int(counted[1]) < len(code) else name
