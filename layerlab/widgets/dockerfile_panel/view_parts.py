"""Gauge, changes and attempts as HTML, each with the same words as the text twin. Draws what it is given."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from layerlab.figures.palette import ADDED, BASE, WASTED, Mark
from layerlab.units import as_html
from layerlab.widgets.dockerfile_panel import text_twin
from layerlab.work.attempts import COLUMNS

if TYPE_CHECKING:
    from layerlab.checks import Sizes
    from layerlab.widgets.dockerfile_panel.panel import DockerfilePanel

_SIGNS = {"+": ("ins", "600"), "-": ("del", "400")}


def gauge(panel: DockerfilePanel) -> str:
    """Draw one bar of base, need and luggage under its words."""
    sizes = panel.sizes
    words = f"<p>{escape(text_twin.gauge_line(panel))}</p>"
    return words + (_bar(sizes) if sizes else "")


def verdict(panel: DockerfilePanel) -> str:
    """Draw the last verdict, the lines it names, and the hints under it, folded."""
    verdicts = panel.verdicts
    if verdicts is None:
        return ""
    quoted = "".join(f"<p><code>{escape(line)}</code></p>" for line in text_twin.quoted_lines(panel))
    hints = "".join(
        f"<details><summary>{escape(title)}</summary><p>{as_html(text)}</p></details>" for title, text in panel.hints
    )
    return f'{verdicts._repr_html_()}<div style="overflow-wrap:anywhere">{quoted}{hints}</div>'


def difference(panel: DockerfilePanel) -> str:
    """Draw what was changed against the starter, line by line."""
    lines = "\n".join(_diff_line(line) for line in text_twin.difference(panel.file.starter, panel.value))
    return (
        "<p>Against the starter: + added, - removed.</p>"
        '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.4;margin:0">'
        f"{lines}</pre>"
    )


def attempts(panel: DockerfilePanel) -> str:
    """Draw the newest attempts as a table."""
    rows = text_twin.shown_attempts(panel)
    if not rows:
        return "<p>No attempts yet.</p>"
    heads = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in tried.cells) + "</tr>" for tried in rows)
    return (
        '<table style="line-height:1.5;text-align:left;border-spacing:0.8em 0;overflow-wrap:anywhere">'
        f'<caption style="text-align:left">Newest first</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _bar(sizes: Sizes) -> str:
    parts = (
        ("base", sizes.base_bytes, BASE),
        ("needed", sizes.needed_bytes, ADDED),
        ("luggage", sizes.luggage_bytes, WASTED),
    )
    total = max(1, sum(count for _, count, _ in parts))
    segments = "".join(_segment(count / total, mark) for _, count, mark in parts if count > 0)
    keys = "".join(
        f'<span style="white-space:nowrap;margin-right:1.5em">{_key(mark)} {name}</span>' for name, _, mark in parts
    )
    # The words above say the same, so the picture is left out of what is read aloud.
    return (
        '<div aria-hidden="true"><div style="display:flex;height:1.6em;border:1px solid #4d5a66">'
        f"{segments}</div><p>{keys}</p></div>"
    )


def _segment(share: float, mark: Mark) -> str:
    return f'<span style="flex:0 1 {share:.2%};min-width:2px;{_fill(mark)}"></span>'


def _key(mark: Mark) -> str:
    return f'<span style="display:inline-block;width:1em;height:1em;vertical-align:-0.15em;{_fill(mark)}"></span>'


def _fill(mark: Mark) -> str:
    # Told apart without colour too: as in the figures, each meaning has its hatching.
    hatch = {"/": "45deg", "x": "-45deg"}.get(mark.pattern)
    stripes = f"repeating-linear-gradient({hatch},transparent 0 5px,rgba(255,255,255,.55) 5px 7px)," if hatch else ""
    return f"background:{stripes}linear-gradient({mark.fill},{mark.fill})"


def _diff_line(line: str) -> str:
    tag, weight = _SIGNS.get(line[:1], ("span", "400"))
    # Underlining and striking through whole lines is hard to read: the sign says it, the weight helps.
    return f'<{tag} style="text-decoration:none;font-weight:{weight}">{escape(line)}</{tag}>'
