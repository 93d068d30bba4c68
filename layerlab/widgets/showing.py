"""How every panel is displayed: its widgets, its text, and what it says once its kernel has gone.

A kernel that is gone cannot say so. JupyterLab marks the widgets it has left behind with a class; the style here
then hides what would look alive, and shows what is true from then on.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

# True only while the kernel runs, and only once it has gone: classes for widgets and for what an HTML widget holds.
NOW, THEN = "layerlab-now", "layerlab-then"

# Of every panel; and of one that was saved before the learner's files were written the last time.
PANEL, OLDER = "layerlab-shown", "layerlab-older"
_GONE = f".{PANEL}.jupyter-widgets-disconnected"
# A long text that was typed stays in sight: it may be saved nowhere else.
_STAYS = ".widget-box, .widget-html, .widget-textarea, .jupyter-widgets-output-area, .widget-output"
_STYLE = f"""<style>
.{THEN} {{ display: none !important; }}
{_GONE} .{THEN} {{ display: block !important; }}
{_GONE} .{NOW} {{ display: none !important; }}
{_GONE} .jupyter-widgets-disconnected:not({_STAYS}) {{ display: none !important; }}
{_GONE} textarea {{ opacity: 0.6; cursor: not-allowed; }}
/* JupyterLab's icon of a broken link, one for each widget */
{_GONE}::before, {_GONE} .jupyter-widgets-disconnected::before {{ content: none !important; }}
.{OLDER} > :not(.{THEN}), .{OLDER} .{THEN} p.layerlab-stopped {{ display: none !important; }}
.{PANEL}.{OLDER} > .{THEN}, .{OLDER} .{THEN} p.layerlab-behind {{ display: block !important; }}
.{THEN} p.layerlab-behind {{ display: none; }}
.{THEN} p {{ border-left: 3px solid var(--jp-brand-color1, #1976d2); padding-left: 0.6em; line-height: 1.5; }}
</style>"""
_SAYS = (
    "The kernel has stopped since this cell ran: nothing here responds, and it may be older than your last answer. "
    "To go on, run the notebook's first code cell and then this one. What you saved is safe; copy first what you "
    "typed and did not save."
)
_BEHIND = (
    "This page was saved before your last answer in this chapter, so what stood here may be out of date. Run the "
    "notebook's first code cell and then this one to see where you are; what you saved is safe."
)


def bundle(view: widgets.DOMWidget, text: str, html: str = "") -> dict[str, Any]:
    """Return what a panel's ``_repr_mimebundle_`` returns: the widgets, and the text for whoever has none."""
    note = widgets.HTML(f'{_STYLE}<p class="layerlab-stopped">{_SAYS}</p><p class="layerlab-behind">{_BEHIND}</p>')
    note.add_class(THEN)
    shown = widgets.VBox([view, note], layout={"width": "auto", "overflow": "hidden"})
    shown.add_class(PANEL)
    return {**shown._repr_mimebundle_(), "text/plain": text, **({"text/html": html} if html else {})}


def mark(widget: widgets.DOMWidget, name: str, *, is_so: bool) -> None:
    """Give a widget one of the classes above, or take it away."""
    (widget.add_class if is_so else widget.remove_class)(name)
