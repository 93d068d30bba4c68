"""Every cell that the map of the lesson names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerlab.grading import cells

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs/lesson_map.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`(\d\d_\w+)#([a-z0-9-]+)`", MAP)))


@pytest.mark.parametrize(("notebook", "cell"), PLACES, ids=lambda place: place)
def test_the_cell_is_there(notebook: str, cell: str) -> None:
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    assert cell in {one.id for one in cells.read(path).cells}


def test_every_notebook_of_the_course_has_a_place() -> None:
    named = {notebook for notebook, _ in PLACES}
    # Neither answers anything in the lesson: the one prepares, the other is a detour.
    without = {"00_setup", "05b_design_space"}
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} - named == without
