"""A solution that is run beside a learner's work neither reads nor changes it, whoever runs it and however."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nbval_runs
import pytest

from layerlab.course.run import execute, read
from layerlab.lab import progress_page as logbook

ROOT = Path(__file__).parents[2]
PLAYED = ROOT / "tests" / "data" / "work_of_edition_1"
# One writes its Dockerfile with an answer; in one the panel saves, builds and checks it.
NAMES = ("01_naive", "02_slim")

Runner = Callable[[Path, Path, pytest.MonkeyPatch], None]

pytestmark = pytest.mark.timeout(600)


def as_jupyterlab_does(solution: Path, learners: Path, patch: pytest.MonkeyPatch) -> None:
    """In its own folder, with no other settings than the engine's."""
    patch.delenv("LAYERLAB_WORK")
    assert execute(read(solution), solution, on_cell=lambda: None) is None


def with_a_folder_named(solution: Path, learners: Path, patch: pytest.MonkeyPatch) -> None:
    """Under nbval, and LAYERLAB_WORK names where the learner's work is."""
    outcome = nbval_runs.run([solution], engine="recorded", work=learners, cell_seconds=120, seconds=500)[solution]
    assert outcome.faults == ()
    assert outcome.passed


def from_elsewhere(solution: Path, learners: Path, patch: pytest.MonkeyPatch) -> None:
    """Copied beside the exercises and run from there."""
    patch.delenv("LAYERLAB_WORK")
    copied = solution.parents[1] / "exercises" / "mine.ipynb"
    shutil.copy(solution, copied)
    assert execute(read(copied), copied, on_cell=lambda: None) is None


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A checkout in which a learner has begun; the course's own is nobody's to write to."""
    for name in ("apps", "layerlab", "notebooks", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "solutions").mkdir()
    for name in NAMES:
        shutil.copy(ROOT / "solutions" / f"{name}.ipynb", tmp_path / "solutions")
    shutil.copytree(PLAYED, tmp_path / "exercises" / "work")
    for name in NAMES:
        with (tmp_path / "exercises" / "work" / name / "Dockerfile").open("a") as file:
            file.write("# a line of the learner's own\n")
    return tmp_path


@pytest.mark.parametrize(
    ("run", "name"),
    [
        *((as_jupyterlab_does, name) for name in NAMES),
        (with_a_folder_named, "02_slim"),
        (from_elsewhere, "02_slim"),
    ],
)
def test_a_solution_leaves_the_learner_s_work_alone(
    run: Runner, name: str, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded")
    work = course / "exercises" / "work"
    before, stood = contents(work), logbook.open_page(ROOT, work=work)
    run(course / "solutions" / f"{name}.ipynb", work, monkeypatch)
    assert contents(work) == before
    assert logbook.open_page(ROOT, work=work) == stood
    (chapter,) = (one for one in stood.overview.chapters if one.name == name)
    left = {task.state for task in chapter.tasks} & {"tried", "open"}
    assert left, "something must be left that the solution would pass"


def contents(work: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in work.rglob("*") if path.is_file())
    return {str(path.relative_to(work)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
