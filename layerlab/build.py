"""Dockerfile and context in, BuildResult out. Knows the seam and the events; builds nothing itself.

Raw answers of an engine end here: what leaves this module are values of `layerlab.image`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from layerlab import events
from layerlab.context import BuildContext
from layerlab.errors import ArchiveError, BuildFailed, DiskFull, DockerfileError, NotRecorded
from layerlab.image import HistoryEntry, Image, ImageConfig, normal_reference

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

# Docker's BuildKit says the same in an event: "dockerfile parse error line 3: …", since 23.0 "… on line 3".
_BUILDKIT_UNREADABLE = re.compile(r"parse error (?:on )?line (?P<line>\d+)|dockerfile:(?P<first>\d+)\n", re.IGNORECASE)
_QUOTES_A_COMMAND = re.compile(
    r"The command '.*' returned a non-zero code|process \".*\" did not complete|while running runtime", re.DOTALL
)
_RUN_BY_BUILDKIT = ("RUN", "COPY", "ADD", "WORKDIR")

OnEvent = Callable[[events.Event], None]


@dataclass(frozen=True)
class Step:
    """One step of a finished build; ``seconds`` is wall time, ``line`` the line in the Dockerfile.

    ``number`` counts the instructions of the Dockerfile, or, where the builder reads the file otherwise, its steps.
    BuildKit makes no step of an instruction that changes no file, nor one for a base that a stage before has too.
    ``image_id`` is None where the builder leaves no image for a step, as BuildKit. ``log`` holds the last 200 lines
    that it printed. ``began`` counts from the beginning of the build, and ``stage`` is the name of its stage, or its
    number where it has none: BuildKit works on several at once.
    """

    number: int
    instruction: str
    line: int | None
    is_cached: bool
    seconds: float
    image_id: str | None
    log: tuple[str, ...]
    began: float = 0.0
    stage: str = ""

    @property
    def keyword(self) -> str:
        """What kind of instruction it is: RUN, COPY …"""
        return self.instruction.split(maxsplit=1)[0].upper()


@dataclass(frozen=True)
class BuildResult:
    """What a build gave: the image, its steps in file order, and how long it took on which builder.

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

    @property
    def ran(self) -> tuple[Step, ...]:
        """The steps that really ran. A FROM is none, nor an ARG: they have nothing that could be remembered."""
        return tuple(step for step in self.steps if not step.is_cached and step.keyword not in ("FROM", "ARG"))


class Build:
    """A build that was begun. ``run`` reads it to its end; ``cancel`` may come from any thread."""

    def __init__(self, engine: Engine, handle: BuildHandle, request: BuildRequest) -> None:
        self._engine = engine
        self._handle = handle
        self._request = request
        self._reader = _StepReader(request.context.dockerfile)

    def cancel(self) -> None:
        """End the build; ``run`` then raises BuildCancelled. No image stays, and ended steps are build cache."""
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
                failure = self._reader.failure(event, self._request.context)
        if failure:
            raise failure
        return self._result(last)

    def _events(self) -> Iterator[events.Event]:
        return events.parse((raw.at, raw.data) for raw in self._handle)

    def _result(self, seconds: float) -> BuildResult:
        image_id = self._handle.image_id
        if image_id is None:
            raise BuildFailed("The builder ended without an image and without an error. Run the build again.")
        context, target = self._request.context, self._request.target
        written = _as_written(image(self._engine, image_id), context, target)
        info = self._engine.info
        return BuildResult(
            image=written,
            tag=self._request.tag,
            dockerfile=context.shown_name,
            steps=self._reader.steps,
            seconds=seconds,
            builder=info.builder if info.is_live else self._request.builder or info.builder,
            is_live=info.is_live,
            lines=_lines(written, context, target),
        )


def begin(engine: Engine, request: BuildRequest) -> Build:
    """Begin a build and return at once.

    Raises
    ------
    ContextError
        A COPY names a file that the context lacks.
    DockerfileError, NotOurs, NoBuildKit
    """
    request.context.require_sources(build_args=dict(request.args))
    return Build(engine, engine.build(request), request)


def build(engine: Engine, request: BuildRequest, on_event: OnEvent | None = None) -> BuildResult:
    """Build and wait; see `begin` and `Build.run` for what it raises."""
    return begin(engine, request).run(on_event)


