"""Dockerfile and context in, BuildResult out. Knows the seam and the events; builds nothing itself.

Raw answers of an engine end here: what leaves this module are values of `layerlab.image`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerlab import events
from layerlab.context import BuildContext
from layerlab.engine.recordings import normal_reference
from layerlab.errors import BuildFailed, DiskFull, DockerfileError
from layerlab.image import HistoryEntry, Image, ImageConfig

if TYPE_CHECKING:
    from layerlab.dockerfile import Dockerfile, Instruction
    from layerlab.engine.protocol import BuildHandle, BuildRequest, Engine

_TAIL_LINES = 20
# A step may print 100 MB: of its lines only the last are kept.
_LOG_LINES = 200
# As strerror(3) is printed: "dd: error writing '/a': No space left on device", "[Errno 28] No space left …".
_NO_SPACE = re.compile(r"(?:: |\[Errno 28\] )No space left on device", re.IGNORECASE)

# Podman reads the file as it goes, so what it cannot read is an event; Docker answers 400 before the first one.
_UNREADABLE = re.compile(r"Unknown instruction: |only supports the --\S+.* flags?$|^parsing main Dockerfile: ")

OnEvent = Callable[[events.Event], None]


@dataclass(frozen=True)
class Step:
    """One step of a finished build; ``seconds`` is wall time, ``line`` the line in the Dockerfile.

    ``log`` holds the last 200 lines that it printed.
    """

    number: int
    instruction: str
    line: int | None
    is_cached: bool
    seconds: float
    image_id: str | None
    log: tuple[str, ...]


@dataclass(frozen=True)
class BuildResult:
    """What a build gave: the image, its steps, and how long it took on which builder.

    ``lines`` pairs layers with the lines of the Dockerfile that made them, where the last stage made them.
    """

    image: Image
    tag: str | None
    dockerfile: str
    steps: tuple[Step, ...]
    seconds: float
    builder: str
    is_live: bool
    lines: tuple[tuple[int, int], ...] = ()

    @property
    def cached_steps(self) -> int:
        """How many steps were answered from the build cache."""
        return sum(step.is_cached for step in self.steps)


class Build:
    """A build that was begun. ``run`` reads it to its end; ``cancel`` may come from any thread."""

    def __init__(self, engine: Engine, handle: BuildHandle, request: BuildRequest) -> None:
        self._engine = engine
        self._handle = handle
        self._context = context = request.context
        self._tag = request.tag
        self._target = request.target
        self._reader = _StepReader(context.dockerfile)

    def cancel(self) -> None:
        """End the build; ``run`` then raises BuildCancelled, and nothing stays behind on the engine."""
        self._handle.cancel()

    def run(self, on_event: OnEvent | None = None) -> BuildResult:
        """Read the build to its end.

        Raises
        ------
        BuildFailed
            A step failed; carries step, instruction, line, exit code and the last 20 lines it printed.
        BuildCancelled, EngineGone, DiskFull, DockerfileError, NotRecorded
        """
        last = 0.0
        failure: BuildFailed | DiskFull | DockerfileError | None = None
        for event in self._events():
            if on_event:
                on_event(event)
            self._reader.read(event)
            last = event.at
            if isinstance(event, events.Failed):
                failure = self._reader.failure(event, self._context)
        if failure:
            raise failure
        return self._result(last)

    def _events(self) -> Iterator[events.Event]:
        return events.parse((raw.at, raw.data) for raw in self._handle)

    def _result(self, seconds: float) -> BuildResult:
        image_id = self._handle.image_id
        if image_id is None:
            raise BuildFailed("The builder ended without an image and without an error. Run the build again.")
        written = _as_written(image(self._engine, image_id), self._context, self._target)
        return BuildResult(
            image=written,
            tag=self._tag,
            dockerfile=self._context.shown_name,
            steps=tuple(self._reader.steps),
            seconds=seconds,
            builder=self._engine.info.builder,
            is_live=self._engine.info.is_live,
            lines=_lines(written, self._context, self._target),
        )


def begin(
    engine: Engine,
    context: BuildContext | Path | str,
    *,
    dockerfile: str = "Dockerfile",
    tag: str | None = None,
    args: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
) -> Build:
    """Begin a build of a folder, or of a context already opened, and return at once.

    Raises
    ------
    ContextError
        The folder or the Dockerfile is missing, or a COPY names a file that the context lacks.
    DockerfileError, NotOurs
    """
    from layerlab.engine.protocol import BuildRequest

    opened = context if isinstance(context, BuildContext) else BuildContext.open(context, dockerfile=dockerfile)
    opened.require_sources(build_args=dict(args or {}))
    request = BuildRequest(context=opened, tag=tag, args=dict(args or {}), target=target, no_cache=no_cache)
    return Build(engine, engine.build(request), request)


def build(
    engine: Engine,
    context: BuildContext | Path | str,
    *,
    dockerfile: str = "Dockerfile",
    tag: str | None = None,
    args: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
    on_event: OnEvent | None = None,
) -> BuildResult:
    """Build and wait; see `begin` and `Build.run` for what it raises."""
    begun = begin(engine, context, dockerfile=dockerfile, tag=tag, args=args, target=target, no_cache=no_cache)
    return begun.run(on_event)


def image(engine: Engine, reference: str) -> Image:
    """Describe an image that the engine holds. Raises ImageNotFound.

    Notes
    -----
    The engine's history is newest first and is turned round here; Podman's ids lack ``sha256:``, and its tags
    are written out (``docker.io/layerlab/…``, ``localhost/…`` for what was loaded).
    """
    raw = engine.inspect(reference)
    return Image(
        id=_with_algorithm(str(raw["Id"])),
        tags=tuple(normal_reference(tag) for tag in raw.get("RepoTags") or ()),
        platform=f"{raw.get('Os', 'linux')}/{raw.get('Architecture', 'amd64')}",
        created=str(raw.get("Created", "")),
        history=tuple(_history_entry(entry) for entry in reversed(engine.history(reference))),
        diff_ids=tuple((raw.get("RootFS") or {}).get("Layers") or ()),
        engine_size_bytes=int(raw.get("Size", 0)),
        config=_config(raw.get("Config") or {}),
    )


class _StepReader:
    """Gathers events into steps, and keeps the last lines for the message of a failure."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.steps: list[Step] = []
        self._dockerfile = dockerfile
        self._current: events.StepStarted | None = None
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._cached = False

    def read(self, event: events.Event) -> None:
        match event:
            case events.StepStarted():
                self._current, self._cached = event, False
                self._log.clear()
            case events.StepCached():
                self._cached = True
            case events.StepOutput():
                self._log.append(event.text)
            case events.StepFinished() if self._current:
                self.steps.append(self._finished(self._current, event))

    def failure(self, event: events.Failed, context: BuildContext) -> BuildFailed | DiskFull | DockerfileError:
        step = self._current
        line = _line(self._dockerfile, step) if step else None
        if _UNREADABLE.search(event.message):
            at = f" at line {line}" if line else ""
            return DockerfileError(
                f"The engine cannot read this Dockerfile{at}: {event.message}. Mend that line and build again.",
                line=line,
            )
        if said_full := next(filter(_is_disk_full, (event.message, *reversed(self._log))), None):
            where = f"in step {step.number} ({step.instruction})" if step else "before the first step"
            return DiskFull(
                f"The engine's disk is full: {said_full.strip()}, {where}. Free some space (`layerlab clean` removes "
                "what the course made), then build again; finished steps are cached."
            )
        tail = tuple(self._log)[-_TAIL_LINES:]
        where = f" at line {line} of {context.shown_name}" if line else f" in {context.shown_name}"
        which = f"Step {step.number} of {step.total} failed{where}: {step.instruction}" if step else "The build failed"
        said = "\n".join(f"  {text}" for text in tail[-5:])
        return BuildFailed(
            f"{which}\n{event.message}" + (f"\nThe last lines it printed:\n{said}" if said else "") + "\n"
            "Mend that instruction and build again; the steps before it are cached.",
            step=step.number if step else None,
            instruction=step.instruction if step else None,
            line=line,
            exit_code=event.exit_code,
            log_tail=tail,
        )

    def _finished(self, begun: events.StepStarted, end: events.StepFinished) -> Step:
        return Step(
            number=begun.number,
            instruction=begun.instruction,
            line=_line(self._dockerfile, begun),
            is_cached=self._cached,
            seconds=end.at - begun.at,
            image_id=end.image_id,
            log=tuple(self._log),
        )


