"""The SDK's client with one addition: whatever it builds is entered in our journal.

Notebooks use this client raw, so ownership has to be noted below their feet and not in a helper.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import docker
import docker.errors

from layerlab.engine.journal import Journal, Kind

# What the builders print when a step has made an image that was not there before.
# Docker cuts ids to 12 digits, Podman to 11.
_MADE = re.compile(r"^ ?-{2,3}> ([0-9a-f]{11,64})\s*$")
_RUNNING = re.compile(r"^ ?---> Running in ([0-9a-f]{12,64})\s*$")
_FULL_ID = re.compile(r"^sha256:[0-9a-f]{64}$")
_STEP = re.compile(r"^(?:Step \d+/\d+ :|(?:\[\d+/\d+\] )?STEP \d+/\d+:) (\w+)")


class JournallingClient(docker.APIClient):  # type: ignore[misc]  # the SDK carries no types
    """The low-level client; ``build`` notes the images, containers and tag that its stream names as ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As the user wrote it: the SDK calls every socket http+docker://localhost.
        self.endpoint = str(kwargs.get("base_url"))
        self.journal: Journal | None = None
        self.response: Any = None

    def build(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Build as the SDK does; see `docker.APIClient.build`."""
        decode = kwargs.pop("decode", None)
        tag = kwargs.get("tag")
        stream = super().build(*args, decode=True, **kwargs)
        return self._noted(stream, tag, decode=bool(decode))

    @cached_property
    def is_podman(self) -> bool:
        """True where Podman answers, whatever socket it was found at."""
        return any("Podman" in str(part.get("Name")) for part in self.version().get("Components") or ())

    def remove_image(self, image: Any, force: bool = False, noprune: bool = False) -> Any:
        """Remove as the SDK does; see `docker.APIClient.remove_image`."""
        if not (noprune and self.is_podman):
            return super().remove_image(image, force=force, noprune=noprune)
        # Podman 4.3 overlooks `noprune` in Docker's call and takes along the untagged parents, which may be somebody's
        # build cache. In its own call for several images it heeds it.
        asked = {"images": image, "force": force, "noprune": True}
        answer = self._result(self._delete(f"{self.base_url}/v4.0.0/libpod/images/remove", params=asked), json=True)
        if errors := answer.get("Errors"):
            kind = docker.errors.ImageNotFound if "image not known" in errors[0] else docker.errors.APIError
            raise kind(errors[0], explanation=errors[0])
        return [{word: one} for word in ("Untagged", "Deleted") for one in answer.get(word) or ()]

    def _stream_helper(self, response: Any, decode: bool = False) -> Iterator[Any]:
        # Kept because only shutting this response's socket wakes a reader that waits for the next event.
        self.response = response
        return super()._stream_helper(response, decode)  # type: ignore[no-any-return]

    def _noted(self, stream: Iterator[dict[str, Any]], tag: str | None, *, decode: bool) -> Iterator[Any]:
        ledger = Ledger(self)
        for event in stream:
            ledger.read(event)
            yield event if decode else json.dumps(event).encode() + b"\n"
        ledger.close(tag)


class Ledger:
    """Reads one build's events and knows which of the ids in them this build has made."""

    def __init__(self, client: JournallingClient) -> None:
        self._client = client
        self._keyword = ""
        self._cached = False
        self._last: str | None = None
        self.containers: list[str] = []
        self.images: list[str] = []

    def read(self, event: dict[str, Any]) -> None:
        """Note what this event says was made."""
        if aux := event.get("aux"):
            self._last = aux.get("ID") or self._last
        for line in str(event.get("stream", "")).splitlines():
            self._line(line)

    def _line(self, line: str) -> None:
        if match := _STEP.match(line):
            self._keyword, self._cached = match[1].upper(), False
        elif "> Using cache" in line:
            self._cached = True
        elif match := _RUNNING.match(line):
            self.containers.append(match[1])
            self._note("container", match[1])
        elif match := _MADE.match(line):
            # The id after FROM is the base's, the id after a cache hit was there before us.
            if self._keyword != "FROM" and not self._cached:
                self._own_image(match[1])
            self._last = match[1]

    @property
    def image_id(self) -> str | None:
        """Full id of the last image the stream has named."""
        return self._full_id(self._last) if self._last else None

    def close(self, tag: str | None) -> None:
        """Note the tag once the build has ended."""
        full = self.image_id
        if tag and full and self._full_id(tag) == full:
            self._note("tag", tag, image=full)

    def _own_image(self, short: str) -> None:
        if full := self._full_id(short):
            self.images.append(full)
            self._note("image", full)

    def _note(self, kind: Kind, identity: str, *, image: str | None = None) -> None:
        if self._client.journal:
            self._client.journal.note(kind, identity, image=image)

    def _full_id(self, name: str) -> str | None:
        if _FULL_ID.match(name):
            return name
        try:
            return str(self._client.inspect_image(name)["Id"])
        except docker.errors.APIError:
            return None


class CourseClient(docker.DockerClient):  # type: ignore[misc]
    """The SDK's high-level client on top of a journalling low-level one."""

    api: JournallingClient

    def __init__(self, base_url: str, *, version: str = "auto", timeout: float = 60, tls: Any = None) -> None:
        self.api = JournallingClient(base_url=base_url, version=version, timeout=timeout, tls=tls)