def image(engine: Engine, reference: str) -> Image:
    """Describe an image that the engine holds. Raises ImageNotFound.

    Sizes are read from the layers. Where that can't be done (not recorded, or blobs are missing), they are those of
    the engine's history, and ``layer_sizes`` is None.

    Notes
    -----
    The engine's history is newest first and is turned round here; Podman's ids lack ``sha256:``, and its tags
    are written out (``docker.io/layerlab/…``, ``localhost/…`` for what was loaded).
    """
    raw = engine.inspect(reference)
    described = Image(
        id=_with_algorithm(str(raw["Id"])),
        tags=tuple(normal_reference(tag) for tag in raw.get("RepoTags") or ()),
        platform=f"{raw.get('Os', 'linux')}/{raw.get('Architecture', 'amd64')}",
        created=str(raw.get("Created", "")),
        history=tuple(_history_entry(entry) for entry in reversed(engine.history(reference))),
        diff_ids=tuple((raw.get("RootFS") or {}).get("Layers") or ()),
        engine_size_bytes=int(raw.get("Size", 0)),
        config=_config(raw.get("Config") or {}),
    )
    try:
        return described.with_layer_sizes(engine.layer_sizes(described.id))
    except (ArchiveError, NotRecorded):
        return described


@dataclass
class _Running:
    """A step that began: what it has said so far."""

    event: events.StepStarted
    log: deque[str]
    is_cached: bool = False
    finished: Step | None = None


class _StepReader:
    """Gathers events into steps, and keeps the last lines for the message of a failure."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self._dockerfile = dockerfile
        self._running: dict[int, _Running] = {}
        self._last: int | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are over: in file order where BuildKit built, for it has no order of its own."""
        over = [one.finished for one in self._running.values() if one.finished]
        return tuple(sorted(over, key=_in_file) if self._is_graph else over)

    @property
    def _is_graph(self) -> bool:
        return any(one.event.stage is not None for one in self._running.values())

    def read(self, event: events.Event) -> None:
        match event:
            case events.StepStarted():
                known = self._running.get(event.number)
                self._running[event.number] = _Running(event, known.log if known else deque(maxlen=_LOG_LINES))
                self._last = event.number
            case events.StepCached() if event.number in self._running:
                self._running[event.number].is_cached = True
            case events.StepOutput() if event.number in self._running:
                self._running[event.number].log.append(event.text)
            case events.StepFinished() if event.number in self._running:
                one = self._running[event.number]
                one.finished = self._finished(one, event)

    def failure(self, event: events.Failed, context: BuildContext) -> BuildFailed | DiskFull | DockerfileError:
        # Of a graph many steps run at once, and where none of them failed, it was something else.
        last = 0 if self._is_graph else self._last
        one = self._running.get(event.number or last or 0)
        step, log = (one.event, one.log) if one else (None, deque[str]())
        line = _line(self._dockerfile, step) if step else event.line
        number, total = self._place(step) if step else (None, 0)
        instruction = step.instruction if step else None
        if step is None and (blamed := self._at(event.line)):
            number, total, instruction = *blamed, self._dockerfile.instructions[blamed[0] - 1].logical
        if unreadable := _unreadable(event, line):
            return unreadable
        if said_full := next(filter(_is_disk_full, (event.message, *reversed(log))), None):
            where = f"in step {number} ({instruction})" if number else "outside of its steps"
            return DiskFull(
                f"The engine's disk is full: {said_full.strip()}, {where}. Free some space (`layerlab clean` removes "
                "what the course made, `docker builder prune` what the builder keeps), then build again."
            )
        tail = tuple(log)[-_TAIL_LINES:]
        where = f" at line {line} of {context.shown_name}" if line else f" in {context.shown_name}"
        which = f"Step {number} of {total} failed{where}: {instruction}" if number else f"The build failed{where}"
        # pip's advice stands last, and pushes out the line that says why.
        told = [text for text in tail if not text.strip().startswith("[notice]")]
        said = "\n".join(f"  {text}" for text in told[-5:])
        return BuildFailed(
            f"{which}\n{event.message}" + (f"\nThe last lines it printed:\n{said}" if said else "") + "\n"
            "Mend that instruction and build again; the steps before it are cached.",
            step=number,
            instruction=instruction,
            line=line,
            exit_code=event.exit_code,
            log_tail=tail,
        )

    def _place(self, step: events.StepStarted) -> tuple[int, int]:
        """Return a step's number and the number of all: of BuildKit's, which it does not count itself, the file's."""
        found, instructions = _instruction(self._dockerfile, step), self._dockerfile.instructions
        if step.stage is None or found is None:
            return step.number, step.total
        return instructions.index(found) + 1, len(instructions)

    def _at(self, line: int | None) -> tuple[int, int] | None:
        """Return the same of the instruction that begins at a line."""
        numbers = [number for number, one in enumerate(self._dockerfile.instructions, 1) if one.line == line]
        return (numbers[0], len(self._dockerfile.instructions)) if numbers else None

    def _finished(self, one: _Running, end: events.StepFinished) -> Step:
        found = _instruction(self._dockerfile, one.event)
        line = found.line if found else _line(self._dockerfile, one.event)
        return Step(
            number=self._place(one.event)[0],
            # BuildKit has replaced the variables in what it announces; a reader looks for what the file says.
            instruction=found.logical if found and one.event.stage is not None else one.event.instruction,
            line=line,
            is_cached=one.is_cached,
            seconds=end.at - one.event.at,
            image_id=end.image_id,
            log=tuple(one.log),
            began=one.event.at,
            stage=_stage_name(self._dockerfile, line),
        )


