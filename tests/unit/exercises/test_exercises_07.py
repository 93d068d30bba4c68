"""Exercise 07: every honest way passes, what a later line hides still counts, and a start is judged by what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_birds import MODEL_BYTES, Aviary
from test_exercises import most_words, word_count

from layerlab import exercises
from layerlab.checks import Verdicts
from layerlab.errors import NotRecorded
from layerlab.exercises.ex07_model_files import mistakes as slips
from layerlab.exercises.ex07_model_files import trial
from layerlab.exercises.ex07_model_files.exercise import CARRY, EARLY, EARLY_FILE, NAMES, OUT, OUT_FILE, ModelFiles
from layerlab.exercises.kit.file_task import edited
from layerlab.probe import Start


@pytest.fixture
def bench() -> Aviary:
    return Aviary()


@pytest.fixture
def exercise(bench: Aviary, tmp_path: Path) -> ModelFiles:
    opened = exercises.open("07_model_files", bench, work=tmp_path)
    assert isinstance(opened, ModelFiles)
    return opened


def tried(exercise: ModelFiles, id: str, text: str) -> Verdicts:
    return exercise.verdicts(id.removesuffix("-file"), {id: text})


# --- 1. which of them carry it ----------------------------------------------------------------


def test_three_of_four_carry_the_model_and_that_is_measured(exercise: ModelFiles) -> None:
    carriers = exercise.carriers
    assert [carriers.carries(name) for name in NAMES] == [True, True, True, False]
    assert carriers.model_bytes == pytest.approx(MODEL_BYTES, rel=0.01)
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
    verdicts = tried(exercise, OUT_FILE, slips.without_model(exercise.starter(OUT_FILE)))
    assert verdicts.all_pass, str(verdicts)
    assert [check.name for check in verdicts] == ["reads", "builds", "serves", "same answers", "no model"]


def test_today_s_recipe_serves_and_carries_the_model(exercise: ModelFiles) -> None:
    shown = tried(exercise, OUT_FILE, exercise.starter(OUT_FILE) + "\n").shown
    assert shown is not None
    assert (shown.name, shown.status) == ("no model", "FAIL")
    assert "40.0 MB by line 10" in shown.found


def test_fetched_and_removed_in_one_line_is_out(exercise: ModelFiles) -> None:
    starter = exercise.starter(OUT_FILE)
    once = edited(starter, "models/birds.model\n", "models/birds.model && rm models/birds.model\n")
    assert tried(exercise, OUT_FILE, once).all_pass, "wasteful, and still no model in the image"


# --- 3. at the start --------------------------------------------------------------------------


@pytest.mark.parametrize("way", range(4))
def test_every_honest_way_to_fail_early_passes(exercise: ModelFiles, bench: Aviary, way: int) -> None:
    starter = exercise.starter(EARLY_FILE)
    verdicts = tried(exercise, EARLY_FILE, [slips.loads_first(starter), *slips.honest(starter)][way])
    assert verdicts.all_pass, str(verdicts)
    assert [check.name for check in verdicts][-3:] == ["ends at start", "says why", "empty folder"]
    assert bench.starts_asked == ["without", "empty"], "it is really started, and each start once"
    assert "birds.model" in verdicts.check("says why").why


def test_the_first_request_is_too_late(exercise: ModelFiles) -> None:
    shown = tried(exercise, EARLY_FILE, exercise.starter(EARLY_FILE) + "\n").shown
    assert shown is not None
    assert (shown.name, shown.found) == ("ends at start", "it runs, and GET /birds/75 → 500")


def test_a_service_that_neither_answers_nor_ends_is_told(exercise: ModelFiles, bench: Aviary) -> None:
    silent = Start("/birds/75", None, None, "")
    bench.starts = lambda *given, **named: silent  # type: ignore[method-assign]
    verdicts = tried(exercise, EARLY_FILE, slips.loads_first(exercise.starter(EARLY_FILE)))
    assert verdicts.check("ends at start").found == "it runs, and answers nothing"
    assert verdicts.check("says why").found == "no word in its log"


def test_a_start_that_is_not_recorded_is_a_skip(tmp_path: Path) -> None:
    class NoStarts(Aviary):
        def starts(self, *given: Any, **named: Any) -> Start:
            raise NotRecorded("A container started this way is not recorded. A live engine can start it.")

    opened = ModelFiles(NoStarts(), work=tmp_path)
    check = tried(opened, EARLY_FILE, slips.loads_first(opened.starter(EARLY_FILE))).checks[-1]
    assert (check.name, check.status) == ("ends at start", "SKIP")


@pytest.mark.parametrize(("id", "task"), [(OUT_FILE, OUT), (EARLY_FILE, EARLY)])
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
