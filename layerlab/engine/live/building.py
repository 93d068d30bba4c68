"""A build by Podman's own builder, through Docker's API: events as they come, and a cancel."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import docker.errors

from layerlab.engine.live import ownership
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, refused, translated, unreachable
from layerlab.engine.protocol import BuildRequest, RawEvent
from layerlab.errors import BuildCancelled, LayerLabError

_ENDINGS = ("error", "errorDetail")


class LiveBuild:
    """A build under way; see `layerlab.engine.protocol.BuildHandle`. Iterate it once.

    ``name`` is told the image's id once it is made, and gives it the tag that was asked for.
    """

    def __init__(self, client: JournallingClient, request: BuildRequest, *, name: Callable[[str], None]) -> None:
        self._client = client
        self._request = request
        self._cancelled = Event()
        self._ended = False
        self._name = name
        self._own_name: str | None = None
        self._image_id: str | None = None

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    def cancel(self) -> None:
        """End the build: wake the reader by shutting the socket, which also makes the engine stop."""
        self._cancelled.set()
        if not self._ended and self._client.response is not None:
            self._client.hang_up(self._client.response)

    def __iter__(self) -> Iterator[RawEvent]:
        try:
            yield from self._events()
        except BaseException:
            # An interrupted kernel lands here as KeyboardInterrupt, a dropped iterator as GeneratorExit.
            if not self._ended:
                self.cancel()
            raise
        finally:
            self._ended = True
            self._settle()
            self._client.close()

    def _events(self) -> Iterator[RawEvent]:
        began = time.perf_counter()
        has_failed = has_stage = False
        try:
            for event in self._stream():
                if self._cancelled.is_set():
                    break
                has_stage = has_stage or "aux" in event
                if any(key in event for key in _ENDINGS):
                    # The engine has ended the build and cleared away its container: nothing is left to cancel.
                    self._ended = has_failed = True
                yield RawEvent(time.perf_counter() - began, event)
        except docker.errors.APIError as error:
            self._ended = True
            raise refused(str(error.explanation or error)) from error
        except (*TRANSPORT_ERRORS, docker.errors.DockerException, AttributeError, ValueError) as error:
            # A socket shut under the reader surfaces as any of these, depending on how far it had read.
            if not self._cancelled.is_set():
                self._ended = True  # there is nobody left to ask for a cancel
                raise self._transport(error) from error
        if self._cancelled.is_set():
            raise self._stopped()
        self._ended = True
        if not (has_stage or has_failed):
            raise gone(self._client.endpoint)
        if not has_failed:
            with translated(self._client.endpoint):
                self._close()

    def _stream(self) -> Iterator[dict[str, Any]]:
        request = self._request
        self._own_name = ownership.begin(self._client)
        yield from self._client.named_build(
            self._own_name,
            fileobj=self._upload(),
            custom_context=True,
            dockerfile=request.context.dockerfile_name,
            buildargs=dict(request.args),
            target=request.target,
            nocache=request.no_cache,
            rm=True,
            forcerm=True,
            network_mode=request.network,
        )

    def _upload(self) -> Iterator[bytes]:
        """Send the context piece by piece, and stop as soon as the build is cancelled."""
        for piece in self._request.context.tar():
            if self._cancelled.is_set():
                raise ConnectionAbortedError("cancelled")
            yield piece

    def _transport(self, error: BaseException) -> LayerLabError:
        if self._client.response is not None:
            return gone(self._client.endpoint)
        return unreachable(self._client.endpoint, error)

    def _close(self) -> None:
        image_id = ownership.image_of(self._client, self._own_name)
        if image_id is None:
            raise gone(self._client.endpoint)
        if self._request.tag:
            self._name(image_id)
        self._image_id = image_id

    def _stopped(self) -> BuildCancelled:
        # Podman commits nothing more then.
        self._ended = True
        return BuildCancelled(
            "The build was cancelled. Podman lets the command under way come to its end and then removes what it made. "
            "Run the cell to start again."
        )

    def _settle(self) -> None:
        """Write down what is ours of it; of a build that was cancelled, take the image away again."""
        name, self._own_name = self._own_name, None
        if name is None:
            return
        is_cancelled = self._cancelled.is_set() and self._image_id is None
        made = ownership.settle_quietly(self._client, name, is_cancelled=is_cancelled)
        if made and is_cancelled:
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                ownership.remove(self._client, made)
