"""Exercise 11: harm is what the review says of the files, equals may change places, and every honest fix passes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from recorded_bench import APPS
from test_exercises import most_words, word_count

from layerlab.exercises import Exercise, Mistake
from layerlab.exercises.ex11_with_ai import checks, faults, mistakes
from layerlab.exercises.ex11_with_ai.mistakes import FILE
from layerlab.grading import judge
from layerlab.review import SEVERITIES

SPACES = APPS / faults.APP
STARTERS = {FILE: (SPACES / "Dockerfile.b").read_text()}
REPAIR = "q3-repair"


@pytest.fixture(scope="module")
def exercise() -> Iterator[Exercise]:
    with judge.opened("11_with_ai", engine="recorded") as exercise:
        yield exercise


def test_of_all_orders_of_the_files_one_is_right() -> None:
    right = [order for order in permutations(faults.NAMES) if checks.files_by_harm(SPACES, order).status == "PASS"]
    assert right == [("Dockerfile.b", "Dockerfile.c", "Dockerfile.a")]


def test_faults_of_the_same_harm_may_change_places() -> None:
    harm = {one.text: SEVERITIES.index(faults.finding(SPACES, one).severity) for one in faults.FAULTS}
    for order in permutations(harm):
        is_right = [harm[text] for text in order] == sorted(harm.values())
        assert (checks.faults_by_harm(SPACES, order).status == "PASS") == is_right
    assert len(set(harm.values())) < len(harm), "two of them are equals"


@pytest.mark.parametrize("mistake", mistakes.mistakes(STARTERS, SPACES), ids=lambda one: f"{one.task}: {one.name}")
def test_a_mistake_fails_its_check(exercise: Exercise, mistake: Mistake) -> None:
    verdicts = exercise.verdicts(mistake.task, mistake.answers)
    shown = verdicts.shown
    assert shown is not None and (shown.name, shown.status) == (mistake.failing, "FAIL"), str(verdicts)
    assert word_count(verdicts) <= most_words(verdicts)


def test_the_solution_passes_and_the_starter_serves_nobody(exercise: Exercise) -> None:
    verdicts = exercise.verdicts(REPAIR, {FILE: mistakes.solution(STARTERS[FILE])})
    assert verdicts.all_pass and all(check.why for check in verdicts), str(verdicts)
    shown = exercise.verdicts(REPAIR, STARTERS).shown
    assert shown is not None and (shown.name, shown.status) == ("serves", "FAIL")


def test_every_neighbour_is_decided(exercise: Exercise) -> None:
    texts = exercise.neighbours[FILE]
    assert len(set(texts)) == len(texts) >= 5
    judged: list[Any] = [exercise.verdicts(REPAIR, {FILE: text}).shown for text in texts]
    assert [shown.status if shown else "PASS" for shown in judged] == ["FAIL", "PASS", "PASS", "PASS", "FAIL"]


def test_mistakes_go_stale_with_the_starter() -> None:
    with pytest.raises(ValueError, match="an edit needs one place"):
        mistakes.mistakes({FILE: STARTERS[FILE].replace("127.0.0.1", "0.0.0.0")}, SPACES)
