"""What the tests do in notebook 01, cell by cell."""

from __future__ import annotations

from notebook_page import NotebookPage
from playwright.sync_api import expect

PREDICTION, GATED, READOFF = "predict-line", "stack-show", "line-readoff"
REASON = "the base holds a whole system"


def predict(lesson: NotebookPage) -> None:
    """Make the first prediction by clicking, show the figure that waits for it, and read the prediction off.

    Everything was run before, so its result has been shown: it is late.
    """
    expect(lesson.status(GATED)).to_contain_text("You haven't made a prediction yet")
    lesson.choose(PREDICTION, "FROM python")
    lesson.fill(PREDICTION, "because (optional, at most 12 words):", REASON)
    lesson.choose(PREDICTION, "fairly")
    expect(lesson.status(PREDICTION)).to_contain_text(f"FROM python (fairly), because {REASON}.")
    expect(lesson.status(GATED)).to_contain_text("You chose: FROM python.")
    lesson.press(GATED, "Show the figure")
    lesson.run(READOFF)
