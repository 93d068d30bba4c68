"""What runs right now, in a few words, for whoever waits. Knows nobody who listens, and prints nothing.

Whatever can take seconds says so with `tell`, however deep it lies; who wants to hear it wraps the work in `heard`.
Each thread has its own listener, so that two panels hear only their own work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]

_listener: ContextVar[Listener | None] = ContextVar("layerlab_narration", default=None)


def tell(what: str) -> None:
    """Say what begins now, as words that go on after "Now": ``asking /health (1 of 2)``."""
    if (listener := _listener.get()) is not None:
        listener(what)


def is_heard() -> bool:
    """True where somebody listens already."""
    return _listener.get() is not None


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Let ``listener`` hear what is told meanwhile in this thread; it is called often, so it has to be quick."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Put a subject before all that is told meanwhile: ``the service as it was: asking /health``."""
    outer = _listener.get()
    if outer is None:
        yield
        return
    with heard(lambda what: outer(f"{subject}: {what}")):
        yield
