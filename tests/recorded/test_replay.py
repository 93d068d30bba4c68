"""A recorded engine replays what was recorded, and only that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import making
import pytest
from making import CONTEXTS, build

from layerlab import events
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, StartRequest
from layerlab.engine.recorded.chains import Chains
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.lines import Lines, write
from layerlab.engine.recorded.store import KINDS, Store
from layerlab.errors import (
    BuildCancelled,
    BuildFailed,
    ImageNotFound,
    NotOurs,
    NotRecorded,
    RecordingDamaged,
)

GREETING = "layerlab/recorded:greeting"
RUN = 'RUN echo "${GREETING}" > greeting.txt &&     cat greeting.txt names.txt'


def edit(folder: Path, old: str, new: str) -> Path:
    dockerfile = folder / "Dockerfile"
    text = dockerfile.read_text()
    assert old in text
    dockerfile.write_text(text.replace(old, new))
    return folder


def not_recorded(engine: RecordedEngine, folder: Path) -> tuple[list[events.Event], NotRecorded]:
    seen = []
    with pytest.raises(NotRecorded) as caught:
        for event in engine.build(BuildRequest(context=BuildContext.open(folder), tag="layerlab/edited")):
            seen.append((event.at, event.data))
    return list(events.parse(seen)), caught.value


def started(found: list[events.Event]) -> int:
    return sum(isinstance(event, events.StepFinished) and event.number > 1 for event in found)


def test_everything_recorded_replays_within_a_moment(replayed: RecordedEngine):
    began = time.perf_counter()
    answers = making.play(replayed)
    assert time.perf_counter() - began < 2
    assert answers["probe"][:8] == [True, *answers["probe"][1:4], "Ada\nGrace\n", 404, True, 137]
    assert [answers["probe"][1].output, answers["probe"][2].output] == ["0\n", "1000\n"]
    assert answers["run"].output == "hello\n"
    assert answers["failing"]["errorDetail"]["code"] == 3
    assert "nothing.txt" in answers["missing"]["error"]
    assert len({answers["greeting"], answers["stages"], answers["bonjour"]}) == 3


def test_events_parse_as_live_ones_do_and_bear_their_recorded_times(replayed: RecordedEngine):
    handle = replayed.build(BuildRequest(context=BuildContext.open(CONTEXTS / "greeting"), tag=GREETING))
    raw = [(event.at, event.data) for event in handle]
    found = list(events.parse(raw))
    begun = [event for event in found if isinstance(event, events.StepStarted)]
    assert [(step.number, step.total) for step in begun] == [(number, 8) for number in range(1, 9)]
    assert begun[5].instruction == RUN
    assert [event.text for event in found if isinstance(event, events.StepOutput) and event.number == 6] == [
        "hello", "Ada", "Grace"
    ]  # fmt: skip
    assert isinstance(found[-1], events.Succeeded) and found[-1].image_id == handle.image_id
    times = [at for at, _ in raw]
    assert times == sorted(times) and times[-1] > 0.1


def test_the_second_build_of_a_session_comes_from_the_cache(replayed: RecordedEngine):
    first, second = (build(replayed, CONTEXTS / "greeting") for _ in range(2))
    fresh = replayed.build(BuildRequest(context=BuildContext.open(CONTEXTS / "greeting"), no_cache=True))
    hits = [sum("Using cache" in str(event) for event in one) for one in (first.events, second.events, list(fresh))]
    assert hits == [0, 6, 0]
    assert first.image_id == second.image_id == fresh.image_id


def test_an_edited_comment_blank_or_continuation_replays(replayed: RecordedEngine, greeting: Path):
    edit(greeting, "# A comment, which makes no step.", "# Another one.\n\n# And one more.")
    edit(greeting, "RUN echo", "run \\\n    # in between\n\n      echo")
    assert build(replayed, greeting).image_id == build(replayed, CONTEXTS / "greeting").image_id


def test_an_edited_step_replays_what_precedes_it(replayed: RecordedEngine, greeting: Path):
    edit(greeting, "cat greeting.txt names.txt", "cat names.txt")
    seen, error = not_recorded(replayed, greeting)
    assert (error.step, error.total, error.line, error.replayed) == (6, 8, 7, 5)
    assert error.instruction == RUN.replace("greeting.txt names", "names")
    assert started(seen) == 4
    assert "Step 6 of 8" in str(error) and "line 7" in str(error) and "layerlab doctor" in str(error)
    assert "cat greeting.txt names.txt" not in str(error), "what is recorded instead may be a solution"


def test_what_did_replay_can_be_measured(replayed: RecordedEngine, greeting: Path):
    _, error = not_recorded(replayed, edit(greeting, "cat greeting.txt names.txt", "cat names.txt"))
    assert error.image_id
    history, answer = replayed.history(error.image_id), replayed.inspect(error.image_id)
    assert "COPY" in history[0]["CreatedBy"] and history[0]["Size"] == 10
    assert len(answer["RootFS"]["Layers"]) == len(replayed.inspect("python:3.11-slim")["RootFS"]["Layers"]) + 2
    with pytest.raises(ImageNotFound):
        replayed.inspect("layerlab/edited")


def test_a_changed_file_is_not_recorded_at_its_copy(replayed: RecordedEngine, greeting: Path):
    (greeting / "names.txt").write_text("Ada\nBarbara\n")
    _, error = not_recorded(replayed, greeting)
    assert (error.step, error.instruction) == (5, "COPY names.txt ./")
    assert "other files" in str(error)


def test_a_changed_build_argument_replays_only_as_recorded(replayed: RecordedEngine, greeting: Path):
    recorded = build(replayed, greeting, args={"GREETING": "bonjour"})
    assert any("bonjour" in str(event) for event in recorded.events)
    with pytest.raises(NotRecorded, match=r"Step 6 of 8"):
        build(replayed, greeting, args={"GREETING": "ciao"})


def test_an_unknown_base_names_those_that_are_recorded(replayed: RecordedEngine, greeting: Path):
    _, error = not_recorded(replayed, edit(greeting, "ARG PY_MINOR=3.11", "ARG PY_MINOR=3.9"))
    assert (error.step, error.replayed, error.image_id) == (2, 1, None)
    assert "python:3.11-slim" in str(error)


def test_a_step_more_at_the_end_gives_the_image_before_it(replayed: RecordedEngine, greeting: Path):
    whole = build(replayed, CONTEXTS / "greeting").image_id
    _, error = not_recorded(replayed, edit(greeting, "CMD [", "CMD [") and _appended(greeting, "RUN true\n"))
    assert (error.step, error.image_id) == (9, whole)


def _appended(folder: Path, text: str) -> Path:
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + text)
    return folder


def test_images_share_exactly_the_layers_of_the_steps_they_share(replayed: RecordedEngine):
    one = build(replayed, CONTEXTS / "greeting", tag="layerlab/one").image_id
    other = build(replayed, CONTEXTS / "greeting", tag="layerlab/other", args={"GREETING": "bonjour"}).image_id
    layers, others = (replayed.inspect(str(image))["RootFS"]["Layers"] for image in (one, other))
    assert layers[:-1] == others[:-1] and layers[-1] != others[-1]


def test_names_live_for_the_session_and_are_ours(replayed: RecordedEngine):
    with pytest.raises(ImageNotFound, match=r"what this session has built"):
        replayed.inspect(GREETING)
    image = build(replayed, CONTEXTS / "greeting", tag=GREETING).image_id
    replayed.tag(GREETING, "layerlab/second")
    assert replayed.inspect(GREETING)["RepoTags"] == [GREETING, "layerlab/second:latest"]
    assert replayed.inspect(str(image)[7:19])["Id"] == image
    assert replayed.history("layerlab/second")[0]["Tags"] == [GREETING, "layerlab/second:latest"]
    replayed.remove(GREETING)
    replayed.remove("layerlab/second")
    for gone in (GREETING, "layerlab/second", str(image)):
        with pytest.raises(ImageNotFound):
            replayed.inspect(gone)


def test_what_is_not_ours_is_left_alone(replayed: RecordedEngine):
    for refused in (
        lambda: replayed.remove("python:3.11-slim"),
        lambda: replayed.tag("python:3.11-slim", "python:mine"),
        lambda: replayed.build(BuildRequest(context=BuildContext.open(CONTEXTS / "greeting"), tag="mine")),
    ):
        with pytest.raises(NotOurs):
            refused()
    assert replayed.inspect("docker.io/library/python:3.11-slim")["RepoTags"] == ["python:3.11-slim"]


def test_images_lists_bases_with_labels_and_what_was_built(replayed: RecordedEngine):
    assert [entry["RepoTags"] for entry in replayed.images()] == [["python:3.11-slim"]]
    assert replayed.images()[0]["Labels"]["layerlab.standin"] == "true"
    build(replayed, CONTEXTS / "greeting", tag=GREETING)
    assert [entry["RepoTags"] for entry in replayed.images()] == [[GREETING], ["python:3.11-slim"]]


def test_the_info_says_that_it_is_recorded_when_and_on_what(replayed: RecordedEngine):
    info = replayed.info
    assert (info.kind, info.is_live, info.builder, info.name) == ("recorded", False, "classic", "Docker")
    assert info.recorded_on and info.why == "the tests ask for it"
    assert (replayed.provenance.bases, replayed.provenance.py_minor) == ("stand-in", "3.11")


def test_containers_differ_and_unknown_questions_are_not_recorded(replayed: RecordedEngine):
    build(replayed, CONTEXTS / "greeting", tag=GREETING)
    containers = [replayed.start(StartRequest(image=GREETING, ports=[8000])) for _ in range(4)]
    assert len({container.id for container in containers}) == 4
    with pytest.raises(NotRecorded, match=r"`exec rm -rf /` is not recorded"):
        containers[0].exec(["rm", "-rf", "/"])
    with pytest.raises(NotRecorded):
        replayed.start(StartRequest(image=GREETING, read_only=True))
    with pytest.raises(NotRecorded, match=r"Running `whoami`"):
        replayed.run(GREETING, ["whoami"])
    with pytest.raises(ImageNotFound):
        replayed.start(StartRequest(image="layerlab/never-built"))


def test_asking_again_and_again_gives_the_last_answer(replayed: RecordedEngine):
    build(replayed, CONTEXTS / "greeting", tag=GREETING)
    with replayed.start(StartRequest(image=GREETING, ports={8000: 49152})) as container:
        container.exec(["id", "-u"])
        assert {container.exec(["id", "-u"]).output for _ in range(3)} == {"0\n"}


def test_archives_pulls_and_pushes_say_what_is_missing(replayed: RecordedEngine):
    build(replayed, CONTEXTS / "greeting", tag=GREETING)
    assert [event.data["status"] for event in replayed.pull("python:3.11-slim")] == ["python:3.11-slim: recorded"]
    for ask in (replayed.save, replayed.push, lambda _: replayed.pull("python:3.13")):
        with pytest.raises(NotRecorded, match=r"not recorded.*layerlab doctor"):
            ask(GREETING)


def test_a_cancel_ends_the_replay_between_events(replayed: RecordedEngine):
    handle = replayed.build(BuildRequest(context=BuildContext.open(CONTEXTS / "greeting"), tag=GREETING))
    seen = iter(handle)
    next(seen)
    handle.cancel()
    handle.cancel()
    with pytest.raises(BuildCancelled):
        next(seen)
    assert handle.image_id is None
    with pytest.raises(ImageNotFound):
        replayed.inspect(GREETING)


def test_the_raw_client_answers_as_the_sdk_does(replayed: RecordedEngine):
    client = replayed.client
    image, log = client.images.build(path=str(CONTEXTS / "greeting"), tag=GREETING, rm=True, forcerm=True)
    assert next(log) == {"stream": "Step 1/8 : ARG PY_MINOR=3.11"}
    assert list(log)[-1] == {"stream": f"Successfully tagged {GREETING}\n"}
    assert image.id == client.images.get(GREETING).id and image.tags == [GREETING]
    assert image.short_id == image.id[:17] and image.labels["layerlab.base"] == "slim"
    assert image.history() == client.api.history(GREETING) == replayed.history(GREETING)
    assert [one.tags for one in client.images.list("layerlab/recorded")] == [[GREETING]]
    assert len(client.images.list()) == 2
    assert client.containers.run(GREETING, "cat /app/greeting.txt", remove=True) == b"hello\n"
    lines = list(client.api.build(path=str(CONTEXTS / "stages"), rm=True))
    assert lines[0].startswith(b'{"stream": "Step 1/9 : FROM')
    assert client.version()["ApiVersion"] == replayed.info.api_version
    with pytest.raises(BuildFailed, match=r"exit|non-zero code: 3"):
        client.images.build(path=str(CONTEXTS / "failing"))


@pytest.mark.parametrize("kind", ["steps", "bases", "containers"])
def test_a_damaged_recording_names_its_file_and_line(copy: Path, kind: str):
    copy.write_text(re.sub(rf'(?m)^(\["{kind}",.*)\}}\]$', r"\1 }]", copy.read_text()))
    engine = RecordedEngine(Store(copy), why="damaged")
    named = rf"Line \d+ of recordings/making.jsonl \({kind} .*git checkout recordings.*layerlab record"
    with pytest.raises(RecordingDamaged, match=named):
        making.play(engine)


def test_a_step_whose_parent_is_missing_is_damage(copy: Path):
    recorded = {(kind, key): link for kind in KINDS for key, link in Store(copy).all(kind)}
    copies = [name for name, link in recorded.items() if link.get("instruction") == "COPY names.txt ./"]
    assert len(copies) == 1
    write(copy, {name: link for name, link in recorded.items() if name not in copies}, Lines(copy).provenance)
    last = next(key for key, link in Store(copy).all("steps") if link["parent"] == copies[0][1])
    with pytest.raises(RecordingDamaged, match=rf"making\.jsonl lacks steps {copies[0][1]}, and an image built on it"):
        Chains(Store(copy)).diff_ids(last)


def test_replaying_imports_no_sdk_and_opens_at_once():
    code = (
        "import time; from layerlab.engine.recorded.engine import RecordedEngine; began = time.perf_counter()\n"
        "engine = RecordedEngine.open(why='x'); engine.inspect('python:3.11-slim')\n"
        "assert time.perf_counter() - began < 0.05\n"
        "import sys; print([name for name in ('docker', 'requests', 'pandas', 'psutil') if name in sys.modules])"
    )
    env = {**os.environ, "LAYERLAB_RECORDINGS": str(making.RECORDINGS)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
