"""A build of which only the events are known, as an engine sent them."""

from __future__ import annotations

from fake_engine import FakeEngine

from layerlab import build
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, RawEvent


class Handle:
    """A build that says what it is given, and makes no image."""

    image_id = None

    def __init__(self, events):
        self._events = events

    def __iter__(self):
        return iter(RawEvent(at, event) for at, event in self._events)

    def cancel(self):
        pass


def begun(folder, text, events):
    context = BuildContext.open(folder, dockerfile_text=text)
    return build.Build(FakeEngine(), Handle(events), BuildRequest(context=context))
