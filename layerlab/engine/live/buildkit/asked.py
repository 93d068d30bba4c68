"""BuildKit asked over the engine's API: `POST /build?version=2` without a session.

Upstream promises this way to nobody (moby/moby #47717); it was tried on Engine 20.10, 26.1 and 28.5.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import docker.errors

from layerlab.engine.live.buildkit.wire import status
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.translate import TRANSPORT_ERRORS, gone, refused, unreachable
from layerlab.engine.protocol import BuildRequest


class AskedBuild:
    """The events of one build over a connection of its own; ``stop`` may come from any thread."""

    def __init__(self, client: JournallingClient, request: BuildRequest) -> None:
        self._client = client
        self.name: str | None = None  # what the engine is to call the image, beside what it is called later
        self._request = request
        self._is_stopped = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield SolveStatus, then ``{"aux": {"ID": …}}`` or ``{"error": …}``; nothing more once it was stopped."""
        try:
            yield from map(_translated, self._answer())
        except docker.errors.APIError as error:
            raise refused(str(error.explanation or error)) from error
        except (*TRANSPORT_ERRORS, docker.errors.DockerException, AttributeError, ValueError) as error:
            # A socket shut under the reader surfaces as any of these, depending on how far it had read.
            if self._is_stopped:
                return
            if self._client.response is not None:
                raise gone(self._client.endpoint) from error
            raise unreachable(self._client.endpoint, error) from error

    def stop(self) -> None:
        """Shut the connection: the engine then stops the steps that run."""
        self._is_stopped = True
        if self._client.response is not None:
            with contextlib.suppress(OSError, AttributeError, docker.errors.APIError):
                raw = self._client._get_raw_response_socket(self._client.response)
                getattr(raw, "_sock", raw).shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _answer(self) -> Iterator[dict[str, Any]]:
        response = self._client._post(
            self._client._url("/build"),
            params=self._parameters(),
            data=self._upload(),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
        )
        self._client._raise_for_status(response)
        yield from self._client._stream_helper(response, decode=True)

    def _parameters(self) -> dict[str, str]:
        request = self._request
        given = {
            "version": "2",
            "t": self.name,
            "dockerfile": request.context.dockerfile_name,
            "buildargs": json.dumps(dict(request.args)),
            "target": request.target,
            "nocache": "1" if request.no_cache else None,
            "networkmode": request.network,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _upload(self) -> Iterator[bytes]:
        for piece in self._request.context.tar():
            if self._is_stopped:
                raise ConnectionAbortedError("stopped")
            yield piece


def _translated(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("id") == "moby.buildkit.trace":
        return status(base64.b64decode(event["aux"]))
    return event
