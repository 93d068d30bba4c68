"""Large image archives, listed with every wasted byte; beside them Python's own tarfile, listing alone.

Both are one thread over a file that the system holds in memory, so the figures are processor time: it is what a clock
shows on an idle machine, and what it shows on a busy one stands in the note.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import machine
from benchmarks.figure import Figure, of_pairs, of_runs
from layerlab.errors import SetupError

RUNS = 5
LARGE, LARGE_BYTES, SMALL, REMOVED = 200_000, 500_000_000, 20_000, 400
LISTED_SECONDS, MEMORY_MB, REMOVED_SECONDS = 3.0, 200.0, 1.0
# Half of what tarfile takes for the list alone. Four times the files, or the whiteouts, may take five times as long.
AGAINST_TARFILE, FOUR_TIMES = 0.5, 5.0
_LAYERS = 5
# In a process of its own: seconds by the clock and of the processor, its largest size in memory, bytes wasted.
_OURS = """
import sys, time
from pathlib import Path
began, used = time.perf_counter(), time.process_time()
from layerlab import archive, waste
found = waste.union(archive.read(Path(sys.argv[1])).layers)
seconds, used = time.perf_counter() - began, time.process_time() - used
# getrusage would count what the parent had when it forked.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(seconds, used, int(status["VmHWM"].split()[0]) * 1.024 / 1000, found.waste_bytes)
"""
_PEER = """
import sys, time
began, used = time.perf_counter(), time.process_time()
import tarfile
with tarfile.open(sys.argv[1]) as outer:
    for member in outer:
        if member.name.endswith("layer.tar"):
            with tarfile.open(fileobj=outer.extractfile(member)) as inner:
                for entry in inner:
                    pass
print(time.perf_counter() - began, time.process_time() - used, 0, 0)
"""


class Run(NamedTuple):
    """One run in a process of its own."""

    seconds: float
    processor_seconds: float
    memory_mb: float
    waste_bytes: float


def measure() -> Iterator[Figure]:
    """Measure archives with many files and with many whiteouts, and how the time grows with both."""
    with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as folder:
        yield from _large(Path(folder) / "large.tar")
        yield from _growth(Path(folder))


def _large(path: Path) -> Iterator[Figure]:
    made = _archive(path, files=LARGE, size_bytes=LARGE_BYTES // LARGE, removed=100)
    ours, theirs = [], []
    for number in range(RUNS):
        if number % 2:
            ours.append(_run(_OURS, made))
        theirs.append(_run(_PEER, made))
        if not number % 2:
            ours.append(_run(_OURS, made))
    what = f"an archive of {LARGE:,} files and 0.5 GB, listed with its waste"
    yield _figure("archive-large", what, ours, LISTED_SECONDS)
    yield of_pairs(
        "archive-peer", "the same, against Python's tarfile, which lists alone",
        _used(ours), _used(theirs), target=AGAINST_TARFILE, peer="tarfile", note="dive is not on this machine",
    )  # fmt: skip
    memory = [one.memory_mb for one in ours]
    yield of_runs("archive-memory", "the largest size in memory meanwhile", memory, unit="MB", target=MEMORY_MB)


def _growth(folder: Path) -> Iterator[Figure]:
    def runs(name: str, files: int, removed: int) -> list[Run]:
        made = _archive(folder / f"{name}.tar", files=files, size_bytes=100, removed=removed)
        return [_run(_OURS, made) for _ in range(RUNS)]

    holed = runs("holed", SMALL, REMOVED)
    what = f"an archive of {SMALL:,} files, {REMOVED} removed by each layer from the one below"
    yield _figure("archive-removed", what, holed, REMOVED_SECONDS)
    for key, what, more in (
        ("archive-files", "the same with four times the files, against it", runs("files", 4 * SMALL, REMOVED)),
        ("archive-whiteouts", "the same with four times the whiteouts, against it", runs("more", SMALL, 4 * REMOVED)),
    ):
        yield of_pairs(key, what, _used(more), _used(holed), target=FOUR_TIMES, peer="the smaller")


def _figure(key: str, what: str, runs: Sequence[Run], target: float) -> Figure:
    clock = statistics.median(one.seconds for one in runs)
    note = ", ".join(filter(None, (f"by the clock {clock:.2f} s", machine.load())))
    return of_runs(key, f"{what} (processor time)", _used(runs), target=target, note=note)


def _used(runs: Sequence[Run]) -> list[float]:
    return [one.processor_seconds for one in runs]


def _run(code: str, path: Path) -> Run:
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    if done.returncode:
        raise SetupError(f"The archive could not be read: {done.stderr.strip()[-300:]} Mend that first.")
    return Run(*map(float, done.stdout.split()))


def _archive(path: Path, *, files: int, size_bytes: int, removed: int) -> Path:
    """Write an archive in the layout of `docker save`; each layer removes files of the one below."""
    content, each = bytes(range(256)) * (size_bytes // 256 + 1), files // _LAYERS
    layers: dict[str, bytes] = {}
    for number in range(_LAYERS):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as layer:
            for index in range(number * each, (number + 1) * each):
                _add(
                    layer,
                    f"usr/lib/python3/site-packages/package{index % 500:03}/module_{index}.py",
                    content[:size_bytes],
                )
            for step in range(removed if number else 0):
                index = (number - 1) * each + step * (each // removed)
                _add(layer, f"usr/lib/python3/site-packages/package{index % 500:03}/.wh.module_{index}.py", b"")
        layers[f"{number:064x}/layer.tar"] = out.getvalue()
    config = {"rootfs": {"type": "layers", "diff_ids": [f"sha256:{number:064x}" for number in range(_LAYERS)]}}
    manifest = [{"Config": "config.json", "RepoTags": ["layerlab/bench:1"], "Layers": list(layers)}]
    documents = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w") as archive:
        for name, data in {**layers, **documents}.items():
            _add(archive, name, data)
    return path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
