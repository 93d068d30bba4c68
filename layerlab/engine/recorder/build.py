"""A live build that is cut into steps and written down when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from layerlab.engine.protocol import BuildHandle, BuildRequest, RawEvent
from layerlab.engine.recorded import transcript
from layerlab.engine.recorded.steps import BuildEnvironment, PlannedStep, plan, plan_key
from layerlab.engine.recorded.store import Payload
from layerlab.engine.recorded.transcript import StepLog
from layerlab.engine.recorder.session import Session, without_storage
from layerlab.errors import ContextError, DockerfileError, EngineRefused, ImageNotFound

# What the builder says to the whole file before it runs a step; it would say the same again.
_REFUSALS = (DockerfileError, EngineRefused, ContextError)
_UNKNOWN: tuple[list[Payload], list[str]] = ([], [])


class RecordingBuild:
    """See `layerlab.engine.protocol.BuildHandle`. A cancelled or broken build leaves no recording."""

    def __init__(self, request: BuildRequest, *, session: Session, environment: BuildEnvironment) -> None:
        self._request = request
        self._session = session
        self._around = environment
        self._handle: BuildHandle = session.live.build(request)
        self._images: dict[str, str] = {}

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._handle.image_id

    def cancel(self) -> None:
        """End the build soon; nothing of it is recorded."""
        self._handle.cancel()

    def __iter__(self) -> Iterator[RawEvent]:
        """Yield the live events, then write down what is new."""
        events: list[RawEvent] = []
        try:
            for event in self._handle:
                events.append(event)
                yield event
        except _REFUSALS as error:
            if not events:
                self._record_refusal(error)
            raise
        self._record(events)

    def _record(self, events: list[RawEvent]) -> None:
        # Only now, for a base that this build pulled has an ENV only now.
        steps = plan(self._request, self._around)
        pairs = _paired(steps, transcript.split(events))
        if any(log.is_cached and not self._is_recorded(step) for step, log in pairs):
            self._keep_known(pairs)
            pairs = _paired(steps, transcript.split(self._once_more()))
        for step, log in pairs:
            if step.key is not None:
                self._record_step(step, log)
        if self.image_id:
            self._session.session_images.add(self.image_id, str(steps[-1].key))
            if self._request.tag:
                self._session.session_images.tag(self._request.tag, self.image_id)

    def _is_recorded(self, step: PlannedStep) -> bool:
        return step.key is None or self._session.recordings.read("steps", step.key) is not None

    def _keep_known(self, pairs: list[tuple[PlannedStep, StepLog]]) -> None:
        # Whoever read the first events knows these ids, and may ask for them.
        for step, log in pairs:
            if not step.is_from and step.key and (image_id := self._full_id(log.image)):
                self._session.session_images.add(image_id, step.key)

    def _once_more(self) -> list[RawEvent]:
        """Build without the cache: it answered a step from before the recording, of which no log is left."""
        self._handle = self._session.live.build(replace(self._request, no_cache=True))
        return list(self._handle)

    def _record_step(self, step: PlannedStep, log: StepLog) -> None:
        key = str(step.key)
        for image in step.images:
            self._session.record_base(image)
        parent = self._parent_image(step)
        own = self._full_id(log.image)
        if image_id := own or parent:
            self._images[key] = image_id
        if own and own != parent:
            self._session.session_images.add(own, key)
        written = self._session.recordings.read("steps", key)
        if written is None:
            self._session.recordings.write("steps", key, self._step(step, log, own, parent))
        elif log.is_cached and written["cached_seconds"] is None:
            self._session.recordings.write("steps", key, {**written, **self._cached(step, log)})

    def _step(self, step: PlannedStep, log: StepLog, own: str | None, parent: str | None) -> Payload:
        image = own if own != parent else None
        history, diff_ids = self._added(image, parent) if image else _UNKNOWN
        inspect = self._session.live.inspect(image) if image else None
        payload = {
            "parent": step.parent,
            "instruction": step.instruction.logical,
            "events": _plain(log.events),
            "seconds": round(log.seconds, 3),
            "cached_seconds": None,
            "cached_events": None,
            "failed": log.has_failed,
            "history": history,
            "diff_ids": diff_ids,
            "inspect": {**without_storage(inspect), "RepoTags": []} if inspect else None,
        }
        return self._session.redactor.value(payload)

    def _cached(self, step: PlannedStep, log: StepLog) -> Payload:
        # What a cached step says is always the same, but for a FROM whose base has ONBUILD triggers.
        events = self._session.redactor.value(_plain(log.events)) if step.is_from else None
        return {"cached_seconds": round(log.seconds, 3), "cached_events": events}

    def _added(self, image_id: str, parent: str | None) -> tuple[list[Payload], list[str]]:
        """Return the history entries (newest first) and layers that an image has beyond its parent."""
        live = self._session.live
        history, layers = live.history(image_id), list(live.inspect(image_id)["RootFS"].get("Layers") or ())
        if parent:
            history = history[: len(history) - len(live.history(parent))]
            layers = layers[len(live.inspect(parent)["RootFS"].get("Layers") or ()) :]
        return [{**entry, "Tags": None} for entry in history], layers

    def _parent_image(self, step: PlannedStep) -> str | None:
        if known := self._images.get(step.parent):
            return known
        if step.base is None or step.base == "scratch":
            return None
        return self._full_id(step.base)

    def _full_id(self, name: str | None) -> str | None:
        try:
            return str(self._session.live.inspect(name)["Id"]) if name else None
        except ImageNotFound:
            return None  # Podman without intermediate images

    def _record_refusal(self, error: DockerfileError | EngineRefused | ContextError) -> None:
        steps = plan(self._request, self._around)
        payload: Payload = {"error": type(error).__name__, "message": str(error)}
        if isinstance(error, DockerfileError):
            payload["line"] = error.line
        self._session.recordings.write("refusals", plan_key(steps), self._session.redactor.value(payload))


def _plain(events: Sequence[RawEvent]) -> list[list[Any]]:
    return [[round(event.at, 3), dict(event.data)] for event in transcript.shortened(events)]


def _paired(steps: tuple[PlannedStep, ...], logs: list[StepLog]) -> list[tuple[PlannedStep, StepLog]]:
    """Pair planned steps with those the builder announced. A build that failed announced fewer."""
    pairs = list(zip(steps, logs, strict=False))
    for step, log in pairs:
        if not log.text.upper().lstrip().startswith(step.instruction.keyword):
            raise EngineRefused(
                f"The builder ran {log.text!r} where the file has {step.instruction.logical!r}, so this build cannot "
                "be recorded. Leave this notebook out, or record on Docker's classic builder."
            )
    return pairs
