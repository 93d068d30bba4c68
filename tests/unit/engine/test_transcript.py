"""Cutting a build into steps, and putting the frame back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layerlab import events
from layerlab.engine.protocol import RawEvent
from layerlab.engine.recorded import transcript
from layerlab.engine.recorded.transcript import MAX_LINES, Position, shortened, split

SAMPLES = sorted((Path(__file__).parents[2] / "data/events").glob("docker-*.json"))
PODMAN = """\
[1/2] STEP 1/2: FROM docker.io/library/python:3.11-slim AS one
--> 1111111111aa
[1/2] STEP 2/2: RUN echo hello
hello
--> 2222222222bb
[2/2] STEP 1/2: FROM docker.io/library/python:3.11-slim
--> 1111111111aa
[2/2] STEP 2/2: COPY --from=one /x /x
--> Using cache 3333333333cc
COMMIT layerlab/x
--> 3333333333cc
Successfully tagged layerlab/x:latest
"""


def raw(path: Path) -> list[RawEvent]:
    found = json.loads(path.read_text())
    found = found["events"] if isinstance(found, dict) else found
    return [RawEvent(*one) if isinstance(one, list) else RawEvent(0.1 * n, one) for n, one in enumerate(found)]


def stream(text: str) -> list[RawEvent]:
    return [RawEvent(float(n), {"stream": line}) for n, line in enumerate(text.splitlines(keepends=True))]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_steps_of_real_builds_are_those_that_the_events_announce(path: Path):
    given = raw(path)
    parsed = list(events.parse((event.at, event.data) for event in given))
    logs = split(given)
    assert [log.text for log in logs] == [one.instruction for one in parsed if isinstance(one, events.StepStarted)]
    cached = {one.number for one in parsed if isinstance(one, events.StepCached)}
    assert {number for number, log in enumerate(logs, start=1) if log.is_cached} == cached
    has_failed = any(isinstance(one, events.Failed) for one in parsed)
    assert [log.has_failed for log in logs] == [False] * (len(logs) - has_failed) + [True] * has_failed
    outputs = [one.text for one in parsed if isinstance(one, events.StepOutput)]
    text = "".join(str(event.data.get("stream", "")) for log in logs for event in log.events)
    assert all(line in text.replace("\x1b[0m", "").replace("\x1b[91m", "") for line in outputs)
    assert "Successfully" not in text and "Step 1/" not in text


def test_there_are_samples():
    assert len(SAMPLES) >= 5


def test_podmans_steps_restart_in_every_stage_and_are_cut_all_the_same():
    logs = split(stream(PODMAN))
    assert [log.text.split()[0] for log in logs] == ["FROM", "RUN", "FROM", "COPY"]
    assert [log.image for log in logs] == ["1111111111aa", "2222222222bb", "1111111111aa", "3333333333cc"]
    assert [log.is_cached for log in logs] == [False, False, False, True]
    assert [log.seconds for log in logs] == [2.0, 3.0, 2.0, 4.0]
    assert [event.data["stream"] for event in logs[1].events] == ["hello\n", "--> 2222222222bb\n"]


def test_headers_are_the_builders_own():
    position = Position(number=4, total=9, stage_number=2, stage_total=3, stage=1, stages=2)
    assert list(transcript.header(position, "RUN x", builder="classic")) == [
        {"stream": "Step 4/9 : RUN x"},
        {"stream": "\n"},
    ]
    assert list(transcript.header(position, "RUN x", builder="buildah")) == [{"stream": "[2/2] STEP 2/3: RUN x\n"}]
    alone = Position(number=4, total=9, stage_number=4, stage_total=9)
    assert list(transcript.header(alone, "RUN x", builder="buildah")) == [{"stream": "STEP 4/9: RUN x\n"}]


@pytest.mark.parametrize("builder", ["classic", "buildah"])
def test_a_cached_step_is_parsed_as_one(builder):
    position = Position(number=1, total=1)
    image = "sha256:" + "ab" * 32
    data = [*transcript.header(position, "RUN x", builder=builder), *transcript.cached(image, builder=builder)]
    data += [transcript.stage_end(image), transcript.closing(image)]
    parsed = list(events.parse((0.0, one) for one in data))
    assert [type(one) for one in parsed] == [
        events.StepStarted, events.StepCached, events.StepFinished, events.Succeeded
    ]  # fmt: skip
    assert parsed[-1] == events.Succeeded(0.0, image)


def test_long_logs_lose_their_middle_and_say_so():
    lines = [RawEvent(float(n), {"stream": f"line {n}\n"}) for n in range(MAX_LINES + 51)]
    kept = shortened(lines)
    assert len(kept) == MAX_LINES + 1
    assert (kept[0], kept[-1]) == (lines[0], lines[-1])
    assert "51 more lines" in kept[MAX_LINES // 2].data["stream"]
    assert [event.at for event in kept] == sorted(event.at for event in kept)
    assert shortened(lines[:MAX_LINES]) == lines[:MAX_LINES]


def test_progress_bars_go_and_rules_of_dashes_stay():
    bars = ["   ━━━━━━━━━ 94.8/94.8 kB 3.0 MB/s eta 0:00:00\n", "\r 10%\r 20%\n", "####################  40%\n"]
    stays = ["-" * 40 + "\n", "line\r\n", "Collecting x\n"]
    kept = shortened([RawEvent(0.0, {"stream": text}) for text in [*bars, *stays]])
    assert [event.data["stream"] for event in kept] == stays
