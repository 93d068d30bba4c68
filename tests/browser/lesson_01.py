"""What the tests do in notebook 01, cell by cell."""

from __future__ import annotations

from notebook_page import NotebookPage
from playwright.sync_api import expect

PREDICTION, GATED, READOFF = "predict-line", "stack-show", "line-readoff"
REASON = "the base holds a whole system"


def predict(lesson: NotebookPage) -> None:
    """Keep the first prediction by clicking, which opens the figure that waits for it; then read it off."""
    expect(lesson.status(GATED)).to_contain_text("You have kept no prediction yet")
    lesson.choose(PREDICTION, "FROM python")
    lesson.fill(PREDICTION, "because (a few words, at most 12):", REASON)
    lesson.choose(PREDICTION, "fairly")
    lesson.press(PREDICTION, "Keep")
    expect(lesson.status(PREDICTION)).to_have_text(f"Kept: FROM python (fairly), because {REASON}")
    lesson.run(READOFF)
