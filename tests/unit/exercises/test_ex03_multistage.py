"""Exercise 03: the cause is what the failed build shows, and blanks are judged as they are filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorded_bench import APPS, Watched, recorded

from layerlab.exercises.ex03_multistage import checks, mistakes
from layerlab.exercises.ex03_multistage.exercise import MultiStage
from layerlab.exercises.ex03_multistage.failing_build import COMMANDS, COMPILER, FailingBuild
from layerlab.exercises.kit.file_task import filled

TASK, FILE = "q3-blanks", "q3-blanks-file"
CAUSE = "error: [Errno 2] No such file or directory: 'gcc'"


@pytest.fixture
def bench() -> Watched:
    return Watched(recorded("03_multistage"))


@pytest.fixture
def exercise(bench: Any, tmp_path: Path) -> MultiStage:
    return MultiStage(bench, work=tmp_path)


def test_the_build_fails_once_and_says_why(exercise: MultiStage, bench: Watched) -> None:
    assert exercise.failure.line is not None
    assert exercise.failure is exercise.failure
    assert bench.texts == [(APPS / "exercise03/tickets/Dockerfile.slim").read_text()]


def test_one_line_names_the_cause(bench: Any) -> None:
    log = FailingBuild(bench).log
    assert [line for line in log if checks.names_the_cause(log, line).status == "PASS"] == [CAUSE]


def test_a_line_is_picked_by_its_text_or_by_its_number(exercise: MultiStage, bench: Any) -> None:
    number = FailingBuild(bench).log.index(CAUSE) + 1
    assert exercise.verdicts("q1-line", {"q1-line": CAUSE}).all_pass
    assert exercise.verdicts("q1-line", {"q1-line": number}).all_pass


def test_one_cause_is_missing_where_the_build_stopped(bench: Any) -> None:
    build = FailingBuild(bench)
    assert build.ends_with(COMMANDS[COMPILER]) == 127
    assert checks.is_missing(build, COMPILER).status == "PASS"
    assert {text for text in COMMANDS if build.ends_with(COMMANDS[text]) == 0} == {*COMMANDS} - {COMPILER}


def test_every_plausible_filling_gets_a_verdict(exercise: MultiStage) -> None:
    solution, *others = exercise.neighbours[FILE]
    assert exercise.verdicts(TASK, {FILE: solution}).all_pass
    for text in others:
        assert all(check.status in ("PASS", "FAIL") for check in exercise.verdicts(TASK, {FILE: text}))


def test_mistakes_go_stale_with_the_starter(exercise: MultiStage) -> None:
    stale = {FILE: filled(exercise.starter(FILE), *mistakes.SOLUTION)}
    with pytest.raises(ValueError, match="0 blanks"):
        mistakes.mistakes(stale)
    with pytest.raises(ValueError, match="0 blanks"):
        mistakes.neighbours(stale)
