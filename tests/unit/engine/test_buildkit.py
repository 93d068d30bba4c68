"""BuildKit's words, captured from buildx 0.29 on Docker Engine 28.5, and the run of buildx: read without an engine."""

from __future__ import annotations

import base64
import json
import os
import stat
import time
from itertools import pairwise
from pathlib import Path
from threading import Timer

import pytest
from begun_builds import begun

from layerlab.context import BuildContext
from layerlab.engine.live.buildkit import program
from layerlab.engine.live.buildkit.process import BuildxRun
from layerlab.engine.live.buildkit.rawjson import statuses
from layerlab.engine.live.buildkit.sent import lay_out
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import BuildFailed, DockerfileError, EngineGone, EngineUnreachable, NoBuildKit
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
    """What one build printed, as it is handed on."""
    return [(at, event) for at, event in json.loads((CAPTURED / f"buildkit-28.5-{name}.json").read_text())]


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
    steps = steps_of(tmp_path, STAGES, told("stages")[:-1])
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


def test_a_cached_build_is_cached_in_every_step(tmp_path):
    steps = own(steps_of(tmp_path, STAGES, told("cached")[:-1]))
    assert [step.is_cached for step in steps] == [True] * 6
    found = list(parse(told("cached")))
    assert len(of(StepCached, found)) >= 6 and not of(StepOutput, found)


def test_steps_are_numbered_by_the_file(tmp_path):
    steps = steps_of(tmp_path, STAGES, told("stages")[:-1])
    assert [(step.number, step.line) for step in own(steps)] == [(2, 2), (3, 3), (5, 5), (8, 8), (9, 9), (10, 10)]


def vertex(name, **more):
    times = {"started": "2026-11-28T07:00:00Z", "completed": "2026-11-28T07:00:01Z"}
    return {"digest": f"sha256:{name}", "name": name, **times, **more}


@pytest.mark.parametrize("base", ["scratch", "below"])
def test_a_stage_that_begins_with_no_image_counts_from_its_first_step(tmp_path, base):
    text = f"FROM python:3.11-slim AS below\nRUN one\nFROM {base}\nCOPY a.txt /1\nCOPY a.txt /2\nCOPY a.txt /3\n"
    names = [f"[stage-1 {n}/3] COPY a.txt /{n}" for n in (1, 2, 3)]
    steps = steps_of(tmp_path, text, [(0.0, {"vertexes": [vertex(name) for name in names]})])
    assert [(step.line, step.instruction) for step in steps] == [(n + 3, f"COPY a.txt /{n}") for n in (1, 2, 3)]


def test_a_step_that_somebody_elses_build_gave_its_name_has_the_line_of_its_words(tmp_path):
    text = "FROM x:1\nRUN one\nRUN two\nRUN three\n"
    names = ["[theirs 1/9] FROM docker.io/library/x:1", "[theirs 3/9] RUN two", "[4/4] RUN three"]
    steps = steps_of(tmp_path, text, [(0.0, {"vertexes": [vertex(name) for name in names]})])
    assert [step.line for step in steps] == [1, 3, 4]


def test_what_a_base_has_ready_for_those_who_build_on_it_shifts_no_line(tmp_path):
    names = ["[1/4] FROM docker.io/library/x:1", "[2/4] COPY . /src", "[3/4] RUN make", "[4/4] COPY a.txt /"]
    text = "FROM x:1\nCOPY a.txt /\n"
    steps = steps_of(tmp_path, text, [(0.0, {"vertexes": [vertex(name) for name in names]})])
    assert [(step.line, step.keyword) for step in steps] == [(None, "COPY"), (None, "RUN"), (1, "FROM"), (2, "COPY")]


def test_a_base_that_is_not_there_fails_at_the_line_that_is_blamed(tmp_path):
    text = "FROM python:3.11-slim\nRUN true\nFROM layerlab.invalid/nobody:1\nRUN true\n"
    with pytest.raises(BuildFailed, match="Step 3 of 4 failed at line 3 of ") as failed:
        begun(tmp_path, text, told("no-base")).run()
    assert (failed.value.step, failed.value.line) == (3, 3)
    assert failed.value.instruction == "FROM layerlab.invalid/nobody:1"


def test_a_command_that_speaks_of_a_full_disk_is_a_command_that_failed(tmp_path):
    said = (
        "process \"/bin/sh -c echo 'cp: No space left on device'; exit 1\" did not complete successfully: exit code: 1"
    )
    failing = vertex("[2/2] RUN x", error=said)
    with pytest.raises(BuildFailed) as failed:
        begun(tmp_path, "FROM x:1\nRUN x\n", [(0.0, {"vertexes": [failing]}), (1.0, {"error": said})]).run()
    assert (failed.value.line, failed.value.exit_code) == (2, 1)


