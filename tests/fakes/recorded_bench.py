"""The recorded engine as a bench for exercises: quick, and nothing in it is made up. Holds no test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from layerlab.lab.lab import Lab, open_lab

ROOT = Path(__file__).parents[2]
APPS = ROOT / "apps"


def recorded(name: str) -> Lab:
    """Open the bench of an exercise anew. Learners' files belong elsewhere: pass ``work`` to the exercise."""
    return open_lab(name, engine="recorded", root=ROOT)


class Watched:
    """A bench that counts what is asked of another, and lets something happen while a build runs."""

    def __init__(self, bench: Lab) -> None:
        self._bench = bench
        self.texts: list[str] = []
        self.probed: list[str] = []
        self.begun: list[WatchedBuild] = []
        self.during: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def begin(self, app: str, *, text: str | None = None, dockerfile: str = "Dockerfile", **named: Any) -> WatchedBuild:
        build = self._bench.begin(app, text=text, dockerfile=dockerfile, **named)
        self.texts.append((self.folder(app) / dockerfile).read_text() if text is None else text)
        self.begun.append(WatchedBuild(build, self))
        return self.begun[-1]

    def probe(self, image: Any, *paths: str, **named: Any) -> Any:
        self.probed.append(image.id)
        return self._bench.probe(image, *paths, **named)


class WatchedBuild:
    """A build under way."""

    def __init__(self, build: Any, watched: Watched) -> None:
        self._build, self._watched = build, watched
        self.cancels = 0

    def run(self, on_event: Callable[[Any], None] | None = None) -> Any:
        if self._watched.during:
            self._watched.during()
        return self._build.run(on_event)

    def cancel(self) -> None:
        self.cancels += 1
        self._build.cancel()
