"""How a build's progress looks in a notebook. Only shows the model; the one thing it does is to ask for a cancel."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets

from layerlab import units
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.showing import NOW, THEN, mark

_CANCEL_HINT = "End this build. Interrupting the kernel (the square in the toolbar) does the same."
# A child of full width and its margins of 2 px are wider than their box, which then scrolls sideways.
_FITS = {"width": "auto", "overflow": "hidden"}


class BuildView:
    """The widgets of the panel: core ones, reached by keyboard, every state told in words."""

    def __init__(self, model: BuildProgress, on_cancel: Callable[[], None]) -> None:
        self._model = model
        self.status = ipywidgets.HTML()
        self.clock = ipywidgets.HTML()
        self.bar = ipywidgets.IntProgress(min=0, max=1, layout={"width": "auto"})
        self.cancel = ipywidgets.Button(description="Cancel build", tooltip=_CANCEL_HINT, disabled=True)
        self.log_switch = ipywidgets.ToggleButton(description="Show log", value=False)
        self.log = ipywidgets.HTML(layout={"display": "none"})
        buttons = ipywidgets.HBox([self.cancel, self.log_switch, self.clock], layout=_FITS)
        self._cut_off = ipywidgets.HTML(f'<p style="line-height:1.5">{escape(model.cut_off)}</p>')
        self._watching = (self.status, self.bar, buttons, self.log)
        self.box = ipywidgets.VBox([*self._watching, self._cut_off], layout=_FITS)
        self.cancel.on_click(lambda _: on_cancel())
        self.log_switch.observe(self._toggle_log, "value")
        model.observe(self._draw)
        model.observe(self._mark, "state")
        self._draw()
        self._mark()

    def tidied(self) -> BuildView:
        """Leave one line and the log once a build is over, for panels that go on with a verdict; returns itself."""

        def tidy(change: object = None) -> None:
            # A full green bar over a verdict that fails would say the opposite of it.
            for part in (self.bar, self.cancel, self.clock):
                part.layout.display = "none" if self._model.is_over else ""

        self._model.observe(tidy, "state")
        return self

    def _draw(self, change: object = None) -> None:
        model = self._model
        self.status.value = _status_html(model)
        self.clock.value = f'<span role="timer">{units.duration(model.elapsed)}</span>'
        # An empty bar of length 0 shows as a full one.
        self.bar.max = max(1, model.total)
        self.bar.value = self.bar.max if model.state == "done" else model.finished
        self.bar.bar_style = {"done": "success", "failed": "danger", "cancelled": "warning"}.get(model.state, "info")
        self.cancel.disabled = model.state != "running"
        for widget in (self.cancel, self.log_switch):
            hear_while_busy(widget)
        if self.log_switch.value:
            self._draw_log()

    def _mark(self, change: object = None) -> None:
        """Keep what is said of a running build from being said once the kernel that ran it has gone."""
        for part in self._watching:
            mark(part, NOW, is_so=not self._model.is_over)
        mark(self._cut_off, THEN, is_so=not self._model.is_over)
        self._cut_off.layout.display = "none" if self._model.is_over else ""

    def _toggle_log(self, change: object) -> None:
        is_open = self.log_switch.value
        self.log_switch.description = "Hide log" if is_open else "Show log"
        self.log.layout.display = "block" if is_open else "none"
        if is_open:
            self._draw_log()

    def _draw_log(self) -> None:
        text = escape(self._model.log_text) or "Nothing printed yet."
        # Laid out from the bottom, so that the newest line stays in sight when the text is replaced.
        self.log.value = (
            '<div tabindex="0" role="log" aria-label="Build log" style="display:flex;flex-direction:column-reverse;'
            'max-height:18em;overflow:auto;border:1px solid var(--jp-border-color1,#bbb);padding:0 .5em">'
            f'<pre style="margin:0;line-height:1.35;flex:none;overflow:visible">{text}</pre></div>'
        )


def _status_html(model: BuildProgress) -> str:
    problem = f"<br>{escape(model.error)}" if model.error and not model.is_over else ""
    return (
        '<div role="status" style="line-height:1.5;overflow-wrap:anywhere;white-space:pre-line">'
        f"<strong>{escape(model.title)}: {model.state}.</strong> "
        f"{escape(model.status)}{problem}</div>"
    )


def hear_while_busy(widget: ipywidgets.Widget) -> None:
    """Let a click reach the kernel while a cell runs.

    Notes
    -----
    JupyterLab ≥ 4.4 sends clicks to a subshell, a second thread of the kernel. ipykernel 7.4 hands them
    on to whichever shell spoke last through the same comm, and that is the busy one: so make it forget.
    With an ipykernel that has no subshells a click waits for the cell; interrupting works everywhere.
    """
    if widget.comm is not None:
        vars(widget.comm).pop("_reply_subshell_id", None)
