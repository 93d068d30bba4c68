"""Finds what a page would fetch from elsewhere when it is opened. Links that wait for a click don't count."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Attributes a browser follows by itself. `href` loads only on <link>: on <a> it waits for the reader.
_LOADING = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
_ADDRESS = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
_STYLE_LOADS = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


def external_loads(page: str) -> tuple[str, ...]:
    """List the addresses a browser would fetch on opening ``page``, as ``tag: address``."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return tuple(finder.found)


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if name in _LOADING.get(tag, ()) and _ADDRESS.match(value or ""):
                self.found.append(f"{tag}: {value}")
            elif name == "style":
                self._look_at_style(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._look_at_style(data)

    def _look_at_style(self, css: str) -> None:
        self.found += [f"style: {address}" for address in _STYLE_LOADS.findall(css)]
