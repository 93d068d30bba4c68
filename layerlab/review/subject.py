"""A Dockerfile made ready to be looked at: which stages ship, what travels between them, what holds at each step.

Knows the model, the context and the names of bases; judges nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from layerlab.context import BuildContext, MissingSource
from layerlab.dockerfile import Config, Dockerfile, Instruction, Mount, Resolved, resolve
from layerlab.dockerfile.shell import Command, simple_commands
from layerlab.errors import DockerfileError
from layerlab.review.bases import Base, read


@dataclass(frozen=True)
class Step:
    """An instruction with what holds where it runs; variables are replaced.

    A build argument without a default stands as ``{NAME}``: whatever depends on it is not known.
    """

    one: Instruction
    stage: int
    number: int
    env: Mapping[str, str]
    user: str | None
    workdir: str

    @property
    def line(self) -> int:
        """Where it begins in the file."""
        return self.one.line

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """The simple commands of a RUN; of anything else none."""
        return simple_commands(self.one) if self.one.keyword == "RUN" else ()

    @cached_property
    def mounts(self) -> tuple[Mount, ...]:
        """The mounts of a RUN."""
        try:
            return self.one.mounts if self.one.keyword == "RUN" else ()
        except DockerfileError:  # only with its variables replaced it is none
            return ()

    @property
    def target(self) -> str:
        """Where a COPY or ADD puts things, as a full path."""
        return posixpath.normpath(posixpath.join("/", self.workdir, self.one.arguments[-1]))

    def caches(self, path: str) -> bool:
        """True where a mount keeps a path out of the layer."""
        targets = [mount.target or "" for mount in self.mounts if mount.type in ("cache", "tmpfs")]
        return any(within(path, posixpath.join("/", target)) for target in targets)


@dataclass(frozen=True)
class Subject:
    """What the rules look at. `resolved` raises DockerfileError where a variable cannot be replaced."""

    dockerfile: Dockerfile
    context: BuildContext | None = None

    @cached_property
    def resolved(self) -> Resolved:
        """The file with its variables replaced."""
        return resolve(self.dockerfile, build_args=_undecided(self.dockerfile), builder="buildkit")

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every instruction of every stage, in file order."""
        found: list[Step] = []
        ends: list[tuple[dict[str, str], str | None, str]] = []
        for stage in self.resolved.stages:
            earlier = stage.stage.base_stage
            env, user, workdir = ends[earlier] if earlier is not None else ({}, None, "/")
            env = dict(env)
            for each in stage.instructions:
                one = each.expanded
                if not each.is_trigger:
                    scope = {**dict(each.args), **env}
                    found.append(Step(one, stage.stage.index, len(found), scope, user, workdir))
                if one.keyword == "ENV":
                    env |= dict(zip(one.arguments[::2], one.arguments[1::2], strict=True))
                elif one.keyword == "USER":
                    user = one.arguments[0]
                elif one.keyword == "WORKDIR":
                    workdir = posixpath.normpath(posixpath.join(workdir, one.arguments[0]))
            ends.append((env, user, workdir))
        return tuple(found)

    @cached_property
    def needed(self) -> frozenset[int]:
        """The stages that the shipped image depends on, itself included."""
        return frozenset(stage.stage.index for stage in self.resolved.stages_needed())

    @cached_property
    def shipped(self) -> tuple[int, ...]:
        """The stages whose layers are in the image, lowest first."""
        found = [len(self.resolved.stages) - 1]
        while (below := self.resolved.stages[found[0]].stage.base_stage) is not None:
            found.insert(0, below)
        return tuple(found)

    @cached_property
    def missing_sources(self) -> tuple[MissingSource, ...]:
        """What COPY and ADD ask for and the context has not; nothing without a context."""
        if self.context is None:
            return ()
        missing = self.context.missing_sources(build_args=_undecided(self.dockerfile))
        return tuple(one for one in missing if "{" not in one.source)

    @property
    def config(self) -> Config:
        """What a container of the image starts with, as far as the file says."""
        return self.resolved.stages[-1].config

    @property
    def base(self) -> Base:
        """The image that the shipped stages stand on."""
        return self.base_of(self.shipped[0])

    def base_of(self, stage: int) -> Base:
        """Return the image that a stage stands on, however many stages lie between."""
        found = self.resolved.stages[stage]
        while (below := found.stage.base_stage) is not None:
            found = self.resolved.stages[below]
        return read(found.base)

    def of(self, *keywords: str, shipped: bool = False) -> Iterator[Step]:
        """Yield the steps with one of these keywords in the stages that are needed, or only in those that ship."""
        stages = self.shipped if shipped else self.needed
        return (step for step in self.steps if step.stage in stages and step.one.keyword in keywords)

    def source(self, step: Step) -> int | str | None:
        """Return what a ``COPY --from`` takes from: a stage's number, an image's name, or None."""
        if step.one.keyword != "COPY" or step.one.flag("from") is None:
            return None
        stage = self.resolved.stages[step.stage].stage
        found = next((one for one in stage.depends_on if (one.how, one.line) == ("COPY", step.line)), None)
        return None if found is None else found.image if found.stage_index is None else found.stage_index

    def reaches_image(self, stage: int, path: str) -> bool:
        """True where a path of a stage ends up in the image that is shipped, or something below or above it does."""
        if stage in self.shipped:
            return True
        children = [one.stage.index for one in self.resolved.stages if one.stage.base_stage == stage]
        if any(child in self.needed and self.reaches_image(child, path) for child in children):
            return True
        for step in self.of("COPY"):
            if self.source(step) == stage:
                for taken in taken_paths(step):
                    if within(path, taken) or within(taken, path):
                        rest = posixpath.relpath(path, taken) if within(path, taken) else "."
                        if self.reaches_image(step.stage, posixpath.normpath(posixpath.join(step.target, rest))):
                            return True
        return False

    def first_line(self) -> int:
        """Return the line at which the shipped image begins."""
        return self.dockerfile.stages[self.shipped[-1]].line


def taken_paths(step: Step) -> tuple[str, ...]:
    """Return what a COPY takes, as full paths: of a stage they count from its root, whatever its WORKDIR."""
    return tuple(posixpath.normpath(posixpath.join("/", source)) for source in step.one.arguments[:-1])


def within(path: str, folder: str) -> bool:
    """True for a path at or below a folder.

    >>> within("/opt/venv/bin", "/opt"), within("/optional", "/opt"), within("/a", "/")
    (True, False, True)
    """
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _undecided(dockerfile: Dockerfile) -> dict[str, str]:
    """Give every build argument without a default a value that can be told from all others."""
    args = [one for one in dockerfile.instructions if one.keyword == "ARG"]
    has_default = {name for one in args for name, value in one.pairs if value is not None}
    return {name: f"{{{name}}}" for one in args for name, _ in one.pairs if name not in has_default}
