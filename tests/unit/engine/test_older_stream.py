"""What `client.images.build` shows is written from the same steps as everything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from buildkit_texts import FILES, TEXTS, asked
from taped_engine import TapedEngine

from layerlab.engine.protocol import Engine
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.older_stream import older_stream
from layerlab.engine.recorded.store import Store
from layerlab.engine.recorder.engine import RecordingEngine
from layerlab.errors import BuildFailed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    for name, content in FILES.items():
        (context / name).write_text(content)
    return context


def stream(folder: Path, name: str) -> list[dict[str, Any]]:
    request = asked(folder, name)
    return list(older_stream(TapedEngine().build(request), request.context.dockerfile, target=None))


def said(events: list[dict[str, Any]]) -> list[str]:
    return [str(event["stream"]) for event in events if "stream" in event]


def test_steps_come_in_file_order_with_what_they_printed(folder: Path) -> None:
    lines = said(stream(folder, "mount filled"))
    assert lines[0] == "Step 1/3 : FROM python:3.11-slim" and lines[1] == "\n"
    at = lines.index("Step 2/3 : RUN --mount=type=cache,target=/c ls /c | wc -l; touch /c/y")
    assert lines[at + 2] == "1\n" and lines[at + 3].startswith(" ---> ")
    assert lines[-1].startswith("Successfully built ")


def test_every_line_of_needed_stages_is_a_step_and_the_image_is_the_builds(folder: Path) -> None:
    events = stream(folder, "stages")
    steps = [line for line in said(events) if line.startswith("Step ")]
    assert [line.split(" : ")[1].split()[0] for line in steps][:4] == ["ARG", "FROM", "WORKDIR", "COPY"]
    assert len(steps) == 16 and not [line for line in steps if "never" in line]
    assert events[-2] == {"aux": {"ID": TapedEngine().build(asked(folder, "stages")).image_id}}


def test_a_failure_is_told_as_the_older_builder_tells_it(folder: Path) -> None:
    *before, last = stream(folder, "failing")
    assert last["error"] == "The command '/bin/sh -c echo no; exit 3' returned a non-zero code: 3"
    assert last["errorDetail"]["code"] == 3 and said(before)[-1] == "no\n"


def test_what_is_refused_has_no_steps(folder: Path) -> None:
    assert [list(event) for event in stream(folder, "refused")] == [["error", "errorDetail"]]


def test_the_raw_client_shows_it_live_and_replayed(folder: Path, tmp_path: Path) -> None:
    live = TapedEngine()
    live.info = replace(live.info, builder="buildkit")
    path = tmp_path / "made.jsonl"
    recorder = RecordingEngine.on(live, Store(path))  # type: ignore[arg-type]

    def play(engine: Engine) -> tuple[str, list[Any]]:
        (folder / "Dockerfile").write_text(TEXTS["mount"])
        image, log = engine.client.images.build(path=str(folder))
        return image.id, list(log)

    shown = [said(play(engine)[1]) for engine in (recorder, RecordedEngine(Store(path), why="a test"))]
    live_steps, replayed_steps = ([line for line in lines if line.startswith("Step ")] for lines in shown)
    assert live_steps == replayed_steps
    assert replayed_steps[0] == "Step 1/3 : FROM python:3.11-slim"
    (folder / "Dockerfile").write_text(TEXTS["failing"])
    with pytest.raises(BuildFailed, match="returned a non-zero code: 3"):
        recorder.client.images.build(path=str(folder))
