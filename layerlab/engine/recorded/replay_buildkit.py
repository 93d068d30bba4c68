"""A build by BuildKit played back as a whole. Runs nothing: no thread, no process, no waiting."""

from __future__ import annotations

from collections.abc import Iterator

from layerlab.engine.protocol import BuildRequest, RawEvent
from layerlab.engine.recorded.buildkit_builds import cache_state, chain_of, remember, solve_key
from layerlab.engine.recorded.chains import Chains
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.steps import BuildEnvironment, PlannedStep, plan
from layerlab.engine.recorded.store import Payload, Store
from layerlab.errors import BuildCancelled, NotRecorded

_START = "To build it for real, start an engine (`layerlab doctor` says how)."


class ReplayedBuildKit:
    """See `layerlab.engine.protocol.BuildHandle`. Events come at once and bear their recorded times."""

    def __init__(
        self,
        request: BuildRequest,
        *,
        recordings: Store,
        images: SessionImages,
        environment: BuildEnvironment,
    ) -> None:
        self._request = request
        self._recordings = recordings
        self._session_images = images
        self._around = environment
        self._cancelled = False
        self._image_id: str | None = None

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    def cancel(self) -> None:
        """End the build before its next event."""
        self._cancelled = True

    def __iter__(self) -> Iterator[RawEvent]:
        """Yield the recorded events; raise NotRecorded before the first where there are none."""
        steps = plan(self._request, self._around)
        run = self._run(steps)
        for at, data in run["events"]:
            if self._cancelled:
                raise BuildCancelled(
                    "The build was cancelled; nothing of it stays behind. Run the cell to start again."
                )
            yield RawEvent(at, data)
        if not run["failed"]:
            self._finish(steps)

    def _run(self, steps: tuple[PlannedStep, ...]) -> Payload:
        found = self._recordings.read("solves", solve_key(self._request, steps))
        if found is None:
            raise self._not_recorded("is not recorded")
        state = cache_state(self._request, steps, self._session_images)
        run: Payload | None = found["runs"].get(state)
        if run is None:
            raise self._not_recorded("is recorded after other builds only: run the page from its top")
        return run

    def _finish(self, steps: tuple[PlannedStep, ...]) -> None:
        chain = chain_of(self._request, steps)
        self._image_id = Chains(self._recordings).image_id(chain)
        self._session_images.add(self._image_id, chain)
        if self._request.tag:
            self._session_images.tag(self._request.tag, self._image_id)
        remember(steps, self._session_images)

    def _not_recorded(self, why: str) -> NotRecorded:
        # No single line is missing, so none is named.
        return NotRecorded(
            f"This build of {self._request.context.shown_name} by BuildKit {why}. BuildKit's builds are recorded "
            f"whole, with the files, arguments and caches they met. {_START}"
        )
