"""One normal form for the events of a build, whatever builder sent them. Knows text, not engines.

Parsers take (seconds, raw dict) pairs and yield the events of `layerlab.events.model`, in order. They keep no
clock of their own and never raise on text they do not know.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from layerlab.events.buildkit import VertexReader
from layerlab.events.lines import LineReader
from layerlab.events.model import (
    Event,
    Failed,
    PullProgress,
    StepCached,
    StepFinished,
    StepOutput,
    StepStarted,
    Succeeded,
)

__all__ = [
    "Event", "Failed", "PullProgress", "StepCached", "StepFinished", "StepOutput", "StepStarted", "Succeeded", "parse",
]  # fmt: skip


def parse(raw: Iterable[tuple[float, Mapping[str, Any]]]) -> Iterator[Event]:
    """Turn the events of a build into the normal form; the first one tells which builder speaks.

    Notes
    -----
    Lines: Docker Engine 20.10 (``{"stream"}``, ``{"aux": {"ID"}}`` at each stage's end,
    ``{"error", "errorDetail"}``) and Podman 4.3: ids of 11 digits after each step but FROM, ``aux`` for the
    image only, parse errors among the events, the exit code in the error's text only.
    Graphs: BuildKit's SolveStatus, as `docker buildx build --progress=rawjson` prints it.
    """
    events = iter(raw)
    for first in events:
        is_graph = any(key in first[1] for key in ("vertexes", "statuses", "logs"))
        reader: VertexReader | LineReader = VertexReader() if is_graph else LineReader()
        yield from reader.events(itertools.chain([first], events))
