"""Builds by BuildKit, recorded step by step from what Docker Engine 28.5 said, and played back in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from buildkit_texts import BASE, FILES, STAGES, TEXTS, asked
from taped_engine import TapedEngine

from layerlab import build
from layerlab.engine.protocol import BuildRequest, RawEvent
from layerlab.engine.recorded import vertices
from layerlab.engine.recorded.buildkit_plan import Plan, plan
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.steps import BuildEnvironment
from layerlab.engine.recorded.store import Store
from layerlab.engine.recorder.engine import RecordingEngine
from layerlab.engine.recorder.sealing import seal
from layerlab.errors import EngineRefused, LayerLabError, NotRecorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("context")
    for name, content in FILES.items():
        (found / name).write_text(content)
    return found


@pytest.fixture(scope="module")
def tape(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TapedEngine]:
    """Record every text once, seal it, and return the file and the engine."""
    fresh, live = tmp_path_factory.mktemp("fresh"), TapedEngine()
    recorder = RecordingEngine.on(live, Store(fresh / "09_buildkit.jsonl"))  # type: ignore[arg-type]
    for name in [*TEXTS, "stages", "mount"]:
        list(recorder.build(asked(folder, name)))
    out = tmp_path_factory.mktemp("recordings")
    seal(fresh, out)
    return out / "09_buildkit.jsonl", live


@pytest.fixture
def replayed(tape: tuple[Path, TapedEngine]) -> RecordedEngine:
    return RecordedEngine(Store(tape[0]), why="a test")


def told(engine: RecordedEngine, request: BuildRequest) -> object:
    """Return all of a build that must not depend on what was built before."""
    try:
        result = build.begin(engine, request).run()
    except LayerLabError as error:
        return type(error).__name__, str(error)
    image = result.image
    return (
        image.id,
        image.diff_ids,
        image.config,
        image.history,
        [(step.line, step.instruction) for step in result.steps],
    )


def planned(folder: Path, text: str, **more: object) -> Plan:
    env: Mapping[str, Mapping[str, str]] = {}
    around = BuildEnvironment("buildkit", "linux/amd64", lambda _: None, lambda base: env.get(base, {}))
    return plan(asked(folder, text, **more), around)


def key_of(folder: Path, text: str, written: str, **more: object) -> str:
    return next(
        step.key for step in planned(folder, text, **more).steps if step.instruction.logical.startswith(written)
    )


# --- played back -----------------------------------------------------------------------------


def test_what_was_built_is_what_is_played_back(folder: Path, tape: tuple[Path, TapedEngine]) -> None:
    engine = RecordedEngine(Store(tape[0]), why="a test")
    for name in TEXTS:
        handle = engine.build(asked(folder, name))
        events = list(handle)
        live = TapedEngine().build(asked(folder, name))
        errors = [event.data["error"] for event in events if "error" in event.data]
        if live.image_id is None:
            assert errors == [event.data["error"] for event in live if "error" in event.data], name
        else:
            assert (errors, handle.image_id is not None) == ([], True), name


def test_layers_of_an_image_are_those_that_the_engine_gave_and_stages_share_them(
    folder: Path, replayed: RecordedEngine
) -> None:
    images = {name: build.begin(replayed, asked(folder, name)).run().image for name in ("stages", "other label")}
    assert images["stages"].diff_ids == images["other label"].diff_ids
    assert images["stages"].id != images["other label"].id
    builder = build.begin(replayed, asked(folder, STAGES, target="builder")).run().image
    assert len(builder.diff_ids) == len(replayed.inspect(BASE)["RootFS"]["Layers"]) + 3


@pytest.mark.parametrize("seed", range(25))
def test_in_whatever_order_equal_texts_give_equal_results(
    seed: int, folder: Path, tape: tuple[Path, TapedEngine]
) -> None:
    expected = {name: told(RecordedEngine(Store(tape[0]), why="alone"), asked(folder, name)) for name in TEXTS}
    engine, order = RecordedEngine(Store(tape[0]), why="in a row"), [*TEXTS, *TEXTS]
    random.Random(seed).shuffle(order)
    assert [told(engine, asked(folder, name)) for name in order] == [expected[name] for name in order]


def test_stages_run_side_by_side_and_unused_ones_not_at_all(folder: Path, replayed: RecordedEngine) -> None:
    result = build.begin(replayed, asked(folder, "stages")).run()
    by_line = {step.line: step for step in result.steps}
    compiled, printed = by_line[6], by_line[8]
    assert printed.log == ("one",)
    assert printed.began < compiled.began + compiled.seconds and compiled.began < printed.began + printed.seconds
    assert result.seconds < sum(step.seconds for step in result.steps)
    assert not [step for step in result.steps if "never" in step.instruction]


def test_a_second_build_comes_from_the_cache_unless_that_is_refused(folder: Path, replayed: RecordedEngine) -> None:
    first, again = (build.begin(replayed, asked(folder, "stages")).run() for _ in range(2))
    without = build.begin(replayed, asked(folder, "stages", no_cache=True)).run()
    assert first.cached_steps == 0 and again.seconds == 0.0
    assert {step.line for step in again.steps if step.is_cached} >= {3, 4, 6, 8, 17, 18, 19}
    assert not [step for step in without.steps if step.is_cached and not step.instruction.startswith("FROM")]
    assert first.image.id == again.image.id == without.image.id


def test_a_cache_mount_is_told_as_it_was_found(folder: Path, replayed: RecordedEngine) -> None:
    logs = [build.begin(replayed, asked(folder, name)).run().steps[1].log for name in ("mount", "mount filled")]
    assert logs == [("0",), ("1",)]


def test_a_miss_stays_in_its_stage(folder: Path, replayed: RecordedEngine) -> None:
    with pytest.raises(NotRecorded, match=r"`RUN echo other .*\(line 6\) is not recorded") as missed:
        build.begin(replayed, asked(folder, STAGES.replace("echo compiled", "echo other"))).run()
    assert (missed.value.line, missed.value.replayed) == (6, 4)
    assets = build.begin(replayed, asked(folder, STAGES, target="assets")).run()
    assert {step.line: step.is_cached for step in assets.steps}[8], "what did not miss has run"


def test_an_image_that_is_not_recorded_says_so(folder: Path, replayed: RecordedEngine) -> None:
    with pytest.raises(NotRecorded, match="All steps of this build are recorded, and the image"):
        build.begin(replayed, asked(folder, STAGES.replace("8000", "7000"))).run()


# --- recorded --------------------------------------------------------------------------------


def test_stages_are_asked_for_by_name_or_cut_off_and_their_names_removed(tape: tuple[Path, TapedEngine]) -> None:
    live = tape[1]
    again = [request for request in live.builds if request.tag and "recording:" in request.tag]
    assert {request.target for request in again} == {"builder", "assets", "b", None}
    unnamed = [request.context.text for request in again if request.target is None]
    assert unnamed == [f"FROM {BASE}\nRUN echo 1 > /one\n"]
    assert len(live.removed) == len(again)


@pytest.mark.parametrize("spoil", ["a layer", "an entry", "an instruction"])
def test_what_does_not_pair_is_refused(folder: Path, tmp_path: Path, spoil: str) -> None:
    live = TapedEngine()
    request = asked(folder, "other label")
    taped: dict[str, Any] = live._tape
    image_id = TapedEngine().build(request).image_id
    if spoil == "a layer":
        taped["images"][image_id]["inspect"]["RootFS"]["Layers"].pop()
    elif spoil == "an entry":
        taped["images"][image_id]["history"].pop(0)
    else:
        for answers in taped["builds"].values():
            for event in (event for answer in answers for _, event in answer["events"]):
                for vertex in event.get("vertexes", ()):
                    vertex["name"] = vertex["name"].replace("] WORKDIR", "] RUN")
    recorder = RecordingEngine.on(live, Store(tmp_path / "made.jsonl"))  # type: ignore[arg-type]
    list(recorder.build(asked(folder, "stages"))) if spoil != "an instruction" else None
    with pytest.raises(EngineRefused, match="cannot be recorded"):
        list(recorder.build(request))


# --- keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LABEL layerlab.x=1", "LABEL layerlab.x=2"),
        ("EXPOSE 8000", "EXPOSE 9000"),
        ('CMD ["python3"]', "HEALTHCHECK NONE\nSTOPSIGNAL SIGINT\nENV LATE=1\nUSER 1000"),
        ("LABEL layerlab.x=1", ""),
        ("Builder", "first"),
    ],
)
def test_what_changes_no_file_is_in_no_key_of_a_step(folder: Path, before: str, after: str) -> None:
    changed = STAGES.replace(before, after).replace(
        "--from=builder", f"--from={after if before == 'Builder' else 'builder'}"
    )
    assert [step.key for step in planned(folder, changed).steps] == [step.key for step in planned(folder, STAGES).steps]


@pytest.mark.parametrize("setting", ["ENV A=1", "USER 1000", 'SHELL ["/bin/bash", "-c"]', "ARG GIVEN=1"])
def test_what_a_run_sees_is_in_its_key_and_in_no_copys(folder: Path, setting: str) -> None:
    text = f"FROM {BASE}\nSETTING\nCOPY requirements.txt /\nRUN true\n"
    plain, changed = text.replace("SETTING\n", ""), text.replace("SETTING", setting)
    assert key_of(folder, plain, "COPY") == key_of(folder, changed, "COPY")
    assert key_of(folder, plain, "RUN") != key_of(folder, changed, "RUN")


def test_a_linked_copy_is_the_same_on_other_files_and_an_own_one_is_not(folder: Path) -> None:
    text = f"FROM {BASE}\nRUN true\nCOPY --link requirements.txt /\nCOPY requirements.txt /b\n"
    changed = text.replace("RUN true", "RUN false")
    assert key_of(folder, text, "COPY --link") == key_of(folder, changed, "COPY --link")
    assert key_of(folder, text, "COPY requirements.txt /b") != key_of(folder, changed, "COPY requirements.txt /b")


def test_a_source_stage_counts_by_its_files(folder: Path) -> None:
    for change in ("ENV MODE=prod", "ENV MODE=other"):
        changed = STAGES.replace("ENV MODE=prod\nRUN echo compiled $MODE", f"{change}\nRUN echo compiled $MODE")
        same = key_of(folder, changed, "COPY --from=builder") == key_of(folder, STAGES, "COPY --from=builder")
        assert same is (change == "ENV MODE=prod")


def test_an_image_is_named_by_all_of_its_lines(folder: Path) -> None:
    assert planned(folder, STAGES).target.image != planned(folder, TEXTS["other label"]).target.image
    assert planned(folder, f"# why\n{STAGES}").target.image == planned(folder, STAGES).target.image


@pytest.mark.parametrize("stage", ["", "stage-0 "], ids=["of a folder", "of an archive"])
def test_a_lone_stage_is_the_same_however_its_context_came(stage):
    name = f"[{stage}2/2] RUN exit 3"
    told = {"digest": "sha256:1", "name": name, "started": "2026-12-01T00:00:00Z", "completed": "2026-12-01T00:00:01Z"}
    (found,) = vertices.read([RawEvent(0.0, {"vertexes": [{**told, "error": "exit code: 3"}]})])
    assert (found.stage, found.index, found.error, found.has_run) == ("stage-0", 2, "exit code: 3", True)
