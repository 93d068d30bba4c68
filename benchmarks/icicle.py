"""The files of a large image as a figure: from the table of 50,000 files to what a notebook is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab.archive import FileEntry, LayerFiles
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import Inspection

RUNS = 7
FILES, SECONDS = 50_000, 1.0
_LAYERS = 5


def measure() -> Iterator[Figure]:
    """Measure the table, the figure and its MIME bundle together; imports and the looking into are not counted."""
    from layerlab import figures, measure

    looked = _inspection()
    figures.file_icicle(measure.files(looked), source="warm")  # plotly loads its parts with the first figure
    timed = []
    for _ in range(RUNS):
        began = time.perf_counter()
        drawn = figures.file_icicle(measure.files(looked), source="benchmark")._repr_mimebundle_()
        timed.append(time.perf_counter() - began)
    cells = len(drawn["application/vnd.plotly.v1+json"]["data"][-1]["ids"])
    note = ", ".join(filter(None, (f"folded into {cells} cells", machine.load())))
    yield of_runs("icicle", f"icicle of {FILES:,} files", timed, target=SECONDS, note=note)


def _inspection() -> Inspection:
    """Files in folders of fifty, small ones by far the most, as in a real image."""
    each = FILES // _LAYERS
    layers = []
    for layer in range(_LAYERS):
        numbers = range(layer * each, (layer + 1) * each)
        entries = tuple(
            FileEntry(f"usr/lib/python3/site-packages/p{n // 50:04}/m_{n}.py", "file", 10_000_000 // (n % each + 1))
            for n in numbers
        )
        layers.append(LayerFiles(f"sha256:{layer}", entries))
    history = tuple(HistoryEntry(f"RUN step {n}", layer.size_bytes) for n, layer in enumerate(layers))
    ids = tuple(layer.diff_id for layer in layers)
    image = Image("sha256:bench", ("layerlab/bench:1",), "linux/amd64", "", history, ids, 0)
    looked = Inspection(image, tuple(layers), base_layers=1)
    assert len(looked.files) == FILES
    return looked
