"""An exercise in JupyterLab on a live engine: wrong, a hint, right; and the page that is loaded again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

from layerlab.engine.protocol import Engine
from layerlab.exercises.ex02_slim.exercise import Slim
from layerlab.exercises.ex02_slim.services import BY_NAME, GCC, GIT

BASE, EVIDENCE, CHECK = "q2-fingerprint-base-question", "q2-fingerprint-evidence-question", "q2-fingerprint-check"


@pytest.fixture(scope="module")
def slim(engine: Engine, open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    """Exercise 02 with the questions of its second task on the page."""
    notebook = open_notebook("exercises/02_slim.ipynb", engine=engine.info.kind)
    notebook.run("open", BASE, EVIDENCE)
    return notebook


def test_wrong_then_right(slim: NotebookPage) -> None:
    """One attempt opens one hint, another wrong one the next; the right answer needs none."""
    hints = slim.output(CHECK).locator("details")
    failing, ladder = "evidence decides", Slim.hints["evidence decides"]

    answer(slim, base="full", evidence=BY_NAME)
    expect(slim.status(CHECK)).to_contain_text(f"Not yet: {failing}")
    expect(hints).to_have_count(1)
    expect(hints.get_by_text(ladder[0])).to_be_hidden()
    hints.get_by_text("Where to look").click()
    expect(hints.get_by_text(ladder[0])).to_be_visible()
    assert slim.violations(CHECK) == []
    slim.screenshot(CHECK, "wrong")

    answer(slim, base="full", evidence=GCC)
    expect(slim.status(CHECK)).to_contain_text(f"Not yet: {failing}")
    expect(hints).to_have_count(2)

    answer(slim, base="full", evidence=GIT)
    expect(slim.status(CHECK)).to_contain_text("Passed: all 2 checks")
    expect(hints).to_have_count(0)
    assert slim.errors() == []
    assert slim.violations(CHECK) == []
    slim.screenshot(CHECK, "right")


def test_what_is_kept_is_there_after_the_page_was_loaded_again(slim: NotebookPage) -> None:
    keep(slim, BASE, "full")
    slim.reload()
    slim.run(BASE)
    expect(slim.status(BASE)).to_have_text("Kept earlier: full")
    expect(slim.output(BASE).get_by_label("full", exact=True)).to_be_checked()


def test_what_a_command_shows_is_accessible_and_fits(slim: NotebookPage) -> None:
    slim.run("probe-try")
    expect(slim.output("probe-try")).to_contain_text("exit code")
    slim.screenshot("probe-try")
    assert slim.violations("probe-try") == []
    assert slim.too_wide("probe-try") == []


def answer(notebook: NotebookPage, *, base: str, evidence: str) -> None:
    """Keep both answers by clicking, then run the check."""
    keep(notebook, BASE, base)
    keep(notebook, EVIDENCE, evidence)
    notebook.run(CHECK)


def keep(notebook: NotebookPage, id: str, option: str) -> None:
    """Choose an option and keep it."""
    notebook.choose(id, option)
    notebook.press(id, "Keep")
    expect(notebook.status(id)).to_have_text(f"Kept: {option}")
