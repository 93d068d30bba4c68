"""A bench with made-up images: it follows a Dockerfile as far as exercises need, and knows what the bases have.

No engine, no network. Every number is made up; what depends on what is as on the real bases. Holds no test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from layerlab.context import BuildContext
from layerlab.dockerfile import Stage
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe, EngineRefused, ImageNotFound
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, Distribution, Probe, Tool
from layerlab.work.answers import work_folder

APPS = Path(__file__).parents[2] / "apps"
MB = 1_000_000
BASES = {"full": 1_110 * MB, "slim": 119 * MB}
PACKAGES = {
    "gcc": 120 * MB,
    "libc6-dev": 20 * MB,
    "build-essential": 250 * MB,
    "libqrencode-dev": MB,
    "libqrencode4": MB,
    "ca-certificates": 0,
    "git": 130 * MB,
}
VENV = (Distribution("fastapi", "1", 10 * MB, "/opt/venv"), Distribution("pip", "1", 7 * MB, "/opt/venv"))
LOG = (
    "Building wheels for collected packages: qr",
    "  Building wheel for qr (pyproject.toml): started",
    "  error: subprocess-exited-with-error",
    "      {fault}",
    "  ERROR: Failed building wheel for qr",
    "[notice] To update, run: pip install --upgrade pip",
)


@dataclass(frozen=True)
class Made:
    image: Image
    steps: tuple[Any, ...] = (1, 2)


@dataclass(frozen=True)
class Ended:
    exit_code: int
    output: str


@dataclass
class Begun:
    """A build under way; ``during`` is called while it runs, as a learner's click would be."""

    make: Callable[[], Made]
    during: Callable[[], None] | None = None
    cancels: int = 0

    def run(self, on_event: Callable[[Any], None] | None = None) -> Made:
        if self.during:
            self.during()
        if on_event:
            on_event("step")
        return self.make()

    def cancel(self) -> None:
        self.cancels += 1


@dataclass(frozen=True)
class State:
    """What a stage has come to: its base, Debian packages, folders copied or made, and what it ran last."""

    base: str
    packages: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def can_compile(self) -> bool:
        return self.base == "full" or "build-essential" in self.packages or {"gcc", "libc6-dev"} <= {*self.packages}

    @property
    def has_compiler(self) -> bool:
        return "gcc" in self.packages or "build-essential" in self.packages

    @property
    def loads_the_library(self) -> bool:
        return any(name.startswith("libqrencode") for name in self.packages) or bool(
            {"/", "/usr/lib"} & {*self.folders}
        )

    @property
    def added_bytes(self) -> int:
        carried = 230 * MB if "/" in self.folders else 200 * MB if "/usr/lib" in self.folders else 0
        return sum(PACKAGES[name] for name in self.packages) + carried + (20 * MB if self.folders else 0) + 800


