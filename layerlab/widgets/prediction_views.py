"""Views of predictions, read-offs and gates, from core ipywidgets only. They know no answers."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
from traitlets import link

from layerlab.widgets import question_views
from layerlab.widgets.prediction import CONFIDENCE, REASON_WORDS, Gate, Prediction, ReadOff
from layerlab.widgets.question_views import framed, radio


def prediction(model: Prediction) -> widgets.VBox:
    """Choice, reason, confidence, Keep. No slider: where it starts would anchor, and count as an answer."""
    reason = widgets.Text(
        description=f"because (a few words, at most {REASON_WORDS}):",
        style={"description_width": "initial"},
        layout={"width": "95%"},
    )
    link((model, "reason"), (reason, "value"))
    return framed(
        model,
        radio(model.options, label="I expect:", model=model, trait="value"),
        reason,
        radio(CONFIDENCE, label="How sure:", model=model, trait="confidence"),
    )


def readoff(model: ReadOff) -> widgets.VBox:
    """Expected beside actual, then the question with its field."""
    return widgets.VBox([widgets.HTML(model.html), question_views.view(model)])


def gate(model: Gate) -> widgets.VBox:
    """What is asked, Skip, and the place where the figure will stand."""
    note = widgets.HTML(f'<p role="status">{model.text}</p>')
    skip = widgets.Button(description="Skip", tooltip="Show the figure without a prediction")
    place = widgets.Output()
    skip.on_click(lambda _: model.skip())

    def opened(_: Any = None) -> None:
        note.value = '<p role="status">The figure is shown below.</p>'
        skip.layout.display = "none"
        # The figure goes in by its own MIME types; printing it into the Output would need a kernel message.
        place.append_display_data(model.shown)

    model.observe(opened, "is_open")
    return widgets.VBox([note, skip, place])
