"""Exercise 07: every honest way passes, what a later line hides still counts, and a start is judged by what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded_bench import APPS, recorded
from test_exercises import most_words, word_count

from layerlab.checks import Verdicts
from layerlab.errors import NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex07_model_files import mistakes, trial
from layerlab.exercises.ex07_model_files.exercise import ModelFiles
from layerlab.exercises.ex07_model_files.mistakes import EARLY_FILE, OUT_FILE
from layerlab.exercises.ex07_model_files.recipes import NAMES
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import judge
from layerlab.probe import Start

CARRY = "q1-carry"
EARLY = (APPS / "exercise07/birds/Dockerfile.mounted").read_text()


@pytest.fixture(scope="module")
def opened() -> Iterator[Exercise]:
    with judge.opened("07_model_files", engine="recorded") as exercise:
        yield exercise


@pytest.fixture
def exercise(opened: Exercise) -> ModelFiles:
    assert isinstance(opened, ModelFiles)
    return opened


class Starting:
    """The recorded bench, with its starts seen, or answered otherwise."""

    def __init__(self, answer: Start | None = None, error: Exception | None = None) -> None:
        self._bench, self._answer, self._error = recorded("07_model_files"), answer, error
        self.mounts: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def starts(self, *given: Any, mounts: Any = None, **named: Any) -> Start:
        self.mounts.append(mounts)
        if self._error:
            raise self._error
        return self._answer or self._bench.starts(*given, mounts=mounts, **named)


def tried(exercise: ModelFiles, id: str, text: str) -> Verdicts:
    return exercise.verdicts(id.removesuffix("-file"), {id: text})


# --- 1. which of them carry it ----------------------------------------------------------------


def test_three_of_four_carry_the_model_and_that_is_measured(exercise: ModelFiles) -> None:
    carriers = exercise.carriers
    assert [carriers.carries(name) for name in NAMES] == [True, True, True, False]
    assert carriers.model_bytes == trial.fetched(APPS / "exercise07/birds/fetch_model.py").stat().st_size
    assert exercise.verdicts(CARRY, {CARRY: list(NAMES[:3])}).all_pass


@pytest.mark.parametrize(
    ("picked", "check", "words"),
    [
        (NAMES, "nothing spare", "D adds"),
        (NAMES[:1], "nothing missed", "2 more that hold it"),
        ((), "nothing missed", "3 more"),
    ],
)
def test_a_choice_is_told_what_was_weighed(exercise: ModelFiles, picked: Any, check: str, words: str) -> None:
    shown = exercise.verdicts(CARRY, {CARRY: list(picked)}).shown
    assert shown is not None
    assert shown.name == check and words in shown.found


# --- 2. out of the image ----------------------------------------------------------------------


def test_without_the_fetching_it_passes_and_says_why(exercise: ModelFiles) -> None:
    verdicts = tried(exercise, OUT_FILE, mistakes.without_model(exercise.starter(OUT_FILE)))
    assert verdicts.all_pass, str(verdicts)
    assert [check.name for check in verdicts] == ["reads", "builds", "serves", "same answers", "no model"]


def test_today_s_recipe_serves_and_carries_the_model(exercise: ModelFiles) -> None:
    shown = tried(exercise, OUT_FILE, exercise.starter(OUT_FILE) + "\n").shown
    assert shown is not None
    assert (shown.name, shown.status) == ("no model", "FAIL")
    assert re.search(r"of it 4\d(\.\d)? MB by line 10", shown.found)


def test_fetched_and_removed_in_one_line_is_out(exercise: ModelFiles) -> None:
    starter = exercise.starter(OUT_FILE)
    once = edited(starter, "models/birds.model\n", "models/birds.model && rm models/birds.model\n")
    assert tried(exercise, OUT_FILE, once).all_pass, "wasteful, and still no model in the image"


# --- 3. at the start --------------------------------------------------------------------------


@pytest.mark.parametrize("text", [mistakes.loads_first(EARLY), *mistakes.honest(EARLY)], ids=range(4))
def test_every_honest_way_to_fail_early_passes(tmp_path: Path, text: str) -> None:
    bench = Starting()
    verdicts = tried(ModelFiles(bench, work=tmp_path), EARLY_FILE, text)
    assert verdicts.all_pass, str(verdicts)
    assert [check.name for check in verdicts][-3:] == ["ends at start", "says why", "empty folder"]
    without, empty = bench.mounts
    assert without is None and "empty" in next(iter(empty)), "it is really started, and each start once"
    assert "birds.model" in verdicts.check("says why").why


def test_the_first_request_is_too_late(exercise: ModelFiles) -> None:
    shown = tried(exercise, EARLY_FILE, exercise.starter(EARLY_FILE) + "\n").shown
    assert shown is not None
    assert (shown.name, shown.found) == ("ends at start", "it runs, and GET /birds/75 → 500")


def test_a_service_that_neither_answers_nor_ends_is_told(tmp_path: Path) -> None:
    exercise = ModelFiles(Starting(Start("/birds/75", None, None, "")), work=tmp_path)
    verdicts = tried(exercise, EARLY_FILE, mistakes.loads_first(EARLY))
    assert verdicts.check("ends at start").found == "it runs, and answers nothing"
    assert verdicts.check("says why").found == "no word in its log"


def test_a_start_that_is_not_recorded_is_a_skip(tmp_path: Path) -> None:
    missing = NotRecorded("A container started this way is not recorded. A live engine can start it.")
    exercise = ModelFiles(Starting(error=missing), work=tmp_path)
    check = tried(exercise, EARLY_FILE, mistakes.loads_first(EARLY)).checks[-1]
    assert (check.name, check.status) == ("ends at start", "SKIP")


def test_mistakes_go_stale_with_the_starter(exercise: ModelFiles) -> None:
    with pytest.raises(ValueError, match="an edit needs one place"):
        mistakes.mistakes({**exercise.starters, EARLY_FILE: EARLY.replace("CMD", "ENTRYPOINT")})


@pytest.mark.parametrize(("id", "task"), [(OUT_FILE, "q2-out"), (EARLY_FILE, "q3-early")])
def test_neighbours_are_other_files_that_get_a_verdict_a_learner_can_read(
    exercise: ModelFiles, id: str, task: str
) -> None:
    texts = exercise.neighbours[id]
    wrong = {answer.answers[id] for answer in exercise.mistakes if answer.task == task}
    assert len(set(texts)) == len(texts) >= 7 and not wrong & set(texts)
    for text in texts:
        verdicts = tried(exercise, id, text)
        if verdicts.shown is not None:
            assert verdicts.shown.status == "FAIL" and word_count(verdicts) <= most_words(verdicts), str(verdicts)


def test_the_model_is_fetched_once_a_process_for_anybody_to_read(exercise: ModelFiles) -> None:
    script = exercise.bench.folder("exercise07/birds") / "fetch_model.py"
    model = trial.fetched(script)
    assert trial.fetched(script) is model
    assert model.stat().st_mode & 0o444 == 0o444
    assert [folder.stat().st_mode & 0o755 for folder in list(model.parents)[:2]] == [0o755, 0o755]
    assert not any((model.parents[1] / "empty").iterdir())
    assert not exercise.answers.folder.exists(), "nothing of it lies among the learner's files"
