"""Exercise 06: the right base follows from what the bases answer, and every way of porting that serves passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded_bench import APPS, recorded
from test_exercises import most_words, word_count

from layerlab.exercises import Exercise
from layerlab.exercises.ex06_base_images import mistakes
from layerlab.exercises.ex06_base_images.exercise import BaseImages
from layerlab.exercises.ex06_base_images.services import (
    BASES,
    GLIBC,
    MODULES,
    NO_SETUID,
    NO_SHELL,
    QUESTIONS,
    SERVICES,
    SHELL,
)
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import judge

STARTER = (APPS / "exercise06/receipts/Dockerfile.today").read_text()
NEIGHBOURS = mistakes.neighbours({mistakes.FILE: STARTER})[mistakes.FILE]


@pytest.fixture(scope="module")
def opened() -> Iterator[Exercise]:
    with judge.opened("06_base_images", engine="recorded") as exercise:
        yield exercise


@pytest.fixture
def exercise(opened: Exercise) -> BaseImages:
    assert isinstance(opened, BaseImages)
    return opened


def decided(exercise: BaseImages, task: str, base: str, evidence: str) -> dict[str, str]:
    verdicts = exercise.verdicts(task, {f"{task}-base": base, f"{task}-evidence": evidence})
    return {check.name: check.status for check in verdicts}


def test_each_of_the_four_bases_is_right_for_some_service(exercise: BaseImages) -> None:
    right = {service.folder: exercise.bases.right(service) for service in SERVICES.values()}
    assert right == {
        "changelog": "full",
        "survey": "slim",
        "meter": "musl",
        "ranking": "distroless",
        "receipts": "distroless",
    }
    assert set(right.values()) == set(BASES)


def test_a_smaller_base_that_answers_otherwise_moves_the_right_one(exercise: BaseImages, tmp_path: Path) -> None:
    # Measured and not typed: were there a git on musl, changelog would belong there.
    exercise = BaseImages(exercise.bench, work=tmp_path)
    exercise.bases._known[("`git --version` runs", "musl")] = 0
    assert exercise.bases.right(SERVICES["q1-changelog"]) == "musl"


@pytest.mark.parametrize(("task", "base"), [("q2-survey", "slim"), ("q5-receipts", "distroless")])
def test_where_two_needs_decide_either_is_evidence(exercise: BaseImages, task: str, base: str) -> None:
    for need in SERVICES[task].needs:
        assert set(decided(exercise, task, base, need.says).values()) == {"PASS"}


class Counted:
    """A bench that remembers what was run on it."""

    def __init__(self) -> None:
        self._bench = recorded("06_base_images")
        self.ran: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def run(self, image: Any, command: Any = None) -> Any:
        self.ran.append((image.id, command))
        return self._bench.run(image, command)


def test_a_question_is_put_to_each_base_once(tmp_path: Path) -> None:
    bench = Counted()
    exercise = BaseImages(bench, work=tmp_path)
    exercise.table()
    for task in SERVICES:
        decided(exercise, task, "slim", MODULES.says)
    assert len(bench.ran) == len(set(bench.ran)) == len(QUESTIONS) * len(BASES)


def test_the_table_shows_every_answer_and_a_row_that_tells_nothing(exercise: BaseImages) -> None:
    rows = {row.split("  ")[0]: row.split()[-4:] for row in exercise.table().splitlines()[1:-1]}
    assert rows[MODULES.says] == ["yes"] * 4
    assert rows[SHELL.says] == ["yes", "yes", "yes", "no"]
    assert rows[GLIBC.says] == ["yes", "yes", "no", "yes"]
    assert rows[NO_SHELL.says] == ["no", "no", "no", "yes"]
    assert rows[NO_SETUID.says] == ["no", "no", "yes", "yes"]


def test_distroless_is_asked_by_its_own_python() -> None:
    assert GLIBC.command("distroless")[:2] == ("-B", "-c") and GLIBC.command("slim")[0] == "python"
    assert SHELL.command("distroless") == ("sh", "-c", "true")


@pytest.mark.parametrize("code", [one.code for one in QUESTIONS if one.code])
def test_questions_for_python_are_python(code: str) -> None:
    compile(code, "question", "exec")


# --- the port ----------------------------------------------------------------------------------


def tried(exercise: BaseImages, text: str) -> dict[str, str]:
    return {check.name: check.status for check in exercise.verdicts(mistakes.TASK, {mistakes.FILE: text})}


def test_the_starter_fails_on_its_base_first(exercise: BaseImages) -> None:
    assert tried(exercise, STARTER) == {"reads": "PASS", "base": "FAIL"}


@pytest.mark.parametrize("text", NEIGHBOURS, ids=range(len(NEIGHBOURS)))
def test_every_neighbour_serves(exercise: BaseImages, text: str) -> None:
    assert set(tried(exercise, text).values()) == {"PASS"}


def test_a_builder_on_full_is_as_good_a_base(exercise: BaseImages) -> None:
    text = edited(mistakes.solution(STARTER), "python:${PY_MINOR}-slim", "python:${PY_MINOR}")
    judged = tried(exercise, text)
    assert (judged["base"], judged["shell-free"]) == ("PASS", "PASS")
    assert "FAIL" not in judged.values(), "that build is not recorded"


def test_the_python_of_the_base_may_be_typed(exercise: BaseImages) -> None:
    text = edited(mistakes.solution(STARTER), "python:${PY_MINOR}-slim", f"python:{exercise.bench.py_minor}-slim")
    assert tried(exercise, text)["base"] == "PASS"


def test_each_part_has_mistakes_and_short_verdicts(exercise: BaseImages) -> None:
    counts = {task: sum(one.task == task for one in exercise.mistakes) for task in exercise.tasks}
    assert min(counts.values()) >= 2 and counts[mistakes.TASK] >= 8
    for one in exercise.mistakes:
        verdicts = exercise.verdicts(one.task, one.answers)
        assert word_count(verdicts) <= most_words(verdicts)


def test_mistakes_go_stale_with_the_starter() -> None:
    with pytest.raises(ValueError, match="an edit needs one place"):
        mistakes.mistakes({mistakes.FILE: STARTER.replace("EXPOSE", "LABEL")})
