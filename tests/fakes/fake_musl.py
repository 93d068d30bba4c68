"""A bench with made-up images on the musl base: follows what exercise 04 does to files, by name and owner.

Made-up sizes, in the order of the real ones. Knows pip, uv, venvs and COPY; holds no test.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

from fake_bench import APPS, MB, Begun, Ended, FakeBench, Made

from layerlab.context import BuildContext
from layerlab.dockerfile import ResolvedStage, resolve
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe, EngineRefused
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, CopiedItem, Distribution, Probe, Tool

SITE = "lib/python3.12/site-packages"
PACKAGES = {"fastapi": MB // 2, "jellyfish": MB, "pydantic": 2 * MB, "pydantic-core": 6 * MB, "uvicorn": MB // 4}
LOADED = json.dumps(sorted([*PACKAGES, "h11"]))
BYTECODE = 5 * MB
# What pip's own run leaves of itself and of Python's modules.
TRACES = {"lib/python3.12/bytecode": 10 * MB}
UV = {"bin/uv": 44 * MB, "bin/uvx": MB // 2, f"{SITE}/uv": MB}
BASE_BYTES = 45 * MB


@dataclass(frozen=True)
class File:
    """A program, or all files of a distribution; ``home`` is the prefix that a program looks for its Python in."""

    size_bytes: int
    owner: str | None = None
    home: str = ""


def under(prefix: str, owner: str | None, sizes: Mapping[str, int]) -> dict[str, File]:
    return {posixpath.join(prefix, path): File(size, owner, prefix) for path, size in sizes.items()}


BASE = {
    **under("/usr/local", "pip", {"bin/pip": 200, f"{SITE}/pip": 12 * MB}),
    **under("/usr/local", "setuptools", {f"{SITE}/setuptools": 4 * MB}),
    **under("/usr/local", None, {"bin/python": 14_000}),
}


@dataclass(frozen=True)
class Disk:
    """What a stage has come to. Layers only add: ``added_bytes`` never shrinks."""

    files: Mapping[str, File] = field(default_factory=lambda: dict(BASE))
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin"})
    own: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    added_bytes: int = 0
    copied_files: tuple[CopiedItem, ...] = ()

    def written(self, files: Mapping[str, File]) -> Disk:
        added = sum(one.size_bytes for one in files.values())
        return replace(self, files={**self.files, **files}, added_bytes=self.added_bytes + added)

    def without(self, *patterns: str) -> Disk:
        kept = {path: one for path, one in self.files.items() if not any(fnmatch(path, each) for each in patterns)}
        return replace(self, files=kept)

    def program(self, name: str) -> tuple[str, File] | None:
        paths = (posixpath.join(folder, name) for folder in self.env["PATH"].split(":"))
        return next(((path, self.files[path]) for path in paths if path in self.files), None)

    def sites(self, home: str) -> tuple[str, ...]:
        return tuple(filter(None, (self.env.get("PYTHONPATH", ""), posixpath.join(home, SITE), f"/root/.local/{SITE}")))

    def seen_from(self, home: str) -> dict[str, File]:
        """What a Python of that prefix finds."""
        return {path: one for path, one in self.files.items() if posixpath.dirname(path) in self.sites(home)}


@dataclass
class MuslBench(FakeBench):
    """See `layerlab.exercises.Bench`."""

    disks: dict[str, Disk] = field(default_factory=dict)

    def base(self, key: str) -> Image:
        return Image(f"sha256:{key}", (), "", "", (HistoryEntry("base", BASE_BYTES),), (key,), 0)

    def image(self, reference: str) -> Image:
        return self.base("musl")

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
        return Begun(lambda: self._image(self._followed(app, dockerfile, text)), self.during)

    def copied(self, app: str, dockerfile: str = "Dockerfile", *, text: str | None = None) -> tuple[CopiedItem, ...]:
        return self._followed(app, dockerfile, text).copied_files

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> Ended:
        return Ended(0, f"starting\n{LOADED}\n")

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> Probe:
        assert isinstance(image, Image)
        disk = self.disks[image.id]
        home = _home(disk)
        names = {one.owner for one in disk.seen_from(home).values()}
        if missing := [name for name in PACKAGES if name not in names]:
            raise _silent(f"ModuleNotFoundError: No module named {missing[0]!r}")
        if "stations.txt" not in disk.own:
            raise _silent("FileNotFoundError: [Errno 2] No such file or directory: '/app/stations.txt'")
        return Probe(image.id, tuple((path, Response(200, "fine")) for path in paths), 0, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        disk = self.disks.get(image.id, Disk())
        seen = disk.seen_from(_home(disk)) if disk.command else dict(BASE)
        distributions = tuple(
            Distribution(one.owner, "1", one.size_bytes, posixpath.dirname(path))
            for path, one in seen.items()
            if one.owner and one.owner != "bytecode"
        )
        names = ("uv", "uvx", "pip")
        tools = [Tool(posixpath.basename(path), path) for path in disk.files if posixpath.basename(path) in names]
        return Contents(distributions, 800, tuple(tool for tool in tools if "/bin/" in tool.path))

    def _image(self, disk: Disk) -> Made:
        id = f"sha256:made-{next(self.numbers)}"
        self.disks[id] = disk
        history = (HistoryEntry("base", BASE_BYTES), HistoryEntry("RUN something", disk.added_bytes))
        return Made(Image(id, (), "", "", history, ("musl", id), 0))

    def _followed(self, app: str, dockerfile: str, text: str | None) -> Disk:
        folder: Path = APPS / app
        written = (folder / dockerfile).read_text() if text is None else text
        context = BuildContext.open(folder, dockerfile, dockerfile_text=written)
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        self.texts.append(written)
        done: list[Disk] = []
        arguments = {"PY_MINOR": self.py_minor}
        base_env = {f"python:{self.py_minor}-alpine": {"PATH": "/usr/local/bin"}}
        for stage in resolve(context.dockerfile, build_args=arguments, base_env=base_env).stages:
            done.append(_stage(stage, done))
        return done[-1]


def _stage(stage: ResolvedStage, done: Sequence[Disk]) -> Disk:
    disk = Disk() if stage.stage.base_stage is None else done[stage.stage.base_stage]
    for step in (each.expanded for each in stage.instructions):
        words = step.arguments
        if step.keyword == "RUN":
            for command in words[0].split(" && "):
                disk = _ran(disk, command, step.line)
        elif step.keyword == "ENV":
            disk = replace(disk, env={**disk.env, **{name: value or "" for name, value in step.pairs}})
        elif step.keyword == "COPY" and step.flag("from"):
            disk = _copied(disk, done[0], step.line, *words)
        elif step.keyword == "COPY":
            own = ("main.py", "stations.txt") if words[0] == "." else words[:-1]
            disk = replace(disk, own=(*disk.own, *own))
        elif step.keyword == "CMD":
            disk = replace(disk, command=words)
    return disk


def _copied(disk: Disk, builder: Disk, line: int, source: str, target: str) -> Disk:
    moved = {
        target.rstrip("/") + path.removeprefix(source): one
        for path, one in builder.files.items()
        if path.startswith(source.rstrip("/") + "/")
    }
    copied_files = tuple(
        CopiedItem(line, path, one.size_bytes, one.owner, "/bin/" in path, BASE.get(path) == one)
        for path, one in moved.items()
    )
    return replace(disk.written(moved), copied_files=(*disk.copied_files, *copied_files))


def _ran(disk: Disk, command: str, line: int) -> Disk:
    words = shlex.split(re.sub(r"^VIRTUAL_ENV=(\S+) uv pip install", r"uv pip install --python \1", command))
    if words[0] == "uv" and disk.program("uv") is None:
        raise BuildFailed("Step failed", line=line, exit_code=127, log_tail=("/bin/sh: uv: not found",))
    if words[0] == "pip" and "PYTHONDONTWRITEBYTECODE" not in disk.env:
        disk = disk.written(under("/usr/local", "bytecode", TRACES))
    if words[0] == "rm":
        return disk.without(*words[1:])
    if "uninstall" in words:
        gone = [path for path, one in disk.files.items() if one.owner in words]
        return disk.without(*gone)
    if "venv" in words:
        has_pip = ("--seed" in words) if words[0] == "uv" else ("--without-pip" not in words)
        pip = under(words[-1], "pip", {"bin/pip": 200, f"{SITE}/pip": 7 * MB}) if has_pip else {}
        return disk.written({**under(words[-1], None, {"bin/python": 0}), **pip})
    return disk.written(under("/usr/local", "uv", UV) if words[-1] == "uv" else _installed(words))


def _installed(words: Sequence[str]) -> dict[str, File]:
    options = dict(pairwise(words)) | dict(w.split("=", 1) for w in words if "=" in w)
    prefix = options.get("--python") or options.get("--prefix") or ("/root/.local" if "--user" in words else "")
    site = options.get("--target") or posixpath.join(prefix or "/usr/local", SITE)
    # What is made for a prefix is meant to be moved to the interpreter's own.
    home = "/usr/local" if "--prefix" in options or "--user" in words else prefix or "/usr/local"
    files = {posixpath.join(site, name): File(size, name, home) for name, size in PACKAGES.items()}
    if "--target" not in options:
        files[posixpath.join(prefix or "/usr/local", "bin/uvicorn")] = File(300, "uvicorn", home)
    if (words[0] == "pip" and "--no-compile" not in words) or "--compile-bytecode" in words:
        files[posixpath.join(site, "bytecode")] = File(BYTECODE, "bytecode")
    return files


def _home(disk: Disk) -> str:
    name = disk.command[0]
    found = disk.program(name)
    # A program begins with the full path of the Python that it was made for.
    if found is None or (name != "python" and posixpath.join(found[1].home, "bin/python") not in disk.files):
        raise EngineRefused(f'The engine refused: exec: "{name}": executable file not found in $PATH: unknown.')
    return posixpath.dirname(posixpath.dirname(found[0])) if name == "python" else found[1].home


def _silent(last: str) -> DoesNotServe:
    return DoesNotServe(f"The container ended with exit code 1. It printed:\n{last}\nCheck CMD, the host and the port.")
