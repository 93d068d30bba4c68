"""A Dockerfile edited in the exercise panel on a live engine: wrong, right, loaded again, reset; and accessible."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from notebook_page import RUN_MS, NotebookPage
from playwright.sync_api import Locator, expect

from layerlab.engine.protocol import Engine
from layerlab.exercises.ex02_slim.exercise import Slim

ROOT = Path(__file__).parents[2]
PANEL = "q4-change-question"
STARTER = (ROOT / "apps" / "exercise02" / "notes" / "Dockerfile").read_text(encoding="utf-8")
WRONG = STARTER.replace("EXPOSE 8000\n", "")
# The number that counts, measured here; and the last line of the progress, which is of the learner's own build.
SIZES, BUILT = re.compile(r"Passed: \d+ MB → \d+ MB"), re.compile(r"Built and checked in [\d.]+ s\.")
RIGHT = STARTER.replace("python:${PY_MINOR}\n", "python:${PY_MINOR}-slim\n")


@pytest.fixture(scope="module")
def panel(engine: Engine, open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    """Exercise 02 with the panel of its last task on the page."""
    notebook = open_notebook("exercises/02_slim.ipynb", engine=engine.info.kind)
    notebook.run("open", PANEL)
    expect(editor(notebook)).to_have_value(STARTER)
    return notebook


def test_wrong_then_right(panel: NotebookPage, work_folder: Path) -> None:
    assert WRONG != STARTER != RIGHT
    hints = panel.output(PANEL).locator("details")

    build_and_check(panel, WRONG, "fail", "Not yet: 1 of 7 checks")
    expect(panel.output(PANEL)).to_contain_text("Not yet: smaller")
    expect(hints).to_have_count(1)
    expect(hints.get_by_text(Slim.hints["smaller"][0])).to_be_hidden()
    hints.locator("summary").click()
    expect(hints.get_by_text(Slim.hints["smaller"][0])).to_be_visible()
    assert_well_made(panel, "wrong")

    build_and_check(panel, RIGHT, "pass", SIZES)
    expect(panel.output(PANEL)).to_contain_text(BUILT)
    expect(panel.output(PANEL)).not_to_contain_text("Not yet: smaller")
    expect(hints).to_have_count(0)
    assert_well_made(panel, "right")
    assert [file.read_text() for file in work_folder.glob("02_slim/**/Dockerfile")] == [RIGHT]
    assert panel.errors() == []


def test_after_loading_the_page_again_the_work_is_there(panel: NotebookPage) -> None:
    write(panel, RIGHT)
    panel.press(PANEL, "Save")
    expect(panel.output(PANEL)).to_contain_text("Saved: ")
    panel.reload()
    panel.run(PANEL)
    expect(editor(panel)).to_have_value(RIGHT)


def test_reset_brings_the_starter_and_keeps_a_backup(panel: NotebookPage, work_folder: Path) -> None:
    write(panel, RIGHT)
    panel.press(PANEL, "Save")
    panel.press(PANEL, "Reset")
    expect(panel.output(PANEL)).to_contain_text("Reset: Dockerfile is the starter again.")
    expect(editor(panel)).to_have_value(STARTER)
    panel.screenshot(PANEL, "reset")
    assert RIGHT in [file.read_text() for file in work_folder.glob("02_slim/**/Dockerfile?*")]


def editor(notebook: NotebookPage) -> Locator:
    """The panel's editor, by the file's name."""
    return notebook.output(PANEL).get_by_label("Dockerfile:", exact=True)


def write(notebook: NotebookPage, text: str) -> None:
    """Replace the editor's text."""
    editor(notebook).fill(text)
    notebook.settle()


def build_and_check(notebook: NotebookPage, text: str, status: str, headline: str | re.Pattern[str]) -> None:
    """Press the button, and wait for a verdict with that headline."""
    write(notebook, text)
    notebook.press(PANEL, "Build & check")
    expect(notebook.output(PANEL).locator(f".layerlab-{status}")).to_contain_text(headline, timeout=RUN_MS)
    expect(notebook.output(PANEL)).to_contain_text("Verdict on Dockerfile as saved at")


def assert_well_made(notebook: NotebookPage, name: str) -> None:
    """Hold that the panel is accessible and fits its cell, by day and by night, and take pictures of it."""
    for theme in ("Dark", "Light"):
        notebook.theme(f"JupyterLab {theme}")
        notebook.screenshot(PANEL, f"{name}-{theme.lower()}")
        assert notebook.violations(PANEL) == []
        assert notebook.too_wide(PANEL) == []
