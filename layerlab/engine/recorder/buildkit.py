"""A live build by BuildKit that is written down, as a whole, when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from layerlab.engine.protocol import BuildHandle, BuildRequest, RawEvent
from layerlab.engine.recorded import transcript
from layerlab.engine.recorded.buildkit_builds import cache_state, chain_of, foundation, remember, solve_key
from layerlab.engine.recorded.chains import SCRATCH
from layerlab.engine.recorded.steps import BuildEnvironment, PlannedStep, plan
from layerlab.engine.recorded.store import Payload
from layerlab.engine.recorder.session import Session, without_storage

_NOTHING: Payload = {"parent": SCRATCH, "history": [], "diff_ids": [], "inspect": None}


class RecordingBuildKit:
    """See `layerlab.engine.protocol.BuildHandle`. A cancelled or broken build leaves no recording."""

    def __init__(self, request: BuildRequest, *, session: Session, environment: BuildEnvironment) -> None:
        session.empty_build_cache()
        self._request = request
        self._session = session
        self._around = environment
        self._handle: BuildHandle = session.live.build(request)

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._handle.image_id

    def cancel(self) -> None:
        """End the build soon; nothing of it is recorded."""
        self._handle.cancel()

    def __iter__(self) -> Iterator[RawEvent]:
        """Yield the live events, then write them down with the image they led to."""
        events: list[RawEvent] = []
        for event in self._handle:
            events.append(event)
            yield event
        self._record(events)

    def _record(self, events: list[RawEvent]) -> None:
        # Only now, for a base that this build pulled has an ENV only now.
        steps = plan(self._request, self._around)
        for image in dict.fromkeys(image for step in steps for image in step.images):
            self._session.record_base(image)
        key = solve_key(self._request, steps)
        known = self._session.recordings.read("solves", key) or {**_NOTHING, "runs": {}}
        state = cache_state(self._request, steps, self._session.session_images)
        made = self._image(steps) if known["inspect"] is None else {}
        run = {"failed": self.image_id is None, "events": _plain(events)}
        runs = {**known["runs"], state: self._session.redactor.value(run)}
        self._session.recordings.write("solves", key, {**known, **made, "runs": runs})
        if self.image_id:
            self._shelve(self.image_id, steps)

    def _shelve(self, image_id: str, steps: tuple[PlannedStep, ...]) -> None:
        session_images = self._session.session_images
        session_images.add(image_id, chain_of(self._request, steps))
        if self._request.tag:
            session_images.tag(self._request.tag, image_id)
        remember(steps, session_images)

    def _image(self, steps: tuple[PlannedStep, ...]) -> Payload:
        """Describe the image, with the history entries (newest first) and layers that it has beyond its base."""
        if self.image_id is None:
            return {}
        live, base = self._session.live, foundation(steps)
        history, inspect = live.history(self.image_id), live.inspect(self.image_id)
        layers = list(inspect["RootFS"].get("Layers") or ())
        if base.base:
            history = history[: len(history) - len(live.history(base.base))]
            layers = layers[len(live.inspect(base.base)["RootFS"].get("Layers") or ()) :]
        found = {
            "parent": base.parent,
            "history": [{**entry, "Tags": None} for entry in history],
            "diff_ids": layers,
            "inspect": {**without_storage(inspect), "RepoTags": []},
        }
        return self._session.redactor.value(found)


def _plain(events: list[RawEvent]) -> list[list[Any]]:
    """Leave out what is neither a step's own nor an end: bytes transferred, and what BuildKit does for itself."""
    steps: set[str] = set()
    kept = []
    for event in events:
        data = _of_steps(event.data, steps)
        if data:
            kept.append(RawEvent(event.at, data))
    return [[round(event.at, 3), dict(event.data)] for event in kept]


def _of_steps(data: Mapping[str, Any], steps: set[str]) -> Payload:
    if not any(name in data for name in ("vertexes", "logs", "statuses")):
        return dict(data)
    steps |= {one["digest"] for one in data.get("vertexes") or () if one["name"].startswith("[")}
    found = {
        "vertexes": [one for one in data.get("vertexes") or () if one["digest"] in steps],
        "logs": [
            log for log in data.get("logs") or () if log["vertex"] in steps and not transcript.is_progress(log["data"])
        ],
    }
    return {name: ones for name, ones in found.items() if ones}
