"""A build by BuildKit on a live engine: events as they come, and a cancel that leaves no image behind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import docker.errors

from layerlab.engine.live import ownership
from layerlab.engine.live.buildkit.asked import AskedBuild
from layerlab.engine.live.buildkit.roads import choose
from layerlab.engine.live.buildkit.run import RunBuild
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, translated
from layerlab.engine.protocol import BuildRequest, RawEvent, Road
from layerlab.errors import BuildCancelled, LayerLabError


class LiveBuildKitBuild:
    """A build under way; see `layerlab.engine.protocol.BuildHandle`. Iterate it once.

    BuildKit leaves no image for a step, only one at the end, and that one is ours unless it was there before:
    the same steps make the same image, id and all. Its build cache belongs to nobody; `docker builder prune` clears it.
    """

    def __init__(self, client: JournallingClient, request: BuildRequest, *, name: Callable[[str], None]) -> None:
        self._client = client
        self._request = request
        self._name = name
        found = choose(request)
        self._road = found.road
        with translated(client.endpoint):
            self._own_name = ownership.begin(client)
        self._build: AskedBuild | RunBuild = (
            AskedBuild(client, request, name=self._own_name)
            if found.program is None
            else RunBuild(found, client.endpoint, request, name=self._own_name)
        )
        self._cancelled = threading.Event()
        self._image_id: str | None = None
        self._is_over = False

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    @property
    def road(self) -> Road:
        """The way that this build takes to BuildKit."""
        return self._road

    @property
    def steps(self) -> None:
        """None: BuildKit's own trace tells of the steps, apart from what they print."""

    def cancel(self) -> None:
        """End the build; from any thread."""
        self._cancelled.set()
        self._build.stop()

    def __iter__(self) -> Iterator[RawEvent]:
        try:
            yield from self._events()
        except BaseException:
            # An interrupted kernel lands here as KeyboardInterrupt, a dropped iterator as GeneratorExit.
            self._build.stop()
            raise
        finally:
            self._build.close()
            self._settle()
            self._client.close()

    def _events(self) -> Iterator[RawEvent]:
        began = time.perf_counter()
        has_failed, answered = False, None
        for event in self._build if not self._cancelled.is_set() else ():
            has_failed = has_failed or "error" in event
            answered = (event.get("aux") or {}).get("ID") or answered
            if self._cancelled.is_set():
                break
            yield RawEvent(time.perf_counter() - began, event)
        if self._cancelled.is_set():
            raise BuildCancelled(
                "The build was cancelled. No image of it stays; the steps that had ended are in BuildKit's cache. "
                "Run the cell to start again."
            )
        self._is_over = True
        if has_failed:
            return
        if answered is None:
            raise gone(self._client.endpoint)
        self._close(str(answered))

    def _close(self, answered: str) -> None:
        raw = ownership.inspected(self._client, self._own_name) if self._own_name else None
        image_id = str(raw["Id"]) if raw else answered
        if self._request.tag:
            self._name(image_id)
        self._image_id = image_id

    def _settle(self) -> None:
        """Write down what is ours of it; of a build that was cancelled, take the image away again."""
        if self._own_name is None:
            return
        # The engine may be gone: then the build stays open in the journal, and `clean` settles it.
        with contextlib.suppress(LayerLabError, docker.errors.APIError, *TRANSPORT_ERRORS):
            made = ownership.settle(self._client, self._own_name, ended="by itself" if self._is_over else "cancelled")
            if made and self._image_id is None:
                ownership.remove(self._client, made)
