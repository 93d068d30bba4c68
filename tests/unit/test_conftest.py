"""The promises of tests/conftest.py, each shown on a made-up test run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.answers import work_folder as folder_of_answers

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
