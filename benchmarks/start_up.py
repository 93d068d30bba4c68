"""What a learner waits for before anything is built: the import, and the first figure of a fresh kernel."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab.errors import SetupError
from layerlab.setup.bootstrap import CHECKOUT

IMPORTS, FIGURES = 20, 7
IMPORT_SECONDS, FIGURE_SECONDS = 0.15, 5.0
HEAVY = ("pandas", "plotly", "docker", "ipywidgets", "nbformat", "requests")
IMPORT = f"import layerlab, sys; sys.exit(', '.join(name for name in {HEAVY} if name in sys.modules) or None)"
# What notebook 01 does up to its first figure, without its prose.
FIRST_FIGURE = """\
import layerlab as ll
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest
engine = ll.connect("recorded")
base = ll.bases.resolve(engine, "slim").image
context = BuildContext.open("apps/service", "Dockerfile.v1-slim")
args = {"PY_MINOR": ll.bases.py_minor(engine)}
built = ll.build.build(engine, BuildRequest(context=context, tag="layerlab/service:slim", args=args))
figure = ll.figures.layer_stack(ll.measure.layers(built.image, base=base), source=engine.info.name)
"""


def measure() -> Iterator[Figure]:
    """Measure the import beside a Python that does nothing, and the first figure in a process and in a kernel."""
    bare, loaded = _interleaved((_python("pass"), _python(IMPORT)), runs=IMPORTS)
    own = [one - other for one, other in zip(loaded, bare, strict=True)]
    note = ", ".join(filter(None, (f"none of {', '.join(HEAVY)} is loaded", machine.load())))
    yield of_runs(
        "import", "`import layerlab`, beyond a Python that does nothing", own, target=IMPORT_SECONDS, note=note
    )
    yield of_runs("python", "a Python that starts and does nothing", bare)
    (process,) = _interleaved((_python(f"{FIRST_FIGURE}assert figure._repr_mimebundle_()"),), runs=FIGURES)
    yield of_runs(
        "first-figure-process",
        "first figure in a fresh process, from recordings",
        process,
        target=FIGURE_SECONDS,
        note=machine.load(),
    )
    starts, kernels = zip(*(_first_figure_of_a_kernel() for _ in range(FIGURES)), strict=True)
    told = f"the kernel's own start, before it, takes {statistics.median(starts):.2f} s"
    yield of_runs(
        "first-figure-kernel",
        "first figure in a fresh kernel, from recordings",
        kernels,
        target=FIGURE_SECONDS,
        note=", ".join(filter(None, (told, machine.load()))),
    )


def _interleaved(programs: tuple[Callable[[], float], ...], *, runs: int) -> tuple[list[float], ...]:
    for program in programs:
        program()  # the first run reads the disk and writes bytecode
    timed: tuple[list[float], ...] = tuple([] for _ in programs)
    for _ in range(runs):
        for program, seconds in zip(programs, timed, strict=True):
            seconds.append(program())
    return timed


def _python(code: str) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SetupError(f"`{code.splitlines()[0]}` ended with: {done.stderr.strip()[-500:]} Mend that first.")
        return seconds

    return run


def _first_figure_of_a_kernel() -> tuple[float, float]:
    """Give the seconds a kernel takes to start, and those from its first cell to the figure's MIME bundle."""
    from jupyter_client.manager import KernelManager

    from layerlab.figures.sheet import PLOTLY_MIME

    arrived: list[float] = []

    def hook(message: dict[str, dict[str, object]]) -> None:
        data = message["content"].get("data")
        if isinstance(data, dict) and PLOTLY_MIME in data:
            arrived.append(time.perf_counter())

    began = time.perf_counter()
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(CHECKOUT), env=dict(os.environ), stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        ready = time.perf_counter()
        reply = client.execute_interactive(f"{FIRST_FIGURE}figure", output_hook=hook, timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if not arrived:
        raise SetupError(f"The kernel gave no figure: {reply['content'].get('evalue', reply['content'])}. Mend that.")
    return ready - began, arrived[0] - ready
