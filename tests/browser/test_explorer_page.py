"""Notebook 05b in the browser: opened all the same, one build spent by keyboard, and the map that opens after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

PANEL, MAP = "panel", "map"
REASON = "because (optional, at most 12 words):"
# On a live engine a base may be awaited, and three starts take their time.
BUILD_MS = 300_000


@pytest.fixture(scope="module")
def page(open_notebook: Callable[[str], NotebookPage], work_folder: Path) -> Iterator[NotebookPage]:
    """The panel of somebody who has done nothing of notebook 05."""
    for kind in ("answers", "predictions"):
        (work_folder / "05b_design_space" / f"{kind}.json").unlink(missing_ok=True)
    notebook = open_notebook("notebooks/05b_design_space.ipynb")
    notebook.run("lab-open", "predict-front", PANEL)
    yield notebook


def said(page: NotebookPage) -> str:
    return " ".join(page.status(PANEL).all_inner_texts())


def test_it_is_closed_says_why_and_opens_by_keyboard(page: NotebookPage) -> None:
    expect(page.output(PANEL)).to_contain_text("gives the answers of notebooks 01 to 05 away")
    expect(page.output(PANEL).get_by_label("Base:", exact=True)).to_be_hidden()
    page.screenshot(PANEL, "closed")
    page.go_to(PANEL)
    page.tab_to("Open it anyway")
    page.type("Enter")
    expect(page.output(PANEL).get_by_label("Base:", exact=True)).to_be_visible()


def test_a_build_is_chosen_predicted_and_spent_by_keyboard(page: NotebookPage) -> None:
    page.go_to(PANEL)
    page.tab_to("Base:")
    page.type("ArrowDown")
    page.tab_to("Bytecode:")
    page.type("ArrowDown")
    expect(page.output(PANEL)).to_contain_text("This one is not there. pip compiles whatever it installs")
    page.screenshot(PANEL, "gap")
    page.tab_to("Take the nearest")
    page.type("Enter")
    expect(page.output(PANEL)).to_contain_text("Changed to bytecode: as installed.")
    page.go_to(PANEL)
    page.tab_to("Its Dockerfile")
    page.tab_to("up to 12 MB")
    page.type("ArrowDown", "ArrowDown")
    page.tab_to(REASON)
    page.page.keyboard.type("pip compiles what it installs")
    page.tab_to("guess")
    page.type("ArrowDown")
    page.screenshot(PANEL, "predicted")
    page.tab_to("Spend a build")
    page.type("Enter")
    expect(page.output(PANEL)).to_contain_text("Number 1: it adds", timeout=BUILD_MS)
    expect(page.output(PANEL)).to_contain_text("you expected 18 to 30 MB")
    expect(page.output(PANEL).get_by_role("region", name="Your builds")).to_contain_text("slim one pip as-is root")


@pytest.mark.parametrize("width", [1280, 800])
def test_it_fits_and_is_accessible(page: NotebookPage, width: int) -> None:
    page.page.set_viewport_size({"width": width, "height": 1600})
    page.screenshot(PANEL, f"spent-{width}")
    assert page.too_wide(PANEL) == []
    assert page.violations(PANEL) == []


def test_another_run_of_the_cell_goes_on_with_what_was_spent(page: NotebookPage) -> None:
    page.run(PANEL)
    expect(page.output(PANEL)).to_contain_text("1 of your 6 builds is spent.")


def test_the_map_waits_and_opens_with_two_presses(page: NotebookPage) -> None:
    page.page.set_viewport_size({"width": 1280, "height": 1000})
    page.run("unattended", MAP)
    expect(page.output(MAP)).to_contain_text("This opens once your builds are spent")
    page.press(PANEL, "Stop here")
    expect(page.output(PANEL)).to_contain_text("Press Stop here again")
    page.press(PANEL, "Stop here")
    expect(page.output(MAP).locator(".js-plotly-plot")).to_be_visible(timeout=BUILD_MS)
    page.run("front-readoff", "noise-show", "steps-show", "choice")
    assert page.errors() == []
    for width in (1280, 800):
        page.page.set_viewport_size({"width": width, "height": 1000})
        page.run(MAP)
        expect(page.output(MAP).locator(".js-plotly-plot")).to_be_visible(timeout=BUILD_MS)
        page.screenshot(MAP, str(width))
        page.screenshot("steps-show", str(width))
        assert page.too_wide(MAP) == []
