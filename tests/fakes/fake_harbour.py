"""A bench that follows the recipes of exercise 05: files, layers and exit statuses, without engine or network.

Every size is made up; what outweighs what is as on the real bases. Holds no test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

from fake_bench import APPS, MB, Begun, FakeBench, Made

from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, Distribution, Probe

BASE_BYTES = 119 * MB
PACKAGES, NEED_OF_PACKAGES, BYTECODE, CHART, TABLE, SCRIPT = "/packages", 540_000, 11 * MB, 41 * MB, 28_000, 700
VENV, VENV_PIP = "/opt/venv", "/opt/venv/pip"
BOTTLE = Distribution("bottle", "0.13.4", NEED_OF_PACKAGES, "/packages")


@dataclass(frozen=True)
class State:
    """A stage so far: what a container would see, path → bytes, and what each layer weighs."""

    files: Mapping[str, int] = field(default_factory=dict)
    layers: tuple[tuple[str, int], ...] = ()

    def after(self, step: Instruction, files: Mapping[str, int], *, again: frozenset[str] = frozenset()) -> State:
        """Return the state with one layer more: it holds what is new or has changed, and hides what is gone."""
        new = sum(size for path, size in files.items() if self.files.get(path) != size or path in again)
        return State(files, (*self.layers, (step.logical, new)))


@dataclass
class Harbour(FakeBench):
    """Builds, probes and lists what exercise 05 has; the rest is its parent's."""

    builds: int = 0
    stages: dict[str, State] = field(default_factory=dict)

    def image(self, reference: str) -> Image:
        return Image(f"sha256:{reference}", (), "", "", (HistoryEntry("base", BASE_BYTES),), ("base",), 0)

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
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=text)
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        self.builds += 1
        return Begun(lambda: self._made(context, frozenset(changed or ())))

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> Probe:
        assert isinstance(image, Image)
        files = self.stages[image.id].files
        wanted = {PACKAGES: "ModuleNotFoundError: No module named 'bottle'"}
        wanted |= {f"/app/{name}": f"No such file or directory: '{name}'" for name in ("service.py", "tides.json")}
        if VENV + PACKAGES in files:
            del wanted[PACKAGES]
        for path, says in wanted.items():
            if path not in files:
                raise DoesNotServe(f"The container ended with exit code 1. It printed:\n{says}\nCheck CMD.")
        return Probe(image.id, tuple((path, Response(200, "high water")) for path in paths), 0, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        files = self.stages.get(image.id, State()).files
        own = sum(size for path, size in files.items() if path.startswith("/app/"))
        return Contents((BOTTLE,) if {PACKAGES, VENV + PACKAGES} & files.keys() else (), own, ())

    def _made(self, context: BuildContext, broken: frozenset[str]) -> Made:
        made: dict[int, State] = {}
        for stage in context.dockerfile.stages:
            state = State() if stage.base_stage is None else made[stage.base_stage]
            for step in stage.instructions:
                state = _follow(step, state, context, made, broken)
            made[stage.index] = state
        id = f"sha256:made-{next(self.numbers)}"
        self.stages[id] = state
        history = (HistoryEntry("base", BASE_BYTES), *(HistoryEntry(said, size) for said, size in state.layers))
        ids = ("base", *(f"{id}-{n}" for n, _ in enumerate(state.layers)))
        return Made(Image(id, (), "", "", history, ids, 0))


def _follow(
    step: Instruction, state: State, context: BuildContext, made: Mapping[int, State], broken: frozenset[str]
) -> State:
    if step.keyword == "COPY" and step.flag("from"):
        source, earlier = step.arguments[0], made[0].files
        if source == "/":  # the base comes along once more
            return state.after(step, {**state.files, **earlier, "/usr": BASE_BYTES})
        taken = {path: n for path, n in earlier.items() if path == source or path.startswith(f"{source}/")}
        return state.after(step, {**state.files, **taken})
    if step.keyword == "COPY":
        *sources, target = step.arguments
        folder = "/tmp" if target.startswith("/tmp") else "/app"
        names = [path.name for path in context.folder.iterdir() if _is_sent(path.name, sources)]
        return state.after(step, {**state.files, **{f"{folder}/{name}": SCRIPT for name in names}})
    if step.keyword == "RUN":
        shell = Shell(dict(state.files), broken)
        if status := shell.run(" ".join(step.arguments[0].split())):
            raise _red(step, status, shell.said)
        # A file that was emptied is written anew; one that stays as it is lies in its old layer.
        return state.after(step, shell.files, again=frozenset(shell.written))
    return state


def _is_sent(name: str, sources: list[str]) -> bool:
    is_left_out = name.startswith(("Dockerfile", ".")) or name == "__pycache__"
    return not is_left_out and any(source == "." or fnmatch(name, source) for source in sources)


def _red(step: Instruction, status: int, said: str) -> BuildFailed:
    message = f"Step 9 of 16 failed at line {step.line}: {step.logical}"
    return BuildFailed(message, line=step.line, exit_code=status, log_tail=(said,))


@dataclass
class Shell:
    """Runs what these recipes run: && || ; | from left to right, as POSIX has it, and the programs in them."""

    files: dict[str, int]
    broken: frozenset[str]
    said: str = ""
    written: list[str] = field(default_factory=list)

    def run(self, script: str) -> int:
        groups = re.findall(r"\(([^()]*)\)", script)
        tokens = re.split(r"(&&|\|\||;|\|)", re.sub(r"\([^()]*\)", "group", script))
        status = 0
        for sign, command in zip([";", *tokens[1::2]], tokens[::2], strict=True):
            if (sign == "&&" and status) or (sign == "||" and not status):
                continue
            status = self.run(groups.pop(0)) if command.strip() == "group" else self._command(command.split())
        return status

    def _command(self, words: list[str]) -> int:
        programs: Mapping[str, Callable[[list[str]], int]] = {
            "pip": self._pip,
            "python": self._python,
            "rm": self._rm,
            "truncate": self._truncate,
        }
        assert words[0] in {*programs, "find", "true", "echo"}, f"{words[0]} is no program that this harbour has"
        program = programs.get(words[0])
        return program(words[1:]) if program else 0

    def _pip(self, words: list[str]) -> int:
        if "-r" in words:
            path = _path(words[words.index("-r") + 1])
            if path not in self.files or PurePosixPath(path).name in self.broken:
                return self._fail(f"ERROR: Could not open requirements file: No such file or directory: '{path}'")
        self._write(f"{VENV if VENV_PIP in self.files else ''}{PACKAGES}", NEED_OF_PACKAGES)
        self._write("/bytecode", BYTECODE)
        return 0

    def _python(self, words: list[str]) -> int:
        script, *paths = words
        if script == "-m":
            self._write(VENV_PIP, BYTECODE)
            return 0
        if _path(script) not in self.files or script in self.broken:
            return self._fail(f"python: can't open file '{script}': No such file or directory")
        if script == "observe.py":
            self._write(paths[0], CHART)
            return 0
        if not paths[0].startswith("/dev/") and paths[0] not in self.files:
            return self._fail(f"FileNotFoundError: No such file or directory: '{paths[0]}'")
        self._write(_path(paths[1]), TABLE)
        return 0

    def _rm(self, words: list[str]) -> int:
        if self.files.pop(words[-1], None) is None and "-f" not in words:
            return self._fail(f"rm: cannot remove '{words[-1]}': No such file or directory")
        return 0

    def _truncate(self, words: list[str]) -> int:
        self._write(words[-1], 0)
        return 0

    def _write(self, path: str, size_bytes: int) -> None:
        if not path.startswith("/dev/"):
            self.files[path] = size_bytes
            self.written.append(path)

    def _fail(self, said: str) -> int:
        self.said = said
        return 1


def _path(name: str) -> str:
    return str(PurePosixPath("/app") / name)