def _as_written(built: Image, context: BuildContext, target: str | None) -> Image:
    """Put the Dockerfile's own words into the history: each instruction after FROM made its youngest entries."""
    words = [instruction.logical for instruction in context.dockerfile.target(target).instructions]
    old, own = built.history[: len(built.history) - len(words)], built.history[len(built.history) - len(words) :]
    return replace(built, history=(*old, *(replace(e, written=w) for e, w in zip(own, words, strict=True))))


def _lines(written: Image, context: BuildContext, target: str | None) -> tuple[tuple[int, int], ...]:
    """Pair layers with lines: the youngest entries of the history are the instructions of the last stage."""
    lines = [instruction.line for instruction in context.dockerfile.target(target).instructions]
    oldest = len(written.history) - len(lines)
    made = ((layer.index, layer.history_index) for layer in written.layers)
    return tuple((layer, lines[entry - oldest]) for layer, entry in made if entry is not None and entry >= oldest)


def _is_disk_full(line: str) -> bool:
    # The engine's message about a failing RUN quotes the command, which may well speak of such things itself.
    is_quote = "returned a non-zero code" in line or "while running runtime" in line
    return not is_quote and bool(_NO_SPACE.search(line))


def _line(dockerfile: Dockerfile, step: events.StepStarted) -> int | None:
    """Find the line of the instruction that a builder announced, or None where it reads the file otherwise."""
    words = step.instruction.split(maxsplit=1)
    found = _counted(dockerfile, step)
    if found and words and words[0].upper() == found.keyword:
        return found.line
    # A builder that knows no heredocs takes their lines for instructions.
    lines = [line.strip() for line in dockerfile.text.splitlines()]
    same = step.instruction.strip()
    return lines.index(same) + 1 if lines.count(same) == 1 else None


