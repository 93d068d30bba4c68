"""Every notebook and every solution runs from top to bottom, on the recordings and on the live engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import nbval_runs
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = tuple(sorted((ROOT / "notebooks").glob("*.ipynb")))
SOLUTIONS = tuple(sorted((ROOT / "solutions").glob("*.ipynb")))
# Recordings answer at once. On a live engine one cell may hold the build of a stand-in base.
CELL_SECONDS = {"recorded": 60.0, "live": 1800.0}
ALL_SECONDS = {"recorded": 900.0, "live": 5400.0}

# Each is one run of nbval, and one worker's: tests/conftest.py reads its name in the ids of its tests. Those on the
# live engine take longest, so they are three, which two workers share.
PASSES = {
    "live-first": tuple(path for path in NOTEBOOKS if path.stem < "06"),
    "live-second": tuple(path for path in NOTEBOOKS if path.stem >= "06"),
    "live-solutions": SOLUTIONS,
    "recorded-notebooks": NOTEBOOKS,
    "recorded-solutions": SOLUTIONS,
}

Outcomes = Callable[[str, Path, int], nbval_runs.Outcome]

pytestmark = pytest.mark.timeout(ALL_SECONDS["live"] + 60)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Give a notebook's outcome in the n-th run of a pass. Each is made once, when first asked for.

    The second run finds the answers and the images of the first.
    """
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def of_pass(name: str, number: int) -> dict[Path, nbval_runs.Outcome]:
        if number > 1:
            of_pass(name, number - 1)
        where = name.partition("-")[0]
        return nbval_runs.run(
            PASSES[name],
            engine=request.getfixturevalue("engine").info.kind if where == "live" else "recorded",
            work=folder / name,
            cell_seconds=CELL_SECONDS[where],
            seconds=ALL_SECONDS[where],
        )

    return lambda name, path, number: of_pass(name, number)[path]


def assert_all_passed(outcome: nbval_runs.Outcome) -> None:
    """Fail with what the first cell that did not pass has said, not with a traceback of ours."""
    if outcome.faults:
        more = f"\n… and {len(outcome.faults) - 1} more cells." if len(outcome.faults) > 1 else ""
        pytest.fail(outcome.faults[0] + more, pytrace=False)
    assert outcome.passed > 0


def test_every_notebook_and_solution_runs_once_on_either_engine() -> None:
    assert NOTEBOOKS and SOLUTIONS
    for where in ("live", "recorded"):
        run = [path for name, paths in PASSES.items() if name.startswith(where) for path in paths]
        assert sorted(run) == sorted((*NOTEBOOKS, *SOLUTIONS))


def each(marks: Mapping[str, pytest.MarkDecorator] | None = None) -> pytest.MarkDecorator:
    """Parametrize with every notebook of every pass; ``marks`` gives a mark to those on one engine."""
    return pytest.mark.parametrize(
        ("name", "path"),
        [
            pytest.param(name, path, id=f"{name}-{path.stem}", marks=(marks or {}).get(name.partition("-")[0], ()))
            for name, paths in PASSES.items()
            for path in paths
        ],
    )


@each()
def test_every_cell_passes(name: str, path: Path, outcomes: Outcomes) -> None:
    """A check cell of a solution raises unless every check passes: SKIP is a failure here."""
    assert_all_passed(outcomes(name, path, 1))


@each({"live": pytest.mark.nightly})
def test_twice_in_a_row(name: str, path: Path, outcomes: Outcomes) -> None:
    """A second run in the same folder of answers passes as the first did; on recordings that is cheap."""
    assert_all_passed(outcomes(name, path, 2))
