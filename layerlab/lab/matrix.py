"""All combinations of the design space, measured: from recordings, or on the engine at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerlab import bases, design_space
from layerlab.design_space import COMBINATIONS, Measured
from layerlab.engine import connect
from layerlab.engine.protocol import Engine, engine_text
from layerlab.units import size

NOTEBOOK = "05b_design_space"
APP = "service"


@dataclass(frozen=True)
class Matrix:
    """Every combination as one engine measured it; ``source`` says which engine, which bases and when."""

    measured: tuple[Measured, ...]
    source: str


def recorded(root: Path, *, recordings: Path | None = None) -> Matrix:
    """Replay every combination.

    Parameters
    ----------
    recordings
        The folder of recordings; by default see `layerlab.engine.connect`.

    Raises
    ------
    NotRecorded
        There are no recordings here, or one lacks.
    """
    # An engine of its own: what the notebook has built and cached is not touched.
    engine = connect("recorded", notebook=NOTEBOOK, recordings=recordings)
    return Matrix(tuple(design_space.matrix(engine, root / "apps" / APP)), _source(engine))


def measured(engine: Engine, root: Path) -> Matrix:
    """Measure every combination on this engine, printing each as it is done.

    Raises
    ------
    BaseError, BuildFailed, EngineGone, DiskFull, NotRecorded
    """
    done: list[Measured] = []
    for one in design_space.matrix(engine, root / "apps" / APP):
        done.append(one)
        print(f"{len(done):>2} of {len(COMBINATIONS)}{line(one)}", flush=True)
    return Matrix(tuple(done), _source(engine))


def _source(engine: Engine) -> str:
    return f"{engine_text(engine.info)} · {bases.provenance(engine).text}"


def line(one: Measured) -> str:
    """Tell one combination in a line: its name, size and start."""
    seconds = "does not serve" if one.start_seconds is None else f"{one.start_seconds:.2f} s of work to start"
    return f"  {one.combination.name:<36}{size(one.size_bytes):>8}  {seconds}"
