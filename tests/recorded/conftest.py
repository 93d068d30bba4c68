"""A recorded engine on the recordings beside these tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import making

from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.store import Store


@pytest.fixture
def replayed() -> RecordedEngine:
    return RecordedEngine(Store(making.RECORDINGS), why="the tests ask for it")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the recordings that a test may damage."""
    return shutil.copytree(making.RECORDINGS.parent, tmp_path / "recordings") / making.RECORDINGS.name


@pytest.fixture
def greeting(tmp_path: Path) -> Path:
    """Return a copy of the first context that a test may edit."""
    return shutil.copytree(making.CONTEXTS / "greeting", tmp_path / "greeting")
