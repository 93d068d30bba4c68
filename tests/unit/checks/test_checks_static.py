"""Checks on Dockerfile text: each seen passing and failing, with the lines it must name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from checking import fails, passes

from layerlab.checks import Check, reviewed, static
from layerlab.dockerfile import Dockerfile, parse
from layerlab.review import review

GOOD = """\
ARG PY_MINOR=3.12
FROM python:${PY_MINOR}-slim AS builder
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt
FROM python:${PY_MINOR}-slim
WORKDIR /app
COPY --from=builder /opt/venv /opt/venv
COPY main.py .
USER 10001
CMD ["uvicorn", "main:app"]
"""


def edited(old: str, new: str) -> Dockerfile:
    assert old in GOOD
    return parse(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no FROM"),
        ("FROM a\nCPOY a b\n", "Line 2"),
        ("COPY a b\n", "1"),
        ("FROM a\nCOPY a\n", "Line 2"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, words: str) -> None:
    fails(static.reads(text), words)
    passes(static.reads(GOOD), "2 stages")


def test_the_question_about_a_line_is_asked_where_a_line_is_named() -> None:
    for text, words in (
        ("", "every Dockerfile begin"),
        ("# FROM a\n", "every Dockerfile begin"),
        ("FROM a\nX\n", "that line"),
    ):
        assert words in static.reads(text).hint


def test_blanks_count_outside_comments() -> None:
    passes(static.no_blank_left(GOOD + "# ____ is what you fill in\n"))
    blanks = GOOD.replace("gcc libc6-dev", "____").replace("/opt/venv /opt/venv", "____")
    fails(static.no_blank_left(blanks), "lines 3, 9")
    fails(static.no_blank_left("FROM ____\nCPOY\n"), "line 1")


@pytest.mark.parametrize(
    ("check", "bad", "found"),
    [
        (static.stages, parse("FROM a\nRUN b\n"), ["1 stage"]),
        (static.failures_count, edited("requirements.txt\nFROM", "requirements.txt || true\nFROM"), ["line 6"]),
        (static.failures_count, edited("requirements.txt\nFROM", "x && find / -name y -delete || :\nFROM"), ["line 6"]),
        (static.failures_count, edited("requirements.txt\nFROM", "x; exit 0\nFROM"), ["line 6"]),
        (static.failures_count, edited("requirements.txt\nFROM", "x || echo it failed\nFROM"), ["line 6"]),
        (static.failures_count, edited("RUN /opt/venv/bin/pip", "RUN (pip install x || true) && pip"), ["line 6"]),
    ],
)  # fmt: skip
def test_each_fault_is_found_where_it_is(
    check: Callable[[Dockerfile], Check], bad: Dockerfile, found: list[str]
) -> None:
    passes(check(parse(GOOD)))
    assert fails(check(bad), *found).name == check(parse(GOOD)).name


@pytest.mark.parametrize(
    "run",
    [
        "find /x -name y -exec rm {} + || true",  # a lone clean-up may fail
        "pip install x && (find /x -delete || true)",
        "pip install x && { find /x -delete || true; }",
        "pip install x || exit 1",
        "test -e /x || pip install x",
        "pip install 'trueskill' && echo done",
    ],
)
def test_what_a_lone_clean_up_forgives_hides_nothing(run: str) -> None:
    passes(static.failures_count(parse(f"FROM a\nRUN {run}\n")))


def test_only_steps_that_make_files_count_as_run_again() -> None:
    file = parse(GOOD)
    passes(static.rebuild(file, [10, 11, 12]), "1 step")
    passes(static.rebuild(file, []), "0 steps")
    told = fails(static.rebuild(file, [5, 6, 7, 9, 10, 11, 12]), "4 steps, lines 5, 6, 9, 10")
    assert "line 6" in told.why
    fails(static.rebuild(parse("FROM a\nCOPY a /\nCOPY b /\nCOPY c /\n"), [2, 3, 4], at_most=2), "3 steps")


def test_every_harmful_finding_is_named() -> None:
    text = "FROM python:3.12\nENV SENSOR_API_KEY=tk-4c1d\nUSER root\nCMD uvicorn main:app --host 127.0.0.1\n"
    found = reviewed.harmless(review(parse(text))).found
    assert all(f"line {number}: " in found for number in (2, 4)), found
    assert "more" not in found and not found.endswith(".")
