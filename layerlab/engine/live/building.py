"""A build on a live engine: events as they come, and a cancel that leaves nothing behind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import docker.errors

from layerlab.engine.live.client import JournallingClient, Ledger
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, refused, unreachable
from layerlab.engine.protocol import Builder, BuildRequest, RawEvent
from layerlab.errors import BuildCancelled, LayerLabError

_NOTICE_SECONDS = 1.5
_SWEEP_SECONDS = 15.0
_ENDINGS = ("error", "errorDetail")


class LiveBuild:
    """A build under way; see `layerlab.engine.protocol.BuildHandle`. Iterate it once.

    ``name`` is told the image's id once it is made, and gives it the tag that was asked for.
    """

    def __init__(
        self,
        client: JournallingClient,
        request: BuildRequest,
        *,
        name: Callable[[str], None],
        builder: Builder,
        sees_all_images: bool,
    ) -> None:
        self._client = client
        self._request = request
        self._ledger = Ledger(client)
        self._cancelled = threading.Event()
        self._ended = False
        self._name = name
        self._builder = builder
        # Only on an engine that is ours alone, on this machine's clock, may "made since the build began" mean "ours".
        self._sees_all_images = sees_all_images
        self._began = datetime.now(UTC)
        self._image_id: str | None = None

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    @property
    def road(self) -> None:
        """None: the engine's own builder needs no road."""

    def cancel(self) -> None:
        """End the build: wake the reader by shutting the socket, which also makes the engine stop."""
        self._cancelled.set()
        if not self._ended and self._client.response is not None:
            # `response.close()` from another thread does not wake a reader; the socket's shutdown does.
            with contextlib.suppress(OSError, AttributeError, docker.errors.APIError):
                _shutdown(self._client, self._client.response)

    def __iter__(self) -> Iterator[RawEvent]:
        try:
            yield from self._events()
        except BaseException:
            # An interrupted kernel lands here as KeyboardInterrupt, a dropped iterator as GeneratorExit.
            if not self._ended:
                self.cancel()
                self._sweep()
            raise
        finally:
            self._ended = True
            self._client.close()

    def _events(self) -> Iterator[RawEvent]:
        began = time.perf_counter()
        ended_well = failed = False
        try:
            for event in self._stream():
                if self._cancelled.is_set():
                    break
                self._ledger.read(event)
                ended_well = ended_well or "aux" in event
                if any(key in event for key in _ENDINGS):
                    # The engine has ended the build and cleared away its container: nothing is left to cancel.
                    self._ended = failed = True
                yield RawEvent(time.perf_counter() - began, event)
        except docker.errors.APIError as error:
            raise refused(str(error.explanation or error)) from error
        except (*TRANSPORT_ERRORS, docker.errors.DockerException, AttributeError, ValueError) as error:
            # A socket shut under the reader surfaces as any of these, depending on how far it had read.
            if not self._cancelled.is_set():
                self._ended = True  # there is nobody left to ask for a cancel
                raise self._transport(error) from error
        if self._cancelled.is_set():
            raise self._stopped()
        self._ended = True
        if not (ended_well or failed):
            raise gone(self._client.endpoint)
        if not failed:
            self._close()

    def _stream(self) -> Iterator[dict[str, Any]]:
        request = self._request
        limit = request.memory_bytes
        # The superclass's build, because this handle keeps the ledger itself.
        yield from super(JournallingClient, self._client).build(
            fileobj=self._upload(),
            custom_context=True,
            dockerfile=request.context.dockerfile_name,
            buildargs=dict(request.args),
            target=request.target,
            nocache=request.no_cache,
            rm=True,
            forcerm=True,
            decode=True,
            container_limits={"memory": limit, "memswap": limit} if limit else None,
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
        image_id = self._ledger.image_id
        if image_id and self._request.tag:
            self._name(image_id)
        self._image_id = image_id

    def _stopped(self) -> BuildCancelled:
        self._sweep()
        self._ended = True
        if self._builder == "buildah":
            return BuildCancelled(
                "The build was cancelled. Podman lets the command under way come to its end and then removes what "
                "it made. Run the cell to start again."
            )
        return BuildCancelled("The build was cancelled; nothing of it stays behind. Run the cell to start again.")

    def _sweep(self) -> None:
        """Remove what a cancelled build left: its containers, and images committed after we hung up."""
        if self._builder == "buildah":
            return  # Podman 4.3 commits nothing more, and its working containers are in no list of the Docker API
        # The engine notices the hang-up within a second, ends the command and removes its container itself. If it
        # was committing a layer by then, the container goes only after that, so its end is what to wait for.
        # The first moments are waited for in any case: a container may be starting whose id we were not told.
        began = time.monotonic()
        while (since := time.monotonic() - began) < _NOTICE_SECONDS or (
            since < _SWEEP_SECONDS and self._containers_left()
        ):
            self._remove_stragglers()
            time.sleep(0.1)
        for container in self._containers_left():
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                self._client.remove_container(container, force=True, v=True)
        self._remove_stragglers()
        self._remove_finished_steps()

    def _remove_finished_steps(self) -> None:
        # As cache they would do harm: the builder looks at the youngest child of a step first, and behind the
        # half of a cancelled build nothing follows, where an older build had gone to its end.
        for image in reversed(self._ledger.images):
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                self._client.remove_image(image, noprune=True)
                if self._client.journal:
                    self._client.journal.forget("image", image)

    def _containers_left(self) -> list[str]:
        with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
            there = [container["Id"] for container in self._client.containers(all=True)]
            return [one for one in there if any(one.startswith(ours) for ours in self._ledger.containers)]
        return []

    def _remove_stragglers(self) -> None:
        for image in self._stragglers():
            with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
                self._client.remove_image(image, noprune=True)

    def _stragglers(self) -> list[str]:
        with contextlib.suppress(docker.errors.APIError, *TRANSPORT_ERRORS):
            new = [image for image in self._recent_ids() if self._is_a_straggler(image)]
            owned = self._client.journal.owned().images if self._client.journal else set()
            # What finished steps made stays as build cache: it is in the journal, and `clean` removes it.
            return [image for image in new if image not in owned]
        return []

    def _recent_ids(self) -> list[str]:
        began = int(self._began.timestamp())
        return [image["Id"] for image in self._client.images(all=True) if image["Created"] >= began]

    def _is_a_straggler(self, image: str) -> bool:
        answer = self._client.inspect_image(image)
        if answer.get("RepoTags") or datetime.fromisoformat(answer["Created"]) < self._began:
            return False
        # The classic builder writes into an image which container it was committed from (until API 1.45).
        if container := answer.get("Container"):
            return any(container.startswith(ours) for ours in self._ledger.containers)
        # Without that, "new since the build began" means "ours" only on an engine that is ours alone.
        return self._sees_all_images


def _shutdown(client: JournallingClient, response: Any) -> None:
    raw = client._get_raw_response_socket(response)
    getattr(raw, "_sock", raw).shutdown(socket.SHUT_RDWR)
