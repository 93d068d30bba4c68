"""One line under a cell that says what runs, for calls that no panel shows and that take longer than 2 s."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from typing import Any

from layerlab import narration, units
from layerlab.errors import SetupError
from layerlab.widgets.job import threaded

AFTER_SECONDS = 2.0
_REDRAW_SECONDS = 0.5


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say below the cell what runs, once it takes longer than `AFTER_SECONDS`; the line goes when it is over.

    It begins with ``what`` and goes on with what `layerlab.narration` tells. Where somebody listens already, such as a
    panel or the same line of an outer call, they are told instead; outside a notebook nothing is shown.
    """
    from IPython import get_ipython

    if narration.is_heard() or get_ipython() is None:
        narration.tell(what)
        yield
        return
    line = _Line(what)
    line.start()
    try:
        with narration.heard(line.tell):
            yield
    finally:
        line.end()


class _Line:
    """The line: drawn by a thread of its own, because the call that it speaks of holds the cell's."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._over, self._gone = threading.Event(), threading.Event()
        self._began = time.monotonic()

    def start(self) -> None:
        """Begin to wait; nothing is shown yet, and never where no thread can start: the call itself needs none."""
        try:
            # It belongs to this cell: what it displays goes below it.
            threaded(partial(contextvars.copy_context().run, self._run), "layerlab-waiting")
        except SetupError:
            self._gone.set()

    def tell(self, what: str) -> None:
        """Take in what begins now."""
        self._what = what

    def end(self) -> None:
        """Take the line away."""
        self._over.set()
        self._gone.wait()

    def _run(self) -> None:
        try:
            self._draw()
        finally:
            self._gone.set()

    def _draw(self) -> None:
        if self._over.wait(AFTER_SECONDS):
            return
        shown = _show(self._text)
        while not self._over.wait(_REDRAW_SECONDS):
            _update(shown, self._text)
        _update(shown, "")

    @property
    def _text(self) -> str:
        return f"{self._what[:1].upper()}{self._what[1:]} … {units.duration(time.monotonic() - self._began)}"


def _show(text: str) -> Any:
    from IPython.display import display

    return display(_bundle(text), raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _update(shown: Any, text: str) -> None:
    shown.update(_bundle(text), raw=True)


def _bundle(text: str) -> dict[str, str]:
    # No status role: read out twice a second it would drown everything else.
    return {"text/plain": text, "text/html": f"<div>{escape(text)}</div>" if text else ""}
