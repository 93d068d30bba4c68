"""What a learner saved with an earlier edition is read by this one, all of it, and reading changes not one byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded_bench import recorded

from layerlab import exercises
from layerlab.checks import Check
from layerlab.exercises import Exercise
from layerlab.lab import progress_page as logbook
from layerlab.lab.overview import Overview
from layerlab.widgets.dockerfile_panel import DockerfilePanel
from layerlab.widgets.prediction import Prediction
from layerlab.work import transfer
from layerlab.work.answers import Answers

ROOT = Path(__file__).parents[3]
EDITIONS = tuple(sorted((ROOT / "tests" / "data").glob("work_of_edition_*")))
NOTE = ("the same file", "an empty file", "no such file", "nothing: one image starts only one container")


@pytest.fixture(params=EDITIONS, ids=lambda path: path.name)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of a learner's folder; reading it must leave it as it is."""
    folder = tmp_path / "work"
    shutil.copytree(request.param, folder)
    before = contents(folder)
    yield folder
    assert contents(folder) == before, "reading changed something"


def contents(work: Path) -> dict[str, bytes]:
    return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*") if path.is_file()}


def opened(name: str, work: Path) -> Exercise:
    return exercises.open(name, recorded(name), work=work)


def failing(name: str) -> Check:
    return Check(name=name, status="FAIL")


def panel_of(exercise: Exercise, id: str) -> DockerfilePanel:
    panel = exercise.question(id)
    assert isinstance(panel, DockerfilePanel)
    return panel


def seen(work: Path) -> Overview:
    page = logbook.open_page(ROOT, work=work)
    assert page.notes == (), "something was set aside as damaged"
    assert page.overview.strange == ()
    assert page._repr_html_()
    return page.overview


def test_there_is_an_earlier_edition_to_read() -> None:
    assert EDITIONS


def test_answers_are_read(work: Path) -> None:
    order = opened("01_naive", work).question("q1-order")
    order.restore()
    assert order.value[0] == "FROM python:${PY_MINOR}" and len(order.value) == 7
    assert order.unreadable(order.answer) is None
    assert opened("02_slim", work).answers.get("q1-notes-base") == "slim"
    assert Answers.open("00_setup", work=work).get("route") == [
        "how an image differs from a container",
        "what the build context is",
    ]


def test_attempts_open_the_hints_that_they_opened(work: Path) -> None:
    naive, blanks = opened("01_naive", work), opened("03_multistage", work)
    assert len(naive.open_hints("q1-order", failing("begins with a base"))) == 1
    assert len(naive.open_hints("q1-order", failing("source after install"))) == 1
    assert len(blanks.open_hints("q3-blanks", failing("builds"))) == 2
    assert len(blanks.open_hints("q3-blanks", failing("serves"))) == 1
    table = panel_of(blanks, "q3-blanks-file").attempts()
    assert [tried.failing for tried in table] == ["builds", "serves", "builds"]
    assert len({tried.text for tried in table if tried.failing == "builds"}) == 2


def test_predictions_and_their_outcomes_are_read(work: Path) -> None:
    note = Prediction(
        "note", "?", NOTE, notebook="00_setup", answers=Answers.open("00_setup", kind="predictions", work=work)
    )
    note.restore()
    assert (note.value, note.confidence) == ("no such file", "fairly")
    assert note.readoff("no such file").is_hit
    assert seen(work).counts() == {"guess": (0, 0), "fairly": (1, 1), "certain": (0, 1)}


def test_dockerfiles_and_their_backups_are_read(work: Path) -> None:
    panel = panel_of(opened("03_multistage", work), "q3-blanks-file")
    assert panel.value.splitlines() == (work / "03_multistage" / "Dockerfile").read_text().splitlines()
    assert "gcc libqrencode-dev" in panel.value and panel.conflict == ""
    assert (work / "03_multistage" / "Dockerfile.backup-1").read_text().endswith("# from another editor\n")
    slim = panel_of(opened("02_slim", work), "q4-change-file")
    assert "FROM python:${PY_MINOR}-slim" in str(slim.answer)


def test_everything_travels(work: Path, tmp_path: Path) -> None:
    transfer.export(tmp_path / "p.json", work=work)
    arrived = transfer.import_file(tmp_path / "p.json", work=tmp_path / "elsewhere")
    assert (arrived.replaced, arrived.left, arrived.notes) == ((), (), ())
    for name, content in contents(work).items():
        if "/" in name:
            there = (tmp_path / "elsewhere" / name).read_bytes()
            assert json.loads(there) == json.loads(content) if name.endswith(".json") else there == content


def test_the_page_of_progress_shows_where_the_learner_stands(work: Path) -> None:
    found = seen(work)
    states = {chapter.name: [task.state for task in chapter.tasks] for chapter in found.chapters}
    # Of a check it saved only that it passed; of a build in the panel also of which text.
    assert states["01_naive"] == ["earlier", "earlier", "tried"]
    assert states["02_slim"] == ["earlier", "open", "open", "passed"]
    assert states["03_multistage"] == ["earlier", "tried", "tried"]
    assert [(one.exercise, one.added_bytes, one.builds) for one in found.images] == [("02_slim", 819, 2)]
    assert [chapter.kept for chapter in found.chapters if chapter.name == "00_setup"] == [2]
