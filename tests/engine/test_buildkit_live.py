"""What BuildKit owes the course, through buildx."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import docker
import pytest
from asking import asked

from layerlab import build
from layerlab.build import BuildResult
from layerlab.context import BuildContext
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.store import Store
from layerlab.engine.recorder.engine import RecordingEngine
from layerlab.errors import BuildCancelled, BuildFailed, DockerfileError, EngineRefused, NotRecorded

TAG = "layerlab/buildkit-contract:x"


@pytest.fixture(autouse=True)
def only_on_docker(engine):
    if engine.info.builder != "buildkit":
        pytest.skip("Podman builds with buildah, which mounts by itself.")


@pytest.fixture
def bk(engine, slim, tmp_path):
    """Build a text, with the base's name filled in, and one file beside it."""
    (tmp_path / "a.txt").write_text("hello\n")

    def begin(text: str, *, on=engine, changed=None, **more) -> build.Build:
        context = BuildContext.open(tmp_path, dockerfile_text=text.replace("SLIM", slim)).with_changed(changed or {})
        return build.begin(on, asked(context, **more))

    return begin


def again(result: BuildResult) -> list[int | None]:
    return [step.line for step in result.steps if not step.is_cached and not step.instruction.startswith("FROM")]


def ids(engine) -> set[str]:
    return set(engine.client.api.images(all=True, quiet=True))


def made_with(engine, own: str, before: set[str]) -> list[str]:
    """New images in whose history a word stands that nobody else builds with: others may use this engine too."""
    return [one for one in ids(engine) - before if own in str(engine.client.api.history(one))]


def test_it_builds_names_and_owns_what_it_built(engine, bk):
    text = f"FROM SLIM\nRUN --mount=type=bind,source=a.txt,target=/b cat /b; echo {uuid.uuid4()} > /own\nCOPY a.txt /\n"
    result = bk(text, tag=TAG).run()
    assert result.builder == engine.info.builder == "buildkit"
    assert [(step.line, step.instruction.split()[0]) for step in result.steps] == [(1, "FROM"), (2, "RUN"), (3, "COPY")]
    assert result.steps[1].log == ("hello",)
    assert engine.run(TAG, ["cat", "/a.txt"]).output == "hello\n"
    assert result.image.id in engine.journal.owned().images
    assert result.image.history[-2].written.startswith("RUN --mount")
    engine.remove(TAG)
    assert result.image.id not in ids(engine)


def test_only_what_an_edit_touches_runs_again(bk):
    text = f"FROM SLIM\nRUN echo {uuid.uuid4()}\nCOPY a.txt /\nRUN cat /a.txt\n"
    bk(text).run()
    assert again(bk(text).run()) == []
    edited = bk(text, changed={"a.txt": f"{uuid.uuid4()}\n"}).run()
    assert again(edited) == [3, 4]


def test_a_cache_mount_stays_and_is_in_no_image(engine, bk):
    text = "FROM SLIM\nRUN --mount=type=cache,target=/kept ls /kept | wc -l; echo ONE > /kept/$(date +%N)\n"
    first = bk(text, no_cache=True).run()
    second = bk(text.replace("ONE", uuid.uuid4().hex)).run()
    seen = [int(result.steps[-1].log[0]) for result in (first, second)]
    assert seen == [0, 1], "a build without the cache begins with an empty mount, and fills it for the next"
    assert engine.run(second.image.id, ["sh", "-c", "ls /kept 2>/dev/null; true"]).output == ""


def test_a_secret_is_read_and_stays_nowhere(engine, bk):
    token = uuid.uuid4().hex
    text = f"FROM SLIM\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token; echo {uuid.uuid4()}\n"
    result = bk(text, secrets={"token": token}).run()
    assert result.steps[-1].log[0] == "32"
    told = str(engine.history(result.image.id)) + str(engine.inspect(result.image.id))
    assert token not in told + engine.run(result.image.id, ["sh", "-c", "cat /run/secrets/token; true"]).output


def test_a_failure_has_its_step_line_code_and_last_words(engine, bk):
    own, before = uuid.uuid4().hex, ids(engine)
    with pytest.raises(BuildFailed) as failed:
        bk(f"FROM SLIM\n\nRUN true {own}\nRUN echo out; echo err >&2; exit 7\n").run()
    error = failed.value
    assert (error.line, error.exit_code, sorted(error.log_tail)) == (4, 7, ["err", "out"])
    assert not made_with(engine, own, before)


def test_an_unknown_instruction_is_an_unreadable_file(bk):
    with pytest.raises(DockerfileError) as unreadable:
        bk("FROM SLIM\nRUN true\nCOPY --nonsense=1 a.txt /\n").run()
    assert unreadable.value.line == 3


