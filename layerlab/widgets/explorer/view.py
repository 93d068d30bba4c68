"""How the explorer looks: core widgets that show and change the model. Knows no combination and starts nothing itself.

Tab walks through everything, what happens is said in status texts, and no colour says what words don't.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
from traitlets import link

from layerlab.design_space import AXES, recipe
from layerlab.errors import LayerLabError
from layerlab.units import as_html
from layerlab.widgets.build_view import BuildView, hear_while_busy
from layerlab.widgets.explorer import text_twin
from layerlab.widgets.explorer.explorer import Explorer
from layerlab.widgets.explorer.ledger import BANDS
from layerlab.widgets.prediction import CONFIDENCE
from layerlab.widgets.prediction_views import reason_field
from layerlab.widgets.question_views import radio
from layerlab.widgets.showing import NOW, mark

# Children of full width and their margins are wider than their box, which then scrolls sideways.
_FITS = {"width": "auto", "overflow": "hidden"}
# A keyboard's focus ring stands outside its button: room for it inside a box that cuts.
_ROW = {**_FITS, "flex_flow": "row wrap", "padding": "3px"}
_STYLE = """<style>
.layerlab-explorer details > summary { cursor: pointer; }
.layerlab-explorer pre { line-height: 1.35; white-space: pre-wrap; overflow-wrap: anywhere; }
.layerlab-explorer .layerlab-spent { overflow-x: auto; }
.layerlab-explorer .layerlab-spent figure { margin: 0.3em 0; }
.layerlab-explorer .layerlab-spent :is(td, th) { padding: 0.15em 0.6em; }
.layerlab-explorer .layerlab-spent :is(td, th, caption, figcaption) { line-height: 1.4; }
</style>"""
_STOP_HINT = "End the experiment, and open the map of all combinations"


def view(explorer: Explorer) -> widgets.VBox:
    """Build the view of an explorer."""
    return _View(explorer).box


class _View:
    """The widgets of one explorer, kept up to date with it."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._is_stop_armed = False
        self._closed_text = widgets.HTML()
        self._says, self._recipe, self._status, self._table = (widgets.HTML(layout=_FITS) for _ in range(4))
        self._place = widgets.VBox([], layout=_FITS)
        self._nearest = self._button("Take the nearest", explorer.take_nearest, "Change the choice to it")
        self._spend = self._button("Spend a build", explorer.spend, "Keep the prediction, then build and measure it")
        self._spend.button_style = "primary"
        self._stop = self._button("Stop here", self._stop_if_meant, _STOP_HINT)
        opener = self._button("Open it anyway", explorer.open_anyway, "Your notebook 05 stays as it is")
        self._closed = widgets.VBox([self._closed_text, opener], layout={**_FITS, "padding": "3px"})
        self._prediction = self._prediction_box()
        self._inner = widgets.VBox(
            [
                widgets.VBox([_axis(explorer, axis.key) for axis in AXES], layout=_FITS),
                self._says,
                self._nearest,
                self._recipe,
                self._prediction,
                widgets.HBox([self._spend, self._stop], layout=_ROW),
            ],
            layout=_FITS,
        )
        self.box = widgets.VBox(
            [widgets.HTML(_STYLE), self._closed, self._inner, self._status, self._place, self._table], layout=_FITS
        )
        self.box.add_class("layerlab-explorer")
        explorer.observe(self._draw_choice, [*(axis.key for axis in AXES), "spends", "is_locked"])
        explorer.observe(self._draw_status, "status")
        explorer.observe(self._draw_spent, ["spends", "is_open"])
        explorer.observe(self._draw_state, ["state", "is_locked", "is_open"])
        explorer.observe(self._draw_progress, "progress")
        for draw in (self._draw_choice, self._draw_status, self._draw_spent, self._draw_state, self._draw_progress):
            draw()

    def _button(self, label: str, act: Callable[[], Any], tooltip: str) -> widgets.Button:
        button = widgets.Button(
            description=label, tooltip=tooltip, layout={"width": "auto", "align_self": "flex-start"}
        )

        def pressed(_: Any) -> None:
            if label != "Stop here":
                self._is_stop_armed = False
            # An exception in a callback reaches nobody: the front end shows callbacks' errors in a log only.
            try:
                act()
            except LayerLabError as error:
                self._explorer.status = str(error)

        button.on_click(pressed)
        return button

    def _stop_if_meant(self) -> None:
        left = self._explorer.left
        if left and not self._is_stop_armed:
            self._is_stop_armed = True
            unspent = f"{left} {'build' if left == 1 else 'builds'}"
            self._explorer.status = f"This ends the experiment with {unspent} unspent. Press Stop here again to do it."
            return
        self._explorer.stop()

    def _prediction_box(self) -> widgets.VBox:
        explorer = self._explorer
        bands = tuple(band.text for band in BANDS)
        return widgets.VBox(
            [
                radio(bands, label="I expect that it adds:", model=explorer, trait="expected"),
                reason_field(explorer),
                radio(CONFIDENCE, label="How sure (optional):", model=explorer, trait="confidence"),
            ],
            layout=_FITS,
        )

    def _draw_choice(self, _: Any = None) -> None:
        explorer = self._explorer
        if explorer.is_locked:
            return
        found = explorer.gap
        self._says.value = _status(explorer.says)
        self._nearest.layout.display = "" if found else "none"
        self._prediction.layout.display = "none" if found or not explorer.left else ""
        lines = "" if found else escape(recipe(explorer.combination))
        self._recipe.value = f"<details><summary>Its Dockerfile</summary><pre>{lines}</pre></details>" if lines else ""

    def _draw_status(self, _: Any = None) -> None:
        self._status.value = _status(self._explorer.status)

    def _draw_spent(self, _: Any = None) -> None:
        # A wide table scrolls in its own box, which a keyboard must be able to reach.
        about = 'class="layerlab-spent" tabindex="0" role="region" aria-label="Your builds"'
        self._table.value = f"<div {about}>{text_twin.html(self._explorer)}</div>"

    def _draw_state(self, _: Any = None) -> None:
        explorer = self._explorer
        mark(self._status, NOW, is_so=explorer.state == "building")
        self._closed_text.value = _status(explorer.locked_because)
        self._closed.layout.display = "" if explorer.is_locked else "none"
        self._inner.layout.display = "none" if explorer.is_locked else ""
        self._table.layout.display = "none" if explorer.is_locked else ""
        is_over = not explorer.left
        self._spend.disabled = explorer.state == "building" or is_over
        self._stop.disabled = explorer.state == "building" or is_over
        if not explorer.is_locked:
            self._draw_choice()
        for button in (self._spend, self._stop, self._nearest):
            hear_while_busy(button)

    def _draw_progress(self, _: Any = None) -> None:
        if self._explorer.progress is not None:
            self._place.children = (BuildView(self._explorer.progress, self._explorer.cancel).tidied().box,)


def _axis(explorer: Explorer, key: str) -> widgets.HBox:
    axis = next(one for one in AXES if one.key == key)
    control = widgets.Dropdown(
        options=[(title, option) for option, title in axis.options],
        description=f"{axis.title}:",
        layout={"width": "20em", "flex": "0 0 auto"},
    )
    link((explorer, key), (control, "value"))
    trades = widgets.HTML(
        f'<div style="line-height:1.4;padding:4px 0">{escape(axis.trades)}</div>', layout={"flex": "1 1 16em"}
    )
    return widgets.HBox([control, trades], layout=_ROW)


def _status(text: str) -> str:
    return f'<div role="status" style="line-height:1.5;overflow-wrap:anywhere">{as_html(text)}</div>'
