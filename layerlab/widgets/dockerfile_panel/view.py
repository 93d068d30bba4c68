"""How the panel looks: core widgets that show and change the model. Knows no answer and starts nothing itself.

Tab walks through everything, what happens is said in status texts, and no colour says what words don't.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
from traitlets import link

from layerlab.units import as_html
from layerlab.widgets.build_view import BuildView, hear_while_busy
from layerlab.widgets.dockerfile_panel import view_parts
from layerlab.widgets.dockerfile_panel.panel import DockerfilePanel
from layerlab.widgets.question_views import action
from layerlab.widgets.showing import NOW, mark

# Children of full width and their margins are wider than their box, which then scrolls sideways.
_FITS = {"width": "auto", "overflow": "hidden"}
# A keyboard's focus ring stands outside its button: room for it inside a box that cuts.
_ROW = {**_FITS, "flex_flow": "row wrap", "padding": "3px"}
_LEAST_ROWS, _MOST_ROWS = 8, 24

_STYLE = """<style>
.layerlab-editor textarea {
  font-family: var(--jp-code-font-family, ui-monospace, monospace); font-size: var(--jp-code-font-size, 13px);
  line-height: 1.5; tab-size: 4; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 10em; resize: vertical;
}
.layerlab-panel .layerlab-editor > label { font-weight: 600; text-align: left; align-self: flex-start; }
.layerlab-panel details > summary { cursor: pointer; }
.layerlab-panel .widget-html-content p { line-height: 1.5; margin: 0.2em 0 0.5em; }
</style>"""


def view(panel: DockerfilePanel) -> widgets.VBox:
    """Build the view of a panel."""
    return _PanelView(panel).box


class _PanelView:
    """The widgets of one panel, kept up to date with it."""

    def __init__(self, panel: DockerfilePanel) -> None:
        self._panel = panel
        self._text_state, self._verdict, self._place = widgets.HTML(), widgets.HTML(), widgets.VBox([], layout=_FITS)
        self._status, self._conflict_text = widgets.HTML(), widgets.HTML()
        self._conflict = widgets.VBox([self._conflict_text, self._conflict_buttons()], layout=_FITS)
        self._buttons = self._main_buttons()
        self._folds = [_Fold(panel, *fold) for part, fold in _FOLDS.items() if part in panel.parts]
        gauge = [self._gauge()] if "gauge" in panel.parts else []
        self.box = widgets.VBox(
            [
                widgets.HTML(_STYLE + _task(panel)),
                _editor(panel),
                self._text_state,
                self._buttons,
                self._status,
                self._conflict,
                self._place,
                self._verdict,
                *gauge,
                *(fold.box for fold in self._folds),
            ],
            layout=_FITS,
        )
        self.box.add_class("layerlab-panel")
        panel.observe(self._draw_text, ["saved_state", "as_written", "conflict"])
        panel.observe(self._draw_status, ["status", "conflict"])
        panel.observe(self._draw_verdict, ["judgements", "label"])
        panel.observe(self._draw_progress, "progress")
        panel.observe(self._hear, ["state", "status"])
        for draw in (self._draw_text, self._draw_status, self._draw_verdict, self._draw_progress):
            draw()

    def _main_buttons(self) -> widgets.HBox:
        build = self._action("Build & check", self._panel.build, "Save, build the image, and check it", wide=True)
        build.button_style = "primary"
        save = self._action("Save", self._panel.keep, "Write the text to the file")
        reset = self._action("Reset", self._panel.reset, "Go back to the starter; your text is kept as a backup")
        return widgets.HBox([build, save, reset], layout=_ROW)

    def _conflict_buttons(self) -> widgets.HBox:
        load = self._action("Load from disk", self._panel.reload, "Unsaved text is kept beside the file", wide=True)
        mine = self._action("Keep my text", self._panel.keep_mine, "What is in the file becomes a backup", wide=True)
        return widgets.HBox([load, mine], layout=_ROW)

    def _action(self, label: str, act: Callable[[], Any], tooltip: str, *, wide: bool = False) -> widgets.Button:
        button = action(label, act, self._panel, tooltip=tooltip)
        if wide:
            button.layout.width = "auto"
        return button

    def _draw_text(self, _: Any = None) -> None:
        panel = self._panel
        # One sentence a line: a screen reader says only what has changed.
        written = f"<p>As written: {escape(panel.as_written)}</p>" if panel.as_written else ""
        self._text_state.value = _status(f"<p>{escape(panel.saved_state)}</p>{written}")
        self._conflict_text.value = _status(f"<p><strong>{escape(panel.conflict)}</strong></p>")
        self._conflict.layout.display = "" if panel.conflict else "none"

    def _draw_status(self, _: Any = None) -> None:
        panel = self._panel
        # The notice below says it already, with the choices there are.
        words = "" if panel.status == panel.conflict else panel.status
        self._status.value = _status(f"<p>{escape(words)}</p>" if words else "")

    def _draw_verdict(self, _: Any = None) -> None:
        self._verdict.value = view_parts.verdict(self._panel)

    def _draw_progress(self, _: Any = None) -> None:
        if self._panel.progress is not None:
            self._place.children = (BuildView(self._panel.progress, self._panel.cancel).tidied().box,)

    def _gauge(self) -> widgets.HTML:
        gauge = widgets.HTML(layout={"width": "auto"})

        def show(_: Any = None) -> None:
            gauge.value = view_parts.gauge(self._panel)

        self._panel.observe(show, ["judgements", "label"])
        show()
        return gauge

    def _hear(self, _: Any = None) -> None:
        mark(self._status, NOW, is_so=self._panel.state == "building")
        for button in (*self._buttons.children, *self._conflict.children[1].children):
            hear_while_busy(button)


class _Fold:
    """A part that is drawn while it is open."""

    def __init__(
        self, panel: DockerfilePanel, label: str, traits: list[str], draw: Callable[[DockerfilePanel], str]
    ) -> None:
        self._panel, self._label, self._draw = panel, label, draw
        self._switch = widgets.ToggleButton(value=False, layout={"width": "auto", "align_self": "flex-start"})
        self._content = widgets.HTML(layout={"width": "auto"})
        self.box = widgets.VBox([self._switch, self._content], layout={**_FITS, "padding": "3px"})
        self._switch.observe(self._show, "value")
        panel.observe(self._show, traits)
        self._show()

    def _show(self, _: Any = None) -> None:
        is_open = self._switch.value
        self._switch.description = f"{'Hide' if is_open else 'Show'} {self._label}"
        self._content.layout.display = "" if is_open else "none"
        self._content.value = self._draw(self._panel) if is_open else ""
        hear_while_busy(self._switch)


# Part → label of its button, the traits it is drawn from, and what draws it.
_FOLDS: dict[str, tuple[str, list[str], Callable[[DockerfilePanel], str]]] = {
    "diff": ("your changes", ["value"], view_parts.difference),
    "attempts": ("your attempts", ["judgements"], view_parts.attempts),
}


def _editor(panel: DockerfilePanel) -> widgets.Textarea:
    lines = panel.value.count("\n") + 2
    editor = widgets.Textarea(
        description=f"{panel.name}:",
        rows=min(max(lines, _LEAST_ROWS), _MOST_ROWS),
        style={"description_width": "initial"},
        # The label above the text, so that the text has the whole width.
        layout={"width": "auto", "flex_flow": "column", "align_items": "stretch"},
    )
    editor.add_class("layerlab-editor")
    link((panel, "value"), (editor, "value"))
    return editor


def _task(panel: DockerfilePanel) -> str:
    paragraphs = "".join(f"<p>{as_html(part)}</p>" for part in re.split(r"\n\s*\n", panel.question.strip()))
    return f'<p><strong>{escape(panel.title)}</strong></p><div style="overflow-wrap:anywhere">{paragraphs}</div>'


def _status(html: str) -> str:
    return f'<div role="status" style="overflow-wrap:anywhere">{html}</div>'