def _in_file(step: Step) -> tuple[int, int]:
    return step.line or 0, step.number


def _unreadable(event: events.Failed, line: int | None) -> DockerfileError | None:
    """Return the error of a file that the builder cannot read, or None where it is none of that kind."""
    if _QUOTES_A_COMMAND.search(event.message):
        return None  # a step ran, so the file was read; and its command may speak of such things itself
    if match := _BUILDKIT_UNREADABLE.search(event.message):
        line = int(match["line"] or match["first"])
    elif not _UNREADABLE.search(event.message):
        return None
    at = f" at line {line}" if line else ""
    return DockerfileError(
        f"The engine cannot read this Dockerfile{at}: {event.message}. Mend that line and build again.", line=line
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
    return not _QUOTES_A_COMMAND.search(line) and bool(_NO_SPACE.search(line))


def _line(dockerfile: Dockerfile, step: events.StepStarted) -> int | None:
    """Find the line of the instruction that a builder announced, or None where it reads the file otherwise."""
    if found := _instruction(dockerfile, step):
        return found.line
    # A builder that knows no heredocs takes their lines for instructions.
    lines = [line.strip() for line in dockerfile.text.splitlines()]
    same = step.instruction.strip()
    return lines.index(same) + 1 if lines.count(same) == 1 else None


def _instruction(dockerfile: Dockerfile, step: events.StepStarted) -> Instruction | None:
    words = step.instruction.split(maxsplit=1)
    if not words:
        return None
    if step.stage is None:
        found = [_counted(dockerfile, step)]
    else:
        # What somebody builds at the same time may bear the name that it has there (BuildKit shares such vertices),
        # so the words tell more than the count, unless they stand in the file twice or had variables.
        same = [one for one in dockerfile.instructions if one.logical.split() == step.instruction.split()]
        bases = [stage.from_ for stage in dockerfile.stages if stage.base_stage is None]
        found = [*(same if len(same) == 1 else ()), *_vertices(dockerfile, step), *bases]
    return next((one for one in found if one and words[0].upper() == one.keyword), None)


def _vertices(dockerfile: Dockerfile, step: events.StepStarted) -> list[Instruction]:
    """Return what BuildKit may mean by the n-th step of a stage: it counts only what it runs.

    It names a stage without a name "stage-1", and a lone stage not at all. Of a stage it counts the FROM where that
    begins with an image, and what the image has ready for who builds on it (BuildKit, dockerfile2llb): all before the
    stage's own, so from the end the count is sure.
    """
    named = [one for one in dockerfile.stages if step.stage in (one.name, f"stage-{one.index}")]
    found = []
    for stage in named or (dockerfile.stages if not step.stage else ()):
        run = [one for one in stage.instructions if one.keyword in _RUN_BY_BUILDKIT]
        index = step.stage_step - 1 - (step.stage_total - len(run))
        found.append(run[index] if 0 <= index < len(run) else stage.from_)
    return found


def _stage_name(dockerfile: Dockerfile, line: int | None) -> str:
    begun = [stage for stage in dockerfile.stages if line and stage.line <= line]
    return (begun[-1].name or str(begun[-1].index)) if begun else ""


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
