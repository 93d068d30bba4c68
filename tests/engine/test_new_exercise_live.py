"""An exercise made from the skeleton, in a copy of the course: verified as it is, refused without its mistake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.engine.protocol import Engine

ROOT = Path(__file__).parents[2]
NAME = "12_caches"
CACHES = shutil.ignore_patterns("__pycache__", ".*")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of the course without its history and its environment."""
    for name in ("layerlab", "apps", "solutions", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=CACHES)
    return tmp_path


def layerlab(copy: Path, *arguments: str, engine: Engine) -> subprocess.CompletedProcess[str]:
    """Run a verb of the copy's own library."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "LAYERLAB_ENGINE": engine.info.kind}
    program = "from layerlab.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )


@pytest.mark.usefixtures("slim")
def test_it_is_released_and_verified_and_refused_without_its_mistake(copy: Path, engine: Engine) -> None:
    assert layerlab(copy, "new-exercise", NAME, engine=engine).returncode == 0
    assert layerlab(copy, "release", "12", engine=engine).returncode == 0
    verified = layerlab(copy, "verify", "12", engine=engine)
    assert (verified.returncode, verified.stdout.splitlines()[-1]) == (0, "8 PASS, 0 FAIL, 0 SKIP"), verified.stdout

    stale = copy / f"layerlab/exercises/ex{NAME}/service/Dockerfile"
    text = stale.read_text(encoding="utf-8")
    stale.write_text(text.replace("rm /tmp/grid", "rm -r /tmp/grid"), encoding="utf-8")
    told = layerlab(copy, "verify", "12", engine=engine)
    assert told.returncode and "an edit needs one place, in mistakes.py, line" in told.stdout + told.stderr
    stale.write_text(text, encoding="utf-8")

    mistakes = copy / f"layerlab/exercises/ex{NAME}/mistakes.py"
    text = mistakes.read_text(encoding="utf-8")
    mistakes.write_text(
        text.replace("    return (\n        Mistake", "    return ()\n    (\n        Mistake"), encoding="utf-8"
    )
    refused = layerlab(copy, "verify", "12", engine=engine)
    assert refused.returncode == 1 and "no mistake fails “added”" in refused.stdout, refused.stdout
