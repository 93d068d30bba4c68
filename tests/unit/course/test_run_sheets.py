"""Run sheets say what the notebooks' cells carry, and the page for instructors is what they give today."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from layerlab.course import run_sheets
from layerlab.errors import SetupError

ROOT = Path(__file__).parents[3]
TEACH = {"minute": 3, "ask": "a|b?", "expect": "half", "all_right": "why?", "late": "skip"}


def notebook(folder: Path, *, opening: str = "# 09 · Why?\n\n**Minutes:** 25", teach: object = TEACH) -> Path:
    cells = [
        v4.new_markdown_cell(opening, id="title"),
        v4.new_code_cell("1", id="predict-it", metadata={"layerlab": {"teach": teach}}),
        v4.new_code_cell("2", id="silent"),
    ]
    path = folder / "09_why.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def test_a_sheet_has_the_cells_that_stop_a_class(tmp_path: Path) -> None:
    notebook(tmp_path)
    (sheet,) = run_sheets.sheets(tmp_path)
    assert (sheet.title, sheet.minutes) == ("09 · Why?", 25)
    assert [stop.cell for stop in sheet.stops] == ["predict-it"]
    assert "| 3 | `predict-it` | a\\|b? | half | why? | skip |" in run_sheets.text(sheet)


def test_what_lacks_something_is_named(tmp_path: Path) -> None:
    notebook(tmp_path, teach={"minute": 3, "ask": "a?"})
    with pytest.raises(SetupError, match=r"predict-it in 09_why\.ipynb .*'expect'"):
        run_sheets.sheets(tmp_path)
    notebook(tmp_path, opening="# 09 · Why?")
    with pytest.raises(SetupError, match="minutes"):
        run_sheets.sheets(tmp_path)


def test_only_the_place_between_the_marks_changes() -> None:
    page = f"before\n{run_sheets.BEGIN}\nold\n{run_sheets.END}\nafter\n"
    filled = run_sheets.filled(page, [run_sheets.Sheet("09_why.ipynb", "09 · Why?", 25, ())])
    assert filled.startswith("before\n") and filled.endswith("\nafter\n") and "old" not in filled
    assert run_sheets.filled(filled, [run_sheets.Sheet("09_why.ipynb", "09 · Why?", 25, ())]) == filled
    with pytest.raises(SetupError, match="run sheets: begin"):
        run_sheets.filled("no marks", [])


def test_the_page_is_what_the_notebooks_give() -> None:
    page = (ROOT / run_sheets.PAGE).read_text(encoding="utf-8")
    made = run_sheets.sheets(ROOT / "notebooks")
    assert run_sheets.filled(page, made) == page, "run `layerlab sheets`"


@pytest.mark.parametrize("sheet", run_sheets.sheets(ROOT / "notebooks"), ids=lambda sheet: sheet.file)
def test_every_notebook_has_stops_in_order_and_in_time(sheet: run_sheets.Sheet) -> None:
    minutes = [stop.minute for stop in sheet.stops]
    assert minutes and minutes == sorted(minutes) and minutes[-1] < sheet.minutes
    assert all(all((stop.ask, stop.expect, stop.all_right, stop.late)) for stop in sheet.stops)
