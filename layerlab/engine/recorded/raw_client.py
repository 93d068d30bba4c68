"""The calls of the Docker SDK that notebooks show raw, answered through the seam by any engine of ours.

Names and parameters are the SDK's (a test compares them); errors are the course's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildHandle, BuildRequest, Engine
from layerlab.engine.recorded.older_stream import older_stream
from layerlab.errors import BuildFailed, EngineRefused
from layerlab.image import normal_reference

Raw = dict[str, Any]


class RawClient:
    """Stands for ``docker.DockerClient``: ``images``, ``containers``, ``api``, ``version``, ``info``."""

    def __init__(self, engine: Engine, *, version: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        self._version = dict(version)
        self._info = dict(info)
        self.api = RawAPI(engine)
        self.images = RawImages(engine)
        self.containers = RawContainers(engine)

    def version(self) -> Raw:
        """Return the engine's own answer, as it was recorded."""
        return dict(self._version)

    def info(self) -> Raw:
        """Return the engine's own answer, less what describes the machine it ran on."""
        return dict(self._info)


class RawImage:
    """Stands for ``docker.models.images.Image``."""

    def __init__(self, engine: Engine, attrs: Raw) -> None:
        self._engine = engine
        self.attrs = attrs

    @property
    def id(self) -> str:
        """The full id."""
        return str(self.attrs["Id"])

    @property
    def short_id(self) -> str:
        """The id cut to ten digits, ``sha256:`` included."""
        return self.id[:17] if self.id.startswith("sha256:") else self.id[:10]

    @property
    def tags(self) -> list[str]:
        """The names of the image."""
        return [tag for tag in self.attrs.get("RepoTags") or () if tag != "<none>:<none>"]

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the image."""
        return dict((self.attrs.get("Config") or {}).get("Labels") or {})

    def history(self) -> list[Raw]:
        """Return the history, newest first."""
        return self._engine.history(self.id)


class RawAPI:
    """Stands for ``docker.APIClient``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def build(
        self,
        path: str | None = None,
        tag: str | None = None,
        *,
        nocache: bool = False,
        rm: bool = False,
        decode: bool = False,
        buildargs: Mapping[str, str] | None = None,
        dockerfile: str | None = None,
        forcerm: bool = False,
        target: str | None = None,
    ) -> Iterator[Any]:
        """Yield the events of a build as they come: dicts if ``decode``, else lines of JSON."""
        request = BuildRequest(
            context=BuildContext.open(path or ".", dockerfile=dockerfile or "Dockerfile"),
            tag=tag,
            args=dict(buildargs or {}),
            target=target,
            no_cache=nocache,
        )
        handle = self._engine.build(request)
        for data in self._older(handle, request):
            yield _line(data, decode=decode)
        # Through the SDK the engine itself names the image and says so; the seam names it when all is over.
        if tag and handle.image_id:
            yield _line({"stream": f"Successfully tagged {normal_reference(tag)}\n"}, decode=decode)

    def _older(self, handle: BuildHandle, request: BuildRequest) -> Iterator[Raw]:
        # The SDK's own call is the older builder's, whatever else the engine builds with.
        if self._engine.info.builder == "buildkit":
            yield from older_stream(handle, request.context.dockerfile, target=request.target)
        else:
            yield from (dict(event.data) for event in handle)

    def history(self, image: str) -> list[Raw]:
        """Return the history, newest first."""
        return self._engine.history(image)

    def images(self, name: str | None = None) -> list[Raw]:
        """Return the list of images, or of those of one repository."""
        return [entry for entry in self._engine.images() if name is None or _bears(entry, name)]

    def inspect_image(self, image: str) -> Raw:
        """Return everything the engine says of an image."""
        return self._engine.inspect(image)


class RawImages:
    """Stands for ``docker.models.images.ImageCollection``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def build(
        self,
        *,
        path: str | None = None,
        tag: str | None = None,
        nocache: bool = False,
        rm: bool = False,
        buildargs: Mapping[str, str] | None = None,
        dockerfile: str | None = None,
        forcerm: bool = False,
        target: str | None = None,
    ) -> tuple[RawImage, Iterator[Raw]]:
        """Build to the end; return the image, and the events once more.

        Raises
        ------
        BuildFailed
            Where the SDK raises BuildError.
        """
        events = list(
            RawAPI(self._engine).build(
                path=path, tag=tag, nocache=nocache, buildargs=buildargs, dockerfile=dockerfile, target=target,
                decode=True,
            )
        )  # fmt: skip
        if message := next((str(event["error"]) for event in events if "error" in event), None):
            raise BuildFailed(f"The build failed: {message}. Read the log, mend that step and build again.")
        image_id = next(event["aux"]["ID"] for event in reversed(events) if "aux" in event)
        return self.get(str(image_id)), iter(events)

    def get(self, name: str) -> RawImage:
        """Return an image by name or id. Raises ImageNotFound."""
        return RawImage(self._engine, self._engine.inspect(name))

    def list(self, name: str | None = None, all: bool = False) -> list[RawImage]:
        """Return the images here, or those of one repository."""
        return [self.get(str(entry["Id"])) for entry in RawAPI(self._engine).images(name)]


class RawContainers:
    """Stands for ``docker.models.containers.ContainerCollection``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, image: str, command: str | list[str] | None = None, *, remove: bool = False) -> bytes:
        """Run a container to its end and return what it printed.

        Raises
        ------
        EngineRefused
            Where the SDK raises ContainerError: the command ended with another code than 0.
        """
        words = command.split() if isinstance(command, str) else command
        result = self._engine.run(image, words)
        if result.exit_code:
            raise EngineRefused(
                f"The command {words} in {image} returned exit code {result.exit_code}: {result.output.strip()[-400:]}"
            )
        return result.output.encode()


def _line(data: Raw, *, decode: bool) -> Any:
    return data if decode else json.dumps(data).encode() + b"\n"


def _bears(entry: Raw, name: str) -> bool:
    tags = entry.get("RepoTags") or ()
    return any(tag == name or tag.rpartition(":")[0] == name for tag in tags)
