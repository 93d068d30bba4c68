"""axe-core finds nothing wrong in what the course puts into JupyterLab's page: questions, verdicts, panels, figures."""

from __future__ import annotations

import pytest
from notebook_page import NotebookPage

OF_A_LESSON = (
    "lab-open",
    "service-show",
    "predict-line",
    "build-panel",
    "stack-show",
    "line-readoff",
    "official-show",
    "predict-port",
    "port-readoff",
    "claim-show",
    "cache-show",
)


@pytest.mark.parametrize("id", OF_A_LESSON)
def test_of_a_lesson(predicted: NotebookPage, id: str) -> None:
    predicted.screenshot(id)
    assert predicted.violations(id) == []


def test_what_is_wrong_is_found(lesson: NotebookPage) -> None:
    output = lesson.output("service-show").locator(".jp-OutputArea-output")
    output.evaluate("output => output.insertAdjacentHTML('beforeend', '<button class=wrong></button>')")
    try:
        (found,) = lesson.violations("service-show")
        assert found.startswith("button-name: ")
    finally:
        output.locator(".wrong").evaluate("button => button.remove()")
