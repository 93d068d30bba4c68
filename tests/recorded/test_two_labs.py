"""Two workbenches in one process, each with its own work folder; neither environment nor current folder decides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlab import exercises
from layerlab.exercises import Exercise
from layerlab.lab.lab import Lab, open_lab
from layerlab.lab.overview import Chapter
from layerlab.widgets.dockerfile_panel import DockerfilePanel
from layerlab.widgets.explorer import BANDS
from layerlab.work.answers import Answers
from layerlab.work.identity import work_id

ROOT = Path(__file__).parents[2]
NAME, FILE, TASK = "02_slim", "q4-change-file", "q4-change"
PATIENCE = 60.0


@pytest.fixture(params=["nothing is set", "all is set, and wrong"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be in an empty folder outside the checkout; whatever looks around instead of taking what it was given ends there.

    At the end nothing may have been written to it.
    """
    for name in [name for name in os.environ if name.startswith("LAYERLAB_")]:
        monkeypatch.delenv(name)
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    if request.param != "nothing is set":
        monkeypatch.setenv("LAYERLAB_ENGINE", "no-such-engine")
        monkeypatch.setenv("LAYERLAB_WORK", str(here / "work"))
        monkeypatch.setenv("LAYERLAB_RECORDINGS", str(here / "recordings"))
    yield here
    assert list(here.iterdir()) == []


def lab_of(learner: Path, notebook: str = NAME) -> Lab:
    return open_lab(notebook, engine="recorded", root=ROOT, work=learner, recordings=ROOT / "recordings")


def panel_of(exercise: Exercise) -> DockerfilePanel:
    panel = exercise.question(FILE)
    assert isinstance(panel, DockerfilePanel)
    return panel


def answered(exercise: Exercise, text: str) -> bool:
    """Put a text into the panel, press Build & check, and return whether it passes."""
    panel = panel_of(exercise)
    panel.answer = text
    panel.build()
    return panel.wait(PATIENCE).all_pass


def tags_with(lab: Lab, part: str) -> set[str]:
    return {tag for one in lab.engine.images() for tag in one["RepoTags"] or () if part in tag}


def test_exercises_and_progress_are_each_learner_s_own(elsewhere: Path, tmp_path: Path) -> None:
    labs = lab_of(tmp_path / "ada"), lab_of(tmp_path / "grace")
    ada, grace = (exercises.open(NAME, lab) for lab in labs)
    starter = panel_of(ada).file.starter
    assert answered(ada, starter.replace("FROM python:${PY_MINOR}\n", "FROM python:${PY_MINOR}-slim\n"))
    assert not answered(grace, f"{starter}\n# tried\n")
    ada.check(TASK)
    assert (tmp_path / "ada" / NAME / "Dockerfile").read_text() != (
        tmp_path / "grace" / NAME / "Dockerfile"
    ).read_text()
    states = [{task.title: task.state for task in chapter_of(lab).tasks}[ada.titles[TASK]] for lab in labs]
    assert states == ["passed", "tried"]


def chapter_of(lab: Lab) -> Chapter:
    (chapter,) = (one for one in lab.progress().overview.chapters if one.name == NAME)
    return chapter


def test_predictions_and_questions_are_each_learner_s_own(elsewhere: Path, tmp_path: Path) -> None:
    for learner, choice in (("ada", "more"), ("grace", "less")):
        lab = lab_of(tmp_path / learner)
        lab.predict("size", "More or less?", ["more", "less"]).value = choice
        lab.answers.keep("route", [learner])
    for learner, choice in (("ada", "more"), ("grace", "less")):
        kept = Answers.open(NAME, kind="predictions", work=tmp_path / learner)
        assert kept.get("size")["choice"] == choice
        assert Answers.open(NAME, work=tmp_path / learner).get("route") == [learner]
    assert [chapter_of(lab_of(tmp_path / learner)).kept for learner in ("ada", "grace", "nobody")] == [1, 1, 0]


def test_the_explorer_and_a_pasted_answer_are_kept_with_the_lab(elsewhere: Path, tmp_path: Path) -> None:
    ada, grace = lab_of(tmp_path / "ada", "05b_design_space"), lab_of(tmp_path / "grace", "11_with_ai")
    explorer = ada.explorer()
    explorer.open_anyway()
    explorer.expected, explorer.confidence = BANDS[0].text, "guess"
    explorer.spend()
    explorer.wait(PATIENCE)
    assert len(ada.explorer().spent) == 1
    pasted = grace.pasted("ai")
    pasted.answer = grace.file("ai", "Dockerfile.answer-03").content
    pasted.build()
    pasted.wait(PATIENCE)
    assert (tmp_path / "grace" / "11_with_ai" / "Dockerfile.pasted").read_text() == pasted.answer
    visible = {path.name for path in tmp_path.glob("*/[0-9]*")}
    assert visible == {"05b_design_space", "11_with_ai"} and not (tmp_path / "ada" / "11_with_ai").exists()
    assert tags_with(ada, "space:") == {
        f"layerlab/space:{explorer.combination.name.replace(' ', '-')}-{work_id(ada.work)}"
    }
    assert tags_with(grace, "pasted") == {f"layerlab/ai:pasted-{work_id(grace.work)}"}
    assert work_id(ada.work) not in explorer.text and work_id(grace.work) not in pasted.text


def test_on_one_engine_two_works_give_their_images_names_of_their_own(elsewhere: Path, tmp_path: Path) -> None:
    first = lab_of(tmp_path / "ada")
    second = open_lab(NAME, engine=first.engine, root=ROOT, work=tmp_path / "grace")
    assert second.engine is first.engine
    for lab in (first, second):
        exercise = exercises.open(NAME, lab)
        panel = panel_of(exercise)
        assert answered(
            exercise, panel.file.starter.replace("FROM python:${PY_MINOR}\n", "FROM python:${PY_MINOR}-slim\n")
        )
        assert work_id(lab.work) not in panel.text
    ids = {work_id(tmp_path / learner) for learner in ("ada", "grace")}
    assert tags_with(first, FILE) == {f"layerlab/ex02:{FILE}-{id}" for id in ids} and len(ids) == 2


def test_the_recorded_matrix_is_replayed_from_the_lab_s_recordings(elsewhere: Path, tmp_path: Path) -> None:
    assert len(lab_of(tmp_path / "ada", "05b_design_space").matrix().measured) == 46


def test_a_lab_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAYERLAB_WORK", raising=False)
    monkeypatch.chdir(tmp_path)
    lab = open_lab(NAME, engine="recorded")
    (tmp_path / "later").mkdir()
    monkeypatch.chdir(tmp_path / "later")
    assert (lab.root, lab.work) == (ROOT, tmp_path / "layerlab-work")
    relative = open_lab(NAME, engine="recorded", root=Path("../course"), work=Path("../mine"))
    monkeypatch.chdir(ROOT)
    assert relative.work.resolve() == tmp_path / "mine" and relative.root.resolve() == tmp_path / "course"


def test_a_root_that_is_given_brings_its_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAYERLAB_WORK", raising=False)
    monkeypatch.chdir(tmp_path)
    assert open_lab(NAME, engine="recorded", root=ROOT).work == ROOT / "exercises" / "work"
    monkeypatch.chdir(ROOT / "docs")
    assert open_lab(NAME, engine="recorded", root=Path("../apps")).work.resolve() == ROOT / "exercises" / "work"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_WORK", str(tmp_path / "named"))
    assert open_lab(NAME, engine="recorded", root=ROOT).work == tmp_path / "named"
