"""What must not be seen before the experiment is over: a place that fills itself then. Knows an explorer's traits."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from traitlets import Bool, HasTraits

if TYPE_CHECKING:
    from layerlab.widgets.explorer.explorer import Explorer

SAYS = "This opens once your builds are spent, or when you press Stop here in the panel above."


class HiddenFigure(HasTraits):
    """Shows a figure when the explorer's map is open, once."""

    is_open = Bool(False)

    def __init__(self, explorer: Explorer, show: Callable[[], Any]) -> None:
        super().__init__()
        self.shown: Any = None
        self._show = show
        self._view: Any = None
        explorer.observe(self._on_open, "is_open")

    @property
    def text(self) -> str:
        """What it says while it is closed."""
        return SAYS

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            self._view = _view(self)
        return self._view

    def _on_open(self, change: Any) -> None:
        if change["new"] and not self.is_open:
            self.shown = self._show()
            self.is_open = True

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text)


def _view(hidden_figure: HiddenFigure) -> Any:
    import ipywidgets as widgets

    note = widgets.HTML(f'<p role="status">{escape(hidden_figure.text)}</p>')
    place = widgets.Output()

    def opened(_: Any = None) -> None:
        note.value = '<p role="status">Open:</p>'
        # It goes in by its own MIME types; printing it into the Output would need a kernel message.
        place.append_display_data(hidden_figure.shown)

    hidden_figure.observe(opened, "is_open")
    return widgets.VBox([note, place])
