"""What the exercises claim about their services is true on the engine: each base is right or wrong for a reason."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from layerlab.engine.protocol import Engine
from layerlab.errors import BuildFailed, DoesNotServe, NotOurs
from layerlab.exercises.ex01_naive.checks import LINES, dockerfile
from layerlab.lab.lab import Lab, open_lab


@pytest.fixture
def lab(engine: Engine) -> Lab:
    return open_lab("exercises", engine=engine)


def on_slim(service: Path, folder: Path) -> Path:
    """Copy a service's folder and replace its base by slim, as the exercise asks."""
    shutil.copytree(service, folder)
    file = folder / "Dockerfile"
    file.write_text(file.read_text().replace("python:${PY_MINOR}\n", "python:${PY_MINOR}-slim\n"))
    return folder


def body(lab: Lab, folder: Path, path: str) -> str:
    """Build a folder, start a container and ask it."""
    made = lab.build(folder)
    try:
        with lab.start(made.image, ports=[8000]) as container:
            return container.request(path, wait_seconds=8).body
    finally:
        with contextlib.suppress(NotOurs):  # on an engine that had it before
            lab.engine.remove(made.image.id)


def test_slim_serves_notes(lab: Lab, tmp_path: Path) -> None:
    service = lab.folder("exercise02/notes")
    assert body(lab, on_slim(service, tmp_path / "notes"), "/") == '{"notes": []}'


def test_only_full_serves_fingerprints_and_slim_fails_at_the_first_request(lab: Lab, tmp_path: Path) -> None:
    service = lab.folder("exercise02/fingerprint")
    assert body(lab, service, "/text") == "d7331726768d7df45dc8fdc00f148bde83422b6c\n"
    with pytest.raises(DoesNotServe):
        body(lab, on_slim(service, tmp_path / "fingerprint"), "/text")


def test_only_full_builds_checksums(lab: Lab, tmp_path: Path) -> None:
    service = lab.folder("exercise02/checksum")
    assert body(lab, service, "/text") == "9f7c3713\n"
    with pytest.raises(BuildFailed, match="gcc: not found") as caught:
        body(lab, on_slim(service, tmp_path / "checksum"), "/text")
    assert caught.value.line == 6


@pytest.mark.parametrize("order", [(5, 6, 4, 2, 1, 3, 0), (5, 3, 6, 4, 2, 1, 0), (5, 4, 2, 6, 1, 3, 0)])
def test_an_order_that_passes_builds_and_serves(lab: Lab, tmp_path: Path, order: tuple[int, ...]) -> None:
    folder = tmp_path / "quotes"
    shutil.copytree(lab.folder("exercise01/quotes"), folder)
    (folder / "Dockerfile").write_text(dockerfile([LINES[i] for i in order]))
    made = lab.build(folder)
    with lab.start(made.image, ports=[5000]) as container:
        assert container.request("/", port=5000).body == '{"author":"Ada Lovelace"}\n'


def test_the_timetable_answers_from_the_table_that_its_build_computed(lab: Lab) -> None:
    lab.build("exercise01/timetable", tag="layerlab/ex01:timetable")
    with lab.start("layerlab/ex01:timetable", ports=[5000]) as container:
        assert '"00:17 line 39 stop 0017"' in container.request("/stops/17", port=5000).body


def test_tickets_serves_today_and_not_on_slim(lab: Lab) -> None:
    today = lab.begin("exercise03/tickets", dockerfile="Dockerfile.today").run().image
    (answer,) = lab.probe(today, "/tickets/4711").said
    rows = answer[2].splitlines()
    assert len(rows) == 21, "the smallest QR code has 21 rows (ISO/IEC 18004)"
    finder = ["#" * 14, "##          ##", *["##  ######  ##"] * 3, "##          ##", "#" * 14]
    assert [row[:14] for row in rows[:7]] == [row[-14:] for row in rows[:7]] == finder
    with pytest.raises(BuildFailed, match=r"pip install --no-cache-dir \./qr") as caught:
        lab.begin("exercise03/tickets", dockerfile="Dockerfile.slim").run()
    assert caught.value.line == 12
    assert [line for line in caught.value.log_tail if "gcc" in line and "No such file" in line]
