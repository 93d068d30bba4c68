"""Dockerfile and context in, BuildResult out. Knows the seam and the events; builds nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerlab import events
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildHandle, BuildRequest, Engine
from layerlab.errors import BuildFailed
from layerlab.image import HistoryEntry, Image, ImageConfig

_TAIL_LINES = 20


@dataclass(frozen=True)
class Step:
    """One step of a finished build, base-first; ``seconds`` is wall time, ``line`` is in the Dockerfile."""

    number: int
    instruction: str
    line: int | None
    is_cached: bool
    seconds: float
    image_id: str | None
    log: tuple[str, ...]


@dataclass(frozen=True)
class BuildResult:
    """What a build gave: the image, its steps, and how long it took on which builder."""

    image: Image
    tag: str | None
    dockerfile: str
    steps: tuple[Step, ...]
    seconds: float
    builder: str
    is_live: bool

    @property
    def cached_steps(self) -> int:
        """How many steps were answered from the build cache."""
        return sum(step.is_cached for step in self.steps)
