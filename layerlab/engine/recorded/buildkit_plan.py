"""What BuildKit does for a request, as steps with keys of our own: what must be equal for one to stand for another.

A step is an instruction that may change a file: FROM, RUN, COPY, ADD, WORKDIR. Its key covers the files it begins with,
the instruction with its variables replaced, the content it copies, and of what is set around it what it can see: a
RUN sees ENV, ARG, USER, WORKDIR and SHELL, a COPY only where it stands. So CMD, EXPOSE, LABEL, HEALTHCHECK and
STOPSIGNAL are in no key of a step, nor ENV and USER where nothing runs after them. An image's key covers all of its
instructions.

BuildKit's own keys are never used. For ``COPY --from`` it goes by the content that is copied; here it is the source
stage's key, so a stage that makes the same files in another way counts as another one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction, Resolved, ResolvedInstruction, ResolvedStage, resolve
from layerlab.engine.protocol import BuildRequest
from layerlab.engine.recorded.chains import base_chain, image_chain
from layerlab.engine.recorded.steps import MISSING, BuildEnvironment
from layerlab.engine.recorded.store import digest
from layerlab.errors import ContextError

RUNS = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass(frozen=True)
class Step:
    """One step of a stage.

    Attributes
    ----------
    key
        Equal where the same happens to the same files. A ``COPY --link`` has the same on whatever files.
    parent
        The key of the files that it begins with.
    waits_for
        Keys of the steps that must be over before it begins.
    stage, index, total
        How BuildKit counts it: ``[stage index/total]``, ``stage-1`` where it has no name (Docker Engine 28.5).
    base, images
        The base of a FROM, and the images of others that the step reads.
    caches
        The cache mounts of a RUN, by their ids.
    """

    key: str
    parent: str
    instruction: Instruction
    waits_for: tuple[str, ...]
    stage: str
    index: int
    total: int
    base: str | None = None
    images: tuple[str, ...] = ()
    caches: frozenset[str] = frozenset()

    def name(self, text: str) -> str:
        """Name the step as BuildKit does, ``text`` being its instruction there."""
        return f"[{self.stage} {self.index}/{self.total}] {text}"


@dataclass(frozen=True)
class PlannedStage:
    """A stage that the target needs: its own steps, and the chain of the image it ends in.

    ``history`` has the key of a step, or None, for each instruction from the base image on, those of the stages before
    it included: BuildKit writes down one entry for each.
    """

    index: int
    image: str
    base: str
    files: str
    steps: tuple[Step, ...]
    history: tuple[str | None, ...]


@dataclass(frozen=True)
class Plan:
    """The stages that BuildKit works on, in file order; the last one is the target."""

    stages: tuple[PlannedStage, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, each once, as in BuildKit: two stages that begin alike share what they share."""
        found: dict[str, Step] = {}
        for step in (step for stage in self.stages for step in stage.steps):
            found.setdefault(step.key, step)
        return tuple(found.values())

    @property
    def target(self) -> PlannedStage:
        """The stage whose image is asked for."""
        return self.stages[-1]

    @property
    def key(self) -> str:
        """Name the whole, for what BuildKit refuses before it runs a step."""
        return digest("build", [stage.image for stage in self.stages])


def plan(request: BuildRequest, around: BuildEnvironment) -> Plan:
    """Plan a build.

    Raises
    ------
    DockerfileError
        The file cannot be read, or a variable in it not be replaced.
    """
    return _Planner(request, around).plan()


