"""Exercise 01: exactly the orders that work are right, and the largest line is measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from recorded_bench import recorded
from test_exercises import SOLVED

from layerlab import exercises
from layerlab.checks import Verdicts
from layerlab.exercises.ex01_naive import checks
from layerlab.exercises.ex01_naive.checks import LINES, dockerfile
from layerlab.exercises.ex01_naive.exercise import Naive

MADE_TABLE = "RUN python make_table.py"
SIZES = {"ADD (file) in /": 74_000_000, LINES[2]: 17_200_000, MADE_TABLE: 120_000_000, "WORKDIR /srv": 0}


@pytest.mark.parametrize(
    "order",
    [
        (5, 6, 4, 2, 1, 3, 0),
        (5, 6, 3, 4, 2, 1, 0),
        (5, 3, 6, 4, 2, 1, 0),
        (5, 4, 2, 6, 1, 3, 0),
        (5, 4, 3, 2, 6, 1, 0),
    ],
)
def test_every_order_that_works_is_right(order: tuple[int, ...]) -> None:
    assert Verdicts(checks.order([LINES[i] for i in order])).all_pass


@pytest.mark.slow
def test_exactly_the_orders_that_work_are_right() -> None:
    """Tried against what the lines do, one after the other, for all 5,040 orders."""
    for order in permutations(LINES):
        assert Verdicts(checks.order(order)).all_pass == does_all_it_should(order), order


def does_all_it_should(order: Sequence[str]) -> bool:
    """Follow the lines with a current folder and a set of files, as an engine would."""
    folder, files, installed = "/", set[str](), False
    if not order[0].startswith("FROM") or not order[-1].startswith("CMD"):
        return False
    for line in order[1:-1]:
        keyword, _, rest = line.partition(" ")
        if keyword == "WORKDIR":
            folder = rest
        elif keyword == "COPY":
            files |= {f"{folder}:{name}" for name in rest.split()[:-1]}
            if "quotes.py" in line and not installed:
                return False  # it works, but every edit installs again
        elif keyword == "RUN":
            if f"{folder}:requirements.txt" not in files:
                return False
            installed = True
    return f"{folder}:quotes.py" in files


@pytest.mark.parametrize(
    ("order", "found", "why"),
    [
        ((5, 4, 2, 1, 6, 3, 0), "COPY quotes.py authors.json ./ on line 4, WORKDIR /srv on line 5", "looks in /srv"),
        ((5, 4, 6, 2, 1, 3, 0), "COPY requirements.txt ./ on line 2, WORKDIR /srv on line 3", "pip looks in /srv"),
    ],
)
def test_a_folder_too_late_is_told_by_the_line_that_needs_it(order: tuple[int, ...], found: str, why: str) -> None:
    shown = Verdicts(checks.order([LINES[i] for i in order])).shown
    assert shown is not None
    assert (shown.name, shown.found) == ("folder before files", found)
    assert why in shown.why


def test_the_given_order_breaks_rules() -> None:
    failing = [check.name for check in checks.order(LINES) if check.status == "FAIL"]
    assert failing == [
        "begins with a base",
        "folder before files",
        "list before install",
        "source after install",
        "command last",
    ]


def test_a_kept_order_stands_as_a_file(tmp_path: Path) -> None:
    exercise = exercises.open("01_naive", recorded("01_naive"), work=tmp_path)
    question = exercise.question("q1-order")
    question.value = SOLVED
    question.keep()
    assert (exercise.answers.folder / "Dockerfile").read_text() == dockerfile(SOLVED)
    assert dockerfile(SOLVED).splitlines()[:2] == ["ARG PY_MINOR=3.12", "FROM python:${PY_MINOR}"]


def test_the_largest_line_is_measured_and_not_remembered() -> None:
    check = checks.most_bytes(LINES[2], SIZES)
    assert (check.status, check.found) == ("FAIL", f"{LINES[2]}: 17.2 MB")
    assert "7 times as many" in check.why
    assert "make_table" not in str(check), "a verdict gives no solution away"
    right = checks.most_bytes(MADE_TABLE, SIZES)
    assert (right.status, right.why) == ("PASS", f"120 MB of 211 MB come from {MADE_TABLE}")
    assert "74.0 MB" in checks.most_bytes("ADD (file) in /", SIZES).found
    assert checks.most_bytes("WORKDIR /srv", SIZES).why.startswith("another line of this image carries 120 MB more")


def test_a_line_is_picked_by_its_text_or_by_its_number(tmp_path: Path) -> None:
    exercise = exercises.open("01_naive", recorded("01_naive"), work=tmp_path)
    assert isinstance(exercise, Naive)
    number = [entry.instruction for entry in exercise.image().history].index(MADE_TABLE) + 1
    by_text, by_number = (exercise.verdicts("q2-point", {"q2-point": picked}) for picked in (MADE_TABLE, number))
    assert by_text.all_pass
    assert [check.why for check in by_text] == [check.why for check in by_number]
