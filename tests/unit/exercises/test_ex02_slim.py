"""Exercise 02: the right base is measured, evidence must try what the service uses, a typed version is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from recorded_bench import APPS, recorded
from test_exercises import SOLUTIONS

from layerlab import exercises
from layerlab.exercises.ex02_slim import checks
from layerlab.exercises.ex02_slim.exercise import Slim
from layerlab.exercises.ex02_slim.services import (
    COMMANDS,
    GCC,
    GIT,
    PIP,
    PYTHON_HEADER,
    SERVICES,
    STANDARD_LIBRARY,
    Probes,
)
from layerlab.exercises.kit.file_task import edited
from layerlab.image import HistoryEntry, Image

CHANGE, FILE = "q4-change", "q4-change-file"


@pytest.fixture
def exercise(tmp_path: Path) -> Slim:
    opened = exercises.open("02_slim", recorded("02_slim"), work=tmp_path)
    assert isinstance(opened, Slim)
    return opened


@dataclass(frozen=True)
class Ended:
    exit_code: int
    output: str = ""


@dataclass
class GitOnSlim:
    """Two bases that both have git, which no recording has."""

    ran: list[tuple[str, str]] = field(default_factory=list)

    def base(self, key: str) -> Image:
        size_bytes = {"full": 1_110_000_000, "slim": 119_000_000}[key]
        return Image(key, (), "", "", (HistoryEntry("base", size_bytes),), (key,), 0)

    def run(self, image: Image, command: Sequence[str]) -> Ended:
        self.ran.append((image.id, command[-1]))
        return Ended(0, "git version 2")


def test_the_right_base_is_measured_and_not_listed() -> None:
    """On a slim that has git, slim is right for the service that calls git."""
    bench: Any = GitOnSlim()
    probes, service = Probes(bench), SERVICES["q2-fingerprint"]
    assert checks.base_fits(probes, service, "slim").status == "PASS"
    assert checks.evidence_decides(probes, service, GIT).status == "PASS"
    assert checks.base_fits(probes, service, "full").why == (
        "it takes 991 MB more on disk on every machine that runs fingerprint, for things that it never calls."
    )
    assert bench.ran == [("full", GIT), ("slim", GIT)], "each command is run once on each base"


def test_a_probe_shows_both_bases(exercise: Slim) -> None:
    outcome = exercise.probe(GIT)
    assert repr(outcome).splitlines() == [
        GIT,
        f"  full: exit 0  {outcome.first_lines['full']}",
        "  slim: exit 127  sh: 1: git: not found",
    ]
    assert '<th scope="row">slim</th><td>127</td>' in outcome._repr_html_()
    assert exercise.probe(GIT) is outcome


@pytest.mark.parametrize(
    ("task", "evidence", "why"),
    [
        ("q1-notes", PIP, "notes never uses pip, so a pip that works says nothing about notes."),
        ("q1-notes", GIT, "notes never uses git, so a missing git says nothing about notes."),
        ("q2-fingerprint", GCC, "fingerprint never uses gcc, so a missing gcc says nothing about fingerprint."),
        ("q2-fingerprint", PIP, "fingerprint never uses pip, so a pip that works says nothing about fingerprint."),
        ("q2-fingerprint", STANDARD_LIBRARY, "fingerprint uses more than it tries, and both bases pass what it tries."),
        ("q3-checksum", PYTHON_HEADER, "checksum never uses Python.h, so a Python.h that is there says nothing"),
        ("q3-checksum", STANDARD_LIBRARY, "checksum uses more than it tries, and both bases pass what it tries."),
    ],
)
def test_evidence_must_try_what_the_service_uses(exercise: Slim, task: str, evidence: str, why: str) -> None:
    right = {id: value for id, value in SOLUTIONS["02_slim"].items() if id.startswith(task)}
    check = exercise.verdicts(task, {**right, f"{task}-evidence": evidence}).check("evidence decides")
    assert check.status == "FAIL"
    assert check.why.startswith(why)


def test_every_probe_and_service_is_there() -> None:
    apps = APPS / "exercise02"
    for folder in ("notes", "fingerprint", "checksum"):
        assert "FROM python:${PY_MINOR}\n" in (apps / folder / "Dockerfile").read_text()
        compile((apps / folder / f"{folder}.py").read_text(), folder, "exec")
    assert len(set(COMMANDS)) == len(COMMANDS)


def test_a_version_typed_over_the_argument_is_a_fault_of_the_text(exercise: Slim) -> None:
    notes = exercise.starter(FILE)
    ours = exercise.bench.py_minor
    other = "3.11" if ours != "3.11" else "3.12"
    for minor, status in ((other, "FAIL"), (ours, "PASS")):
        text = edited(notes, "FROM python:${PY_MINOR}\n", f"FROM python:{minor}-slim\n")
        check = exercise.judging(CHANGE, text).static().check("base named")
        assert check.status == status
        assert status == "PASS" or f"carry Python {ours}" in check.why


def test_a_text_with_another_base_is_judged_without_a_build(exercise: Slim) -> None:
    misspelt = next(wrong for wrong in exercise.mistakes if wrong.failing == "base named")
    verdicts = exercise.judging(CHANGE, misspelt.answers[FILE]).static()
    assert [check.name for check in verdicts] == ["reads", "base named"]
