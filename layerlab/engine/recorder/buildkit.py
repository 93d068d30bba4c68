"""A live build by BuildKit that is written down step by step when it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildHandle, BuildRequest, RawEvent
from layerlab.engine.recorded.buildkit_plan import Plan, PlannedStage, Step, plan
from layerlab.engine.recorded.buildkit_session import mounts_state, remember
from layerlab.engine.recorded.chains import SCRATCH
from layerlab.engine.recorded.steps import BuildEnvironment
from layerlab.engine.recorded.store import Payload
from layerlab.engine.recorded.vertices import Vertex, read, shortened
from layerlab.engine.recorder.session import Session, without_storage
from layerlab.errors import EngineRefused, NotOurs
from layerlab.image import normal_reference


class RecordingBuildKit:
    """See `layerlab.engine.protocol.BuildHandle`. A cancelled or broken build leaves no recording.

    Notes
    -----
    BuildKit leaves no image for a step. So each stage that was built is built once more as a target of its own, which
    takes everything from the cache, and its history is paired with its layers: one entry for each instruction, one
    layer for each step (Docker Engine 28.5, containerd store: a step that changes nothing has a layer as well).
    """

    def __init__(self, request: BuildRequest, *, session: Session, environment: BuildEnvironment) -> None:
        if any(mount.type == "cache" for one in request.context.dockerfile.instructions for mount in one.mounts):
            session.empty_build_cache()
        self._request = request
        self._session = session
        self._around = environment
        self._is_without_cache = request.no_cache
        self._handle: BuildHandle = session.live.build(request)

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
        for event in self._handle:
            events.append(event)
            yield event
        self._record(events)

    def _record(self, events: list[RawEvent]) -> None:
        # Only now, for a base that this build pulled has an ENV only now.
        planned = plan(self._request, self._around)
        for image in dict.fromkeys(image for step in planned.steps for image in step.images):
            self._session.record_base(image)
        pairs = _paired(planned, read(events))
        if self.image_id and any(self._is_unknown(step, pairs.get(step.key)) for step in planned.steps):
            # The cache answered a step from before the recording, of which no log is left. Whoever read the first
            # events knows this id, and may ask for it.
            self._session.session_images.add(str(self.image_id), planned.target.image)
            self._is_without_cache = True
            self._handle = self._session.live.build(replace(self._request, no_cache=True))
            events = list(self._handle)
            pairs = _paired(planned, read(events))
        message = next((str(event.data["error"]) for event in events if "error" in event.data), "")
        for step in planned.steps:
            if (vertex := pairs.get(step.key)) and vertex.has_run:
                self._record_step(step, vertex, message if vertex.error else "")
        if message and not any(vertex.error for vertex in pairs.values()):
            plain = [[round(event.at, 3), dict(event.data)] for event in events if "error" in event.data]
            self._write("refusals", planned.key, {"events": plain})
        if self.image_id:
            self._finish(planned)

    def _is_unknown(self, step: Step, vertex: Vertex | None) -> bool:
        return self._read("vertices", step.key) is None and not (vertex and vertex.has_run)

    def _record_step(self, step: Step, vertex: Vertex, message: str) -> None:
        known = self._read("vertices", step.key) or {
            "parent": step.parent, "instruction": step.instruction.logical, "text": vertex.text, "diff_id": None,
            "runs": {},
        }  # fmt: skip
        state = mounts_state(step, self._session.session_images, no_cache=self._is_without_cache)
        if state in known["runs"]:
            return
        run = {
            "seconds": vertex.seconds,
            "logs": shortened(vertex.logs),
            "error": vertex.error or None,
            "message": message or None,
        }
        self._write("vertices", step.key, {**known, "runs": {**known["runs"], state: run}})

    def _finish(self, planned: Plan) -> None:
        image_id, images = str(self.image_id), self._session.session_images
        for stage in planned.stages:
            if self._read("images", stage.image.partition(":")[2]) is None and stage.image.startswith("image:"):
                self._record_image(stage, image_id if stage == planned.target else None)
        images.add(image_id, planned.target.image)
        if self._request.tag:
            images.tag(self._request.tag, image_id)
        remember(planned.steps, images)

    def _record_image(self, stage: PlannedStage, image_id: str | None) -> None:
        if image_id is not None:
            self._describe(stage, image_id)
            return
        tag = f"{self._session.live.info.namespace}recording:stage-{stage.index}"
        handle = self._session.live.build(replace(_up_to(self._request, stage), tag=tag, no_cache=False))
        again = [vertex.text for vertex in read(handle) if vertex.has_run and not vertex.text.startswith("FROM ")]
        if again or handle.image_id is None:
            raise _mismatch(f"stage {stage.index} was not in the cache any more ({', '.join(again) or 'no image'})")
        try:
            self._describe(stage, handle.image_id)
        finally:
            # The same steps may have made the same image before, and then it is not ours.
            with contextlib.suppress(NotOurs):
                self._session.live.remove(tag)

    def _describe(self, stage: PlannedStage, image_id: str) -> None:
        live = self._session.live
        history, inspect = live.history(image_id), live.inspect(image_id)
        layers = list(inspect["RootFS"].get("Layers") or ())
        if stage.base != SCRATCH:
            base = self._session.live.inspect(self._base_name(stage))
            history = history[: len(history) - len(live.history(str(base["Id"])))]
            layers = layers[len(base["RootFS"].get("Layers") or ()) :]
        made = [key for key in stage.history if key]
        if len(history) != len(stage.history) or len(layers) != len(made):
            raise _mismatch(
                f"stage {stage.index} has {len(stage.history)} instructions of which {len(made)} may change files, and "
                f"its image {len(history)} entries and {len(layers)} layers"
            )
        found = {
            "parent": stage.base,
            "history": [{**entry, "Tags": None} for entry in history],
            "diff_ids": [self._layer(key, diff_id) for key, diff_id in zip(made, layers, strict=True)],
            "inspect": {**without_storage(inspect), "RepoTags": [], "RepoDigests": []},
        }
        self._write("images", stage.image.partition(":")[2], found)

    def _layer(self, key: str, diff_id: str) -> str:
        """Return the layer that is recorded with a step, the first that it ever made: images share what they share."""
        step = self._session.recordings.needed("vertices", key, by="an image built with it")
        if step["diff_id"] is None:
            self._write("vertices", key, {**step, "diff_id": diff_id})
            return diff_id
        return str(step["diff_id"])

    def _base_name(self, stage: PlannedStage) -> str:
        images = self._session.session_images
        names = {*self._session.base_ids.values(), *(image_id for image_id, _ in images.tagged())}
        found = next((name for name in sorted(names) if self._chain(name) == stage.base), None)
        if found is None:
            raise _mismatch(f"the base of stage {stage.index} was not met in this session")
        return found

    def _chain(self, name: str) -> str | None:
        return self._session.session_images.chain(name) or self._session.base_chain_of(name)

    def _read(self, kind: Any, key: str) -> Payload | None:
        return self._session.recordings.read(kind, key)

    def _write(self, kind: Any, key: str, payload: Payload) -> None:
        self._session.recordings.write(kind, key, self._session.redactor.value(payload))


def _up_to(request: BuildRequest, stage: PlannedStage) -> BuildRequest:
    """Ask for one stage. One without a name cannot be a target (buildx 0.29), so what follows it is left out."""
    context = request.context
    written = context.dockerfile.stages[stage.index]
    if written.name:
        return replace(request, target=written.name)
    following = context.dockerfile.stages[stage.index + 1 :]
    lines = context.text.splitlines(keepends=True)[: following[0].line - 1 if following else None]
    return replace(request, context=BuildContext.open(context.folder, dockerfile_text="".join(lines)), target=None)


def _paired(planned: Plan, vertices: list[Vertex]) -> dict[str, Vertex]:
    """Pair steps with what ran: by their place in the stage, or, of a FROM that stages share, by its image.

    Raises
    ------
    EngineRefused
        Another instruction stands there than the file has.
    """
    by_place = {(vertex.stage, vertex.index): vertex for vertex in vertices}
    from_images = {_image_of(vertex.text): vertex for vertex in vertices if vertex.text.startswith("FROM ")}
    pairs: dict[str, Vertex] = {}
    for stage in planned.stages:
        for step in stage.steps:
            vertex = by_place.get((step.stage, step.index))
            if step.base is not None:
                vertex = from_images.get(normal_reference(step.base)) or vertex
            if vertex is None:
                continue
            if not vertex.text.upper().startswith(step.instruction.keyword):
                raise _mismatch(f"BuildKit ran {vertex.text!r} where the file has {step.instruction.logical!r}")
            pairs.setdefault(step.key, vertex)
    return pairs


def _image_of(text: str) -> str:
    # FROM docker.io/library/python:3.12-slim@sha256:…
    return normal_reference(text.removeprefix("FROM ").split("@")[0])


def _mismatch(what: str) -> EngineRefused:
    return EngineRefused(
        f"This build cannot be recorded: {what}. Record on the private engine (`layerlab engine start`), with nothing "
        "else building there."
    )