def _counted(dockerfile: Dockerfile, step: events.StepStarted) -> Instruction | None:
    if step.place is None:
        # The classic builder counts every instruction as a step, the ARGs before the first FROM included.
        instructions, number = dockerfile.instructions, step.number
    else:
        stage, number = step.place
        stages = dockerfile.stages[stage - 1 : stage]
        instructions = tuple(one for each in stages for one in (each.from_, *each.instructions))
    return instructions[number - 1] if 0 < number <= len(instructions) else None


def _history_entry(raw: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(
        created_by=str(raw.get("CreatedBy") or ""),
        size_bytes=int(raw.get("Size") or 0),
        created=str(raw.get("Created") or ""),
        comment=str(raw.get("Comment") or ""),
    )


def _config(raw: Mapping[str, Any]) -> ImageConfig:
    return ImageConfig(
        env=tuple(raw.get("Env") or ()),
        entrypoint=_command(raw.get("Entrypoint")),
        cmd=_command(raw.get("Cmd")),
        user=str(raw.get("User") or ""),
        workdir=str(raw.get("WorkingDir") or ""),
        exposed_ports=tuple(sorted(raw.get("ExposedPorts") or ())),
        labels=tuple(sorted((raw.get("Labels") or {}).items())),
    )


def _command(raw: list[str] | str | None) -> tuple[str, ...]:
    if raw is None:
        return ()
    return (raw,) if isinstance(raw, str) else tuple(raw)


def _with_algorithm(image_id: str) -> str:
    return image_id if ":" in image_id else f"sha256:{image_id}"
