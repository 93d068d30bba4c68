"""A bench that follows the Dockerfiles of exercise 10: bases, packages, libraries, users, without engine or network.

Every size is made up; what outweighs what is as on the real bases. Holds no test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fake_bench import APPS, MB, FakeBench, Made

from layerlab.bases.inventory import STANDIN
from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction, Stage
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe, ImageNotFound
from layerlab.exercises.ex10_practice.services import KINDS, LABELS
from layerlab.image import HistoryEntry, Image, ImageConfig
from layerlab.probe import Contents, CopiedItem, Distribution, Library, Package, Probe, Running, Tool

BASES = {"full": 1_110 * MB, "slim": 119 * MB, "musl": 49 * MB}
NEED, BYTECODE, LIBRARY, TABLE = 10 * MB, 4 * MB, MB // 5, 8 * MB
# What copied_files along: pip's own bytecode, what apt writes down, its lists, uv, a venv's pip, gcc, all libraries.
PIP_RAN, NOTES, LISTS, UV, SEED, GCC, ALL = 10 * MB, 5 * MB // 2, 20 * MB, 40 * MB, 7 * MB, 150 * MB, 200 * MB


@dataclass(frozen=True)
class State:
    """What a stage has come to."""

    base: str
    needed: int = 0
    luggage: int = 0
    has: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    user: str = ""
    command: tuple[str, ...] = ()
    copied_files: tuple[tuple[int, str, str], ...] = ()

    def plus(self, *names: str, needed: int = 0, luggage: int = 0) -> State:
        return replace(self, has=self.has | {*names}, needed=self.needed + needed, luggage=self.luggage + luggage)

    @property
    def finds_the_library(self) -> bool:
        return self.base == "full" or "library" in self.has

    @property
    def finds_the_table(self) -> bool:
        return self.base == "full" or "table" in self.has


class PracticeBench(FakeBench):
    """See `layerlab.exercises.Bench`."""

    def base(self, key: str) -> Image:
        config = ImageConfig(labels=((STANDIN, "true"),))
        return Image(f"sha256:{key}", (), "", "", (HistoryEntry("base", BASES[key]),), (key,), 0, config)

    def image(self, reference: str) -> Image:
        if not reference.startswith("python:"):
            raise ImageNotFound(reference)
        return self.base(_key(reference))

    def probe(
        self,
        image: str | Image,
        *paths: str,
        read_only: bool = False,
        user: str | None = None,
        stopping: bool = False,
    ) -> Probe:
        assert isinstance(image, Image)
        state, service = self.state(image), self.service_of(image)
        if silent := _silence(state, service):
            raise DoesNotServe(f"The container ended with exit code 1. It printed:\n{silent}\nCheck CMD and the port.")
        is_wrong = (service == LABELS and state.base == "musl") or (service == KINDS and not state.finds_the_table)
        own = Response(500, "no answer") if is_wrong else Response(200, "fine")
        answers = tuple((path, Response(200, "well") if path == "/health" else own) for path in paths)
        uid = int(user or state.user.replace("nobody", "65534") or 0)
        waits = "echo stopped" in " ".join(state.command)
        ended = ((137, 10.0) if waits else (0, 0.1)) if stopping else (None, None)
        return Probe(image.id, answers, uid, *ended, read_only)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        if image.id.removeprefix("sha256:") in BASES:
            has_gcc = image.id == "sha256:full"
            return Contents((), 0, (Tool("gcc", "/usr/bin/gcc"),) if has_gcc else ())
        state = self.state(image)
        tools = (Tool("gcc", "/usr/bin/gcc"),) if state.base == "full" or "gcc" in state.has else ()
        seeded = (Distribution("pip", "1", SEED, "/opt/venv"),) if "seed" in state.has else ()
        return Contents((Distribution("bottle", "1", NEED, "/opt/venv"), *seeded), 1_000, tools)

    def copied(self, app: str, dockerfile: str = "Dockerfile", *, text: str | None = None) -> tuple[CopiedItem, ...]:
        made = self.begin(app, text=text, dockerfile=dockerfile).run()
        return tuple(
            CopiedItem(line, path, UV, owner, is_executable=True, in_base=False)
            for line, path, owner in self.state(made.image).copied_files
        )

    def running(self, image: str | Image, *paths: str, base: str | Image) -> Running:
        assert isinstance(image, Image)
        state = self.state(image)
        bytecode = BYTECODE if "bytecode" in state.has else 0
        files = {"library": ("/usr/lib/libmagic.so.1", LIBRARY), "table": ("/usr/lib/file/magic.mgc", TABLE)}
        return Running(
            (Package("bottle", "1", state.needed, bytecode, "/opt/venv"), Package("pip", "1", SEED, 0, "/opt/venv")),
            tuple(Library(name, size, (path,)) for name, (path, size) in files.items() if name in state.has),
        )

    def state(self, image: Image) -> State:
        return self._states[image.id][0]

    def service_of(self, image: Image) -> str:
        return self._states[image.id][1]

    @property
    def _states(self) -> dict[str, tuple[State, str]]:
        found: dict[str, tuple[State, str]] = self.__dict__.setdefault("_made_states", {})
        return found

    def _made(self, context: BuildContext, target: str | None) -> Made:
        made: dict[int, State] = {}
        last = context.dockerfile.target(target)
        for stage in context.dockerfile.stages[: last.index + 1]:
            made[stage.index] = _followed(stage, made)
        state = made[last.index]
        id = f"sha256:made-{next(self.numbers)}"
        self._states[id] = state, PurePosixPath(context.folder).name
        mapped = (LIBRARY if "library" in state.has else 0) + (TABLE if "table" in state.has else 0)
        added = state.needed + state.luggage + mapped + (BYTECODE if "bytecode" in state.has else 0) + 1_000
        history = (HistoryEntry("base", BASES[state.base]), HistoryEntry("RUN something", added))
        return Made(Image(id, (), "", "", history, (state.base, id), 0))


def _followed(stage: Stage, earlier: Mapping[int, State]) -> State:
    state = earlier[stage.base_stage] if stage.base_stage is not None else State(_key(stage.base))
    for step in stage.instructions:
        if step.keyword == "RUN":
            state = _ran(state, step)
        elif step.keyword == "COPY" and step.flag("from"):
            state = _copied(state, step, earlier[0])
        elif step.keyword == "COPY":
            state = replace(state, files=state.files | {*step.arguments[:-1]})
        elif step.keyword == "USER":
            state = replace(state, user=step.arguments[0])
        elif step.keyword == "CMD":
            state = replace(state, command=tuple(step.arguments))
        elif step.keyword == "ENV":
            state = state.plus(*(["on path"] if "/opt" in step.logical else []))
    return state


def _ran(state: State, step: Instruction) -> State:
    text = step.logical
    for words, follow in _COMMANDS:
        if re.search(words, text):
            state = follow(state, step)
    return state


def _apt(state: State, step: Instruction) -> State:
    if state.base == "musl":
        raise _failed(step.line, "/bin/sh: apt-get: not found")
    text = step.logical
    left = 0 if "rm -rf /var/lib/apt/lists" in text else LISTS
    notes = 0 if "/var/cache/debconf" in text else NOTES
    names = (("gcc",) if "gcc" in text else ()) + (("library", "table") if "libmagic1" in text else ())
    return state.plus(*names, luggage=left + notes + (GCC if "gcc" in text else 0))


def _packages(state: State, step: Instruction) -> State:
    if not {"requirements.txt", "."} & state.files:
        raise _failed(step.line, "ERROR: Could not open requirements file: No such file or directory")
    text = step.logical
    in_own_folder = "/opt" in text or "on path" in state.has
    names = [name for name, word in (("bytecode", "--compile-bytecode"),) if word in text]
    quiet = in_own_folder or "--no-compile" in text
    return state.plus("packages", *names, needed=NEED, luggage=0 if quiet else PIP_RAN)


def _extension(state: State, step: Instruction) -> State:
    if state.base != "full" and "gcc" not in state.has:
        raise _failed(step.line, "error: command 'gcc' failed: No such file or directory")
    return state.plus("plain")


_COMMANDS: tuple[tuple[str, Callable[[State, Instruction], State]], ...] = (
    (r"apt-get install", _apt),
    (r"pip install --no-cache-dir uv", lambda state, _: state.plus("uv", luggage=UV)),
    (r"python -m venv", lambda state, _: state.plus("seed", luggage=SEED)),
    (r"-r requirements", _packages),
    (r"\./plain", _extension),
    # A later line hides what an earlier layer keeps.
    (r"pip uninstall", lambda state, _: replace(state, has=state.has - {"seed"})),
)


def _copied(state: State, step: Instruction, builder: State) -> State:
    path = step.arguments[0]
    if path.startswith("/opt"):
        copied_files = ((step.line, "/opt/venv/bin/pip", "pip"),) if "seed" in builder.has else ()
        brought = builder.has & {"packages", "bytecode", "plain", "seed"}
        carried = SEED if "seed" in builder.has else 0
        return replace(
            state.plus(*brought, needed=builder.needed, luggage=carried),
            copied_files=(*state.copied_files, *copied_files),
        )
    if path == "/usr/local/bin":
        return replace(
            state.plus(luggage=UV), copied_files=(*state.copied_files, (step.line, "/usr/local/bin/uv", "uv"))
        )
    if path == "/usr/lib":
        return state.plus("library", luggage=ALL)
    return state.plus("table" if "magic.mgc" in path else "library")


def _silence(state: State, service: str) -> str:
    source = "main.py" if "uvicorn" in " ".join(state.command) else "service.py"
    if not {source, "."} & state.files:
        return f"python: can't open file '/app/{source}': [Errno 2] No such file or directory"
    if "packages" not in state.has:
        return "ModuleNotFoundError: No module named 'bottle'"
    if service == KINDS and not state.finds_the_library:
        return "OSError: libmagic.so.1: cannot open shared object file: No such file or directory"
    if service == KINDS and state.base == "musl":
        return "OSError: Error relocating /usr/lib/libmagic.so.1: __snprintf_chk: symbol not found"
    return ""


def _failed(line: int, said: str) -> BuildFailed:
    return BuildFailed(f"Step 9 failed at line {line} of Dockerfile: RUN …", line=line, exit_code=1, log_tail=(said,))


def _key(reference: str) -> str:
    return "slim" if "slim" in reference else "musl" if "-alpine" in reference else "full"


__all__ = ["APPS", "PracticeBench"]
