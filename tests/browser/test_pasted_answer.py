"""Notebook 11 in the browser: a pasted text with markup in it is judged and shown as text; nothing is built for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from notebook_page import NotebookPage
from playwright.sync_api import Locator, expect

PANEL = "paste-panel"
NO_DOCKERFILE = "Sure! <img src=x onerror=\"document.title='owned'\"> Here is your Dockerfile.\n"
ANSWER = (Path(__file__).parents[2] / "apps" / "ai" / "Dockerfile.answer-02").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(open_notebook: Callable[[str], NotebookPage]) -> NotebookPage:
    notebook = open_notebook("notebooks/11_with_ai.ipynb")
    notebook.run("lab-open", "prompt-show", PANEL)
    return notebook


def test_what_is_no_dockerfile_is_said_and_shown_as_text(page: NotebookPage) -> None:
    write(page, NO_DOCKERFILE)
    page.press(PANEL, "Build & check")
    expect(page.output(PANEL)).to_contain_text("Not yet: reads")
    assert page.output(PANEL).locator("img").count() == 0
    assert "owned" not in page.page.title()
    page.screenshot(PANEL, "no-dockerfile")


def test_what_the_text_shows_is_said_without_a_build(page: NotebookPage) -> None:
    write(page, f"```dockerfile\n{ANSWER}```\n")
    page.press(PANEL, "Save")
    expect(page.output(PANEL)).to_contain_text("As written: Not yet: review")
    page.run("outline-show", "questions-show", "four-count", "review-second")
    expect(page.output("questions-show")).to_contain_text("The lesson's four questions")
    expect(page.output("review-second").locator("tr")).to_have_count(3)
    assert not page.too_wide("review-second")
    page.screenshot("review-second", "findings")
    page.screenshot(PANEL, "pasted")
    assert page.errors() == []


def editor(page: NotebookPage) -> Locator:
    return page.output(PANEL).get_by_label("Dockerfile.pasted:", exact=True)


def write(page: NotebookPage, text: str) -> None:
    editor(page).fill(text)
    page.settle()
