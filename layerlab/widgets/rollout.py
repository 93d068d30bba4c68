"""Pull time over bandwidth and number of machines: arithmetic on measured bytes, with two sliders to move."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from traitlets import HasTraits, Int

from layerlab.units import duration, size

_BITS = 8
_MEGA = 1_000_000


class Rollout(HasTraits):
    """How long machines wait for an image that all of them fetch over one line; unpacking comes on top.

    Parameters
    ----------
    pulled_bytes
        Image → packed bytes that each machine lacks.
    """

    megabits = Int(1000)
    nodes = Int(50)

    def __init__(self, pulled_bytes: Mapping[str, int]) -> None:
        super().__init__()
        self.pulled_bytes = dict(pulled_bytes)
        self._view: Any = None

    def seconds(self, name: str) -> float:
        """Return how long it takes until the last machine has it."""
        return self.pulled_bytes[name] * _BITS * self.nodes / (self.megabits * _MEGA)

    @property
    def text(self) -> str:
        """All images as plain text."""
        machines = "1 machine" if self.nodes == 1 else f"{self.nodes} machines"
        head = f"{machines}, {self.megabits} Mbit/s for all of them together"
        rows = [
            f"{name:<20}{size(packed):>9} each {size(packed * self.nodes):>9} in all {duration(self.seconds(name)):>14}"
            for name, packed in self.pulled_bytes.items()
        ]
        return "\n".join([head, *rows])

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            self._view = _view(self)
        return self._view

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text, f"<pre>{escape(self.text)}</pre>")


def _view(model: Rollout) -> Any:
    import ipywidgets as widgets
    from traitlets import link

    style, layout = {"description_width": "9em"}, {"width": "34em"}
    line = widgets.SelectionSlider(
        options=[10, 25, 50, 100, 250, 1000, 2500, 10_000], description="line, Mbit/s", style=style, layout=layout
    )
    nodes = widgets.SelectionSlider(
        options=[1, 2, 5, 10, 20, 50, 100, 500], description="machines", style=style, layout=layout
    )
    link((model, "megabits"), (line, "value"))
    link((model, "nodes"), (nodes, "value"))
    said = widgets.HTML()

    def show(_: Any = None) -> None:
        said.value = f'<div role="status"><pre>{escape(model.text)}</pre></div>'

    model.observe(show, ["megabits", "nodes"])
    show()
    return widgets.VBox([line, nodes, said])
