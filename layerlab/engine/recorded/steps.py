"""The steps of a build with their keys: what must be equal for a recorded step to stand for a real one.

A key covers the parent's key, the instruction with its variables replaced, the content it copies, the build
arguments a RUN sees, builder and platform. Comments, blank lines and continuations are no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction, Resolved, ResolvedInstruction, ResolvedStage, resolve
from layerlab.engine.protocol import Builder, BuildRequest
from layerlab.engine.recorded.chains import base_chain
from layerlab.engine.recorded.store import digest
from layerlab.engine.recorded.transcript import Position
from layerlab.errors import ContextError

MISSING = "missing"


@dataclass(frozen=True)
class PlannedStep:
    """One step of a build: its key, the chain it stands on, and where it stands in the file.

    A global ARG has no key: it makes nothing, and its value shows in the FROMs that use it. ``base`` is
    the image a FROM begins with; ``images`` are all images of others that the step reads.
    """

    key: str | None
    parent: str
    position: Position
    instruction: Instruction
    base: str | None = None
    images: tuple[str, ...] = ()
    is_stage_end: bool = False

    @property
    def is_from(self) -> bool:
        """True for the first step of a stage."""
        return self.instruction.keyword == "FROM"


@dataclass(frozen=True)
class BuildEnvironment:
    """What keys depend on besides the build: builder, platform, and the images this session knows.

    ``chain_of`` names the chain of an image made in this session, ``env_of`` the ENV of a base image.
    """

    builder: Builder
    platform: str
    chain_of: Callable[[str], str | None]
    env_of: Callable[[str], Mapping[str, str]]


def plan(request: BuildRequest, around: BuildEnvironment) -> tuple[PlannedStep, ...]:
    """List the steps a builder runs for a request, stages in file order up to the target.

    Raises
    ------
    DockerfileError
        The file cannot be read, or a variable in it not be replaced.

    Notes
    -----
    The classic builder builds every stage up to the target, needed or not, and counts global ARGs as
    steps (Docker Engine 20.10); Podman counts anew in each stage.
    """
    planner = _Planner(request, around)
    steps = tuple(planner.steps())
    total = len(steps)
    numbered = (replace(step.position, number=n, total=total) for n, step in enumerate(steps, start=1))
    return tuple(replace(step, position=position) for step, position in zip(steps, numbered, strict=True))


def plan_key(steps: tuple[PlannedStep, ...]) -> str:
    """Name a whole build, for what happens before its first step: a refusal of the builder."""
    return digest("build", [step.key or step.instruction.canonical for step in steps])


class _Planner:
    def __init__(self, request: BuildRequest, around: BuildEnvironment) -> None:
        self._request = request
        self._around = around
        self._context: BuildContext = request.context
        resolved = self._resolve({})
        bases = {stage.base for stage in resolved.stages if stage.stage.base_stage is None}
        # An ARG loses to an ENV of the base, so names can be replaced only once the bases are known.
        self._resolved = self._resolve({base: around.env_of(base) for base in sorted(bases)})
        self._ends: list[str] = []

    def _resolve(self, base_env: Mapping[str, Mapping[str, str]]) -> Resolved:
        return resolve(
            self._context.dockerfile,
            build_args=self._request.args,
            base_env=base_env,
            builder="classic" if self._around.builder == "classic" else "buildkit",
        )

    def steps(self) -> Iterator[PlannedStep]:
        dockerfile = self._resolved.dockerfile
        if self._around.builder == "classic":
            for one in dockerfile.global_args:
                yield PlannedStep(None, "", Position(0, 0), one)
        last = dockerfile.target(self._request.target).index
        for stage in self._resolved.stages[: last + 1]:
            yield from self._stage(stage, stages=last + 1)

    def _stage(self, stage: ResolvedStage, *, stages: int) -> Iterator[PlannedStep]:
        triggers = [one for one in stage.instructions if one.is_trigger]
        own = [one for one in stage.instructions if not one.is_trigger]
        first = self._from(stage, triggers)
        place = Position(0, 0, 1, len(own) + 1, stage.stage.index, stages)
        steps = [replace(first, position=place)]
        for number, one in enumerate(own, start=2):
            step = self._step(one, str(steps[-1].key), stage)
            steps.append(replace(step, position=replace(place, stage_number=number)))
        self._ends.append(str(steps[-1].key))
        yield from steps[:-1]
        yield replace(steps[-1], is_stage_end=True)

    def _from(self, stage: ResolvedStage, triggers: list[ResolvedInstruction]) -> PlannedStep:
        earlier = stage.stage.base_stage
        parent = self._ends[earlier] if earlier is not None else self._image_chain(stage.base)
        inputs = [self._inputs(one, stage)[0] for one in triggers]
        images = () if earlier is not None else (stage.base,)
        # Not the canonical FROM: neither the stage's name nor how the base was spelled makes a difference.
        key = self._key(parent, "FROM", stage.platform, inputs)
        return PlannedStep(key, parent, Position(0, 0), stage.stage.from_, images[0] if images else None, images)

    def _step(self, one: ResolvedInstruction, parent: str, stage: ResolvedStage) -> PlannedStep:
        inputs, image = self._inputs(one, stage)
        return PlannedStep(
            self._key(parent, *inputs), parent, Position(0, 0), one.instruction, images=(image,) if image else ()
        )

    def _inputs(self, one: ResolvedInstruction, stage: ResolvedStage) -> tuple[list[object], str | None]:
        """Return everything besides its parent that a step depends on, and the image it copies from."""
        expanded = one.expanded
        if expanded.keyword == "RUN":
            return [expanded.canonical, list(one.args), *self._mounted(one, stage)], None
        if expanded.keyword not in ("COPY", "ADD"):
            return [expanded.canonical], None
        if expanded.flag("from") is None:
            return [expanded.canonical, self._content(expanded.sources)], None
        nameless = replace(expanded, flags=tuple(flag for flag in expanded.flags if flag.name != "from"))
        chain, image = self._source(one, stage)
        return [nameless.canonical, chain], image

    def _mounted(self, one: ResolvedInstruction, stage: ResolvedStage) -> list[str]:
        """Return what the bind mounts of a RUN show it; a cache mount or a secret makes no difference to BuildKit."""
        bound = [mount for mount in one.expanded.mounts if mount.type == "bind"]
        found = [self._content((mount.source or ".",)) for mount in bound if mount.from_ is None]
        # Who takes a stage's files in this way is named by its line only: one entry for each such stage or image.
        for needed in stage.stage.depends_on:
            if (needed.how, needed.line) == ("RUN", one.instruction.line):
                stage_end = self._ends[needed.stage_index] if needed.stage_index is not None else None
                found.append(stage_end or self._image_chain(str(needed.image)))
        return found

    def _source(self, one: ResolvedInstruction, stage: ResolvedStage) -> tuple[str, str | None]:
        for needed in stage.stage.depends_on:
            if (needed.how, needed.line) == ("COPY", one.instruction.line):
                if needed.stage_index is not None:
                    return self._ends[needed.stage_index], None
                return self._image_chain(str(needed.image)), needed.image
        image = str(one.instruction.flag("from"))
        return self._image_chain(image), image

    def _content(self, sources: tuple[str, ...]) -> str:
        if not sources:
            return ""
        try:
            return self._context.digest(sources)
        except ContextError:
            # The builder fails at this step; that failure is a recording like any other.
            return MISSING

    def _image_chain(self, reference: str) -> str:
        return self._around.chain_of(reference) or base_chain(reference)

    def _key(self, parent: str, *inputs: object) -> str:
        request, around = self._request, self._around
        # Where a limit of memory once stood: what is recorded keeps its name.
        return digest(parent, inputs, around.builder, around.platform, None, request.network)