def test_a_file_that_buildkit_cannot_read(tmp_path):
    with pytest.raises(DockerfileError, match="unknown flag: --parents") as unreadable:
        begun(tmp_path, "FROM python:3.11-slim\nCOPY --parents a.txt /\n", told("unreadable")).run()
    assert unreadable.value.line == 2


# Two values, as buildx 0.29 prints them on a line each and 0.13 over several; between them a warning.
VERTEX = {"vertexes": [{"digest": "sha256:1", "name": "[1/1] FROM x", "started": "2026-11-28T07:00:00Z"}]}
LOG = {"logs": [{"vertex": "sha256:1", "stream": 1, "data": base64.b64encode("größer\n".encode()).decode()}]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_raw_json_is_read_however_it_is_laid_out_and_cut(indent, cut):
    text = f"WARNING: old\n{json.dumps(VERTEX, indent=indent)}\n{json.dumps(LOG, indent=indent)}\nERROR: failed: {{\n"
    rest: list[str] = []
    found = list(statuses((text[i : i + cut] for i in range(0, len(text), cut)), rest))
    assert found[0] == VERTEX and found[1]["logs"][0]["data"] == "größer\n"
    assert rest == ["WARNING: old", "ERROR: failed: {"]


# --- the client --------------------------------------------------------------------------------


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """Put docker clients into folders of their own on PATH: with a buildx, and what it does instead of building."""
    folders: list[str] = []

    def add(buildx: str | None = None, builds: str = "exit 1") -> str:
        folder = tmp_path / f"bin-{len(folders)}"
        folder.mkdir()
        plugins = [{"Name": "compose", "Path": "/c", "Version": "2.40.3"}]
        plugins += [{"Name": "buildx", "Path": f"{folder}/plugin", "Version": buildx}] if buildx else []
        scripts = {"docker": f"[ \"$1\" = info ] && echo '{json.dumps(plugins)}'", "plugin": builds}
        for name, text in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        folders.append(str(folder))
        monkeypatch.setenv("PATH", os.pathsep.join([*folders, *(["/usr/bin", "/bin"] if builds != "exit 1" else [])]))
        return str(folder)

    monkeypatch.setenv("PATH", str(tmp_path))
    return add


def request(tmp_path, **more):
    folder = tmp_path / "context"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return BuildRequest(context=BuildContext.open(folder), **more)


def test_every_client_on_the_path_is_asked_for_a_buildx_of_today(clients):
    clients()
    clients(buildx="0.12.1")
    new = clients(buildx="v0.13.0")
    clients(buildx="0.30.0")
    assert program.buildx() == f"{new}/plugin"


def test_without_a_client_it_says_what_to_install(clients):
    with pytest.raises(NoBuildKit, match=r"no docker client is on PATH.*docker-buildx-plugin"):
        program.buildx()


def test_an_old_buildx_and_none_are_named(clients):
    none, old = clients(), clients(buildx="0.12.1")
    with pytest.raises(NoBuildKit, match=rf"{none}/docker has no buildx; {old}/docker has buildx 0\.12\)"):
        program.buildx()


def test_a_request_hides_its_secrets(tmp_path):
    assert "hush" not in repr(request(tmp_path, secrets={"a": "hush"}))


# --- one run of it -----------------------------------------------------------------------------

NOTES = 'printf "%s\\n" "$@" > {into}/arguments; env > {into}/environment\n'


def ran(clients, tmp_path, builds, **more):
    clients(buildx="0.29.1+ds1", builds=NOTES.format(into=tmp_path) + builds)
    one = BuildxRun("unix:///engine.sock", request(tmp_path, **more))
    one.name = "layerlab/build:1"
    try:
        return list(one)
    finally:
        one.close()
        assert not Path(one._folder.name).exists()


def test_it_is_told_the_engine_the_builder_and_the_request(clients, tmp_path, monkeypatch):
    monkeypatch.setenv("BUILDX_BUILDER", "far-away")
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    builds = 'while [ "$1" != --iidfile ]; do shift; done; echo sha256:1 > "$2"'
    more = {"args": {"A": "b c"}, "target": "x", "no_cache": True, "network": "none", "secrets": {"token": "hush"}}
    assert ran(clients, tmp_path, builds, **more)[-1] == {"aux": {"ID": "sha256:1"}}
    words = (tmp_path / "arguments").read_text().splitlines()
    assert words[:5] == ["build", "--builder", "default", "--progress", "rawjson"]
    assert words[-1] == str(tmp_path / "context")
    pairs = list(pairwise(words))
    for pair in [("--build-arg", "A=b c"), ("--target", "x"), ("--network", "none"), ("--tag", "layerlab/build:1")]:
        assert pair in pairs
    assert "--no-cache" in words and "hush" not in str(words)
    around = (tmp_path / "environment").read_text().splitlines()
    assert {"DOCKER_HOST=unix:///engine.sock", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"} < set(around)
    (notes,) = (line for line in around if line.startswith("BUILDX_CONFIG="))
    assert not Path(notes.partition("=")[2]).exists(), "what buildx notes goes with the build"
    assert not [line for line in around if line.startswith(("BUILDX_BUILDER", "DOCKER_CONTEXT", "DOCKER_TLS"))]


def test_an_engine_that_brings_its_own_along_needs_no_docker_client(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    own = tmp_path / "docker-buildx"
    own.write_text('#!/bin/sh\nwhile [ "$1" != --iidfile ]; do shift; done; echo sha256:2 > "$2"\n')
    own.chmod(0o755)
    one = BuildxRun("unix:///engine.sock", request(tmp_path), program=own)
    assert list(one)[-1] == {"aux": {"ID": "sha256:2"}}
    one.close()


def test_a_failure_is_what_it_said_last_with_the_line_it_blames(clients, tmp_path):
    said = "Dockerfile:3\\n-----\\nERROR: failed to build: failed to solve: no such thing"
    (ending,) = ran(clients, tmp_path, f'printf "{said}\\n" >&2; exit 1')
    assert ending["error"] == "no such thing" and ending["errorDetail"]["line"] == 3
    assert list(parse([(0.0, {"vertexes": []}), (0.0, ending)])) == [Failed(0.0, "no such thing", None, None, 3)]


AWAY = (
    "ERROR: failed to build: Cannot connect to the Docker daemon at unix:///engine.sock",
    "ERROR: failed to build: failed to receive status: rpc error: code = Unavailable desc = error reading: EOF",
    "ERROR: failed to build: failed to solve: Unavailable: error reading from server: EOF",
)


@pytest.mark.parametrize("said", AWAY)
def test_an_engine_that_is_not_there_any_more_is_gone(clients, tmp_path, said):
    begun = """printf '%s\\n' '{"vertexes": []}' >&2; """
    with pytest.raises(EngineGone):
        ran(clients, tmp_path, f'{begun}echo "{said}" >&2; exit 1')


@pytest.mark.parametrize("said", AWAY)
def test_an_engine_that_never_answered_is_unreachable(clients, tmp_path, said):
    with pytest.raises(EngineUnreachable):
        ran(clients, tmp_path, f'echo "{said}" >&2; exit 1')


def test_a_command_that_speaks_of_such_an_engine_is_a_command_that_failed(clients, tmp_path):
    said = "ERROR: failed to build: failed to solve: process /bin/sh -c echo rpc error: code = Unavailable x"
    assert "error" in ran(clients, tmp_path, f'echo "{said}" >&2; exit 1')[-1]


def test_it_is_stopped_with_all_that_it_started(clients, tmp_path):
    clients(buildx="0.29.1+ds1", builds="sleep 60; true")  # a child of the script
    one = BuildxRun("unix:///engine.sock", request(tmp_path))
    Timer(0.2, one.stop).start()
    began = time.monotonic()
    assert list(one) == []
    one.close()
    assert time.monotonic() - began < 10


# --- what it is given --------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "app"
    (found / "src").mkdir(parents=True)
    for name, text in {"Dockerfile": "FROM x\n", "src/a.py": "1\n", "src/b.py": "2\n", "secret": "hush"}.items():
        (found / name).write_text(text)
    (found / ".dockerignore").write_text("\ufeffsecret\n")
    (found / "src" / "b.py").chmod(0o750)
    (found / "src").chmod(0o755)
    (found / "link").symlink_to("src/a.py")
    (tmp_path / "into").mkdir()
    return found


def test_a_folder_is_given_itself_with_its_dockerfile_and_ignore_file_as_they_were_read(folder):
    context = BuildContext.open(folder)
    (folder / "Dockerfile").write_text("FROM y\n")
    sent = lay_out(context, folder.parent / "into")
    assert sent.folder == folder
    assert sent.dockerfile.read_text() == "FROM x\n"
    assert Path(f"{sent.dockerfile}.dockerignore").read_text() == "secret\n"


def test_without_an_ignore_file_none_is_written(folder):
    (folder / ".dockerignore").unlink()
    sent = lay_out(BuildContext.open(folder), folder.parent / "into")
    assert not Path(f"{sent.dockerfile}.dockerignore").exists()


def test_an_edit_goes_into_a_copy_with_the_bits_of_the_file_and_the_disk_stays(folder):
    context = BuildContext.open(folder).with_changed({"src/b.py": "größer\n"})
    sent = lay_out(context, folder.parent / "into")
    assert (sent.folder / "src/b.py").read_text() == "größer\n" and (folder / "src/b.py").read_text() == "2\n"
    assert stat.S_IMODE((sent.folder / "src/b.py").stat().st_mode) == 0o750
    assert stat.S_IMODE((sent.folder / "src").stat().st_mode) == 0o755
    assert (sent.folder / "link").is_symlink() and not (sent.folder / "secret").exists()
    again = BuildContext.open(sent.folder)
    assert [one.path for one in again.entries] == [one.path for one in context.entries]
    assert again.digest(["."]) == context.digest(["."])
