"""All notebooks and solutions on the recordings, as the tests run them: each in a fresh kernel, in order."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab.errors import SetupError
from layerlab.setup.bootstrap import CHECKOUT

RUNS = 3
SECONDS = 90.0


def measure() -> Iterator[Figure]:
    """Time passes over everything there is in `notebooks/` and `solutions/`.

    Raises
    ------
    SetupError
        A cell failed: what is broken has no speed.
    """
    sys.path.insert(0, str(CHECKOUT / "tests/notebooks"))
    import nbval_runs  # type: ignore[import-not-found]  # beside the tests, which run them just so

    paths = (*sorted((CHECKOUT / "notebooks").glob("*.ipynb")), *sorted((CHECKOUT / "solutions").glob("*.ipynb")))
    timed = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as folder:
            began = time.perf_counter()
            work = Path(folder) / "work"
            outcomes = nbval_runs.run(paths, engine="recorded", work=work, cell_seconds=60, seconds=300)
            timed.append(time.perf_counter() - began)
        for path, outcome in outcomes.items():
            if outcome.faults:
                raise SetupError(f"{path.parent.name}/{path.name} fails: {outcome.faults[0][:600]}. Mend that first.")
    what = f"all {len(paths)} notebooks and solutions on recordings"
    yield of_runs("notebooks-recorded", what, timed, target=SECONDS, note=machine.load())
