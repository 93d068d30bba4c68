"""A build that the cache answers in full, through the library and through the `docker build` command line.

BuildKit both, one after the other in pairs, whoever begins taking turns.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import machine
from benchmarks.figure import Figure, of_pairs
from layerlab import bases, build
from layerlab.context import BuildContext
from layerlab.engine import connect
from layerlab.engine.protocol import BuildRequest, Engine
from layerlab.errors import NoEngine, SetupError

PAIRS = 20
LARGE_BYTES = 100_000_000
OURS, THEIRS = "layerlab/bench:ours", "layerlab/bench:cli"
STEPS = 3  # of the recipe, WORKDIR, COPY and RUN are what BuildKit runs
RECIPE = 'FROM {base}\nWORKDIR /app\nENV A=1\nCOPY . .\nRUN echo built > /built\nCMD ["python", "main.py"]\n'


def measure() -> Iterator[Figure]:
    """Measure a small context and one of 100 MB that does not compress.

    Raises
    ------
    NoEngine, SetupError
        There is no live engine, or no `docker` command.
    """
    engine, command = _engine(), _command()
    base = bases.resolve(engine, "slim").reference
    note = ", ".join(filter(None, (f"{engine.info.name} {engine.info.version}", _version(command), machine.load())))
    for key, what, size_bytes in (
        ("cached-build-small", "cached build, small context, against `docker build`", 0),
        ("cached-build-large", "cached build, context of 100 MB, against `docker build`", LARGE_BYTES),
    ):
        with _context(base, size_bytes) as folder, _tags(engine, command):
            ours, theirs = _pairs(engine, command, folder)
        yield of_pairs(key, what, ours, theirs, target=1.1, peer="the CLI", note=note)


def _pairs(engine: Engine, command: str, folder: Path) -> tuple[list[float], list[float]]:
    # The first build of each fills the cache. Theirs may find ours, or not: neither is timed.
    build.build(engine, BuildRequest(context=BuildContext.open(folder), tag=OURS))
    _through_the_cli(engine, command, folder)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(PAIRS):
        if number % 2:
            ours.append(_through_ours(engine, folder))
        theirs.append(_through_the_cli(engine, command, folder, cached=True))
        if not number % 2:
            ours.append(_through_ours(engine, folder))
    return ours, theirs


def _through_ours(engine: Engine, folder: Path) -> float:
    began = time.perf_counter()
    result = build.build(engine, BuildRequest(context=BuildContext.open(folder), tag=OURS))
    seconds = time.perf_counter() - began
    if result.cached_steps < len(result.steps) - 1:  # FROM is no step that a cache answers
        raise SetupError("A build that was to be timed was not cached. Run the benchmark again.")
    return seconds


def _through_the_cli(engine: Engine, command: str, folder: Path, *, cached: bool = False) -> float:
    began = time.perf_counter()
    done = _docker(engine, command, "build", "--progress", "plain", "--tag", THEIRS, str(folder))
    seconds = time.perf_counter() - began
    if cached and done.count(" CACHED") < STEPS:
        raise SetupError("A build that was to be timed was not cached. Run the benchmark again.")
    return seconds


@contextmanager
def _context(base: str, size_bytes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text(RECIPE.format(base=base))
        (folder / "main.py").write_text("print('hello')\n")
        if size_bytes:
            (folder / "data.bin").write_bytes(os.urandom(size_bytes))
        yield folder


@contextmanager
def _tags(engine: Engine, command: str) -> Iterator[None]:
    try:
        yield
    finally:
        engine.remove(OURS)
        _docker(engine, command, "rmi", THEIRS)


def _engine() -> Engine:
    engine = connect()
    if engine.info.is_live:
        return engine
    raise NoEngine(f"Cached builds need a live engine ({engine.info.why}). Start one: `layerlab engine start`.")


def _command() -> str:
    found = shutil.which("docker")
    if found is None:
        raise SetupError("There is no `docker` command to measure against. Install Docker's CLI with buildx.")
    return found


def _version(command: str) -> str:
    words = subprocess.check_output([command, "--version"], text=True).split()
    return f"CLI {words[2].rstrip(',')}"


def _docker(engine: Engine, command: str, *arguments: str) -> str:
    environment = {**os.environ, "DOCKER_HOST": engine.info.endpoint, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    return subprocess.run(
        [command, *arguments], env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ).stdout
