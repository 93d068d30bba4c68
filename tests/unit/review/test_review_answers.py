"""The assistant's answers in apps/ai: every planted fault is found at its line, and nothing is found beyond."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from layerlab.context import BuildContext
from layerlab.dockerfile import parse
from layerlab.review import review

APPS = Path(__file__).parents[3] / "apps"
ANSWERS: dict[str, dict[str, Any]] = tomllib.loads((APPS / "ai" / "answers.toml").read_text(encoding="utf-8"))
FAULTY = [name for name, one in ANSWERS.items() if "planted" in one]


def found(app: str, dockerfile: str) -> list[tuple[str, int]]:
    # As `layerlab review` does without --context: what the folder lacks is no fault of the file.
    context = BuildContext.open(APPS / app, dockerfile)
    ours = review(context.dockerfile, context=context, ignore=("missing-source",))
    return sorted((one.rule, one.lines[0]) for one in ours)


def test_there_are_eight_with_faults_and_four_good_ones() -> None:
    assert len(FAULTY) == 8
    assert len(ANSWERS) == 12
    assert {f"Dockerfile.{name}" for name in ANSWERS} == {
        path.name for path in (APPS / "ai").glob("Dockerfile.*") if path.suffix != ".dockerignore"
    }


@pytest.mark.parametrize("name", FAULTY)
def test_what_was_planted_is_found_where_it_was_planted_and_nothing_else(name: str) -> None:
    planted = ANSWERS[name]["planted"]
    assert found("ai", f"Dockerfile.{name}") == sorted((one["rule"], one["line"]) for one in planted)


@pytest.mark.parametrize("name", FAULTY)
def test_the_lines_say_what_the_list_of_faults_says(name: str) -> None:
    lines = (APPS / "ai" / f"Dockerfile.{name}").read_text(encoding="utf-8").splitlines()
    for one in ANSWERS[name]["planted"]:
        assert lines[one["line"] - 1].startswith(one["says"])


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in FAULTY])
def test_a_good_answer_gives_no_alarm(name: str) -> None:
    assert ANSWERS[name]["looks_like"], "a good answer should tempt"
    assert found("ai", f"Dockerfile.{name}") == []


@pytest.mark.parametrize("name", ["v5-slim-venv", "v5-alpine-venv"])
def test_the_cures_of_the_course_give_no_alarm(name: str) -> None:
    assert found("service", f"Dockerfile.{name}") == []


def test_the_builder_of_the_native_service_is_left_alone() -> None:
    # A compiler, lists and bytecode stay behind in its builder: only the missing USER reaches the image.
    assert found("native", "Dockerfile.two-stages") == [("root", 17)]


@pytest.mark.parametrize("name", list(ANSWERS))
def test_every_answer_is_a_dockerfile_for_the_service_of_the_course(name: str) -> None:
    text = (APPS / "ai" / f"Dockerfile.{name}").read_text(encoding="utf-8")
    assert parse(text).stages
    for file in ("main.py", "requirements.txt"):
        assert (APPS / "ai" / file).read_bytes() == (APPS / "service" / file).read_bytes()
