"""A build by BuildKit played back as a whole. Runs nothing: no thread, no process, no waiting."""

from __future__ import annotations

from collections.abc import Iterator

from layerlab.engine.protocol import RawEvent
from layerlab.engine.recorded.buildkit_builds import cache_state, chain_of, remember, solve_key
from layerlab.engine.recorded.replay import Replay
from layerlab.engine.recorded.steps import PlannedStep, plan
from layerlab.engine.recorded.store import Payload
from layerlab.errors import NotRecorded

_START = "To build it for real, start an engine (`layerlab doctor` says how)."


class ReplayedBuildKit(Replay):
    """A build by BuildKit that was recorded whole."""

    def _events(self) -> Iterator[RawEvent]:
        steps = plan(self._request, self._around)
        run = self._run(steps)
        yield from (RawEvent(at, data) for at, data in run["events"])
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
        self._made(self._chains.image_id(chain), chain)
        remember(steps, self._session_images)

    def _not_recorded(self, why: str) -> NotRecorded:
        # No single line is missing, so none is named.
        return NotRecorded(
            f"This build of {self._request.context.shown_name} by BuildKit {why}. BuildKit's builds are recorded "
            f"whole, with the files, arguments and caches they met. {_START}"
        )
