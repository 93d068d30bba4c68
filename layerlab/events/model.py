"""What can happen in a build, whatever builder runs it. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepStarted:
    """Step ``number`` of ``total`` began (both count from 1 over the whole build; BuildKit runs several at once).

    ``place`` is stage and step in it, both from 1, where the builder counts by stages (Podman): it leaves
    out stages that nothing needs, and the ARGs before the first FROM. BuildKit calls a stage by its name and
    counts only what it runs: then ``stage`` is that name, or the empty string, ``stage_step`` the count, and
    ``stage_total`` how many it has.
    """

    at: float
    number: int
    total: int
    instruction: str
    place: tuple[int, int] | None = None
    stage: str | None = None
    stage_step: int = 0
    stage_total: int = 0


@dataclass(frozen=True)
class StepOutput:
    """One line that a step printed."""

    at: float
    number: int
    text: str


@dataclass(frozen=True)
class StepCached:
    """A step was answered from the build cache; where the builder prints lines, its output says so."""

    at: float
    number: int


@dataclass(frozen=True)
class StepFinished:
    """A step is over; ``image_id`` is its intermediate image (may be cut to 12 digits), where it leaves one.

    Where the builder prints lines, it is told by the output, which a RUN can imitate.
    """

    at: float
    number: int
    image_id: str | None


@dataclass(frozen=True)
class PullProgress:
    """A base is being pulled as part of the build; ``current``/``total`` in bytes of one layer."""

    at: float
    layer: str
    status: str
    current: int
    total: int


@dataclass(frozen=True)
class Succeeded:
    """The build ended with an image."""

    at: float
    image_id: str


@dataclass(frozen=True)
class Failed:
    """The build ended with the engine's own message; ``exit_code`` where a command failed.

    ``number`` is the step that failed, where the builder says which: else it is the one that ran. ``line`` of the
    Dockerfile is what the builder blames, where it says so.
    """

    at: float
    message: str
    exit_code: int | None
    number: int | None = None
    line: int | None = None


Event = StepStarted | StepOutput | StepCached | StepFinished | PullProgress | Succeeded | Failed
