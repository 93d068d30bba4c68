"""BuildKit's words, captured from Docker Engine 20.10, and the routes to it: read without an engine."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from begun_builds import begun
from hypothesis import given
from hypothesis import strategies as st

from layerlab.context import BuildContext
from layerlab.engine.live.buildkit import routes, wire
from layerlab.engine.live.buildkit.printed import PlainText, json_statuses
from layerlab.engine.protocol import BuildRequest, Limits
from layerlab.errors import BuildFailed, DockerfileError, EngineRefused, NoBuildKit
from layerlab.events import Failed, StepCached, StepFinished, StepOutput, StepStarted, Succeeded, parse

CAPTURED = Path(__file__).parents[2] / "data" / "events"
STAGES = """\
FROM python:3.11-slim AS builder
WORKDIR /w
RUN --mount=type=cache,target=/c echo made && date > made
FROM python:3.11-slim AS other
RUN printf 'no newline'; sleep 1; date > /other
FROM python:3.11-slim
ENV A=1
COPY --from=builder /w/made /
COPY --from=other /other /
COPY a.txt ${A}.txt
CMD ["cat", "/made"]
"""


def told(name):
    """What the engine's API sent, as the route hands it on."""
    for at, event in json.loads((CAPTURED / f"buildkit-20.10-api-{name}.json").read_text()):
        is_trace = event.get("id") == "moby.buildkit.trace"
        yield at, wire.status(base64.b64decode(event["aux"])) if is_trace else event


def printed(name):
    """What the old client printed, with the lines that are no step's."""
    rest: list[str] = []
    lines = (CAPTURED / f"buildkit-20.10-plain-{name}.txt").read_text().splitlines(keepends=True)
    return list(PlainText(rest).statuses(lines)), rest


def of(kind, found):
    return [event for event in found if isinstance(event, kind)]


def steps_of(folder, text, events):
    (folder / "a.txt").write_text("hello\n")
    one = begun(folder, text, events)
    with pytest.raises(BuildFailed, match="without an image"):
        one.run()
    return one._reader.steps


def own(steps):
    """All but the FROMs: stages on one image share one, and whose it is called differs from build to build."""
    return [step for step in steps if not step.instruction.startswith("FROM")]


def test_two_stages_are_seen_to_run_at_once():
    found = list(parse(told("stages")))
    runs = {step.stage: step for step in of(StepStarted, found) if step.instruction.startswith("RUN")}
    ends = {step.number: step.at for step in of(StepFinished, found)}
    assert runs["other"].at < ends[runs["builder"].number] and runs["builder"].at < ends[runs["other"].number]
    assert [line.text for line in of(StepOutput, found)] == ["made", "no newline"]
    assert isinstance(found[-1], Succeeded) and found[-1].image_id.startswith("sha256:")


def test_steps_have_their_lines_words_and_stages(tmp_path):
    steps = steps_of(tmp_path, STAGES, list(told("stages"))[:-1])
    where = [(step.line, step.stage, step.instruction.split()[0]) for step in own(steps)]
    assert where == [
        (2, "builder", "WORKDIR"), (3, "builder", "RUN"), (5, "other", "RUN"), (8, "2", "COPY"), (9, "2", "COPY"),
        (10, "2", "COPY"),
    ]  # fmt: skip
    copied = next(step for step in steps if step.line == 10)
    assert copied.instruction == "COPY a.txt ${A}.txt", "the file's words, not what BuildKit made of them"
    assert all(step.seconds >= 0 and step.began >= 0 for step in steps)


def test_the_step_that_failed_is_named_though_another_one_ran(tmp_path):
    text = "FROM python:3.11-slim AS a\nRUN sleep 5 && date > /x\nFROM python:3.11-slim\n"
    text += "RUN echo out; echo err >&2; exit 7\nCOPY --from=a /x /\n"
    with pytest.raises(BuildFailed) as failed:
        begun(tmp_path, text, told("failing")).run()
    assert (failed.value.line, failed.value.exit_code) == (4, 7)
    assert failed.value.instruction == "RUN echo out; echo err >&2; exit 7"
    assert sorted(failed.value.log_tail) == ["err", "out"]


def test_plain_text_gives_the_same_steps(tmp_path):
    statuses, rest = printed("stages")
    steps = steps_of(tmp_path, STAGES, [(0.0, one) for one in statuses])
    api = steps_of(tmp_path, STAGES, list(told("stages"))[:-1])
    assert [(step.line, step.log) for step in own(steps)] == [(step.line, step.log) for step in own(api)]
    assert next(step for step in steps if step.line == 5).seconds > 1
    assert not [line for line in rest if line.strip()]


def test_plain_text_of_a_cached_build():
    found = list(parse((0.0, one) for one in printed("cached")[0]))
    started, cached = of(StepStarted, found), of(StepCached, found)
    assert {step.number for step in cached} >= {step.number for step in started if "RUN" in step.instruction}


