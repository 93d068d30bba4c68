"""An exercise without a mouse: from the page's first cell to the verdict with Tab, arrows, Space and Enter alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

from layerlab.exercises.ex01_naive.checks import LINES

QUESTION, CHECK = "q1-order-question", "q1-order-check"
RIGHT = tuple(LINES[i] for i in (5, 6, 4, 2, 1, 3, 0))


@pytest.fixture(scope="module")
def naive(open_notebook: Callable[[str], NotebookPage]) -> NotebookPage:
    """Exercise 01, opened and left as it is."""
    return open_notebook("exercises/01_naive.ipynb")


def test_seven_lines_are_put_in_order(naive: NotebookPage) -> None:
    for id in ("open", QUESTION):
        naive.go_to(id)
        naive.run_selected(id)
    order = list(LINES)
    naive.go_to(QUESTION)
    for target, line in enumerate(RIGHT):
        naive.tab_to("Lines:")
        here = order.index(line)
        naive.type("Home", *["ArrowDown"] * here)
        naive.tab_to("Move up")
        for place in range(here, target, -1):
            naive.type("Space")
            expect(naive.status(QUESTION)).to_have_text(f"{line} is now line {place} of 7. Not kept yet.")
        order.insert(target, order.pop(here))
        naive.type("Shift+Tab", "Shift+Tab")
    naive.tab_to("Keep")
    naive.type("Enter")
    expect(naive.status(QUESTION)).to_have_text(f"Kept: 7 lines, beginning with {RIGHT[0]}")
    naive.go_to(CHECK)
    naive.run_selected(CHECK)
    expect(naive.status(CHECK)).to_contain_text("Passed: all 5 checks")


@pytest.mark.parametrize("id", [QUESTION, CHECK])
def test_it_is_accessible(naive: NotebookPage, id: str) -> None:
    naive.screenshot(id)
    assert naive.violations(id) == []
    assert naive.too_wide(id) == []
