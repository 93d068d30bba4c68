"""A prediction by keyboard; then what is left of a page after its kernel was restarted: no panel that looks alive."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

CELLS = {
    "open": "import threading\nimport layerlab as ll",
    "predict": (
        'size = ll.widgets.Prediction("size", "How large?", ["small", "large", "huge"], notebook="next_day")\nsize'
    ),
    "figure": 'size.gate(lambda: "the figure")',
    "build": (
        'panel = ll.widgets.BuildPanel(lambda on_event: threading.Event().wait(), lambda: None, title="endless")\n'
        "panel.start()"
    ),
}
STOPPED = "The kernel has stopped since this cell ran"
LATE, COUNTS = "marked late because the result was shown", "Your first choice counts: huge."
OUT_OF_DATE = "This page was saved before your last answer in this chapter"
BROKEN = "Error displaying widget"


@pytest.fixture(scope="module")
def page(open_notebook: Callable[[str], NotebookPage], tmp_path_factory: pytest.TempPathFactory) -> NotebookPage:
    """A page with a prediction, the figure that waits for it, and a build that has no end."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=id) for id, source in CELLS.items()],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path = tmp_path_factory.mktemp("notebooks") / "next_day.ipynb"
    nbformat.write(notebook, path)
    page = open_notebook(str(path))
    page.run(*CELLS)
    expect(page.status("build")).to_contain_text("endless: running.")
    return page


def test_arrow_keys_go_over_the_choices_and_the_figure_waits_for_its_button(
    page: NotebookPage, work_folder: Path
) -> None:
    page.go_to("predict")
    page.tab_to("small")
    page.type("ArrowDown", "ArrowDown")
    assert page.focused() == "huge"
    expect(page.status("predict")).to_have_text("Saved: huge")
    saved = json.loads((work_folder / "next_day" / "predictions.json").read_text())["answers"]["size"]["value"]
    assert saved == {"choice": "huge", "reason": "", "confidence": None}
    expect(page.output("figure")).not_to_contain_text("the figure'")
    page.screenshot("predict", "saved")
    page.select("figure")
    page.tab_to("Show the figure")
    page.type("Enter")
    expect(page.output("figure")).to_contain_text("'the figure'")


def test_after_a_restart_nothing_looks_alive(page: NotebookPage) -> None:
    page.restart_kernel()
    expect(page.output("build").get_by_text(STOPPED)).to_be_visible()
    expect(page.output("build").get_by_text("had not finished")).to_be_visible()
    for what in (page.output("build").get_by_text("running"), page.output("build").get_by_role("button")):
        expect(what.locator("visible=true")).to_have_count(0)
    expect(page.output("predict").get_by_text("Saved: huge")).to_be_visible()
    expect(page.output("predict").get_by_role("radio").locator("visible=true")).to_have_count(0)
    for id in ("predict", "build"):
        page.screenshot(id, "restarted")
        assert page.violations(id) == []
        assert page.too_wide(id) == []


def test_saved_only_after_the_restart_it_is_read_as_text_the_next_day(page: NotebookPage) -> None:
    page.save()
    page.reload()
    expect(page.output("predict")).to_contain_text("Run it again to answer, or to see what you saved since.")
    expect(page.output("build")).to_contain_text("had not finished")
    expect(page.page.get_by_text(BROKEN)).to_have_count(0)


def test_saved_before_the_restart_it_shows_what_was_chosen_the_next_day(page: NotebookPage) -> None:
    page.run("open", "open", "predict", "build")
    page.choose("predict", "large")
    expect(page.status("predict")).to_have_text(f"Saved, {LATE}: large. {COUNTS}")
    page.save()
    page.restart_kernel()
    page.save()
    page.reload()
    expect(page.output("predict").get_by_text(f"Saved, {LATE}: large.")).to_be_visible()
    expect(page.output("predict").get_by_text(STOPPED)).to_be_visible()
    expect(page.output("build").get_by_text("had not finished")).to_be_visible()
    expect(page.output("build").get_by_text("running").locator("visible=true")).to_have_count(0)
    expect(page.page.get_by_text(BROKEN)).to_have_count(0)
    page.screenshot("predict", "next-day")


def test_what_was_chosen_after_the_last_save_makes_the_page_say_that_it_is_out_of_date(page: NotebookPage) -> None:
    page.run("open", "open", "predict")
    page.save()
    page.choose("predict", "small")
    expect(page.status("predict")).to_have_text(f"Saved, {LATE}: small. {COUNTS}")
    page.restart_kernel()
    page.save()
    page.reload()
    expect(page.output("predict").get_by_text(OUT_OF_DATE)).to_be_visible()
    for told in (STOPPED, LATE, "How large?"):
        expect(page.output("predict").get_by_text(told).locator("visible=true")).to_have_count(0)
    page.screenshot("predict", "out-of-date")
    assert page.violations("predict") == []


def test_the_cell_run_again_goes_on_with_what_was_saved(page: NotebookPage) -> None:
    page.run("open", "open", "predict")
    expect(page.status("predict")).to_have_text(f"Saved earlier, {LATE}: small. {COUNTS}")
    expect(page.output("predict").get_by_label("small", exact=True)).to_be_checked()
