"""Every notebook and every solution runs from top to bottom, on the recordings and on the live engine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import nbval_runs
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = tuple(sorted((ROOT / "notebooks").glob("*.ipynb")))
SOLUTIONS = tuple(sorted((ROOT / "solutions").glob("*.ipynb")))
# Recordings answer at once. On a live engine one cell may hold the build of a stand-in base.
CELL_SECONDS = {"recorded": 60.0, "live": 1800.0}
ALL_SECONDS = {"recorded": 900.0, "live": 5400.0}

# On a live engine two workers may be at it, so notebooks and solutions are passes of their own there.
PASSES = {"recorded": ((*NOTEBOOKS, *SOLUTIONS),), "live": (NOTEBOOKS, SOLUTIONS)}

Outcomes = Callable[[str, Path, int], nbval_runs.Outcome]

pytestmark = pytest.mark.timeout(ALL_SECONDS["live"] + 60)
on_either_engine = pytest.mark.parametrize("where", ["recorded", "live"])
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Give a notebook's outcome in the n-th pass on an engine. Each pass is made once, when first asked for.

    The second pass finds the answers and the images of the first.
    """
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def of_pass(where: str, paths: tuple[Path, ...], number: int) -> dict[Path, nbval_runs.Outcome]:
        if number > 1:
            of_pass(where, paths, number - 1)
        return nbval_runs.run(
            paths,
            engine=request.getfixturevalue("engine").info.kind if where == "live" else "recorded",
            work=folder / f"{where}-{paths[0].parent.name}",
            cell_seconds=CELL_SECONDS[where],
            seconds=ALL_SECONDS[where],
        )

    def of_notebook(where: str, path: Path, number: int) -> nbval_runs.Outcome:
        (paths,) = (paths for paths in PASSES[where] if path in paths)
        return of_pass(where, paths, number)[path]

    return of_notebook


def assert_all_passed(outcome: nbval_runs.Outcome) -> None:
    """Fail with what the first cell that did not pass has said, not with a traceback of ours."""
    if outcome.faults:
        more = f"\n… and {len(outcome.faults) - 1} more cells." if len(outcome.faults) > 1 else ""
        pytest.fail(outcome.faults[0] + more, pytrace=False)
    assert outcome.passed > 0


def test_there_are_notebooks_and_solutions_to_run() -> None:
    assert NOTEBOOKS
    assert SOLUTIONS


@on_either_engine
@each_notebook
def test_notebook(path: Path, where: str, outcomes: Outcomes) -> None:
    assert_all_passed(outcomes(where, path, 1))


@on_either_engine
@each_solution
def test_solution(path: Path, where: str, outcomes: Outcomes) -> None:
    """A check cell of a solution raises unless every check passes: SKIP is a failure here."""
    assert_all_passed(outcomes(where, path, 1))


@pytest.mark.parametrize("path", (*NOTEBOOKS, *SOLUTIONS), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_twice_in_a_row(path: Path, outcomes: Outcomes) -> None:
    """A second run in the same folder of answers passes as the first did; told by the recordings, which is cheap."""
    assert_all_passed(outcomes("recorded", path, 2))