@dataclass
class FakeBench:
    """See `layerlab.exercises.Bench`."""

    on_slim: tuple[str, ...] = ("import http", "Python.h", "pip", "qrencode.h", "fastapi")
    built: list[str] = field(default_factory=list)
    ran: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    during: Callable[[], None] | None = None
    py_minor: str = "3.12"
    states: dict[str, State] = field(default_factory=dict)
    numbers: Any = field(default_factory=count)
    work: Path = field(default_factory=work_folder)
    namespace: str = "layerlab/"
    tags: list[str] = field(default_factory=list)

    def arguments(self, declared: Collection[str]) -> dict[str, str]:
        ours = {"PY_MINOR": self.py_minor, "DISTROLESS": "gcr.io/distroless/python3-debian13:nonroot"}
        return {name: value for name, value in ours.items() if name in declared}

    def folder(self, app: str) -> Path:
        return APPS / app

    def base(self, key: str) -> Image:
        return Image(f"sha256:{key}", (), "", "", (HistoryEntry("base", BASES[key]),), (key,), 0)

    def build(self, app: str, dockerfile: str = "Dockerfile", *, tag: str | None = None) -> Made:
        self.built.append(app)
        return Made(TIMETABLE)

    def image(self, reference: str) -> Image:
        if not reference.startswith("python:"):
            raise ImageNotFound(reference)
        return self.base(_key(reference))

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> Ended:
        assert isinstance(image, Image)
        assert command is not None
        base, text = image.id.removeprefix("sha256:"), command[-1]
        self.ran.append((base, text))
        has = base == "full" or any(part in text for part in self.on_slim)
        return Ended(0, "found\nmore") if has else Ended(127, f"sh: 1: {text.split()[0]}: not found\n")

    def begin(
        self,
        app: str,
        *,
        text: str | None = None,
        dockerfile: str = "Dockerfile",
        tag: str | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        builder: str | None = None,
    ) -> Begun:
        written = (APPS / app / dockerfile).read_text() if text is None else text
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=written)
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        self.texts.append(written)
        self.tags += [tag] if tag else []
        return Begun(lambda: self._made(context, target), self.during)

    def probe(self, image: str | Image, *paths: str, read_only: bool = False, user: str | None = None) -> Probe:
        assert isinstance(image, Image)
        self.probed.append(image.id)
        state = self.states[image.id]
        if state.command[0] == "uvicorn" and not {"/opt/venv", "/", "pip"} & {*state.folders}:
            raise EngineRefused('The engine refused: exec: "uvicorn": executable file not found in $PATH: unknown.')
        if state.command[0] == "uvicorn" and not state.loads_the_library:
            raise _silent("ImportError: libqrencode.so.4: cannot open shared object file: No such file or directory")
        if state.command[0] == "python" and not {state.command[1], "."} & {*state.files}:
            raise _silent(f"python: can't open file '/srv/{state.command[1]}': [Errno 2] No such file or directory")
        return Probe(image.id, tuple((path, Response(200, "fine")) for path in paths), 0, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        state = self.states.get(image.id)
        if state is None:
            return Contents((), 0, ())
        compilers = state.has_compiler or "/" in state.folders
        tools = (Tool("gcc", "/usr/bin/gcc"), Tool("as", "/usr/bin/as")) if compilers else ()
        return Contents(VENV if state.folders else (), 800, tools)

    def _made(self, context: BuildContext, target: str | None) -> Made:
        made: dict[int, State] = {}
        stages = context.dockerfile.stages
        last = context.dockerfile.target(target)
        for stage in stages[: last.index + 1]:
            made[stage.index] = _followed(stage, made)
        state = made[last.index]
        id = f"sha256:made-{next(self.numbers)}"
        self.states[id] = state
        history = (HistoryEntry("base", BASES[state.base]), HistoryEntry("RUN something", state.added_bytes))
        return Made(Image(id, (), "", "", history, (state.base, id), 0))


def _followed(stage: Stage, earlier: Mapping[int, State]) -> State:
    state = earlier[stage.base_stage] if stage.base_stage is not None else State(_key(stage.base))
    for step in stage.instructions:
        words = step.arguments
        if step.keyword == "RUN":
            packages = re.findall(r"install -y --no-install-recommends ([^&]+)", words[0])
            for name in packages[0].split() if packages else ():
                if name not in PACKAGES:
                    raise _failed(step.line, (f"E: Unable to locate package {name}",))
                state = _with(state, packages=(*state.packages, name))
            if "./qr" in words[0]:
                _require_headers(state, step.line)
            if "pip install" in words[0]:
                state = _with(state, folders=(*state.folders, "pip"))
        elif step.keyword == "COPY" and step.flag("from"):
            # A venv at another path holds programs that name a Python which is not there.
            stays = words[0] in (words[-1].rstrip("/"), "/")
            state = _with(state, folders=(*state.folders, words[0] if stays else "moved"))
        elif step.keyword == "COPY":
            state = _with(state, files=(*state.files, *words[:-1]))
        elif step.keyword == "CMD":
            state = _with(state, command=tuple(words[0].split()) if len(words) == 1 else words)
    return state


def _require_headers(state: State, line: int) -> None:
    fault = ""
    if not state.can_compile:
        fault = "fatal error: stdlib.h: No such file or directory"
        if not state.has_compiler:
            fault = "error: [Errno 2] No such file or directory: 'gcc'"
    elif "libqrencode-dev" not in state.packages:
        fault = "qr.c:3:10: fatal error: qrencode.h: No such file or directory"
    if fault:
        raise _failed(line, tuple(text.format(fault=fault) for text in LOG))


def _failed(line: int, log: tuple[str, ...]) -> BuildFailed:
    return BuildFailed(f"Step 9 of 16 failed at line {line} of Dockerfile: RUN …", line=line, exit_code=1, log_tail=log)


def _silent(last: str) -> DoesNotServe:
    return DoesNotServe(f"The container ended with exit code 1. It printed:\n{last}\nCheck CMD, the host and the port.")


def _with(state: State, **changed: Any) -> State:
    return State(**{**vars(state), **changed})


def _key(reference: str) -> str:
    return "slim" if reference.endswith("-slim") else "full"


def image(*history: tuple[str, int]) -> Image:
    """Return an image with these instructions and sizes in bytes."""
    entries = tuple(HistoryEntry(f"/bin/sh -c {text}", size_bytes) for text, size_bytes in history)
    return Image("sha256:made-up", (), "linux/amd64", "", entries, (), 0)


TIMETABLE = image(
    ("#(nop) ADD file:rootfs in / ", 75_000_000),
    ("set -eux; make install", 44_000_000),
    ('#(nop)  CMD ["python3"]', 0),
    ("#(nop) WORKDIR /srv", 0),
    ("#(nop) COPY file:a in ./ ", 13),
    ("pip install -r requirements.txt", 17_200_000),
    ("#(nop) COPY file:b in ./ ", 900),
    ("python make_table.py", 120_000_000),
    ("#(nop) COPY file:c in ./ ", 700),
    ('#(nop)  CMD ["python" "timetable.py"]', 0),
)
