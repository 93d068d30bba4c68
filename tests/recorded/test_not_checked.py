"""What a learner without an engine reads where nothing is recorded: a place in their own text, never the solution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import layerlab
from layerlab import exercises
from layerlab.exercises import Exercise

# Of a line its words count: another indent or a missing backslash is the same answer.
_SPACE = re.compile(r"[\s\\]+")
# Shorter lines, such as `EXPOSE 8000`, tell nobody anything.
_LEAST_LETTERS = 14


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded")
    return lambda name: exercises.open(name, layerlab.open_lab(name), work=tmp_path / name)


@pytest.mark.parametrize("name", exercises.NAMES)
def test_what_could_not_be_checked_quotes_no_line_of_a_solution(name: str, opened: Any) -> None:
    exercise = opened(name)
    skipped = 0
    for task, id, text in unknown_texts(exercise):
        given = lines(text)
        solution = {line for right in exercise.neighbours[id] for line in lines(right)} - given
        for check in exercise.verdicts(task, {id: text}).not_passed:
            if check.status == "SKIP":
                skipped += 1
                told = _SPACE.sub(" ", f"{check.told} {check.why}")
                assert [line for line in solution if line in told] == [], (task, text, told)
    assert skipped or not exercise.files, "none of these texts is recorded to its end"


def unknown_texts(exercise: Exercise) -> Iterator[tuple[str, str, str]]:
    """Yield what learners write beside the solution and no recording holds: each documented text with one line more."""
    for task, ids in exercise.tasks.items():
        for id in ids:
            if id not in exercise.files:
                continue
            wrong = [one.answers[id] for one in exercise.mistakes if one.task == task and id in one.answers]
            for text in (exercise.starter(id), *wrong, exercise.neighbours[id][0]):
                yield task, id, text
                yield from ((task, id, edited) for edited in with_a_line_more(text))


def with_a_line_more(text: str) -> Iterator[str]:
    """Yield the text with an instruction that nobody recorded, below each FROM, in the middle and at the end."""
    rows = text.splitlines()
    below = [number for number, row in enumerate(rows, 1) if row.startswith("FROM ")]
    for number in {*below, (below or [0])[-1] + (len(rows) - (below or [0])[-1]) // 2, len(rows)}:
        if number and not rows[number - 1].endswith("\\"):
            yield "\n".join([*rows[:number], "LABEL org.example.unrecorded=yes", *rows[number:]]) + "\n"


def lines(text: str) -> set[str]:
    """Return the instructions of a text that say something."""
    told = (_SPACE.sub(" ", line).strip() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {line for line in told if len(line) >= _LEAST_LETTERS}
