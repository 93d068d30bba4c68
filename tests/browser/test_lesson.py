"""A lesson in JupyterLab: it runs through, its predictions are saved by choosing, its figures are drawn."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from lesson_01 import GATED, READOFF, REASON
from notebook_page import NotebookPage
from playwright.sync_api import expect


def test_it_runs_through_although_nothing_is_predicted(lesson: NotebookPage) -> None:
    assert lesson.errors() == []


def test_a_prediction_is_a_file_and_its_figure_is_shown_on_demand(predicted: NotebookPage, work_folder: Path) -> None:
    expect(predicted.status(GATED)).to_have_text("The figure is shown below.")
    assert_drawn(predicted, GATED)
    (kept,) = work_folder.glob("01_naive/predictions.json")
    assert REASON in json.dumps(json.loads(kept.read_text()))


def test_the_read_off_sets_it_beside_what_came(predicted: NotebookPage) -> None:
    expect(predicted.output(READOFF)).to_contain_text(f"You chose: FROM python (fairly), because {REASON}.")
    expect(predicted.output(READOFF)).to_contain_text("Result: FROM python (")


def test_one_made_after_everything_was_run_is_marked_late(predicted: NotebookPage) -> None:
    expect(predicted.output(READOFF)).to_contain_text("This one is marked late")
    expect(predicted.output(READOFF).get_by_label("FROM python", exact=True)).to_be_checked()


def test_the_official_layers_are_drawn(lesson: NotebookPage) -> None:
    assert_drawn(lesson, "official-show")


def test_the_build_panel_ends_with_its_build_done(lesson: NotebookPage) -> None:
    expect(lesson.status("build-panel")).to_contain_text("Replayed the build of layerlab/service:naive")
    expect(lesson.output("build-panel").get_by_role("button", name="Cancel build")).to_be_disabled()


def test_no_output_is_wider_than_the_page(predicted: NotebookPage) -> None:
    wide = {id: found for id in predicted.code_ids if (found := predicted.too_wide(id))}
    assert wide == {}


def test_the_page_asks_nobody_but_its_own_server(predicted: NotebookPage) -> None:
    assert predicted.asked_of == {urlsplit(predicted.page.url).netloc}


def assert_drawn(notebook: NotebookPage, id: str) -> None:
    """Hold that a figure has bars of some size in it."""
    bars = notebook.output(id).locator(".js-plotly-plot svg.main-svg .bars .point path")
    expect(bars.first).to_be_visible()
    boxes = [bar.bounding_box() for bar in bars.all()]
    assert max(box["width"] * box["height"] for box in boxes if box) > 100
