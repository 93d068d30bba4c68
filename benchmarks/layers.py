"""What the layers of the largest base hold: walked where they lie, kept from before, streamed out of the engine.

Walking and reading back are one thread of ours, so they are given as processor time, the clock in the note; what is
streamed waits for the engine and is held, by the clock, against the same archive thrown away.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.figure import Figure, of_pairs, of_runs
from layerlab import archive, bases
from layerlab.archive.cache import LayerCache
from layerlab.engine import connect
from layerlab.engine.live.layers import layer_files, overlay_folders
from layerlab.engine.protocol import Engine
from layerlab.errors import NoEngine, SetupError

RUNS, PAIRS = 7, 3
WALKED_SECONDS, KEPT_SECONDS, STREAMED_AGAINST_SAVE = 1.5, 0.1, 1.05


def measure() -> Iterator[Figure]:
    """Measure the three routes to the layers of the full base.

    Raises
    ------
    NoEngine, SetupError
        There is no live engine, or its layer folders cannot be read from here.
    """
    engine = connect()
    try:
        described = _described(engine)
        yield from _walked_and_kept(described)
        yield _streamed(engine, str(described["Id"]))
    finally:
        engine.close()


def _described(engine: Engine) -> Mapping[str, Any]:
    if not engine.info.is_live:
        raise NoEngine(f"Layers need a live engine ({engine.info.why}). Start one: `layerlab engine start`.")
    described = engine.inspect(bases.resolve(engine, "full").image.id)
    if overlay_folders(described) is None:
        raise SetupError(
            "This engine's layer folders cannot be read from here. Measure on the private engine, as root."
        )
    return described


def _walked_and_kept(described: Mapping[str, Any]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as folder:
        caches = [LayerCache(Path(folder) / str(number)) for number in range(RUNS)]
        layers = layer_files(described, save=_refuse, cache=LayerCache(Path(folder) / "first"))
        what = f"{len(layers)} layers, {sum(len(one.entries) for one in layers):,} entries"
        size_gb = sum(one.size_bytes for one in layers) / 1e9
        yield _figure(
            "layers-walked", f"the full base ({size_gb:.2f} GB), walked where its layers lie", WALKED_SECONDS,
            [lambda cache=cache: layer_files(described, save=_refuse, cache=cache) for cache in caches], what,
        )  # fmt: skip
        yield _figure(
            "layers-kept", "the same, kept from before", KEPT_SECONDS,
            [lambda: layer_files(described, save=_refuse, cache=caches[0])] * RUNS, what,
        )  # fmt: skip


def _figure(key: str, what: str, target: float, runs: list[Callable[[], object]], note: str) -> Figure:
    clock, used = [], []
    for run in runs:
        began, before = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - began)
        used.append(time.process_time() - before)
    told = ", ".join(filter(None, (note, f"by the clock {statistics.median(clock):.2f} s", machine.load())))
    return of_runs(key, f"{what} (processor time)", used, target=target, note=told)


def _streamed(engine: Engine, image: str) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(PAIRS):
        if number % 2:
            ours.append(_seconds(lambda: archive.read(engine.save(image))))
        theirs.append(_seconds(lambda: sum(map(len, engine.save(image)))))
        if not number % 2:
            ours.append(_seconds(lambda: archive.read(engine.save(image))))
    what = "the same, read out of `image.save()`, against the stream thrown away"
    note = ", ".join(filter(None, (f"{engine.info.name} {engine.info.version}", machine.load())))
    return of_pairs("layers-streamed", what, ours, theirs, target=STREAMED_AGAINST_SAVE, peer="thrown away", note=note)


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _refuse(image: str) -> Iterator[bytes]:
    raise SetupError(f"{image} was streamed where it should have been walked. Mend that first.")
