"""An engine that holds what it is told and pulls what it is given. Holds no test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from layerlab.engine.protocol import EngineInfo, EngineKind, RawEvent
from layerlab.errors import ImageNotFound, LayerLabError

NOVEMBER = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
AUGUST = int(datetime(2026, 8, 13, tzinfo=UTC).timestamp())


def raw_image(
    reference: str, *, standin: bool = False, digest: str | None = None, created: int = NOVEMBER, recipe: str = "r"
) -> dict[str, Any]:
    """Return one image as `GET /images/json` lists it."""
    minor = reference.partition(":")[2].partition("-")[0]
    labels = {"layerlab.standin": "true", "layerlab.py_minor": minor, "layerlab.recipe": recipe} if standin else None
    return {
        "Id": f"sha256:{abs(hash(reference)):x}",
        "RepoTags": [reference],
        "RepoDigests": [f"{reference.partition(':')[0]}@{digest}"] if digest else [],
        "Created": created,
        "Labels": labels,
    }


class FakeEngine:
    """Just the seam's verbs that `bases` uses; what was asked of it is written down."""

    def __init__(self, *held: dict[str, Any], kind: EngineKind = "docker") -> None:
        self.held = list(held)
        self.asked: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.error: LayerLabError | None = None
        self.arrives: Callable[[str], dict[str, Any]] | None = raw_image
        self.hangs: threading.Event | None = None
        self.info = EngineInfo(
            kind=kind,
            name="Docker",
            version="20.10.24",
            api_version="1.41",
            platform="linux/amd64",
            storage="overlay2",
            builder="classic",
            endpoint="unix:///nowhere.sock",
            why="a test",
        )

    @property
    def client(self) -> Any:
        """Enough of the SDK's client for giving a pulled image a second name."""
        return self

    @property
    def images(self) -> Any:
        """Be the list of images and, as the SDK's client has it, what images are got from."""
        return _Images(self)

    def inspect(self, image: str) -> dict[str, Any]:
        """Return what `GET /images/{image}/json` would."""
        for raw in self.held:
            digests = [str(one) for one in raw["RepoDigests"]]
            if image in raw["RepoTags"] or image in digests or image == raw["Id"]:
                return {**raw, "Config": {"Labels": raw["Labels"]}, "RootFS": {"Layers": []}, "Size": 1}
        raise ImageNotFound(f"The engine holds no image {image!r}.")

    def history(self, image: str) -> list[dict[str, Any]]:
        """Return a history without entries."""
        return []

    def layer_sizes(self, image: str) -> tuple[int, ...]:
        """Return a size for each of its layers, of which it has none."""
        return ()

    def pull(self, reference: str) -> Iterator[RawEvent]:
        """Send the events, then the error or the image."""
        self.asked.append(reference)
        if self.hangs:
            self.hangs.wait(30)
            return
        for event in self.events:
            yield RawEvent(0.0, event)
        if self.error:
            raise self.error
        if self.arrives:
            self.held.append(self.arrives(reference))


class _Images:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def __call__(self) -> list[dict[str, Any]]:
        return self._engine.held

    def get(self, name: str) -> _Named:
        return _Named(self._engine, name)


class _Named:
    def __init__(self, engine: FakeEngine, name: str) -> None:
        self._raw = engine.inspect(name)
        self._engine = engine

    def tag(self, repository: str, tag: str) -> None:
        found = next(one for one in self._engine.held if one["Id"] == self._raw["Id"])
        found["RepoTags"].append(f"{repository}:{tag}")
