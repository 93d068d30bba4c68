"""A build played back from recorded steps. Runs nothing: no thread, no process, no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layerlab import errors
from layerlab.engine.protocol import Builder, RawEvent
from layerlab.engine.recorded import transcript
from layerlab.engine.recorded.replay import Replay
from layerlab.engine.recorded.steps import PlannedStep, plan, plan_key
from layerlab.engine.recorded.store import Payload
from layerlab.errors import NotRecorded, RecordingDamaged

_SHOWN = 90


class ReplayedBuild(Replay):
    """A build by the older builder, or Podman's.

    Steps that ran earlier in this session are answered from the cache, as on an engine that was empty
    when the session began. After NotRecorded the images of the steps that did replay stay on the shelf.
    """

    _clock = 0.0

    def _events(self) -> Iterator[RawEvent]:
        steps = plan(self._request, self._around)
        self._raise_refusal(steps)
        previous: PlannedStep | None = None
        may_be_cached = False
        for step in steps:
            # The classic builder asks its cache anew in every stage.
            may_be_cached = not self._request.no_cache if step.is_from else may_be_cached
            link = self._link(step, previous)
            if link is None:
                yield from self._say(transcript.header(step.position, step.instruction.logical, builder=self._builder))
                continue
            is_cached = may_be_cached and step.key in self._session_images.cache
            may_be_cached = is_cached or (may_be_cached and step.is_from)
            yield from self._step(step, link, is_cached=is_cached)
            if link["failed"]:
                return
            self._keep(step)
            previous = step
        if previous is not None:
            yield from self._finish(previous)

    @property
    def _builder(self) -> Builder:
        return self._around.builder

    def _link(self, step: PlannedStep, previous: PlannedStep | None) -> Payload | None:
        if step.key is None:
            return None
        found = self._recordings.read("steps", step.key)
        if found is None:
            raise self._not_recorded(step, previous)
        return found

    def _step(self, step: PlannedStep, link: Payload, *, is_cached: bool) -> Iterator[RawEvent]:
        yield from self._say(transcript.header(step.position, step.instruction.logical, builder=self._builder))
        if is_cached and not step.is_from:
            self._clock += float(link["cached_seconds"] or 0.0)
            yield from self._say(transcript.cached(self._image(step.key), builder=self._builder))
        else:
            began = self._clock
            for at, data in (link["cached_events"] if is_cached else None) or link["events"]:
                yield RawEvent(began + at, data)
            self._clock = began + float(link["cached_seconds" if is_cached else "seconds"] or 0.0)
        if step.is_stage_end and not link["failed"] and (image := self._image(step.key)):
            yield from self._say(iter([transcript.stage_end(image)]))

    def _keep(self, step: PlannedStep) -> None:
        key = str(step.key)
        self._session_images.cache.add(key)
        image = self._image(key)
        # A FROM makes no image of its own: its image stays known as what it was before.
        if image and image != self._image(step.parent):
            self._session_images.add(image, key)

    def _finish(self, last: PlannedStep) -> Iterator[RawEvent]:
        image = self._image(last.key)
        if image is None:
            return
        self._made(image, str(last.key))
        yield from self._say(iter([transcript.closing(image)]))

    def _image(self, chain: str | None) -> str | None:
        return self._chains.image_id(chain) if chain and self._chains.has_image(chain) else None

    def _say(self, data: Iterator[dict[str, Any]]) -> Iterator[RawEvent]:
        for one in data:
            yield RawEvent(self._clock, one)

    def _raise_refusal(self, steps: tuple[PlannedStep, ...]) -> None:
        refusal = self._recordings.read("refusals", plan_key(steps))
        if refusal is not None:
            raise _error(refusal)

    def _not_recorded(self, step: PlannedStep, previous: PlannedStep | None) -> NotRecorded:
        place, one = step.position, step.instruction
        replayed = place.number - 1
        before = {0: "", 1: " The step before it was replayed."}.get(
            replayed, f" The {replayed} steps before it were replayed."
        )
        return NotRecorded(
            f"Step {place.number} of {place.total}, `{_cut(one.logical)}` (line {one.line}), is not recorded.{before}"
            f"{self._hint(step)} To build it for real, start an engine (`layerlab doctor` says how).",
            step=place.number,
            total=place.total,
            instruction=one.logical,
            line=one.line,
            replayed=replayed,
            image_id=self._image(previous.key) if previous else None,
        )

    def _hint(self, step: PlannedStep) -> str:
        if step.base is not None:
            bases = ", ".join(link["reference"] for _, link in self._recordings.all("bases"))
            return f" The bases recorded are: {bases}." if bases else " No base is recorded."
        # What is recorded in its place is never quoted: a learner is shown this, and it may be the solution.
        after = (link["instruction"] for _, link in self._recordings.all("steps") if link["parent"] == step.parent)
        is_same = step.instruction.logical in after
        return " It is recorded with other files, build arguments or limits than these." if is_same else ""


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _error(refusal: Payload) -> errors.LayerLabError:
    kind = getattr(errors, str(refusal["error"]), None)
    if not (isinstance(kind, type) and issubclass(kind, errors.LayerLabError)):
        raise RecordingDamaged(
            f"A recorded refusal names the error {refusal['error']!r}, which does not exist. "
            "Restore it with `git checkout recordings`, or record anew with `layerlab record`."
        )
    if kind is errors.DockerfileError:
        return errors.DockerfileError(refusal["message"], line=refusal.get("line"))
    return kind(refusal["message"])
