"""All combinations of the design space, measured: from recordings, or played on an engine by `layerlab record`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from layerlab import bases, design_space
from layerlab.course.progress import CourseProgress
from layerlab.course.session_shown import engine_text
from layerlab.design_space import COMBINATIONS, Measured
from layerlab.engine import connect
from layerlab.engine.protocol import Engine
from layerlab.errors import LayerLabError
from layerlab.units import size

NOTEBOOK = "05b_design_space"
_APP = "service"


@dataclass(frozen=True)
class Matrix:
    """Every combination as one engine measured it; ``source`` says which engine, which bases and when."""

    measured: tuple[Measured, ...]
    source: str


def recorded(root: Path) -> Matrix:
    """Replay every combination.

    Raises
    ------
    NotRecorded
        There are no recordings here, or one lacks.
    """
    # An engine of its own: what the notebook has built and cached is not touched.
    engine = connect("recorded", notebook=NOTEBOOK)
    return Matrix(tuple(design_space.matrix(engine, root / "apps" / _APP)), _source(engine))


def measured(engine: Engine, root: Path) -> Matrix:
    """Measure every combination on this engine, printing each as it is done.

    Raises
    ------
    BaseError, BuildFailed, EngineGone, DiskFull, NotRecorded
    """
    done: list[Measured] = []
    for one in design_space.matrix(engine, root / "apps" / _APP):
        done.append(one)
        print(f"{len(done):>2} of {len(COMBINATIONS)}{_line(one)}", flush=True)
    return Matrix(tuple(done), _source(engine))


def play(checkout: Path, console: Console) -> bool:
    """Measure every combination on the engine that the environment names; False, and why on the console, if one fails.

    Whether that is a live engine being recorded, or the replay that proves it, is the environment's business.
    """
    name = f"{NOTEBOOK}, {len(COMBINATIONS)} combinations"
    engine = connect(notebook=NOTEBOOK)
    with CourseProgress(console, [(name, len(COMBINATIONS))]) as progress:
        progress.begin(name)
        try:
            for one in design_space.matrix(engine, checkout / "apps" / _APP):
                progress.advance()
                console.print(f"{_line(one)}; {progress.remaining()}", markup=False, highlight=False, soft_wrap=True)
            failure = ""
        except LayerLabError as error:
            failure = str(error)
        progress.end(name, passed=not failure)
    engine.close()
    if failure:
        console.print(failure, markup=False, highlight=False, soft_wrap=True)
    return not failure


def _source(engine: Engine) -> str:
    return f"{engine_text(engine.info)} · {bases.provenance(engine).text}"


def _line(one: Measured) -> str:
    seconds = "does not serve" if one.start_seconds is None else f"{one.start_seconds:.2f} s of work to start"
    return f"  {one.combination.name:<36}{size(one.size_bytes):>8}  {seconds}"
