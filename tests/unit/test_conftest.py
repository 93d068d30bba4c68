"""The promises of tests/conftest.py, each shown on a made-up test run in a process of its own."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.answers import work_folder as folder_of_answers
from layerlab.course import testing

CONFTEST = Path(__file__).parents[1] / "conftest.py"
WANTS_AN_ENGINE = "def test_wants_an_engine(engine):\n    assert engine.info.is_live\n"


@pytest.fixture
def run(tmp_path: Path):
    """Run tests in a folder with our conftest, where a dead engine is named, and return the output."""

    def run_tests(source: str, *arguments: str) -> tuple[int, str]:
        (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
        (tmp_path / "test_made_up.py").write_text(source)
        nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock", "LAYERLAB_DATA": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *arguments, str(tmp_path)],
            env={**os.environ, **nowhere, "LAYERLAB_ENGINE": "docker"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout

    return run_tests


def test_without_an_engine_the_test_is_skipped_with_a_reason(run) -> None:
    status, output = run(WANTS_AN_ENGINE)
    assert status == 0
    assert "1 skipped" in output
    assert "This test needs a live engine." in output
    assert "nowhere.sock" in output


def test_with_require_engine_the_skip_is_a_failure(run) -> None:
    status, output = run(WANTS_AN_ENGINE, "--require-engine")
    assert status == 1
    assert "1 error" in output
    assert "This test needs a live engine." in output


def test_collecting_speaks_to_no_engine(run) -> None:
    watch = "import layerlab.engine.choice as c\ndef boom(*_): raise SystemExit('contacted')\nc.connect = boom\n"
    status, output = run(watch + WANTS_AN_ENGINE, "--collect-only", "--require-engine")
    assert status == 0
    assert "1 test collected" in output


def test_answers_never_lie_in_a_checkout(work_folder: Path) -> None:
    assert folder_of_answers() == work_folder
    assert not work_folder.is_relative_to(CONFTEST.parents[1])


SEVERAL = """
import pytest

def test_cheap():
    pass

@pytest.mark.parametrize("name", ["01", "02"])
@pytest.mark.parametrize("where", ["recorded", "live"])
def test_notebook(where, name):
    pass
"""


def test_side_by_side_one_worker_has_all_that_is_live_and_begins_with_it(run) -> None:
    status, output = run(SEVERAL, *testing.SIDE_BY_SIDE, "-v")
    done = re.findall(r"\[(gw\d+)\].* PASSED .*::(\S+)", output)
    assert status == 0 and len(done) == 5
    live = [worker for worker, name in done if "live" in name]
    assert len(live) == 2 and len(set(live)) == 1
    assert "[live" in next(name for worker, name in done if worker == live[0])


@pytest.mark.parametrize(
    ("id", "group"),
    [
        ("tests/engine/test_contract.py::test_tag", "live engine"),
        ("tests/notebooks/test_run.py::test_notebook[01_naive-live]", "live engine"),
        ("tests/notebooks/test_run.py::test_notebook[01_naive-recorded]", "recorded passes"),
        ("tests/browser/test_panel_on_an_engine.py::test_wrong_then_right", "live engine"),
        ("tests/browser/test_lesson.py::test_the_build_panel", "pages"),
        ("tests/unit/test_units.py::test_alive[lively]", None),
    ],
)
def test_what_one_worker_does_alone(id: str, group: str | None) -> None:
    assert runpy.run_path(str(CONFTEST))["_group"](id) == group


def test_one_after_another_nothing_moves_within_a_folder(run) -> None:
    _, output = run(SEVERAL, "-v")
    assert re.findall(r"::(\S+)", output) == [
        "test_cheap",
        *("test_notebook[recorded-01]", "test_notebook[recorded-02]"),
        *("test_notebook[live-01]", "test_notebook[live-02]"),
    ]
