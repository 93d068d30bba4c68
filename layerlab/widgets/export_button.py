"""A button that writes one file when it is pressed, and then offers it. Knows no content of that file."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Protocol

from traitlets import HasTraits, Unicode

from layerlab.errors import LayerLabError


class Written(Protocol):
    """What came of it."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def text(self) -> str:
        """What happened, in a sentence or more."""


class ExportButton(HasTraits):
    """Writes nothing before it is pressed, so running a notebook headless leaves no file behind."""

    status = Unicode("")

    def __init__(self, export: Callable[[], Written], *, reminder: str = "") -> None:
        super().__init__()
        self.reminder = reminder
        self.path: Path | None = None
        self._export = export
        self._view: Any = None

    def press(self) -> None:
        """Write the file, or say why that could not be."""
        try:
            written = self._export()
        except LayerLabError as error:
            self.path, self.status = None, str(error)
        else:
            self.path, self.status = written.path, written.text

    @property
    def link(self) -> str:
        """A link to the file as HTML, from the folder of the notebook; empty before there is one."""
        if self.path is None:
            return ""
        address = Path(os.path.relpath(self.path)).as_posix()
        # "download", because JupyterLab otherwise opens the file in a tab.
        return f'<a href="{escape(address, quote=True)}" download>Download {escape(self.path.name)}</a>'

    @property
    def text(self) -> str:
        """The button as plain text."""
        how = "Without a button: `layerlab progress export` in a terminal."
        return "\n".join(line for line in (self.reminder, self.status or how) if line)

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            self._view = _view(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text, f"<pre>{escape(self.text)}</pre>")


def _view(model: ExportButton) -> Any:
    import ipywidgets as widgets

    button = widgets.Button(
        description="Export my progress",
        tooltip="Write your answers, predictions and Dockerfiles to one file",
        layout={"width": "max-content"},
    )
    said = widgets.HTML(_said(model.reminder))
    place = widgets.Output()

    def pressed(_: Any) -> None:
        model.press()
        said.value = _said("\n".join(filter(None, (model.reminder, model.status))))
        # As a display and not in the HTML widget: only there JupyterLab makes a path an address.
        place.outputs = ()
        if model.link:
            place.append_display_data(_Html(model.link))

    button.on_click(pressed)
    return widgets.VBox([button, said, place])


def _said(text: str) -> str:
    return f'<div role="status">{"<br>".join(escape(line) for line in text.splitlines())}</div>'


class _Html:
    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html
