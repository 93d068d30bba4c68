"""What the workbench's builds need besides the engine: their bases, and words for a terminal. Builds nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Literal, TypedDict

from layerlab.bases.progress import Progress
from layerlab.context import BuildContext
from layerlab.dockerfile import references, resolve
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import DockerfileError
from layerlab.narration import tell


class BuildOptions(TypedDict, total=False):
    """What a notebook may say of a build besides service and Dockerfile; `layerlab.lab.lab.Lab.build` explains it."""

    text: str | None
    tag: str | None
    args: Mapping[str, str] | None
    target: str | None
    changed: Mapping[str, str] | None
    no_cache: bool
    builder: Literal["buildkit"] | None
    secrets: Mapping[str, str] | None


def base_references(context: BuildContext, arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Return the base images that a build needs, resolved, each once and in file order.

    Raises
    ------
    DockerfileError
        With the line of a FROM that names no image.
    """
    resolved = resolve(context.dockerfile, build_args=arguments)
    outside = [stage for stage in resolved.stages if stage.stage.base_stage is None and stage.base != "scratch"]
    for stage in outside:
        if why := references.fault(stage.base):
            line = stage.stage.line
            raise DockerfileError(f"Line {line}: FROM {stage.base}: {why}.", line=line)
    return tuple(dict.fromkeys(stage.base for stage in outside))


def in_a_terminal(request: BuildRequest, root: Path) -> str:
    """Return the `docker build` command that does what a notebook's build did, one option group a line.

    Of a secret it names the id, and a file of that name that the reader has to make.
    """
    context = request.context
    inside = context.folder.is_relative_to(root)
    folder = str(context.folder.relative_to(root) if inside else context.folder.name)
    lines = ["docker build"]
    lines += ["--no-cache"] if request.no_cache else []
    lines += [f"--build-arg {quote(f'{name}={value}')}" for name, value in request.args.items()]
    lines += [f"-t {request.tag}"] if request.tag else []
    lines += [f"--target {quote(request.target)}"] if request.target else []
    lines += [f"--secret {quote(f'id={id},src={id}.txt')}" for id in request.secrets]
    # A Dockerfile that is no file of the folder is read from the standard input (docker build, option -f).
    name = quote(context.shown_name)
    last = f"-f - {quote(folder)} < {name}" if context.is_injected else f"-f {quote(folder)}/{name} {quote(folder)}"
    edits = "".join(f"\n(after your change of {folder}/{path})" for path, _ in context.changed)
    return " \\\n    ".join([*lines, last]) + edits


def tell_progress(progress: Progress) -> None:
    """Tell a base's progress to whoever listens: a build that no cell shows says what it waits for."""
    tell(f"waiting for the base {progress.reference}: {progress.detail} ({progress.fraction:.0%})")


def print_progress() -> Callable[[Any], None]:
    """Print a base's progress a line at a time, and only where it moved on by a tenth."""
    last: dict[str, int] = {}

    def show(progress: Any) -> None:
        tenth = int((progress.fraction or 0) * 10)
        if last.get(progress.reference) != tenth:
            last[progress.reference] = tenth
            print(f"{progress.reference}: {progress.detail} ({progress.fraction:.0%})")

    return show
