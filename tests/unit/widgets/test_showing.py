"""Once its kernel has gone, nothing that a panel shows looks alive; the classes for that follow the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from layerlab.errors import BuildCancelled
from layerlab.widgets.base_choice import BaseChoice, MeasuredBase
from layerlab.widgets.build_panel import BuildPanel
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.build_view import BuildView
from layerlab.widgets.export_button import ExportButton
from layerlab.widgets.prediction import Gate, Prediction
from layerlab.widgets.questions import Choice
from layerlab.widgets.rollout import Rollout
from layerlab.widgets.showing import NOW, THEN
from layerlab.work.answers import Answers

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def panels(tmp_path: Path) -> list[Any]:
    answers = Answers.open("01_naive", work=tmp_path)
    prediction = Prediction("size", "How large?", ["small", "large"], answers=answers)
    base = MeasuredBase("slim", 1, None, 1, 1, 1, "glibc")
    return [
        prediction,
        prediction.readoff("large"),
        Gate(prediction, lambda: "figure"),
        Choice("q", "Which?", ["a", "b"], answers=answers),
        BuildPanel(lambda on_event: None, lambda: None),  # type: ignore[arg-type, return-value]
        Rollout({"slim": 1}),
        ExportButton(lambda: None),  # type: ignore[arg-type, return-value]
        BaseChoice([base]),
    ]


def test_every_panel_says_what_to_do_once_its_kernel_has_gone(panels: list[Any]) -> None:
    for panel in panels:
        bundle = panel._repr_mimebundle_()
        state = widgets.Widget.get_manager_state()["state"]
        children = state[bundle[VIEW]["model_id"]]["state"]["children"]
        shown = [state[child.removeprefix("IPY_MODEL_")]["state"] for child in children]
        (note,) = (one for one in shown if THEN in one["_dom_classes"])
        assert "first code cell" in note["value"], type(panel)
        assert bundle["text/plain"], type(panel)


def test_what_is_said_of_a_running_build_is_true_only_now() -> None:
    model = BuildProgress("layerlab/slim")
    box = BuildView(model, lambda: None).box
    model.state = "running"
    assert [classes(part) for part in box.children] == [{NOW}] * 4 + [{THEN}]
    assert "had not finished" in box.children[-1].value
    model.finish(BuildCancelled("x"), elapsed=1.0)
    assert [classes(part) for part in box.children] == [set()] * 5
    assert box.children[-1].layout.display == "none"


def test_the_saved_text_of_a_running_build_does_not_say_that_it_runs() -> None:
    panel = BuildPanel(lambda on_event: None, lambda: None, title="layerlab/slim")  # type: ignore[arg-type, return-value]
    panel.model.state = "running"
    text = panel._repr_mimebundle_()["text/plain"]
    assert text == "layerlab/slim: the build had not finished when this page was last connected."


def test_what_a_gate_and_a_prediction_offer_is_true_only_now(panels: list[Any]) -> None:
    prediction, _, gate, *_ = panels
    for panel in (prediction, gate):
        assert any(f'class="{NOW}"' in text for text in texts(panel.view))
    gate.skip()
    prediction.value = "small"
    for panel in (prediction, gate):
        assert not any(f'class="{NOW}"' in text for text in texts(panel.view))


def classes(widget: Any) -> set[str]:
    return set(widget._dom_classes) & {NOW, THEN}


def texts(widget: Any) -> Iterator[str]:
    for child in getattr(widget, "children", ()):
        yield from texts(child)
    if isinstance(widget, widgets.HTML):
        yield widget.value
