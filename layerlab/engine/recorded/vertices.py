"""Reads BuildKit's SolveStatus: what each step did, apart from when the others did theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from layerlab.engine.protocol import RawEvent
from layerlab.engine.recorded import transcript

_STEP = re.compile(r"^\[(?:\S+/\S+ )?(?:(?P<stage>\S+) +)?(?P<index>\d+)/\d+\] (?P<text>.*)$", re.DOTALL)
_STOPPED = "context canceled"  # another step failed
_LINK = "LINK "  # what puts the files of a COPY --link onto the image; the copying has a vertex of its own


@dataclass
class Vertex:
    """One step. It may work several times, first to look into the cache; ``seconds`` are those of all."""

    stage: str
    index: int
    text: str
    is_cached: bool = False
    error: str = ""
    logs: list[tuple[float, str]] = field(default_factory=list)
    _worked: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Time at work, in seconds."""
        return round(sum(self._worked.values()), 3)

    @property
    def has_run(self) -> bool:
        """True where it was at work and came to an end of its own, good or bad; a FROM looks into the cache as well."""
        return bool(self._worked) and (not self.is_cached or self.text.startswith("FROM "))

    def take(self, vertex: Mapping[str, Any]) -> None:
        """Note what a status says of it."""
        started, completed, error = (vertex.get(name) for name in ("started", "completed", "error"))
        self.is_cached = self.is_cached or bool(vertex.get("cached"))
        if error and _STOPPED not in error:
            self.error = str(error)
        if started and completed and not (error and _STOPPED in error):
            self._worked[started] = _seconds(completed) - _seconds(started)


def read(events: Iterable[RawEvent]) -> list[Vertex]:
    """Return the steps of a build, in the order in which they were announced; both halves of a COPY --link as one."""
    steps: dict[tuple[str, int], Vertex] = {}
    by_digest: dict[str, Vertex] = {}
    started: dict[str, str] = {}
    for event in events:
        for one in event.data.get("vertexes") or ():
            if match := _STEP.match(one.get("name") or ""):
                # A lone stage without a name is called nothing, or "stage-0" where the context came as an archive.
                place = match["stage"] or "stage-0", int(match["index"])
                found = steps.setdefault(place, Vertex(*place, match["text"].removeprefix(_LINK)))
                by_digest[one["digest"]] = found
                started[one["digest"]] = one.get("started") or started.get(one["digest"], "")
                found.take(one)
        for log in event.data.get("logs") or ():
            vertex, began = by_digest.get(log["vertex"]), started.get(log["vertex"])
            if vertex and began and not transcript.is_progress(log["data"]):
                at = _seconds(log["timestamp"]) - _seconds(began)
                vertex.logs.append((round(max(at, 0.0), 3), str(log["data"])))
    return list(steps.values())


def shortened(logs: list[tuple[float, str]]) -> list[list[Any]]:
    """Return a log as it is recorded: the middle of a long one is left out."""
    events = transcript.shortened([RawEvent(at, {"stream": data}) for at, data in logs])
    return [[event.at, event.data["stream"]] for event in events]


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
