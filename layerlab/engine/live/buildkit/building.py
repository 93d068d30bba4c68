"""A build by BuildKit on a live engine: events as they come, and a cancel that leaves no image behind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import docker.errors

from layerlab.engine.live.buildkit.asked import AskedBuild
from layerlab.engine.live.buildkit.roads import choose
from layerlab.engine.live.buildkit.run import RunBuild
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, translated
from layerlab.engine.protocol import BuildRequest, RawEvent, Road
from layerlab.errors import BuildCancelled


class LiveBuildKitBuild:
    """A build under way; see `layerlab.engine.protocol.BuildHandle`. Iterate it once.

    BuildKit leaves no image for a step, only one at the end, and that one is ours unless it was there before:
    the same steps make the same image, id and all. Its build cache stays on the engine, as a failed build's
    steps do; `docker builder prune` clears it.
    """

    def __init__(self, client: JournallingClient, request: BuildRequest, *, name: Callable[[str], None]) -> None:
        self._client = client
        self._request = request
        self._name = name
        found = choose(request)
        self._road = found.road
        self._build: AskedBuild | RunBuild = (
            AskedBuild(client, request) if found.program is None else RunBuild(found, client.endpoint, request)
        )
        self._cancelled = threading.Event()
        self._image_id: str | None = None
        self._made: str | None = None

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    @property
    def road(self) -> Road:
        """The way that this build takes to BuildKit."""
        return self._road

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
            self._client.close()

    def _events(self) -> Iterator[RawEvent]:
        with translated(self._client.endpoint):
            before = set(self._client.images(quiet=True, all=True))
        began = time.perf_counter()
        has_failed = False
        for event in self._build if not self._cancelled.is_set() else ():
            if "error" in event:
                has_failed = True
            if made := (event.get("aux") or {}).get("ID"):
                self._made = str(made)
            if self._cancelled.is_set():
                break
            yield RawEvent(time.perf_counter() - began, event)
        if self._cancelled.is_set():
            raise self._stopped(before)
        if has_failed:
            return
        if self._made is None:
            raise gone(self._client.endpoint)
        self._close(self._made, is_new=self._made not in before)

    def _close(self, image_id: str, *, is_new: bool) -> None:
        if is_new and self._client.journal:
            self._client.journal.note("image", image_id)
        if self._request.tag:
            self._name(image_id)
        self._image_id = image_id

    def _stopped(self, before: set[str]) -> BuildCancelled:
        if self._made and self._made not in before:
            # It was cancelled while BuildKit told us that it had just finished.
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                self._client.remove_image(self._made, noprune=True)
        return BuildCancelled(
            "The build was cancelled. No image of it stays behind; the steps that had ended are in BuildKit's cache. "
            "Run the cell to start again."
        )
