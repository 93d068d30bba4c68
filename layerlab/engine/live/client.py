"""The SDK's client with one addition: whatever it builds is entered in our journal.

Notebooks use this client raw, so ownership has to be noted below it and not in a helper.
"""

from __future__ import annotations

import inspect
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils

from layerlab.engine.journal import Journal
from layerlab.engine.live import ownership
from layerlab.engine.live.dialect import DOCKER, Dialect
from layerlab.image import normal_reference

Event = dict[str, Any]
_ARGUMENTS = inspect.signature(docker.APIClient.build)


class JournallingClient(docker.APIClient):  # type: ignore[misc]  # the SDK carries no types
    """The low-level client; what ``build`` makes is ours by a name that it has besides the one asked for.

    Attributes
    ----------
    dialect
        Whose ways the engine has.
    refuse_others, give
        Told a tag before a build begins, and image and tag once it is made; both raise NotOurs where that name is
        somebody else's.
    buildx
        The program that builds, where it is known; else the one that a docker client on PATH would take.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As the user wrote it: the SDK calls every socket http+docker://localhost.
        self.endpoint = str(kwargs.get("base_url"))
        self.dialect: Dialect = DOCKER
        self.journal: Journal | None = None
        self.refuse_others: Callable[[str], None] = lambda tag: None
        self.give: Callable[[str, str], None] = lambda image_id, tag: None
        self.response: Any = None
        self.buildx: Path | None = None
        self._naming = threading.local()

    def build(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Build as the SDK does, and leave no container; see `docker.APIClient.build`.

        Raises NotOurs where the tag is somebody else's.
        """
        asked = _ARGUMENTS.bind(self, *args, **kwargs).arguments
        if self.journal is None:
            return super().build(*args, **kwargs)  # type: ignore[no-any-return]
        decode, tag = bool(asked.pop("decode", False)), asked.pop("tag", None)
        # The containerd store keeps no trace of the container that an image was made in (28.5), so none may stay.
        asked |= {"rm": True, "forcerm": True}
        if tag is not None:
            if not docker.utils.match_tag(tag):
                raise docker.errors.DockerException(f"invalid tag '{tag}': invalid reference format")
            self.refuse_others(tag)
        name = ownership.begin(self)
        assert name is not None
        try:
            events = self.named_build(name, **{key: value for key, value in asked.items() if key != "self"})
        except BaseException:
            ownership.settle_quietly(self, name)
            raise
        noted = self._noted(events, name, tag, self.response)
        return noted if decode else (json.dumps(event).encode() + b"\n" for event in noted)

    def named_build(self, name: str | None, **asked: Any) -> Iterator[Event]:
        """Build as the SDK does, decoded, under a name of the build's own; what it says of images is written down.

        Parameters
        ----------
        name
            What `ownership.begin` gave; None where no journal is kept.
        """
        self._naming.name = name
        try:
            stream = super().build(decode=True, **asked)
        finally:
            self._naming.name = None
        return self._heard(stream, name)

    def hang_up(self, response: Any) -> None:
        """End an answer under way, from any thread: a reader wakes, and the engine stops what it does."""
        # `response.close()` from another thread does not wake a reader; the socket's shutdown does.
        with suppress(OSError, AttributeError, docker.errors.APIError):
            raw = self._get_raw_response_socket(response)
            getattr(raw, "_sock", raw).shutdown(socket.SHUT_RDWR)

    def remove_image(self, image: Any, force: bool = False, noprune: bool = False) -> Any:
        """Remove as the SDK does; see `docker.APIClient.remove_image`."""
        if noprune:
            return self.dialect.remove_alone(self, image, force=force)
        return super().remove_image(image, force=force)

    def _stream_helper(self, response: Any, decode: bool = False) -> Iterator[Any]:
        # Kept because only shutting this response's socket wakes a reader that waits for the next event.
        self.response = response
        return super()._stream_helper(response, decode)  # type: ignore[no-any-return]

    def _post(self, url: str, **kwargs: Any) -> Any:
        if name := getattr(self._naming, "name", None):
            kwargs["params"] = {**kwargs["params"], "t": name}
        return super()._post(url, **kwargs)

    def _heard(self, stream: Iterator[Event], name: str | None) -> Iterator[Event]:
        listener = ownership.Listener()
        for event in stream:
            if name and self.journal:
                if event.get("stream") == f"Successfully tagged {name}\n":
                    continue
                for heard in listener.new(event):
                    self.journal.hear(name, *heard)
            yield event

    def _noted(self, events: Iterator[Event], name: str, tag: str | None, response: Any) -> Iterator[Event]:
        has_ended = is_settled = False
        try:
            for event in events:
                if "error" in event:
                    # Now, and not when whoever holds the exception lets go of this stream.
                    ownership.settle_quietly(self, name)
                    is_settled = True
                yield event
            has_ended = True
            if not is_settled and tag and (image_id := ownership.image_of(self, name)):
                self.give(image_id, tag)
                yield {"stream": f"Successfully tagged {normal_reference(tag)}\n"}
        finally:
            if not (has_ended or is_settled):
                self.hang_up(response)
            if not is_settled:
                ownership.settle_quietly(self, name, is_cancelled=not has_ended)


class CourseClient(docker.DockerClient):  # type: ignore[misc]
    """The SDK's high-level client on top of a journalling low-level one."""

    api: JournallingClient

    def __init__(self, base_url: str, *, version: str = "auto", timeout: float = 60, tls: Any = None) -> None:
        self.api = JournallingClient(base_url=base_url, version=version, timeout=timeout, tls=tls)
