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


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("button-name", "<button class=wrong></button>"),
        ("color-contrast", "<p class=wrong style='color: #ccc; background: #fff'>hardly to be seen</p>"),
    ],
)
def test_what_is_wrong_is_found(predicted: NotebookPage, rule: str, wrong: str) -> None:
    output = predicted.output("service-show").locator(".jp-OutputArea-output")
    output.evaluate("(output, html) => output.insertAdjacentHTML('beforeend', html)", wrong)
    try:
        (found,) = predicted.violations("service-show")
        assert found.startswith(f"{rule}: ")
    finally:
        output.locator(".wrong").evaluate("element => element.remove()")
