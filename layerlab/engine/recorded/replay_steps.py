"""A build played back from steps of BuildKit. Runs nothing: no thread, no process, no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from layerlab.engine.protocol import RawEvent
from layerlab.engine.recorded.buildkit_plan import Plan, Step, plan
from layerlab.engine.recorded.buildkit_session import EMPTY, mounts_state, remember
from layerlab.engine.recorded.replay import Replay
from layerlab.engine.recorded.store import Payload
from layerlab.errors import NotRecorded

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # any day: only differences are read
_SHOWN = 90
_START = "To build it for real, start an engine (`layerlab doctor` says how)."


@dataclass(frozen=True)
class _Played:
    """A step with the seconds at which it begins and ends, counted from the beginning of the build."""

    step: Step
    text: str
    run: Payload
    began: float
    ended: float
    is_cached: bool


class ReplayedSteps(Replay):
    """A build by BuildKit.

    A step begins when all that it waits for is over, so stages run side by side. Steps that ran earlier in this
    session come from the cache, as on an engine that was empty when the session began. A step that is not recorded
    stops its own stage and those that need it; NotRecorded comes when the others are over.
    """

    def _events(self) -> Iterator[RawEvent]:
        planned = plan(self._request, self._around)
        if refusal := self._recordings.read("refusals", planned.key):
            yield from (RawEvent(at, data) for at, data in refusal["events"])
            return
        played, missing = self._played(planned)
        failed = min((one for one in played if one.run["error"]), key=lambda one: one.ended, default=None)
        end = failed.ended if failed else max((one.ended for one in played), default=0.0)
        yield RawEvent(0.0, {"vertexes": [_vertex(one) for one in played]})
        yield from (event for event in _in_order(played) if event.at <= end)
        remember((one.step for one in played if one.ended <= end and not one.run["error"]), self._session_images)
        if failed:
            message = failed.run["message"]
            yield RawEvent(end, {"error": message, "errorDetail": {"message": message}})
        elif missing:
            raise self._not_recorded(planned, missing, len(played))
        else:
            yield self._finish(planned, end)

    def _played(self, planned: Plan) -> tuple[list[_Played], Step | None]:
        """Return the steps that can be played, and the first in the file that cannot."""
        played: dict[str, _Played] = {}
        missing: Step | None = None
        for step in planned.steps:
            found = self._recordings.read("vertices", step.key)
            waited = [played.get(key) for key in step.waits_for]
            if found is None and None not in waited:
                missing = missing or step
            before = [one for one in waited if one and not one.run["error"]]
            if found is None or len(before) < len(waited):
                continue
            began = max((one.ended for one in before), default=0.0)
            state = mounts_state(step, self._session_images, no_cache=self._request.no_cache)
            run = found["runs"].get(state) or found["runs"].get(EMPTY) or next(iter(found["runs"].values()))
            may_be_cached = step.base is not None or not self._request.no_cache
            is_cached = may_be_cached and step.key in self._session_images.cache
            ended = began if is_cached else began + float(run["seconds"])
            played[step.key] = _Played(step, found["text"], run, began, ended, is_cached)
        return list(played.values()), missing

    def _finish(self, planned: Plan, end: float) -> RawEvent:
        chain = planned.target.image
        if not self._chains.is_recorded(chain):
            last = self._request.context.dockerfile.stages[planned.target.index].instructions[-1:]
            raise NotRecorded(
                f"All steps of this build are recorded, and the image that they make with the rest of these lines is "
                f"not. {_START}",
                line=last[0].line if last else None,
                instruction=last[0].logical if last else None,
            )
        self._made(self._chains.image_id(chain), chain)
        return RawEvent(end, {"aux": {"ID": self._image_id}})

    def _not_recorded(self, planned: Plan, step: Step, replayed: int) -> NotRecorded:
        one, instructions = step.instruction, self._request.context.dockerfile.instructions
        number = next((n for n, each in enumerate(instructions, start=1) if each.line == one.line), 1)
        total = len(planned.steps)
        others = {0: "", 1: " One other step was replayed."}.get(
            replayed, f" {replayed} of the {total} steps were replayed."
        )
        return NotRecorded(
            f"`{_cut(one.logical)}` (line {one.line}) is not recorded.{others}{self._hint(step)} {_START}",
            step=number,
            total=len(instructions),
            instruction=one.logical,
            line=one.line,
            replayed=replayed,
        )

    def _hint(self, step: Step) -> str:
        if step.base is not None:
            bases = ", ".join(link["reference"] for _, link in self._recordings.all("bases"))
            return f" The bases recorded are: {bases}." if bases else " No base is recorded."
        # What is recorded in its place is never quoted: a learner is shown this, and it may be the solution.
        after = (one["instruction"] for _, one in self._recordings.all("vertices") if one["parent"] == step.parent)
        return " It is recorded with other files or build arguments." if step.instruction.logical in after else ""


def _in_order(played: list[_Played]) -> list[RawEvent]:
    events = [(event, place) for place, one in enumerate(played) for event in _own_events(one)]
    return [event for event, _ in sorted(events, key=lambda pair: (pair[0].at, pair[1]))]


def _own_events(one: _Played) -> Iterator[RawEvent]:
    """Yield what BuildKit says of one step, in the form of ``docker buildx build --progress=rawjson``."""
    vertex = _vertex(one)
    begun = {**vertex, "started": _stamp(one.began)}
    over = {**begun, "completed": _stamp(one.ended)}
    if one.is_cached:
        yield RawEvent(one.ended, {"vertexes": [{**over, "cached": True}]})
        return
    yield RawEvent(one.began, {"vertexes": [begun]})
    for after, data in one.run["logs"]:
        at = min(one.began + after, one.ended)
        log = {"vertex": vertex["digest"], "stream": 1, "data": data, "timestamp": _stamp(at)}
        yield RawEvent(at, {"logs": [log]})
    error = {"error": one.run["error"]} if one.run["error"] else {}
    yield RawEvent(one.ended, {"vertexes": [{**over, **error}]})


def _vertex(one: _Played) -> dict[str, Any]:
    return {"digest": f"sha256:{one.step.key:0<64}", "name": one.step.name(one.text)}


def _stamp(at: float) -> str:
    return (_BEGAN + timedelta(seconds=at)).isoformat()


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
