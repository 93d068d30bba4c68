"""The workflows for GitHub, which nobody here can run: what they call is there, and the linter can find a fault."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from layerlab import cli
from layerlab.course.testing import STATIC

CHECKOUT = Path(__file__).parents[2]
WORKFLOWS = tuple(sorted((CHECKOUT / ".github" / "workflows").glob("*.yml")))
MAKE = set((CHECKOUT / "Makefile").read_text().split("VERBS := ")[1].splitlines()[0].split())
FAULTS = {
    "a matrix that has no such axis": ("matrix.system", "matrix.systems"),
    "a job that is not there": ("needs: check", "needs: checks"),
    "an action at a tag, which may be moved": ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "@v6"),
    "an event that there is not": ("pull_request:", "pull_requests:"),
}


def commands(workflow: Path) -> tuple[str, ...]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    return tuple(line for job in jobs for step in job["steps"] for line in str(step.get("run", "")).splitlines())


def linted(text: str) -> subprocess.CompletedProcess[str]:
    (lint,) = (command for _, command in STATIC if command[0] == "jactionlint")
    return subprocess.run(
        [sys.executable, "-m", *lint, "-"], input=text, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_each_verb_that_a_workflow_calls_is_there(workflow: Path) -> None:
    called = [found for line in commands(workflow) for found in re.findall(r"(make|-m layerlab) ([\w-]+)", line)]
    assert called
    assert [(how, verb) for how, verb in called if verb not in (MAKE if how == "make" else cli.main.commands)] == []


def test_the_checks_run_on_the_three_systems() -> None:
    (workflow,) = (path for path in WORKFLOWS if path.stem == "ci")
    systems = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["check"]["strategy"]["matrix"]["system"]
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_linter_finds_a_fault(fault: str) -> None:
    text = (CHECKOUT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    faulty = text.replace(*FAULTS[fault])
    assert faulty != text
    assert (linted(text).returncode, linted(faulty).returncode) == (0, 1)
