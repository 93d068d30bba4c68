"""The work of one learner on two machines, which both have answered one question."""

from __future__ import annotations

from pathlib import Path

import pytest
from kept_work import EARLY, LATE, keep


@pytest.fixture
def here(tmp_path: Path) -> Path:
    keep(tmp_path / "here", "01_naive", "answers", "q1", "mine, late", LATE)
    keep(tmp_path / "here", "01_naive", "answers", "q2", "mine, early", EARLY)
    return tmp_path / "here"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    keep(tmp_path / "there", "01_naive", "answers", "q1", "theirs, early", EARLY)
    keep(tmp_path / "there", "01_naive", "answers", "q2", "theirs, late", LATE)
    keep(tmp_path / "there", "02_slim", "attempts", "q1-notes", {"base fits": [["full"]]}, EARLY)
    return tmp_path / "there"
