"""Views of predictions, read-offs and gates, from core ipywidgets only. They know no answers."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
from traitlets import link

from layerlab.units import as_html
from layerlab.widgets import question_views
from layerlab.widgets.prediction import CONFIDENCE, HINT, REASON_WORDS, Gate, Prediction, ReadOff
from layerlab.widgets.question_views import action, asked, radio, status
from layerlab.widgets.showing import NOW


def prediction(model: Prediction) -> widgets.VBox:
    """Choice, reason, confidence. No slider: where it starts would anchor, and count as an answer."""
    return widgets.VBox(
        [
            asked(model),
            radio(model.options, label="I expect:", model=model, trait="value"),
            reason_field(model),
            radio(CONFIDENCE, label="How sure (optional):", model=model, trait="confidence"),
            _save_again(model),
            status(model, hint=HINT),
        ]
    )


def reason_field(model: Any) -> widgets.Text:
    """Make the field of a model's `reason`; it is told when the field is left, since each change may be written."""
    field = widgets.Text(
        description=f"because (optional, at most {REASON_WORDS} words):",
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "95%"},
    )
    link((model, "reason"), (field, "value"))
    return field


def _save_again(model: Prediction) -> widgets.Button:
    button = action("Save again", model.keep, model, tooltip="Write your choice to its file")

    def show(_: Any = None) -> None:
        button.layout.display = "" if model.is_unsaved else "none"

    model.observe(show, "is_unsaved")
    show()
    return button


def readoff(model: ReadOff) -> widgets.VBox:
    """Chosen beside actual, the choices where nothing was chosen in time, then the question with its field."""
    said, result = widgets.HTML(), widgets.HTML(model.html)

    def show(_: Any = None) -> None:
        said.value = model.said_html

    model.observe(show, "changes")
    show()
    asked = model.prediction
    late = [radio(asked.options, label="My choice, late:", model=asked, trait="value"), _save_again(asked)]
    choices = [] if model.expected is not None else late
    return widgets.VBox([said, *choices, result, question_views.view(model)])


def gate(model: Gate) -> widgets.VBox:
    """What was chosen, *Show the figure*, and the place where it will stand."""
    note = widgets.HTML()
    button = widgets.Button(description="Show the figure", tooltip="With or without a prediction")
    place = widgets.Output()
    button.on_click(lambda _: model.skip())

    def say(_: Any = None) -> None:
        is_now = "" if model.is_open else f' class="{NOW}"'
        note.value = f'<p role="status"{is_now}>{as_html(model.text)}</p>'

    def opened(_: Any = None) -> None:
        say()
        button.layout.display = "none"
        # The figure goes in by its own MIME types; printing it into the Output would need a kernel message.
        place.append_display_data(model.shown)

    model.prediction.observe(say, "value")
    model.observe(opened, "is_open")
    say()
    return widgets.VBox([note, button, place])