def test_a_cancelled_build_stops_and_leaves_no_image(engine, bk):
    own, before = uuid.uuid4().hex, ids(engine)
    one = bk(f"FROM SLIM\nRUN true {own}\nRUN sleep 300\n", tag=TAG)
    said = threading.Event()
    threading.Thread(target=lambda: (said.wait(30), one.cancel()), daemon=True).start()
    began = time.monotonic()
    with pytest.raises(BuildCancelled):
        one.run(lambda event: said.set())
    assert time.monotonic() - began < 60
    assert not made_with(engine, own, before)


def test_what_was_there_before_is_not_taken_for_ours(engine, bk, tmp_path):
    from layerlab.engine.journal import Journal
    from layerlab.engine.live import LiveEngine

    text = f"FROM SLIM\nRUN echo {uuid.uuid4()} > /own\n"
    made = bk(text, tag=TAG).run().image.id
    stranger = LiveEngine.open(engine.info.endpoint, kind="docker", why="test")
    stranger.journal = Journal(tmp_path / "journal.jsonl")
    same = bk(text, on=stranger).run().image.id
    assert same == made and made not in stranger.journal.owned().images
    engine.remove(TAG)


def test_stages_that_need_nothing_of_each_other_run_at_once(bk):
    own = uuid.uuid4()
    text = f"FROM SLIM AS a\nRUN sleep 2; echo {own} > /x\nFROM SLIM AS b\nRUN sleep 2; echo {own} > /y\n"
    result = bk(f"{text}FROM SLIM\nCOPY --from=a /x /\nCOPY --from=b /y /\n").run()
    first, second = (step for step in result.steps if step.instruction.startswith("RUN"))
    assert (first.stage, second.stage) == ("a", "b")
    assert max(first.began, second.began) < min(first.began + first.seconds, second.began + second.seconds)


# --- what is recorded of it --------------------------------------------------------------------


@pytest.fixture
def recorder(engine, tmp_path: Path) -> RecordingEngine:
    if engine.info.kind != "private":
        pytest.skip("Only on an engine of ours may the build cache be emptied.")
    return RecordingEngine.on(engine, Store(tmp_path / "made.jsonl"))


def test_what_is_recorded_replays_with_every_state_of_the_cache(recorder, bk):
    text = "FROM SLIM\nRUN --mount=type=cache,target=/c sleep 0.3; ls /c | wc -l; touch /c/x\nCOPY a.txt /\n"

    def play(on):
        results = [
            bk(text, on=on, tag=TAG).run(),
            bk(text, on=on, changed={"a.txt": "b\n"}).run(),
            bk(text, on=on).run(),
        ]
        results += [bk(text.replace("sleep 0.3", "sleep 0.2"), on=on).run(), bk(text, on=on, no_cache=True).run()]
        told = [(again(one), one.steps[1].log, one.image.size_bytes) for one in results]
        return told, on.run(TAG, ["cat", "/a.txt"]).output, [one.seconds for one in results]

    *live, seconds = play(recorder)
    replayed = RecordedEngine(Store(recorder._session.recordings.path), why="test")
    *again_told, recorded_seconds = play(replayed)
    assert again_told == live
    # Played is what the steps took, and not what went on between them.
    assert all(0 <= played <= real for played, real in zip(recorded_seconds, seconds, strict=True))
    assert [ran for ran, *_ in live[0]] == [[2, 3], [3], [], [2, 3], [2, 3]]
    assert [log for _, log, *_ in live[0]] == [("0",), (), (), ("1",), ("0",)]
    with pytest.raises(NotRecorded, match="not recorded"):
        bk(text.replace("0.3", "0.4"), on=replayed).run()
    first = bk(text.replace("0.3", "0.2"), on=RecordedEngine(Store(replayed._recordings.path), why="test")).run()
    assert first.steps[1].log == ("1",), "met in another order, a step plays the state of its mount that was recorded"


def test_a_failure_is_recorded_too(recorder, bk):
    text = "FROM SLIM\nRUN echo no; exit 3\n"
    told = []
    for on in (recorder, RecordedEngine(Store(recorder._session.recordings.path), why="test")):
        with pytest.raises(BuildFailed) as failed:
            bk(text, on=on).run()
        told.append((str(failed.value), failed.value.exit_code, failed.value.log_tail))
    assert told[0] == told[1]


def test_nobody_elses_build_cache_is_emptied_for_a_recording(engine, bk, tmp_path):
    from layerlab.engine.live import LiveEngine

    users = LiveEngine.open(engine.info.endpoint, kind="docker", why="test")
    with pytest.raises(EngineRefused, match="somebody's"):
        bk(
            "FROM SLIM\nRUN --mount=type=cache,target=/c true\n",
            on=RecordingEngine.on(users, Store(tmp_path / "made.jsonl")),
        )


def test_the_sdk_still_cannot(engine, slim, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {slim}\nRUN --mount=type=cache,target=/c true\n")
    with pytest.raises((docker.errors.BuildError, docker.errors.APIError), match="BuildKit"):
        engine.client.images.build(path=str(tmp_path))
