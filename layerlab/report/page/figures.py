"""Turns the outputs of a notebook into HTML that a page without kernel or network can show.

nbconvert drops Plotly's MIME type, and shows widgets only with a script from elsewhere.
"""

from __future__ import annotations

import html
import importlib.util
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
SCRIPTS = (
    "application/javascript",
    "application/vnd.jupyter.widget-state+json",
    "application/vnd.jupyter.es6-rich-output",
)


def make_static(notebook: Any, *, name: str) -> Any:
    """Rewrite, in place, every figure as a div that the page's script draws, every widget as its text.

    Parameters
    ----------
    name
        Prefix of the figures' ids, so that they stay unique over several notebooks.
    """
    number = 0
    for data in _bundles(notebook):
        for mime in SCRIPTS:
            data.pop(mime, None)
        data.pop(WIDGET, None)
        if PLOTLY in data:
            number += 1
            figure = data.pop(PLOTLY)
            data["text/html"] = figure_html(figure, twin=_twin(data), identifier=f"{name}-figure-{number}")
    notebook.metadata.pop("widgets", None)
    return notebook


def plotly_js() -> str:
    """Read plotly.js as the Python package ships it; importing plotly itself isn't needed for that."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None, "plotly is a dependency of this package"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def drawing_js() -> str:
    """Read the script that draws every figure of a page."""
    return (files("layerlab.report.page") / "page.js").read_text(encoding="utf-8")


def _bundles(notebook: Any) -> Iterator[dict[str, Any]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output["data"]


def _twin(data: Mapping[str, Any]) -> str:
    """Take the figure's table: its HTML, else its text, unless that is only Python's repr."""
    if "text/html" in data:
        return str(data["text/html"])
    text = str(data.get("text/plain", ""))
    return "" if not text or text.startswith(("Figure(", "<")) else f"<pre>{html.escape(text)}</pre>"


def figure_html(figure: Mapping[str, Any], *, twin: str, identifier: str) -> str:
    """Give the place of a figure and its data for `page.js`, with its twin (HTML, or nothing) behind a fold."""
    layout = figure.get("layout", {})
    meta, title = layout.get("meta", {}), layout.get("title", {})
    # Our own figures carry what they say in words; others have a title at most.
    text = meta.get("alt", "") if isinstance(meta, Mapping) else ""
    text = text or (title.get("text", "") if isinstance(title, Mapping) else str(title))
    # `<` is escaped in JSON, or a "</script>" in a label would end the block.
    content = json.dumps({"data": figure.get("data", []), "layout": layout}).replace("<", "\\u003c")
    fold = f"<details><summary>The same as a table</summary>{twin}</details>" if twin else ""
    height = layout.get("height", 450)
    return (
        f'<figure class="plot"><div id="{identifier}" role="group" aria-label="{html.escape(text or "figure")}" '
        f'style="min-height:{height}px"></div>'
        f'<script type="application/json" class="plot-data" data-for="{identifier}">{content}</script>'
        f"{fold}</figure>"
    )
