"""A bench that follows pasted Dockerfiles as far as they start: as whom, from where, and for whom.

What people paste is recorded nowhere, and a build that never ends cannot be. No engine, no network. Holds no test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from recorded_bench import APPS

from layerlab.context import BuildContext
from layerlab.dockerfile import Config, resolve
from layerlab.engine.protocol import Response
from layerlab.errors import DoesNotServe
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, Distribution, Probe
from layerlab.work.answers import work_folder

MB = 1_000_000


@dataclass(frozen=True)
class Made:
    """What a build gave."""

    image: Image
    steps: tuple[Any, ...] = (1, 2)


@dataclass
class Begun:
    """A build under way."""

    make: Callable[[], Made]

    def run(self, on_event: Callable[[Any], None] | None = None) -> Made:
        if on_event:
            on_event("step")
        return self.make()

    def cancel(self) -> None:
        """There is nothing to end."""


@dataclass(frozen=True)
class Parked:
    """What an image starts with, and where its packages were made and lie now."""

    config: Config
    made: str
    lies: str


@dataclass
class CarPark:
    """Builds and probes what is pasted: see `layerlab.exercises.Bench`."""

    work: Path = field(default_factory=work_folder)
    py_minor: str = "3.12"
    namespace: str = "layerlab/"
    parked: dict[str, Parked] = field(default_factory=dict)
    numbers: Any = field(default_factory=count)

    def arguments(self, declared: Collection[str]) -> dict[str, str]:
        return {"PY_MINOR": self.py_minor} if "PY_MINOR" in declared else {}

    def folder(self, app: str) -> Path:
        return APPS / app

    def image(self, reference: str) -> Image:
        return Image(f"sha256:{reference}", (), "", "", (HistoryEntry("base", 119 * MB),), ("slim",), 0)

    def begin(
        self,
        app: str,
        *,
        text: str | None = None,
        dockerfile: str = "Dockerfile",
        tag: str | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        builder: str | None = None,
    ) -> Begun:
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=text)
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        return Begun(lambda: self._parked(context))

    def probe(self, image: str | Image, *paths: str, read_only: bool = False, stopping: bool = False) -> Probe:
        assert isinstance(image, Image)
        found = self.parked[image.id]
        name = (found.config.user or "0").partition(":")[0]
        user = name if name.isdecimal() else "0" if name == "root" else "1000"
        if found.lies.startswith("/root") and user != "0":
            raise DoesNotServe('The container did not start: exec: "uvicorn": permission denied: unknown.')
        if found.lies != found.made:
            raise _ended("ModuleNotFoundError: No module named 'uvicorn'")
        if "127.0.0.1" in " ".join(found.config.cmd or ()):
            raise _ended("INFO: Uvicorn running on http://127.0.0.1:8000")
        answers = tuple((path, Response(200, "41 spaces")) for path in paths)
        ended = (0, 0.1) if stopping else (None, None)
        return Probe(image.id, answers, int(user), *ended, read_only)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        own = (Distribution("starlette", "1", MB, "/packages"),) if image.id in self.parked else ()
        return Contents(own, 800, ())

    def _parked(self, context: BuildContext) -> Made:
        stages = resolve(context.dockerfile, build_args={"PY_MINOR": self.py_minor}).stages
        runs = " ".join(" ".join(one.arguments) for stage in stages for one in stage.instructions)
        venv = re.search(r"(?:-m|uv) venv (\S+)", runs)
        made = venv[1] if venv else "/root/.local" if "--user" in runs else "/usr/local"
        copies = [one.expanded for one in stages[-1].instructions if one.expanded.flag("from")]
        lies = copies[0].arguments[-1] if copies else made
        id = f"sha256:parked-{next(self.numbers)}"
        self.parked[id] = Parked(stages[-1].config, made, lies)
        history = (HistoryEntry("base", 119 * MB), HistoryEntry("RUN something", 2 * MB))
        return Made(Image(id, (), "", "", history, ("slim", id), 0))


def _ended(last: str) -> DoesNotServe:
    return DoesNotServe(f"The container ended with exit code 1. It printed:\n{last}\nCheck CMD, the host and the port.")
