"""Puts notebooks together as chapters of one page, with its style, its script and plotly.js inside it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from layerlab.report.page.figures import drawing_js, make_static, plotly_js


@dataclass(frozen=True)
class Chapter:
    """One notebook as HTML: its name, its title, and its sections as (id, title)."""

    name: str
    title: str
    sections: tuple[tuple[str, str], ...]
    body: str


def course_page(notebooks: Sequence[tuple[str, Any]], *, title: str, remark: str) -> str:
    """Give one self-contained HTML page.

    Parameters
    ----------
    notebooks
        ``(name, notebook)`` in the order of the course; a name is a notebook's file name without suffix.
    remark
        One sentence under the title: on which engine, and when.
    """
    chapters = [chapter(name, notebook) for name, notebook in notebooks]
    return Template(_part("page.html")).substitute(
        title=html.escape(title),
        remark=html.escape(remark),
        style=_part("page.css") + _highlighting(),
        contents="\n".join(_contents(chapters)),
        chapters="\n".join(f'<section id="{one.name}">{one.body}</section>' for one in chapters),
        plotly=plotly_js() if any("plot-data" in one.body for one in chapters) else "",
        draw=drawing_js(),
    )


def chapter(name: str, notebook: Any) -> Chapter:
    """Render one notebook; ids and links are made unique to it, so that chapters can share a page."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
    )
    body, _ = exporter.from_notebook_node(make_static(notebook, name=name))
    body = re.sub(r'<a [^>]*?class="anchor-link".*?</a>', "", body)  # without them, headings get no ids
    body = re.sub(r'(<h[1-6][^>]*? id=")([^"]*)"', rf'\g<1>{name}--\g<2>"', body)
    body = re.sub(r'(<[^>]+ id=")(cell-id=[^"]*)"', rf'\g<1>{name}--\g<2>"', body)
    body = re.sub(r'(<a [^>]*?href=")#([^"]*)"', rf'\g<1>#{name}--\g<2>"', body)
    body = re.sub(r'(<a [^>]*?href=")(?:\./)?(\d\d_\w+)\.ipynb(?:#[^"]*)?"', r'\g<1>#\g<2>"', body)
    headings = re.findall(r'<h([12])[^>]*? id="([^"]*)"[^>]*>(.*?)</h\1>', body, re.DOTALL)
    titles = [_plain(text) for level, _, text in headings if level == "1"]
    sections = tuple((identifier, _plain(text)) for level, identifier, text in headings if level == "2")
    return Chapter(name, titles[0] if titles else name, sections, body)


def _contents(chapters: Sequence[Chapter]) -> Iterator[str]:
    for one in chapters:
        yield f'<li><a href="#{one.name}">{html.escape(one.title)}</a>'
        if one.sections:
            items = (f'<li><a href="#{at}">{html.escape(text)}</a></li>' for at, text in one.sections)
            yield f"<ol>{''.join(items)}</ol>"
        yield "</li>"


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _part(name: str) -> str:
    return (files("layerlab.report.page") / name).read_text(encoding="utf-8")


def _highlighting() -> str:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    return str(HtmlFormatter(style="default").get_style_defs(".highlight"))
