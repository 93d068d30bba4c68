"""`layerlab run` on small notebooks made up here: order, failures by cell id, and the page."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from rich.console import Console

from layerlab.course.run import run_notebooks
from layerlab.course.run_progress import CourseProgress
from layerlab.report.page import course_page, external_loads
from layerlab.report.page.figures import PLOTLY, WIDGET

FIGURE = {
    "data": [{"type": "bar", "x": [1, 2], "y": ["naive </script><b>", "slim"]}],
    "layout": {"title": {"text": "Size on disk"}, "height": 300, "width": 700},
}


def figure_cell(data: dict[str, object], *, identifier: str = "figure") -> object:
    output = new_output("execute_result", data, execution_count=1)
    return new_code_cell("figure", id=identifier, outputs=[output])


def page_of(*cells: object, name: str = "01_naive") -> str:
    return course_page([(name, new_notebook(cells=list(cells)))], title="Course", remark="On an engine.")


@pytest.fixture
def notebooks(tmp_path: Path) -> list[Path]:
    """Two notebooks, of which the first fails in a cell with a readable id."""
    sources = {
        "00_setup.ipynb": [("first", "print('hello')"), ("q1-check", "raise ValueError('no layer')"), ("z", "1")],
        "01_naive.ipynb": [("shown", "print('still run')")],
    }
    paths = []
    for name, cells in sources.items():
        notebook = new_notebook(cells=[new_code_cell(source, id=identifier) for identifier, source in cells])
        paths.append(tmp_path / name)
        nbformat.write(notebook, paths[-1])
    return paths


@pytest.mark.slow
def test_a_failing_notebook_is_named_by_cell_and_the_next_one_runs(notebooks: list[Path], tmp_path: Path) -> None:
    said = io.StringIO()

    status = run_notebooks(notebooks, tmp_path / "build", remark="On paper.", console=Console(file=said, width=200))

    assert status == 1
    assert "FAIL 00_setup.ipynb, cell q1-check: ValueError: no layer" in said.getvalue()
    assert re.search(r"\[2/2\] PASS 01_naive\.ipynb .* all done in", said.getvalue())
    executed = nbformat.read(tmp_path / "build" / "executed" / "01_naive.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "still run\n"
    page = (tmp_path / "build" / "course.html").read_text()
    assert "ValueError" in page, "what went wrong belongs on the page"
    assert external_loads(page) == ()


def test_the_page_holds_plotly_once_and_each_figure_with_its_data() -> None:
    page = page_of(figure_cell({PLOTLY: FIGURE}), figure_cell({PLOTLY: FIGURE}, identifier="again"))

    blocks = re.findall(r'<script class="plot-data" data-for="([^"]+)" [^>]*>(.*?)</script>', page)
    assert [identifier for identifier, _ in blocks] == ["01_naive-figure-1", "01_naive-figure-2"]
    assert json.loads(blocks[0][1])["data"] == FIGURE["data"]
    assert page.count("plotly.js v") == 1
    assert external_loads(page) == ()
    assert len(page.encode()) < 10_000_000


def test_a_page_without_figures_carries_no_plotly() -> None:
    assert len(page_of(new_markdown_cell("# Only words"))) < 100_000


@pytest.mark.parametrize(
    ("bundle", "shown"),
    [
        ({"text/html": "<table><tr><td>naive</td></tr></table>"}, "<table><tr><td>naive</td></tr></table>"),
        ({"text/plain": "naive  < 1 GB"}, "<pre>naive  &lt; 1 GB</pre>"),
    ],
)
def test_a_figure_keeps_its_table_twin(bundle: dict[str, str], shown: str) -> None:
    page = page_of(figure_cell({PLOTLY: FIGURE, **bundle}))

    assert f"<summary>The same as a table</summary>{shown}</details>" in page


def test_the_python_repr_of_a_figure_is_no_twin() -> None:
    assert "<details>" not in page_of(figure_cell({PLOTLY: FIGURE, "text/plain": "Figure({'data': []})"}))


def test_widgets_show_as_text_and_scripts_not_at_all() -> None:
    widget = {WIDGET: {"model_id": "1"}, "text/plain": "Order the lines", "application/javascript": "alert(1)"}

    page = page_of(figure_cell(widget))

    assert "Order the lines" in page
    assert "alert(1)" not in page
    assert WIDGET not in page


def test_contents_and_links_lead_to_places_on_the_page() -> None:
    first = new_notebook(cells=[new_markdown_cell("# Why so big?\n## Look\n[on](01_slim.ipynb) [up](#Look)")])
    second = new_notebook(cells=[new_markdown_cell("# One word\n## Look")])

    page = course_page([("00_naive", first), ("01_slim", second)], title="Course", remark="")

    identifiers = re.findall(r' id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers)), "chapters share a page, so no id may appear twice"
    targets = re.findall(r'<a href="#([^"]+)"', page)
    assert {"00_naive", "01_slim", "00_naive--Look", "01_slim--Look"} <= set(targets)
    assert set(targets) <= set(identifiers)


@pytest.mark.parametrize(
    ("markup", "loads"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ("script: https://cdn.example/x.js",)),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', ("link: //cdn.example/x.css",)),
        ("<style>@import 'http://f.example/a';</style>", ("style: http://f.example/a",)),
        ('<p style="background: url(https://f.example/b.png)">', ("style: https://f.example/b.png",)),
        ('<a href="https://docs.example/">read</a>', ()),
        ('<img src="data:image/png;base64,AAAA">', ()),
    ],
)
def test_external_loads_are_found(markup: str, loads: tuple[str, ...]) -> None:
    assert external_loads(markup) == loads


def test_progress_in_a_log_says_place_verdict_and_what_is_left() -> None:
    said = io.StringIO()
    with CourseProgress(Console(file=said, width=200), [("00_a.ipynb", 3), ("01_b.ipynb", 1)]) as progress:
        progress.begin("00_a.ipynb")
        assert progress.remaining() == "time left unknown"
        progress.advance()
        progress.end("00_a.ipynb", passed=False)
        progress.begin("01_b.ipynb")
        progress.advance()
        progress.end("01_b.ipynb", passed=True)

    lines = said.getvalue().splitlines()
    assert lines[0] == "[1/2] 00_a.ipynb …"
    assert re.fullmatch(r"\[1/2\] FAIL 00_a\.ipynb \d+\.\d s; about \d+ s left", lines[1])
    assert re.fullmatch(r"\[2/2\] PASS 01_b\.ipynb \d+\.\d s; all done in \d+ s", lines[3])