def test_plain_text_of_a_failure_ends_with_its_message():
    statuses, rest = printed("failing")
    events = [*((0.0, one) for one in statuses), (0.0, {"error": rest[-1]})]
    assert list(parse(events))[-1] == Failed(0.0, rest[-1], 7, number=2)


def test_a_file_that_buildkit_cannot_read(tmp_path):
    message = printed("unreadable")[1][-1]
    with pytest.raises(DockerfileError, match="Unknown flag: link") as unreadable:
        begun(tmp_path, "FROM python:3.11-slim\nCOPY --link a.txt /\n", [(0.0, {"error": message})]).run()
    assert unreadable.value.line == 2


# Two values, as buildx 0.29 prints them on a line each and 0.13 over several; between them a warning.
VERTEX = {"vertexes": [{"digest": "sha256:1", "name": "[1/1] FROM x", "started": "2026-11-28T07:00:00Z"}]}
LOG = {"logs": [{"vertex": "sha256:1", "stream": 1, "data": base64.b64encode("größer\n".encode()).decode()}]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_raw_json_is_read_however_it_is_laid_out_and_cut(indent, cut):
    text = f"WARNING: old\n{json.dumps(VERTEX, indent=indent)}\n{json.dumps(LOG, indent=indent)}\nERROR: failed: {{\n"
    rest: list[str] = []
    found = list(json_statuses((text[i : i + cut] for i in range(0, len(text), cut)), rest))
    assert found[0] == VERTEX and found[1]["logs"][0]["data"] == "größer\n"
    assert rest == ["WARNING: old", "ERROR: failed: {"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(message):
    try:
        assert isinstance(wire.status(message), dict)
    except ValueError as error:
        assert "BuildKit message" in str(error)


@given(st.binary(max_size=60), st.integers(0, 59))
def test_a_message_cut_short_is_refused_or_read_to_a_field(extra, cut):
    whole = base64.b64decode(json.loads((CAPTURED / "buildkit-20.10-api-stages.json").read_text())[0][1]["aux"])
    with pytest.raises(ValueError, match="BuildKit message"):
        wire.status(whole[: 1 + cut % (len(whole) - 1)])
    assert wire.status(whole)["vertexes"][0]["name"].startswith("[internal]") and extra is not None


# --- routes -----------------------------------------------------------------------------------


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """Put docker clients into folders of their own on PATH; each answers `--version` and `buildx version`."""
    folders: list[str] = []

    def add(version: str, buildx: str | None = None) -> str:
        folder = tmp_path / str(len(folders))
        folder.mkdir()
        says = f"echo github.com/docker/buildx v{buildx} abc" if buildx else "exit 1"
        script = f'#!/bin/sh\nif [ "$1" = buildx ]; then {says}; else echo "Docker version {version}, build 1"; fi\n'
        (folder / "docker").write_text(script)
        (folder / "docker").chmod(0o755)
        folders.append(str(folder))
        monkeypatch.setenv("PATH", ":".join(folders))
        return str(folder / "docker")

    monkeypatch.setenv("PATH", str(tmp_path))
    return add


def names():
    return [found.route.name for found in routes.routes()]


def test_without_a_client_the_api_is_the_only_route(clients):
    assert names() == ["api"]


def test_every_client_on_the_path_is_asked(clients):
    clients("28.2.2")
    old = clients("20.10.24+dfsg1")
    new = clients("28.2.2", buildx="0.29.1")
    clients("27.0.0", buildx="0.30.0")
    found = [(one.route.name, one.program) for one in routes.routes()]
    assert found == [("buildx", new), ("api", None), ("cli", old)]


@pytest.mark.parametrize(("version", "buildx"), [("28.2.2", "0.12.1"), ("23.0.0", None), ("18.09.1", None)])
def test_a_client_that_cannot_do_it_is_no_route(clients, version, buildx):
    clients(version, buildx)
    assert names() == ["api"]


def request(tmp_path, **more):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return BuildRequest(context=BuildContext.open(tmp_path), builder="buildkit", **more)


def test_a_secret_takes_the_route_that_can_keep_one(clients, tmp_path):
    clients("20.10.24")
    assert routes.choose(request(tmp_path)).route.name == "api"
    assert routes.choose(request(tmp_path, secrets={"a": "b"})).route.name == "cli"


def test_where_no_route_keeps_secrets_it_says_what_to_install(clients, tmp_path):
    with pytest.raises(NoBuildKit, match="buildx plugin"):
        routes.choose(request(tmp_path, secrets={"a": "b"}))


def test_a_limit_that_would_not_be_heeded_is_refused(clients, tmp_path):
    with pytest.raises(EngineRefused, match="no limits"):
        routes.choose(request(tmp_path, limits=Limits(memory_bytes=1)))


def test_a_route_says_what_it_lacks_and_a_request_hides_its_secrets(clients, tmp_path):
    assert "lacks secrets" in str(routes.routes()[0].route)
    assert "hush" not in repr(request(tmp_path, secrets={"a": "hush"}))
