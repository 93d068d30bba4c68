"""What each `COPY --from` really carries, told by the stage it takes from. Builds that stage, knows no final image."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerlab import build
from layerlab.attribution.causes import INSTALLERS
from layerlab.dockerfile import Builder, Instruction, Resolved, ResolvedStage, resolve
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import EngineRefused
from layerlab.narration import tell
from layerlab.probe.asking import ask

if TYPE_CHECKING:
    from layerlab.context import BuildContext
    from layerlab.engine.protocol import Engine

_PROGRAMS = frozenset({"uv", "uvx", "pip", "pip3", "poetry", "conda"})


@dataclass(frozen=True)
class CopiedItem:
    """Something a ``COPY --from`` brings along, at its place in the image that is shipped.

    Attributes
    ----------
    path
        A program by itself; the files of a distribution as one, under its name; else what lies highest.
    size_bytes
        Regular files, bytecode included.
    owner
        The Python distribution that the files belong to, or None.
    in_base
        The base holds the very same files (bytecode aside) at the same place: they come a second time.
    """

    line: int
    path: str
    size_bytes: int
    owner: str | None
    is_executable: bool
    in_base: bool


def is_installer(item: CopiedItem) -> bool:
    """True for what installs packages: pip, uv and their programs, whoever brought them."""
    return item.owner in INSTALLERS or (item.is_executable and posixpath.basename(item.path) in _PROGRAMS)


def copied(
    engine: Engine, context: BuildContext, *, args: Mapping[str, str] | None = None, target: str | None = None
) -> tuple[CopiedItem, ...]:
    """Return what every ``COPY --from`` of the last stage carries, in file order and by path.

    Parameters
    ----------
    args : build arguments.
    target : the stage to look at, by default the last.

    Raises
    ------
    BuildFailed
        A stage that is copied from cannot be built.
    EngineRefused
        The stage, or the image that is copied from, has no Python to look with.
    DockerfileError, ContextError, ImageNotFound, NotRecorded
    """
    found = _resolve(engine, context, args or {})
    stage = found.target(target)
    base = _foundation(stage, found)
    folder = _workdir(engine, base)
    copied_files: list[CopiedItem] = []
    for one in (each.expanded for each in stage.instructions):
        if one.keyword == "WORKDIR":
            folder = posixpath.join(folder, one.arguments[0])
        elif one.keyword == "COPY" and one.flag("from") is not None:
            tell(f"looking at what line {one.line} copies")
            image = _source(engine, context, stage, one, args or {})
            copied_files += _carried(engine, one, image, base=base, folder=folder)
    return tuple(copied_files)


def _resolve(engine: Engine, context: BuildContext, args: Mapping[str, str]) -> Resolved:
    first = resolve(context.dockerfile, build_args=args)
    # An ARG loses to an ENV of the base on the classic builder, so paths are known only with the bases.
    bases = {stage.base for stage in first.stages if stage.stage.base_stage is None} - {"scratch"}
    env = {base: dict(word.split("=", 1) for word in build.image(engine, base).config.env) for base in sorted(bases)}
    builder: Builder = "classic" if engine.info.builder == "classic" else "buildkit"
    return resolve(context.dockerfile, build_args=args, base_env=env, builder=builder)


def _foundation(stage: ResolvedStage, found: Resolved) -> str:
    while (below := stage.stage.base_stage) is not None:
        stage = found.stages[below]
    return stage.base


def _workdir(engine: Engine, base: str) -> str:
    return "/" if base == "scratch" else build.image(engine, base).config.workdir or "/"


def _source(
    engine: Engine, context: BuildContext, stage: ResolvedStage, copy: Instruction, args: Mapping[str, str]
) -> str:
    needed = next(one for one in stage.stage.depends_on if (one.how, one.line) == ("COPY", copy.line))
    if needed.stage_index is None:
        return str(needed.image)
    name = context.dockerfile.stages[needed.stage_index].name or str(needed.stage_index)
    # Its steps ran for the image that is shipped already, so they all come from the build cache.
    return build.build(engine, BuildRequest(context=context, args=args, target=name)).image.id


def _carried(engine: Engine, copy: Instruction, image: str, *, base: str, folder: str) -> list[CopiedItem]:
    *sources, last = copy.arguments
    # Sources of a COPY from a stage count from its root, whatever its WORKDIR (Dockerfile reference).
    rows = ask(engine, image, "files", *(posixpath.join("/", one) for one in sources), user="0")
    into = _Place(posixpath.normpath(posixpath.join(folder, last)), len(sources) > 1 or last.endswith(("/", ".")))
    held = _held(engine, base, sorted({into.top(row) for row in rows}))
    return [
        CopiedItem(
            line=copy.line,
            path=into.path(row),
            size_bytes=row["size"],
            owner=row["owner"],
            is_executable=row["runs"],
            in_base=(into.path(row), row["digest"]) in held,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class _Place:
    """Where a COPY puts things: a folder brings its content, a file its name unless it is given another one."""

    folder: str
    keeps_names: bool

    def top(self, row: Mapping[str, Any]) -> str:
        if row["is_folder"] or not self.keeps_names:
            return self.folder
        return posixpath.join(self.folder, posixpath.basename(row["source"]))

    def path(self, row: Mapping[str, Any]) -> str:
        below = posixpath.relpath(row["path"], row["source"])
        # A distribution is told at the folder it was installed in, which may lie above what is copied.
        return posixpath.normpath(posixpath.join(self.top(row), "" if below.startswith("..") else below))


def _held(engine: Engine, base: str, paths: Sequence[str]) -> frozenset[tuple[str, str]]:
    if base == "scratch" or not paths:
        return frozenset()
    try:
        rows = ask(engine, base, "files", *paths, user="0")
    except EngineRefused:
        # A base without a Python to ask: that something is there already must be seen to be said.
        return frozenset()
    return frozenset((row["path"], row["digest"]) for row in rows)
