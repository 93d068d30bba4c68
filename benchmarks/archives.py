"""Large image archives, listed with every wasted byte; beside them Python's own tarfile, listing alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab.errors import SetupError

RUNS = 3
LARGE, LARGE_BYTES, SMALL, REMOVED = 200_000, 500_000_000, 20_000, 400
LISTED_SECONDS, MEMORY_MB, REMOVED_SECONDS = 3.0, 200.0, 1.0
_LAYERS = 5
# In a process of its own: seconds, its largest size in memory, bytes wasted.
_OURS = """
import sys, time
from pathlib import Path
began = time.perf_counter()
from layerlab import archive, waste
found = waste.union(archive.read(Path(sys.argv[1])).layers)
seconds = time.perf_counter() - began
# getrusage would count what the parent had when it forked.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(seconds, int(status["VmHWM"].split()[0]) * 1.024 / 1000, found.waste_bytes)
"""
_PEER = """
import sys, tarfile, time
began = time.perf_counter()
with tarfile.open(sys.argv[1]) as outer:
    for member in outer:
        if member.name.endswith("layer.tar"):
            with tarfile.open(fileobj=outer.extractfile(member)) as inner:
                for entry in inner:
                    pass
print(time.perf_counter() - began, 0, 0)
"""


def measure() -> Iterator[Figure]:
    """Measure two archives: one with many files, one with many whiteouts."""
    with tempfile.TemporaryDirectory(prefix="layerlab-bench-") as folder:
        large = _archive(Path(folder) / "large.tar", files=LARGE, size_bytes=LARGE_BYTES // LARGE, removed=100)
        ours = [_run(_OURS, large) for _ in range(RUNS)]
        peer = _run(_PEER, large)[0]
        what = f"an archive of {LARGE:,} files and 0.5 GB, listed with its waste"
        note = ", ".join(filter(None, (f"tarfile, listing alone: {peer:.1f} s", machine.load())))
        yield of_runs("archive-large", what, [one[0] for one in ours], target=LISTED_SECONDS, note=note)
        memory = [one[1] for one in ours]
        yield of_runs("archive-memory", "the largest size in memory meanwhile", memory, unit="MB", target=MEMORY_MB)
        holed = _archive(Path(folder) / "holed.tar", files=SMALL, size_bytes=100, removed=REMOVED)
        timed = [_run(_OURS, holed)[0] for _ in range(RUNS)]
        what = f"an archive of {SMALL:,} files, {REMOVED} removed by each layer from the one below"
        yield of_runs("archive-removed", what, timed, target=REMOVED_SECONDS, note=machine.load())


def _run(code: str, path: Path) -> tuple[float, float, float]:
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    if done.returncode:
        raise SetupError(f"The archive could not be read: {done.stderr.strip()[-300:]} Mend that first.")
    seconds, memory, wasted = map(float, done.stdout.split())
    return seconds, memory, wasted


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
