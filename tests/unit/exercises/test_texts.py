"""The texts of an exercise: read whole, or refused with the file, the task and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab.errors import SetupError
from layerlab.exercises.kit.texts import Texts, Variant, shared_hints

TASK = '[q1-lean]\ntitle = "1. Lean"\nobjective = "removes a file"\n'


def texts(folder: Path, body: str) -> Texts:
    here = folder / "ex12_caches"
    here.mkdir()
    (here / "texts.toml").write_text(body, encoding="utf-8")
    return Texts.beside(str(here / "exercise.py"))


def test_everything_is_read_in_its_order(tmp_path: Path) -> None:
    second = '[q2-more]\ntitle = "2. More"\nobjective = "o"\nasks = "Change it."\ninvitation = "Move them."\n'
    variant = '[q2-more.variant]\nquestion = "Why?"\nanswer = "Because."\n'
    read = texts(tmp_path, f'{TASK}{second}{variant}[hints]\nadded = ["one", "two"]\nreads = ["mine"]\n')
    assert read.exercise == "12_caches"
    assert list(read.titles.items()) == [("q1-lean", "1. Lean"), ("q2-more", "2. More")]
    assert read.tasks["q1-lean"].variant is None and read.tasks["q1-lean"].asks == ""
    assert read.tasks["q2-more"].variant == Variant("Why?", "Because.")
    assert (read.tasks["q2-more"].asks, read.tasks["q2-more"].invitation) == ("Change it.", "Move them.")
    assert read.hints["added"] == ("one", "two")
    assert read.hints["reads"] == ("mine",), "its own hints take the place of the shared ones"
    assert read.hints["builds"] == shared_hints()["builds"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("[q1-lean\n", "cannot be read as the texts"),
        ('[q1-lean]\ntitle = "x"\n', "q1-lean has no objective"),
        (f'{TASK}titel = "x"\n', "q1-lean cannot have 'titel'"),
        (f"{TASK}asks = 3\n", "must be strings"),
        ('title = "x"\n', "title has no objective"),
        (f'{TASK}[q1-lean.variant]\nquestion = "x"\n', "needs a question and an answer"),
        (f"{TASK}variant = 3\n", "needs a question and an answer"),
        (f"{TASK}[hints]\nadded = []\n", "the hints of 'added' must be a list of one to 3"),
        (f'{TASK}[hints]\nadded = ["1", "2", "3", "4"]\n', "the hints of 'added'"),
        (f'{TASK}[hints]\nadded = "one"\n', "the hints of 'added'"),
        (f"{TASK}[hints]\nadded = [3]\n", "the hints of 'added'"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, body: str, told: str) -> None:
    with pytest.raises(SetupError, match=told) as raised:
        texts(tmp_path, body)
    assert "texts.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        (("q1-lean", "q2-more"), "there are none for the task q2-more. Its tasks are q1-lean, q2-more."),
        (("q1-laen",), "none for the task q1-laen; no task is called 'q1-lean'"),
    ],
)
def test_texts_and_tasks_are_the_same(tmp_path: Path, tasks: tuple[str, ...], told: str) -> None:
    with pytest.raises(SetupError, match=told):
        texts(tmp_path, TASK).require(tasks)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"texts\.toml cannot be read"):
        Texts.beside(str(tmp_path / "ex12_caches" / "exercise.py"))
