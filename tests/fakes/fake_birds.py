"""A bench that follows the recipes of exercise 07; start commands run in a real shell, with a pretended `python`.

Every size is made up; what outweighs what is as on the real bases. Holds no test.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fake_bench import APPS, MB, Begun, Made
from fake_harbour import BASE_BYTES, Harbour, Shell, State, _is_sent, _red

from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction
from layerlab.engine.protocol import Response
from layerlab.errors import DoesNotServe
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Probe, Start

MODEL, MODEL_BYTES, SOURCE_BYTES, PIP_BYTES = "/app/models/birds.model", 40 * MB, 900, 11 * MB
RUNS = 99  # the exit code with which the pretended service says that it would run on
PYTHON = f"""#!/bin/sh
test -r "$1" || {{ echo "python: can't open file '/app/$1': No such file or directory"; exit 2; }}
case "$1" in
fetch_model.py) echo "OSError: [Errno 30] Read-only file system: '$2'"; exit 1 ;;
esac
test "$2" != --load-first -o -r models/birds.model && exit {RUNS}
echo "FileNotFoundError: [Errno 2] No such file or directory: 'models/birds.model'"
exit 1
"""


@dataclass
class Container:
    """What a container of an image sees when it starts, and what comes of its start command."""

    files: Mapping[str, int]
    command: str | tuple[str, ...]
    mounts: Mapping[str, str] | None

    @property
    def has_model(self) -> bool:
        if not self.mounts:
            return MODEL in self.files
        return any((Path(source) / "birds.model").exists() for source in self.mounts)

    def start(self) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as root:
            self._lay_out(Path(root))
            words = ["sh", "-c", self.command] if isinstance(self.command, str) else list(self.command)
            env = {"PATH": f"{root}/bin:/usr/bin:/bin"}
            done = subprocess.run(words, cwd=f"{root}/app", env=env, capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def _lay_out(self, root: Path) -> None:
        for folder in ("app", "bin"):
            (root / folder).mkdir()
        (root / "bin" / "python").write_text(PYTHON)
        (root / "bin" / "python").chmod(0o755)
        for path in self.files:
            if path.startswith("/app/") and path != MODEL:
                (root / path[1:]).parent.mkdir(exist_ok=True, parents=True)
                (root / path[1:]).mkdir() if path == "/app/models" else (root / path[1:]).touch()
        if self.mounts or MODEL in self.files:
            (root / "app" / "models").mkdir(exist_ok=True)
        if self.has_model:
            (root / "app" / "models" / "birds.model").touch()


@dataclass
class Aviary(Harbour):
    """Builds, starts and probes what exercise 07 has; the rest is its parent's."""

    commands: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    starts_asked: list[str] = field(default_factory=list)

    def base(self, key: str) -> Image:
        return self.image(f"python:3.12-{key}")

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
        return Begun(lambda: self._built(context))

    def probe(
        self, image: str | Image, *paths: str, read_only: bool = False, mounts: Mapping[str, str] | None = None
    ) -> Probe:
        answers = []
        for path in paths:
            begun = self._start(image, path, mounts)
            if begun.answer is None:
                raise DoesNotServe(f"The container ended with exit code 1. It printed:\n{begun.log}\nCheck CMD.")
            answers.append((path, begun.answer))
        return Probe("image", tuple(answers), 10001, 0, 0.1)

    def starts(self, image: str | Image, path: str = "/health", *, mounts: Mapping[str, str] | None = None) -> Start:
        self.starts_asked.append("empty" if mounts else "without")
        return self._start(image, path, mounts)

    def _start(self, image: str | Image, path: str, mounts: Mapping[str, str] | None) -> Start:
        assert isinstance(image, Image)
        container = Container(self.stages[image.id].files, self.commands[image.id], mounts)
        code, log = container.start()
        if code != RUNS:
            return Start(path, None, code, log)
        status = 200 if path == "/health" or container.has_model else 500
        return Start(path, Response(status, json.dumps({"bird": "robin"})), None, log)

    def _built(self, context: BuildContext) -> Made:
        made: dict[int, State] = {}
        command: str | tuple[str, ...] = ()
        for stage in context.dockerfile.stages:
            state = State() if stage.base_stage is None else made[stage.base_stage]
            for step in stage.instructions:
                state = _follow(step, state, context, made)
                if step.keyword in ("CMD", "ENTRYPOINT"):
                    command = step.arguments if step.form == "exec" else step.arguments[0]
            made[stage.index] = state
        id = f"sha256:made-{next(self.numbers)}"
        self.stages[id], self.commands[id] = state, command
        history = (HistoryEntry("base", BASE_BYTES), *(HistoryEntry(said, size) for said, size in state.layers))
        ids = ("base", *(f"{id}-{n}" for n, _ in enumerate(state.layers)))
        return Made(Image(id, (), "", "", history, ids, 0))


def _follow(step: Instruction, state: State, context: BuildContext, made: Mapping[int, State]) -> State:
    if step.keyword == "COPY" and step.flag("from"):
        return state.after(step, {**state.files, **made[0].files})
    if step.keyword == "COPY":
        names = [path.name for path in context.folder.iterdir() if _is_sent(path.name, list(step.arguments[:-1]))]
        return state.after(step, {**state.files, **{f"/app/{name}": SOURCE_BYTES for name in names}})
    if step.keyword == "RUN":
        shell = BirdShell(dict(state.files), frozenset())
        if status := shell.run(" ".join(step.arguments[0].split())):
            raise _red(step, status, shell.said)
        return state.after(step, shell.files)
    return state


class BirdShell(Shell):
    """Runs what these recipes run while they are built."""

    def _command(self, words: list[str]) -> int:
        if words[0] == "pip":
            self._write("/packages", PIP_BYTES)
            return 0
        if words[0] == "mkdir":
            self._write("/app/models", 0)
            return 0
        if words[0] == "test":
            return 0 if f"/app/{words[-1]}" in self.files else 1
        if words[0] == "rm":
            return 0 if self.files.pop(f"/app/{words[1]}", None) is not None else self._fail("rm: cannot remove it")
        assert words[0] == "python", f"{words[0]} is no program that this aviary has"
        if f"/app/{words[1]}" not in self.files:
            return self._fail(f"python: can't open file '/app/{words[1]}': No such file or directory")
        self._write(MODEL, MODEL_BYTES)
        return 0
