"""Which steps run again after one file changed, read from Dockerfile and context. Knows no engine and no cache."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from layerlab.context.build_context import BuildContext
from layerlab.context.sources import normal_path
from layerlab.dockerfile import Instruction, ResolvedInstruction, ResolvedStage, resolve
from layerlab.errors import ContextError

_EMPTY: Mapping[str, str] = {}
_MAKES_FILES = ("RUN", "COPY", "ADD", "WORKDIR")
_NOWHERE = "//"  # no path is within it, none holds it


def reruns(
    context: BuildContext, changed: str, *, build_args: Mapping[str, str] = _EMPTY, target: str | None = None
) -> tuple[Instruction, ...]:
    """Return the instructions that run again, in file order, when a file's content changes after a full build.

    Those that make files: RUN, COPY, ADD and WORKDIR.

    Parameters
    ----------
    changed : path in the context. A file that `.dockerignore` leaves out makes nothing run again.
    build_args : the values of ``--build-arg``, the same for both builds.
    target : the stage to stop at, by default the last.

    Raises
    ------
    ContextError
        If there is no such file.
    DockerfileError
        If a variable in the Dockerfile cannot be replaced.

    Notes
    -----
    BuildKit looks up each step under its parent, so after the first miss everything in the stage that makes files runs
    again, and so does a stage that continues it. Configuration is no step, and a stage that the target does not need is
    not built. A ``COPY --from`` is looked up by the content it copies (Dockerfile reference, "Build cache"; tried on
    28.5): it runs again only where something that ran again may have written there. A RUN may have written anywhere;
    where it wrote the same bytes once more, its COPY is found after all, so for those this is the most that can run
    again.
    """
    path = normal_path(changed)
    if not (context.folder / path).is_file():
        raise ContextError(f"There is no file {changed!r} in {context.folder}. Name one that a build could copy.")
    resolved = resolve(context.dockerfile, build_args=build_args)
    look = _Look(context, path)
    for stage in resolved.stages_needed(target):
        look.at(stage)
    return tuple(one for index in sorted(look.ran) for one in look.ran[index].instructions)


@dataclass
class _Ran:
    """What ran again in one stage: its own instructions, and all there is to its image, parents included."""

    instructions: list[Instruction] = field(default_factory=list)
    wrote: list[str] = field(default_factory=list)  # folders and files; "/" for a RUN

    def reaches(self, source: str) -> bool:
        """True where a path may be another than before: below a place that was written, or above it."""
        at = posixpath.normpath(posixpath.join("/", source))
        # A wildcard stands for what its folder holds.
        at = posixpath.dirname(at) if any(sign in at for sign in "*?[") else at
        return any(_is_within(at, place) or _is_within(place, at) for place in self.wrote)


@dataclass
class _Look:
    context: BuildContext
    path: str
    ran: dict[int, _Ran] = field(default_factory=dict)

    def at(self, stage: ResolvedStage) -> None:
        earlier = stage.stage.base_stage
        below = self.ran[earlier] if earlier is not None else _Ran()
        now = _Ran(wrote=list(below.wrote))
        missed = bool(below.wrote)
        folder = "/"
        for step in stage.instructions:
            one = step.expanded
            if one.keyword == "WORKDIR":
                folder = posixpath.join(folder, one.arguments[0])
            missed = missed or self._misses(step, stage)
            if missed:
                now.wrote += self._written(one, folder)
                now.instructions += [step.instruction] if one.keyword in _MAKES_FILES and not step.is_trigger else []
        self.ran[stage.stage.index] = now

    def _misses(self, step: ResolvedInstruction, stage: ResolvedStage) -> bool:
        one = step.expanded
        # Of RUN --mount=type=bind only those sources count that are neither a stage's nor an image's.
        mounted = [mount.source or "." for mount in one.mounts if mount.type == "bind" and mount.from_ is None]
        if any(self._holds_it(source) for source in (*one.sources, *mounted)):
            return True
        needed = [each.stage_index for each in stage.stage.depends_on if each.line == one.line and each.how != "FROM"]
        taken = one.arguments[:-1] if one.keyword == "COPY" else ("/",)
        return any(self.ran[index].reaches(source) for index in needed if index is not None for source in taken)

    def _holds_it(self, source: str) -> bool:
        return any(entry.path == self.path for entry in self.context.selected(source))

    def _written(self, one: Instruction, folder: str) -> list[str]:
        if one.keyword == "RUN":
            return ["/"]
        if one.keyword in ("COPY", "ADD"):
            into = posixpath.normpath(posixpath.join(folder, one.arguments[-1]))
            names = self._names(one) if one.arguments[-1].endswith(("/", ".")) else []
            return [posixpath.join(into, name) for name in names] or [into]
        # A WORKDIR may make its folder; configuration writes nothing, but the image is another one.
        return [folder if one.keyword == "WORKDIR" else _NOWHERE]

    def _names(self, one: Instruction) -> list[str]:
        """Return the names of what is copied into a folder; none where a source is a folder or comes from elsewhere."""
        found = [entry for source in one.sources for entry in self.context.selected(source)]
        plain = len(one.sources) == len(one.arguments) - 1 and all(entry.kind == "file" for entry in found)
        return [posixpath.basename(entry.path) for entry in found] if plain else []


def _is_within(path: str, place: str) -> bool:
    return place != _NOWHERE and path != _NOWHERE and (path + "/").startswith(place.rstrip("/") + "/")
