"""What is recorded from the live engine replays as it was."""

from __future__ import annotations

import re
import sys
import uuid
from pathlib import Path

import pytest

from layerlab import events
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, Engine
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.store import Store
from layerlab.engine.recorder.engine import RecordingEngine
from layerlab.errors import BuildCancelled, EngineRefused, ImageNotFound, LayerLabError, NotRecorded

sys.path.insert(0, str(Path(__file__).parents[1] / "recorded"))

import making

TAG = "layerlab/roundtrip:x"
CONTAINER = re.compile(r"(?<=Running in )[0-9a-f]{12}|(?<=intermediate container )[0-9a-f]{12}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "made.jsonl")


@pytest.fixture
def recorder(engine: Engine, store: Store) -> RecordingEngine:
    if engine.info.builder != "classic":
        pytest.skip(
            "Only a builder that leaves an image for each step; BuildKit's recordings are in test_buildkit_live.py."
        )
    return RecordingEngine.on(engine, store)


@pytest.fixture
def own() -> str:
    """Return a word that nobody has built with, so that no cache knows it."""
    return uuid.uuid4().hex[:12]


def replaying(store: Store) -> RecordedEngine:
    return RecordedEngine(Store(store.path), why="the roundtrip")


def write(folder: Path, text: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def contexts(tmp_path: Path, slim: str, own: str) -> dict[str, Path]:
    """Make Dockerfiles that differ in what the builder does with them; every run makes steps of its own."""
    return {
        "plain": write(
            tmp_path / "plain",
            f"ARG BASE={slim}\nARG UNUSED=1\nFROM ${{BASE}}\nARG WHO={own}\nENV A=b C=$WHO\nWORKDIR /w\n"
            "COPY a.txt .\nRUN echo \"$WHO\" \\\n  # a comment\n  && cat a.txt && printf 'no newline'\nUSER 1000\n",
            **{"a.txt": "hello\n"},
        ),
        "stages": write(
            tmp_path / "stages",
            f"FROM {slim} AS one\nRUN echo {own} > /one\nFROM {slim} AS unused\nRUN echo unused {own}\n"
            "FROM one AS two\nONBUILD RUN echo triggered\nFROM two\nCOPY --from=one /one /copied\nCMD [\"python\"]\n",
        ),
        "fails": write(tmp_path / "fails", f"FROM {slim}\nRUN echo {own} >&2; exit 7\nRUN never\n"),
        "missing": write(tmp_path / "missing", f"FROM {slim}\nRUN echo {own}\nCOPY nowhere.txt /\n"),
        "base only": write(tmp_path / "base", f"FROM {slim}\n"),
        "empty": write(tmp_path / "empty", "FROM scratch\n"),
    }  # fmt: skip


def said(engine: Engine, folder: Path) -> list[object]:
    """Build, and leave out the ids of containers: a step that fails runs anew each time, in another one."""
    built = making.build(engine, folder, tag=TAG)
    return [CONTAINER.sub("CONTAINER", str(sorted(event.items()))) for event in built.events] + [built.image_id]


def test_a_replayed_build_says_what_the_live_one_said(recorder, store, tmp_path, slim, own):
    played = {}
    for name, folder in contexts(tmp_path, slim, own).items():
        played[name] = [said(recorder, folder) for _ in range(2)]
    replayed = replaying(store)
    for name, folder in contexts(tmp_path, slim, own).items():
        assert [said(replayed, folder) for _ in range(2)] == played[name], name


def test_times_and_images_replay(recorder, store, tmp_path, slim, own):
    folder = contexts(tmp_path, slim, own)["plain"]
    asked = BuildRequest(context=BuildContext.open(folder), tag=TAG)
    live = list(events.parse((event.at, event.data) for event in recorder.build(asked)))
    replayed = replaying(store)
    again = list(events.parse((event.at, event.data) for event in replayed.build(asked)))
    # Replayed time begins with the first step: how long this context took to send says nothing of another.
    assert [event.at for event in again] == pytest.approx([event.at - live[0].at for event in live], abs=0.05)
    assert replayed.history(TAG) == recorder.history(TAG)
    assert making.stable(replayed.inspect(TAG)) == making.stable(recorder.inspect(TAG))
    assert replayed.inspect(TAG)["GraphDriver"]["Data"] is None
    assert replayed.history(slim) == recorder.history(slim)


def test_a_whole_session_replays(recorder, store):
    played = making.play(recorder)
    assert making.play(replaying(store)) == played


def test_a_step_from_an_older_cache_is_recorded_with_its_log(engine, recorder, store, tmp_path, slim, own):
    folder = write(tmp_path / "older", f"FROM {slim}\nRUN echo said-{own}\n")
    assert any("said-" in str(event) for event in making.build(engine, folder).events)
    before = making.build(recorder, folder, tag=TAG)
    assert any("Using cache" in str(event) for event in before.events)
    replayed = making.build(replaying(store), folder, tag=TAG)
    assert any(f"said-{own}\n" in str(event.get("stream")) for event in replayed.events)
    assert replayed.image_id == before.image_id


def test_ids_read_from_an_older_cache_stay_known_and_make_no_base(engine, recorder, store, tmp_path, slim, own):
    folder = write(tmp_path / "older", f"FROM {slim}\nRUN echo {own} > /x\n")
    older = making.build(engine, folder).image_id
    image, _ = recorder.client.images.build(path=str(folder), tag=TAG)
    assert image.id == older
    assert recorder.run(image.id, ["cat", "/x"]).output == f"{own}\n"
    assert recorder.inspect(recorder.inspect(slim)["Id"][7:19])["RepoTags"] == [slim]
    assert [link["reference"] for _, link in store.all("bases")] == [slim]
    replayed = replaying(store)
    image, _ = replayed.client.images.build(path=str(folder), tag=TAG)
    assert replayed.run(image.id, ["cat", "/x"]).output == f"{own}\n"


def test_what_is_recorded_later_shares_the_steps_it_shares(recorder, store, tmp_path, slim, own):
    text = f"FROM {slim}\nRUN echo {own} > /x; date +%N >> /x\n"
    first = making.build(recorder, write(tmp_path / "c", text), tag="layerlab/roundtrip:first")
    fresh = recorder.build(BuildRequest(context=BuildContext.open(tmp_path / "c"), tag=TAG, no_cache=True))
    assert list(fresh) and fresh.image_id != first.image_id
    making.build(recorder, write(tmp_path / "c", text + "RUN echo more > /y\n"), tag=TAG)
    replayed = replaying(store)
    making.build(replayed, tmp_path / "c", tag="layerlab/roundtrip:second")
    making.build(replayed, write(tmp_path / "c", text), tag="layerlab/roundtrip:first")
    layers = [replayed.inspect(f"layerlab/roundtrip:{name}")["RootFS"]["Layers"] for name in ("first", "second")]
    assert layers[1][:-1] == layers[0]
    history = [replayed.history(f"layerlab/roundtrip:{name}") for name in ("first", "second")]
    assert [entry["Id"] for entry in history[1][1:]] == [entry["Id"] for entry in history[0]]


def test_a_recorder_shows_nothing_that_a_replay_would_not_have(engine, recorder, tmp_path, slim, own):
    folder = write(tmp_path / "c", f"FROM {slim}\nRUN echo {own}\n")
    making.build(engine, folder, tag=TAG)
    with pytest.raises(ImageNotFound):
        recorder.inspect(TAG)
    assert [TAG] not in [entry["RepoTags"] for entry in recorder.images()]
    assert recorder.inspect(slim)["Id"] == engine.inspect(slim)["Id"]


def test_a_cancelled_build_leaves_no_recording(recorder, store, tmp_path, slim, own):
    folder = write(tmp_path / "c", f"FROM {slim}\nRUN echo {own}; sleep 60\n")
    handle = recorder.build(BuildRequest(context=BuildContext.open(folder), tag=TAG))
    with pytest.raises(BuildCancelled):
        for event in handle:
            if "Running in" in str(event.data):
                handle.cancel()
    assert list(store.keys("steps")) == []
    with pytest.raises(NotRecorded):
        making.build(replaying(store), folder)


def test_what_the_builder_refuses_is_refused_on_replay(recorder, store, tmp_path, slim, own):
    folder = write(tmp_path / "c", f"FROM {slim}\nRUN --mount=type=cache,target=/x echo {own}\n")

    def refusal(engine: Engine) -> object:
        try:
            return making.build(engine, folder, tag=TAG).events[-1]
        except LayerLabError as error:
            return f"{type(error).__name__}: {error}"

    told = refusal(recorder)
    assert "BuildKit" in str(told)
    assert refusal(replaying(store)) == told


def test_recordings_of_two_builders_do_not_mix(engine, recorder, store):
    text = store.path.read_text()
    assert "linux/amd64" in text or "linux/arm64" in text
    signed = store.provenance
    store.provenance = type(signed)(**{**vars(signed), "builder": "buildah"})
    with pytest.raises(EngineRefused, match=r"buildah.*Record all of the course anew"):
        RecordingEngine.on(engine, Store(store.path))
