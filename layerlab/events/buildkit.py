"""Events of BuildKit: not lines in a row but vertices of a graph, several at work at once.

What is read is BuildKit's SolveStatus in the form of `docker buildx build --progress=rawjson`, logs as text.
A vertex is a step where its name says so ("[builder 2/5] RUN …"); what BuildKit does for itself is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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

# "[builder 2/5] RUN …", "[2/5] RUN …" with one stage, "[linux/amd64 builder 2/5] RUN …" with several platforms.
_STEP = re.compile(r"^\[(?:\S+/\S+ )?(?:(?P<stage>\S+) +)?(?P<step>\d+)/(?P<of>\d+)\] (?P<text>.*)$", re.DOTALL)
_EXIT_CODE = re.compile(r"exit code: (\d+)\s*$")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LONGEST_LINE = 10_000
# A step that is stopped because another one failed has an error too.
_STOPPED = "context canceled"


@dataclass
class _Vertex:
    """One step; a vertex may work twice, first to look for what it copies and then to copy."""

    number: int
    stage: str
    stage_step: int
    stage_total: int
    text: str
    started: str | None = None
    completed: str | None = None
    pending: str = ""


class VertexReader:
    """State of one build: the steps announced so far, and which of them failed."""

    def __init__(self) -> None:
        self._steps: dict[str, _Vertex] = {}
        self._origin: float | None = None
        self._failed: int | None = None
        self._image: str | None = None

    def events(self, raw: Iterable[tuple[float, Mapping[str, Any]]]) -> Iterator[Event]:
        """Yield the normal form; see `layerlab.events.parse`."""
        at = 0.0
        rest = iter(raw)
        for at, event in rest:
            if "error" in event or "errorDetail" in event:
                yield from self._flush(at)
                yield self._failure(at, event)
                # Nothing follows, but whoever sends the events must get to the end of them to put away its things.
                for _ in rest:
                    pass
                return
            self._image = (event.get("aux") or {}).get("ID") or self._image
            yield from self._status(at, event)
        yield from self._flush(at)
        if self._image:
            yield Succeeded(at, self._image)

    def _status(self, at: float, event: Mapping[str, Any]) -> Iterator[Event]:
        vertexes = event.get("vertexes") or ()
        # All are announced before one of them runs, so that a total is a total.
        for vertex in vertexes:
            self._announce(at, vertex)
        for vertex in vertexes:
            if step := self._steps.get(vertex["digest"]):
                yield from self._moved(step, vertex)
        for log in event.get("logs") or ():
            if step := self._steps.get(log["vertex"]):
                yield from self._output(step, self._time(log.get("timestamp"), at), log.get("data", ""))
        for status in event.get("statuses") or ():
            if status.get("vertex") in self._steps and status.get("total"):
                yield PullProgress(
                    at, str(status.get("id")), "transferring", status.get("current") or 0, status["total"]
                )

    def _announce(self, at: float, vertex: Mapping[str, Any]) -> None:
        if self._origin is None and vertex.get("started"):
            self._origin = _seconds(vertex["started"]) - at
        if vertex["digest"] not in self._steps and (match := _STEP.match(vertex.get("name") or "")):
            number = len(self._steps) + 1
            self._steps[vertex["digest"]] = _Vertex(
                number, match["stage"] or "", int(match["step"]), int(match["of"]), match["text"]
            )

    def _moved(self, step: _Vertex, vertex: Mapping[str, Any]) -> Iterator[Event]:
        started, completed = vertex.get("started"), vertex.get("completed")
        if started and started != step.started:
            step.started = started
            yield StepStarted(
                self._time(started, 0.0), step.number, len(self._steps), step.text,
                stage=step.stage, stage_step=step.stage_step, stage_total=step.stage_total,
            )  # fmt: skip
        if (error := vertex.get("error")) and _STOPPED not in error:
            self._failed = step.number
        elif completed and completed != step.completed and not error:
            step.completed = completed
            at = self._time(completed, 0.0)
            yield from self._rest(step, at)
            # As with other builders: there is nothing to run of a base, so nothing of it is remembered.
            if vertex.get("cached") and not step.text.startswith("FROM "):
                yield StepCached(at, step.number)
            yield StepFinished(at, step.number, None)

    def _output(self, step: _Vertex, at: float, text: str) -> Iterator[Event]:
        *lines, step.pending = (step.pending + text).replace("\r\n", "\n").split("\n")
        for line in lines:
            yield from self._line(step, at, line)
        if len(step.pending) > _LONGEST_LINE:
            yield from self._rest(step, at)

    def _rest(self, step: _Vertex, at: float) -> Iterator[Event]:
        rest, step.pending = step.pending, ""
        yield from self._line(step, at, rest)

    def _line(self, step: _Vertex, at: float, line: str) -> Iterator[Event]:
        if plain := _ANSI.sub("", line).rstrip():
            yield StepOutput(at, step.number, plain)

    def _flush(self, at: float) -> Iterator[Event]:
        for step in self._steps.values():
            yield from self._rest(step, at)

    def _failure(self, at: float, event: Mapping[str, Any]) -> Failed:
        detail = event.get("errorDetail") or {}
        message = _ANSI.sub("", str(event.get("error") or detail.get("message") or "")).strip()
        match = _EXIT_CODE.search(message)
        return Failed(at, message, int(match[1]) if match else None, self._failed, detail.get("line"))

    def _time(self, stamp: str | None, otherwise: float) -> float:
        if not stamp or self._origin is None:
            return otherwise
        return max(0.0, _seconds(stamp) - self._origin)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
