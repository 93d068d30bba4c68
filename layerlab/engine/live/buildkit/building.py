"""A build by BuildKit on a live engine: events as they come, and a cancel that leaves no image behind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import docker.errors

from layerlab.engine.live import ownership
from layerlab.engine.live.buildkit.process import BuildxRun
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, translated
from layerlab.engine.protocol import BuildRequest, RawEvent
from layerlab.errors import BuildCancelled


class LiveBuildKitBuild:
    """A build under way; see `layerlab.engine.protocol.BuildHandle`. Iterate it once.

    BuildKit leaves no image for a step, only one at the end, and that one is ours unless it was there before:
    the same steps make the same image, id and all. Its build cache belongs to nobody; `docker builder prune` clears it.
    """

    def __init__(self, client: JournallingClient, request: BuildRequest, *, name: Callable[[str], None]) -> None:
        self._client = client
        self._request = request
        self._name = name
        self._build = BuildxRun(client.endpoint, request, program=client.buildx)
        self._own_name: str | None = None
        self._wait: Callable[[], None] = lambda: None  # until it is written down which images were there before
        self._cancelled = threading.Event()
        self._image_id: str | None = None
        self._is_over = False

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

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
        self._own_name, self._wait = ownership.begin_beside(self._client)
        self._build.name = self._own_name
        began = time.perf_counter()
        has_failed = has_ended = False
        for event in self._build if not self._cancelled.is_set() else ():
            has_failed = has_failed or "error" in event
            has_ended = has_ended or bool((event.get("aux") or {}).get("ID"))
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
        with translated(self._client.endpoint):
            self._close(has_ended=has_ended)

    def _close(self, *, has_ended: bool) -> None:
        image_id = ownership.image_of(self._client, self._own_name) if has_ended else None
        if image_id is None:
            raise gone(self._client.endpoint)
        if self._request.tag:
            self._name(image_id)
        self._image_id = image_id

    def _settle(self) -> None:
        """Write down what is ours of it; of a build that was cancelled, take the image away again."""
        name, self._own_name = self._own_name, None
        if name is None:
            return
        self._wait()
        made = ownership.settle_quietly(self._client, name, is_cancelled=not self._is_over)
        if made and self._image_id is None:
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                ownership.remove(self._client, made)
