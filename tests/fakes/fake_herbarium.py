"""A bench that follows the recipes of exercise 08 down to the entries of each layer, without engine or network.

Every size is made up; what outweighs what is as in the service. Holds no test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fake_bench import APPS, MB, Begun, FakeBench

from layerlab.archive import FileEntry, LayerFiles
from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe, ImageNotFound
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import Inspection
from layerlab.probe import Contents, Probe

SCANS, DRAWERS, CATALOGUE, SCRIPT = 62 * MB, 50 * MB, 3_000, 900
SLIM = LayerFiles("base", (FileEntry("usr", "dir"), FileEntry("usr/python", "file", 119 * MB)))


@dataclass(frozen=True)
class Made:
    """What a build gave: the image, and which line made which layer."""

    image: Image
    lines: tuple[tuple[int, int], ...]
    steps: tuple[int, ...] = (1, 2)


@dataclass
class Stage:
    """A stage so far: path → bytes as a container sees it, and each layer with the instruction that made it."""

    files: dict[str, int] = field(default_factory=lambda: {"usr/python": 119 * MB})
    layers: list[tuple[Instruction | None, LayerFiles]] = field(default_factory=lambda: [(None, SLIM)])

    def after(self, step: Instruction, files: dict[str, int], *, again: frozenset[str] = frozenset()) -> None:
        """Close a layer: it holds what is new, and a whiteout for what is gone, of a folder one for all of it."""
        new = [path for path, size in files.items() if self.files.get(path) != size or path in again]
        gone = {_topmost(path, files) for path in self.files.keys() - files.keys()}
        entries = [FileEntry(path, "file", files[path]) for path in new]
        entries += [FileEntry(path, "whiteout") for path in sorted(gone)]
        self.files = files
        self.layers.append((step, LayerFiles(f"{step.logical}-{len(self.layers)}", tuple(entries))))


@dataclass
class Herbarium(FakeBench):
    """Builds, probes and looks into what exercise 08 has; the rest is its parent's."""

    stages: dict[str, Stage] = field(default_factory=dict)
    tags: dict[str, Image] = field(default_factory=dict)

    def base(self, key: str) -> Image:
        return Image("sha256:base", (), "", "", (HistoryEntry("ADD (file) in /", SLIM.size_bytes),), ("base",), 0)

    def image(self, reference: str) -> Image:
        if reference in self.tags:
            return self.tags[reference]
        if not reference.startswith("python:"):
            raise ImageNotFound(reference)
        return self.base("slim")

    def begin(self, app: str, **given: Any) -> Begun:
        text, dockerfile = given.get("text"), given.get("dockerfile", "Dockerfile")
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=text)
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        return Begun(lambda: self._followed(context, given.get("tag")))  # type: ignore[arg-type, return-value]

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> Probe:
        assert isinstance(image, Image)
        files = self.stages[image.id].files
        for name in ("serve.py", "scan.py", "catalogue.json", "scans.txt"):
            if f"srv/{name}" not in files:
                says = f"FileNotFoundError: [Errno 2] No such file or directory: '{name}'"
                raise DoesNotServe(f"The container ended with exit code 1. It printed:\n{says}\nCheck CMD.")
        return Probe(image.id, tuple((path, Response(200, "a sheet")) for path in paths), 0, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        files = self.stages[image.id].files if image.id in self.stages else {}
        return Contents((), sum(size for path, size in files.items() if path.startswith("srv/")), ())

    def inspect(self, image: Any, *, base: Image | None = None) -> Inspection:
        described, lines = (image, ()) if isinstance(image, Image) else (image.image, image.lines)
        layers = tuple(layer for _, layer in self.stages[described.id].layers)
        return Inspection(described, layers, 1, "made-up slim", lines)

    def _followed(self, context: BuildContext, tag: str | None) -> Made:
        made: dict[int, Stage] = {}
        for stage in context.dockerfile.stages:
            earlier = Stage() if stage.base_stage is None else made[stage.base_stage]
            now = made[stage.index] = Stage(dict(earlier.files), list(earlier.layers))
            for step in stage.instructions:
                _follow(step, now, context, made)
        id = f"sha256:made-{next(self.numbers)}"
        self.stages[id] = now
        history = tuple(
            HistoryEntry(step.logical if step else "ADD (file) in /", layer.size_bytes) for step, layer in now.layers
        )
        image = Image(id, (), "", "", history, tuple(layer.diff_id for _, layer in now.layers), 0)
        if tag:
            self.tags[tag] = image
        return Made(image, tuple((n, step.line) for n, (step, _) in enumerate(now.layers) if step))


def _follow(step: Instruction, stage: Stage, context: BuildContext, made: Mapping[int, Stage]) -> None:
    files = dict(stage.files)
    if step.keyword == "COPY" and step.flag("from"):
        wanted = [source.strip("/") for source in step.arguments[:-1]]
        taken = {path: size for path, size in made[0].files.items() if "" in wanted or path in wanted}
        stage.after(step, {**files, **taken}, again=frozenset(taken))
    elif step.keyword == "COPY":
        names = [path.name for path in context.folder.iterdir() for one in step.arguments[:-1] if path.match(one)]
        stage.after(step, {**files, **{f"srv/{name}": SCRIPT for name in names}})
    elif step.keyword == "RUN":
        for command in " ".join(step.arguments[0].split()).split(" && "):
            _run(command.split(), files, step)
        stage.after(step, files)


def _run(words: list[str], files: dict[str, int], step: Instruction) -> None:
    program, script, *names = words
    if program == "rm":
        for name in names if script.startswith("-") else [script]:
            _remove(_path(name), files)
        return
    assert program == "python", f"{program} is no program that this herbarium has"
    reads = {"sort.py": "srv/scans.txt", "catalogue.py": "srv/drawers/Rosaceae", "settle.py": "srv/drawers/Rosaceae"}
    if script in reads and reads[script] not in files:
        says = f"FileNotFoundError: [Errno 2] No such file or directory: '{names[0]}'"
        raise BuildFailed(f"Step 9 failed at line {step.line}", line=step.line, exit_code=1, log_tail=(says,))
    if script == "scan.py":
        files["srv/scans.txt"] = SCANS
    elif script == "sort.py":
        files |= {f"srv/drawers/{family}": DRAWERS // 2 for family in ("Fabaceae", "Rosaceae")}
    elif script == "catalogue.py":
        files["srv/catalogue.json"] = CATALOGUE
    elif script == "settle.py":
        _remove("srv/drawers", files)


def _remove(path: str, files: dict[str, int]) -> None:
    for one in [one for one in files if one == path or one.startswith(f"{path}/")]:
        del files[one]


def _path(name: str) -> str:
    return str(PurePosixPath("/srv") / name).strip("/")


def _topmost(path: str, files: Mapping[str, int]) -> str:
    """Return the highest folder of a path that nothing lies in any more, or the path."""
    above = str(PurePosixPath(path).parent)
    return path if above == "srv" or any(one.startswith(f"{above}/") for one in files) else _topmost(above, files)