@dataclass
class _State:
    """A stage as its instructions pass by: its files, its image so far, and what is set for what follows."""

    files: str
    image: str
    base: str
    last: tuple[str, ...] = ()
    history: tuple[str | None, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = "/"
    shell: tuple[str, ...] = ()

    def child(self) -> _State:
        return replace(self, env=dict(self.env))

    def moved(self, one: Instruction) -> str:
        return posixpath.normpath(posixpath.join(self.workdir, one.arguments[0]))

    def set(self, one: Instruction) -> None:
        if one.keyword == "ENV":
            self.env |= dict(zip(one.arguments[::2], one.arguments[1::2], strict=True))
        elif one.keyword == "USER":
            self.user = one.arguments[0]
        elif one.keyword == "WORKDIR":
            self.workdir = self.moved(one)
        elif one.keyword == "SHELL":
            self.shell = one.arguments


class _Planner:
    def __init__(self, request: BuildRequest, around: BuildEnvironment) -> None:
        self._request = request
        self._around = around
        self._context: BuildContext = request.context
        bases = {stage.base for stage in self._resolve({}).stages if stage.stage.base_stage is None}
        # An ARG may take a value from an ENV of the base, so names can be replaced only once the bases are known.
        self._resolved = self._resolve({base: around.env_of(base) for base in sorted(bases)})
        self._ends: dict[int, _State] = {}

    def _resolve(self, base_env: Mapping[str, Mapping[str, str]]) -> Resolved:
        return resolve(self._context.dockerfile, build_args=self._request.args, base_env=base_env, builder="buildkit")

    def plan(self) -> Plan:
        needed = self._resolved.stages_needed(self._request.target)
        return Plan(tuple(self._stage(stage) for stage in needed))

    def _stage(self, stage: ResolvedStage) -> PlannedStage:
        own = [one for one in stage.instructions if one.expanded.keyword in RUNS]
        earlier = stage.stage.base_stage
        name = (stage.stage.name or f"stage-{stage.stage.index}").lower()
        begins = earlier is None and stage.base != "scratch"
        total = len(own) + begins
        steps: list[Step] = []
        if earlier is not None:
            state = self._ends[earlier].child()
        else:
            state = self._base(stage)
            if begins:
                steps.append(Step(
                    digest("from", state.files, stage.platform, self._around.platform), state.base,
                    stage.stage.from_, (), name, 1, total, base=stage.base, images=(stage.base,),
                ))  # fmt: skip
                state.last = (steps[0].key,)
        for one in stage.instructions:
            made = self._step(one, stage, state, name, len(steps) + 1, total)
            if made:
                steps.append(made)
                state.files, state.last = digest(state.files, made.key), (made.key,)
            state.set(one.expanded)
            state.history = (*state.history, made.key if made else None)
            state.image = image_chain(digest("image", state.image, one.canonical, made.key if made else None))
        if not stage.instructions and earlier is None:
            state.image = image_chain(digest("image", state.image, self._around.platform))
        self._ends[stage.stage.index] = state
        return PlannedStage(stage.stage.index, state.image, state.base, state.files, tuple(steps), state.history)

    def _base(self, stage: ResolvedStage) -> _State:
        chain = self._chain(stage.base)
        return _State(files=chain, image=chain, base=chain)

    def _step(
        self, one: ResolvedInstruction, stage: ResolvedStage, state: _State, name: str, index: int, total: int
    ) -> Step | None:
        expanded = one.expanded
        if expanded.keyword not in RUNS or (expanded.keyword == "WORKDIR" and state.moved(expanded) == "/"):
            return None  # there is a root already
        request, platform = self._request, self._around.platform
        sources = list(self._sources(one, stage))
        inputs: list[object] = [self._said(expanded), [source.key for source in sources], platform]
        if expanded.keyword == "RUN":
            sees = [sorted({**state.env, **dict(one.args)}.items()), state.user, state.workdir, list(state.shell)]
            inputs += [sees, request.network, sorted(self._secrets(expanded))]
        else:
            inputs += [state.workdir]
        is_linked = expanded.flag("link") in ("", "true")
        key = digest("link", *inputs) if is_linked else digest("step", state.files, *inputs)
        waits = dict.fromkeys((*state.last, *(end for source in sources for end in source.ends)))
        images = tuple(source.image for source in sources if source.image)
        return Step(
            key, state.files, one.instruction, tuple(waits), name, index, total,
            images=images, caches=frozenset(_caches(expanded)),
        )  # fmt: skip

    def _sources(self, one: ResolvedInstruction, stage: ResolvedStage) -> Iterator[_Source]:
        expanded = one.expanded
        if expanded.keyword in ("COPY", "ADD") and expanded.flag("from") is None:
            yield _Source(self._content(expanded.sources))
        for mount in expanded.mounts if expanded.keyword == "RUN" else ():
            if mount.type == "bind" and mount.from_ is None:
                yield _Source(self._content((mount.source or ".",)))
        # What is taken from a stage or an image is named by the line of the instruction that takes it.
        for needed in stage.stage.depends_on:
            if (needed.how, needed.line) == (expanded.keyword, one.instruction.line):
                if needed.stage_index is not None:
                    end = self._ends[needed.stage_index]
                    yield _Source(end.files, end.last)
                else:
                    yield _Source(self._chain(str(needed.image)), image=str(needed.image))

    def _said(self, expanded: Instruction) -> str:
        """Return the instruction without what names another stage: its key stands for it."""
        left = tuple(flag for flag in expanded.flags if flag.name != "from")
        return replace(expanded, flags=left).canonical

    def _secrets(self, expanded: Instruction) -> Iterator[str]:
        """Name the secrets that are handed over and mounted; their content is in no key, as in BuildKit."""
        for mount in expanded.mounts:
            options = dict(mount.options)
            name = options.get("id") or posixpath.basename(mount.target or "")
            if mount.type == "secret" and name in self._request.secrets:
                yield name

    def _content(self, sources: tuple[str, ...]) -> str:
        if not sources:
            return ""
        try:
            return self._context.digest(sources)
        except ContextError:
            # BuildKit fails at this step; that failure is a recording like any other.
            return MISSING

    def _chain(self, reference: str) -> str:
        return self._around.chain_of(reference) or base_chain(reference)


@dataclass(frozen=True)
class _Source:
    key: str
    ends: tuple[str, ...] = ()
    image: str | None = None


def _caches(expanded: Instruction) -> Iterable[str]:
    mounts = expanded.mounts if expanded.keyword == "RUN" else ()
    return (str(dict(one.options).get("id") or one.target) for one in mounts if one.type == "cache")
