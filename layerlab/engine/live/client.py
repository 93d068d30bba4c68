"""The SDK's client with one addition: whatever it builds is entered in our journal.

Notebooks use this client raw, so ownership has to be noted below it and not in a helper.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import docker.errors

from layerlab.dockerfile import parse
from layerlab.engine.journal import Journal
from layerlab.engine.live import ownership
from layerlab.errors import LayerLabError

Event = dict[str, Any]


class JournallingClient(docker.APIClient):  # type: ignore[misc]  # the SDK carries no types
    """The low-level client; what ``build`` makes is ours by a name that it has besides the one asked for.

    Attributes
    ----------
    refuse_others
        Told a tag before a build takes it; raises NotOurs where it is somebody else's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As the user wrote it: the SDK calls every socket http+docker://localhost.
        self.endpoint = str(kwargs.get("base_url"))
        self.journal: Journal | None = None
        self.refuse_others: Callable[[str], None] | None = None
        self.response: Any = None
        self._naming = threading.local()

    def build(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Build as the SDK does; see `docker.APIClient.build`. Raises NotOurs where the tag is somebody else's."""
        decode, tag = bool(kwargs.pop("decode", None)), kwargs.get("tag")
        if tag and self.refuse_others:
            self.refuse_others(tag)
        name = ownership.begin(self, _instructions(kwargs))
        try:
            stream = self.named_build(name, *args, **kwargs)
        except BaseException:
            self._settle(name, tag, ())
            raise
        return self._noted(stream, name, tag, decode=decode)

    def named_build(self, name: str | None, *args: Any, **kwargs: Any) -> Iterator[Event]:
        """Build as the SDK does, decoded, and have the engine give the image one name more.

        Parameters
        ----------
        name
            What `ownership.begin` gave; None where no journal is kept.
        """
        self._naming.name = name
        try:
            stream = super().build(*args, decode=True, **kwargs)
        finally:
            self._naming.name = None
        return (event for event in stream if not name or event.get("stream") != f"Successfully tagged {name}\n")

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

    def _post(self, url: str, **kwargs: Any) -> Any:
        if name := getattr(self._naming, "name", None):
            given = dict(kwargs["params"])
            kwargs["params"] = {**given, "t": [*filter(None, [given.get("t")]), name]}
        return super()._post(url, **kwargs)

    def _noted(self, stream: Iterator[Event], name: str | None, tag: str | None, *, decode: bool) -> Iterator[Any]:
        stages: list[str] = []
        try:
            for event in stream:
                stages += ownership.finished_stage(event)
                yield event if decode else json.dumps(event).encode() + b"\n"
        finally:
            self._settle(name, tag, stages)

    def _settle(self, name: str | None, tag: str | None, stages: Sequence[str]) -> None:
        if name is None or self.journal is None:
            return
        built = ownership.inspected(self, name)
        if built and tag in (built.get("RepoTags") or ()):
            self.journal.note("tag", str(tag), image=str(built["Id"]))
        ownership.settle(self, name, stages=stages)


class CourseClient(docker.DockerClient):  # type: ignore[misc]
    """The SDK's high-level client on top of a journalling low-level one."""

    api: JournallingClient

    def __init__(self, base_url: str, *, version: str = "auto", timeout: float = 60, tls: Any = None) -> None:
        self.api = JournallingClient(base_url=base_url, version=version, timeout=timeout, tls=tls)


def _instructions(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the instructions of the Dockerfile that a raw build names; none where it cannot be read here."""
    try:
        written = Path(str(asked.get("path")), str(asked.get("dockerfile") or "Dockerfile")).read_text(encoding="utf-8")
        return tuple(one.logical for one in parse(written).instructions)
    except (OSError, ValueError, LayerLabError):
        return ()
