"""The course's own exercises hold: verified on the recordings, in a night live as well; live each check fails once."""

from __future__ import annotations

from pathlib import Path

import pytest

import layerlab
from layerlab import exercises
from layerlab.checks import Check
from layerlab.grading import judge, verify

ROOT = Path(__file__).parents[2]
SOLUTIONS = tuple(sorted((ROOT / "solutions").glob("*.ipynb")))
CELL_SECONDS = {"recorded": 60.0, "live": 1800.0}

pytestmark = pytest.mark.timeout(3600)
A_NIGHT = pytest.mark.timeout(4 * 3600)


def assert_all_hold(checks: list[Check]) -> None:
    """Fail with the lines of the checks that did not pass."""
    assert checks
    assert [check.line for check in checks if check.status != "PASS"] == []


@pytest.mark.parametrize("where", ["recorded", pytest.param("live", marks=[pytest.mark.nightly, A_NIGHT])])
@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_exercise(solution: Path, where: str, request: pytest.FixtureRequest) -> None:
    """Released as its solution gives it, solved, and refused unsolved; wrong answers and edits beside it are judged."""
    exercise = ROOT / "exercises" / solution.name
    engine = request.getfixturevalue("engine").info.kind if where == "live" else where
    seconds = CELL_SECONDS[where]
    checks = list(verify.verify_one(solution, exercise, engine=engine, cell_seconds=seconds, with_neighbours=True))
    assert_all_hold(checks)
    assert len(checks) > 4, "an exercise of the course declares wrong answers"


@pytest.fixture(scope="module")
def first_told() -> dict[str, set[str]]:
    """For each exercise the checks that no exercise before it has a wrong answer for."""
    told: dict[str, set[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_ENGINE", "recorded")  # the documents are the same, and no engine need be asked for them
        for name in exercises.NAMES:
            checks = {wrong.failing for wrong in exercises.open(name, layerlab.open_lab(name)).mistakes}
            told[name] = checks.difference(*told.values())
    return told


@pytest.mark.parametrize("where", ["live"])
@pytest.mark.parametrize("name", exercises.NAMES)
def test_each_check_fails_once(
    name: str, where: str, first_told: dict[str, set[str]], request: pytest.FixtureRequest
) -> None:
    """Live, each check is seen to fail once in the course, because a wrong answer may take builds of its own.

    That the solution passes live is told by `test_run`; a night judges all of them, and so do `layerlab verify` and
    `layerlab record`.
    """
    checks = first_told[name]
    with judge.opened(name, engine=request.getfixturevalue("engine").info.kind, root=ROOT) as exercise:
        judged = list(judge.mistakes(exercise, checks=checks))
    assert {one.mistake.failing for one in judged} == checks
    assert_all_hold([verify.documented(name, one) for one in judged])
