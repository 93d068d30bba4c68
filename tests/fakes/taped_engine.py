"""An engine that answers what a Docker engine answered, from a tape: BuildKit's own traces, and what it says of images.

``tests/data/events/buildkit-28.5-recorded.json`` was taken from Docker Engine 28.5.2 (containerd store, buildx 0.29.1),
with a base of the course's own. A build is found by its text, target and whether it may use the cache; asked again,
it gives what it gave the next time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from layerlab.engine.protocol import BuildRequest, EngineInfo, RawEvent
from layerlab.errors import ImageNotFound

TAPE = Path(__file__).parents[1] / "data" / "events" / "buildkit-28.5-recorded.json"


class TapedBuild:
    """A build that is over before it begins."""

    def __init__(self, taped: dict[str, Any]) -> None:
        self._events = taped["events"]
        self.image_id = taped["image_id"]

    def __iter__(self) -> Iterator[RawEvent]:
        return (RawEvent(at, data) for at, data in self._events)

    def cancel(self) -> None:
        raise AssertionError("nothing on the tape is cancelled")


class TapedEngine:
    """What a recorder asks of a live engine."""

    def __init__(self, path: Path = TAPE) -> None:
        self._tape = json.loads(path.read_text(encoding="utf-8"))
        self._played: Counter[str] = Counter()
        self.removed: list[str] = []
        self.builds: list[BuildRequest] = []
        info = self._tape["info"]
        self.info = EngineInfo(**{**info, "recorded_on": None})
        api = SimpleNamespace(prune_builds=lambda all: None)
        self.client = SimpleNamespace(version=lambda: {}, info=lambda: {}, api=api)

    def build(self, request: BuildRequest) -> TapedBuild:
        key = build_key(request)
        self.builds.append(request)
        answers = self._tape["builds"][key]
        nth = min(self._played[key], len(answers) - 1)
        self._played[key] += 1
        return TapedBuild(answers[nth])

    def inspect(self, image: str) -> dict[str, Any]:
        return self._about(image)["inspect"]  # type: ignore[no-any-return]

    def history(self, image: str) -> list[dict[str, Any]]:
        return self._about(image)["history"]  # type: ignore[no-any-return]

    def remove(self, image: str) -> None:
        self.removed.append(image)

    def _about(self, image: str) -> dict[str, Any]:
        if image not in self._tape["images"]:
            raise ImageNotFound(image)
        return self._tape["images"][image]  # type: ignore[no-any-return]


def build_key(request: BuildRequest) -> str:
    """Name a build on the tape."""
    return json.dumps([request.context.text, request.target, request.no_cache])
