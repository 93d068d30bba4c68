"""Small made-up images, builds and events for the tests of measure, figures and the build panel. Holds no test."""

from __future__ import annotations

from layerlab.build import BuildResult, Step
from layerlab.image import HistoryEntry, Image

ROOT = HistoryEntry("/bin/sh -c #(nop) ADD file:33c in / ", 80_000_000)
PYTHON = HistoryEntry("/bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends gcc", 40_000_000)
SHELL = HistoryEntry('/bin/sh -c #(nop)  CMD ["python3"]', 0)
PIP = HistoryEntry("/bin/sh -c pip install -r requirements.txt", 20_000_000)
COPY = HistoryEntry("/bin/sh -c #(nop) COPY file:9 in . ", 300)
EXPOSE = HistoryEntry("/bin/sh -c #(nop)  EXPOSE 8000", 0)


def image(*history: HistoryEntry, tag: str = "layerlab/service:test") -> Image:
    """Return an image of these entries, with one layer for each that has bytes."""
    made = [entry for entry in history if entry.size_bytes]
    diff_ids = tuple(f"sha256:{i}-{entry.created_by[-12:]}" for i, entry in enumerate(made))
    total = sum(entry.size_bytes for entry in history)
    described = Image("sha256:" + "a" * 64, (tag,), "linux/amd64", "", history, diff_ids, total + 1_000)
    return described.with_layer_sizes([entry.size_bytes for entry in made])


BASE = image(ROOT, PYTHON, SHELL, tag="python:3.12-slim")
SERVICE = image(ROOT, PYTHON, SHELL, PIP, COPY, EXPOSE, tag="layerlab/service:v1-slim")
LARGE = HistoryEntry("/bin/sh -c apt-get install -y everything", 900_000_000)
LARGE_BASE = image(ROOT, LARGE, SHELL, tag="python:3.12")
LARGE_SERVICE = image(ROOT, LARGE, SHELL, PIP, COPY, EXPOSE, tag="layerlab/service:naive")


def result(*, is_live: bool = True) -> BuildResult:
    """Return a build of `SERVICE` in three steps, the first two from the cache."""
    instructions = ("FROM python:3.12-slim", "COPY requirements.txt .", "RUN pip install -r requirements.txt")
    steps = tuple(
        Step(number, text, number, number < 3, 0.1 if number < 3 else 11.9, None, ())
        for number, text in enumerate(instructions, start=1)
    )
    return BuildResult(SERVICE, "layerlab/service:v1-slim", "Dockerfile.v1-slim", steps, 12.1, "classic", is_live)
