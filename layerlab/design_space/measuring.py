"""Builds one combination, or all, and measures each: size, who serves, and the work of a start. Draws nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerlab import bases, build, probe
from layerlab.context import BuildContext
from layerlab.design_space.combinations import COMBINATIONS, Combination, named
from layerlab.design_space.recipe import recipe
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import BuildCancelled, DoesNotServe

if TYPE_CHECKING:
    from layerlab.build import Build, OnEvent
    from layerlab.engine.protocol import Engine

_PY_MINOR = "PY_MINOR"
_SECONDS = (int, float)


@dataclass(frozen=True)
class Measured:
    """What one combination came to.

    ``starts`` are the processor seconds of each start; there are none, and ``uid`` is None, where it does not serve.
    ``build_seconds`` counts what this build had to do, ``cached_steps`` of its ``steps`` being there already.
    """

    combination: Combination
    size_bytes: int
    base_bytes: int
    serves: bool
    uid: int | None
    starts: tuple[float, ...]
    build_seconds: float
    steps: int
    cached_steps: int
    is_live: bool

    @property
    def added_bytes(self) -> int:
        """What the recipe added to its base."""
        return self.size_bytes - self.base_bytes

    @property
    def start_seconds(self) -> float | None:
        """The work of a start: the least of them, since other programs can only add to it; None without any."""
        return min(self.starts, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON value, the combination by its name."""
        return {**asdict(self), "combination": self.combination.name}

    @classmethod
    def from_json(cls, kept: Any) -> Measured:
        """Take such a value back. Raises ValueError where it is none, or names no combination of today."""
        try:
            measured = cls(**{**kept, "combination": named(kept["combination"]), "starts": tuple(kept["starts"])})
        except (TypeError, KeyError) as error:
            raise ValueError("it is no measured combination") from error
        whole = (measured.size_bytes, measured.base_bytes, measured.steps, measured.cached_steps)
        seconds = (measured.build_seconds, *measured.starts)
        if any(type(one) is not int for one in whole) or any(type(one) not in _SECONDS for one in seconds):
            raise ValueError("it holds a number that is none")
        return measured


class Spending:
    """One build that is being spent: `run` it to its end; `cancel` may come from any thread.

    ``owner`` is the id of the work that it belongs to: the image's name carries it.
    """

    def __init__(self, engine: Engine, folder: Path, combination: Combination, *, owner: str = "") -> None:
        self._engine = engine
        self._folder = folder
        self._combination = combination
        self._owner = owner
        self._build: Build | None = None
        self._lock = threading.Lock()
        self._is_cancelled = False

    def cancel(self) -> None:
        """End it; harmless once it is over."""
        with self._lock:
            self._is_cancelled = True
            begun = self._build
        if begun is not None:
            begun.cancel()

    def run(self, on_event: OnEvent | None = None) -> Measured:
        """Build, ask, and start it several times.

        Raises
        ------
        BuildCancelled
            After `cancel`.
        BuildFailed, EngineGone, DiskFull, BaseError, NotRecorded
        """
        base = bases.resolve(self._engine, self._combination.base).image
        self._require_wanted()
        begun = self._begin()
        with self._lock:
            self._build = begun
        self._require_wanted()
        result = begun.run(on_event)
        self._require_wanted()
        asked = _probed(self._engine, result.image.id)
        self._require_wanted()
        starts = probe.start_work(self._engine, result.image.id) if asked and asked.serves else ()
        self._require_wanted()
        return Measured(
            combination=self._combination,
            size_bytes=result.image.size_bytes,
            base_bytes=result.image.size_bytes - result.image.added_bytes(base),
            serves=asked is not None and asked.serves,
            uid=asked.uid if asked else None,
            starts=starts,
            build_seconds=result.seconds,
            steps=len(result.steps),
            cached_steps=result.cached_steps,
            is_live=result.is_live,
        )

    def _begin(self) -> Build:
        text = recipe(self._combination)
        slug = self._combination.name.replace(" ", "-")
        context = BuildContext.open(self._folder, f"Dockerfile.{slug}", dockerfile_text=text)
        arguments = bases.build_arguments(self._engine, {_PY_MINOR})
        name = f"{self._engine.info.namespace}space:{slug}"
        tag = "-".join(filter(None, (name, self._owner)))
        return build.begin(self._engine, BuildRequest(context=context, tag=tag, args=arguments))

    def _require_wanted(self) -> None:
        if self._is_cancelled:
            raise BuildCancelled(f"The build of {self._combination.name} was cancelled. It is not spent.")


def matrix(
    engine: Engine,
    folder: Path,
    *,
    combinations: Sequence[Combination] = COMBINATIONS,
) -> Iterator[Measured]:
    """Measure combinations one after the other, yielding each as it is done.

    Parameters
    ----------
    folder
        The service's.
    """
    for one in combinations:
        yield Spending(engine, folder, one).run()


def _probed(engine: Engine, image: str) -> probe.Probe | None:
    try:
        return probe.probe(engine, image)
    except DoesNotServe:
        return None
