"""When two steps are the same step, and when they are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest
from layerlab.engine.recorded.buildkit_builds import cache_state, foundation, remember, solve_key
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.steps import BuildEnvironment, PlannedStep, plan

FILE = """\
FROM python:3.12-slim AS builder
ARG FLAVOUR=plain
WORKDIR /app
COPY requirements.txt ./
RUN pip install -r requirements.txt
FROM python:3.12-slim
COPY --from=builder /app /app
CMD ["python"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("fastapi==0.115.0\n")
    return tmp_path


def steps(folder: Path, text: str = FILE, *, builder: str = "classic", platform: str = "linux/amd64", **more: object):
    context = BuildContext.open(folder, dockerfile_text=text)
    env: Mapping[str, Mapping[str, str]] = more.pop("env", {})  # type: ignore[assignment]
    around = BuildEnvironment(builder, platform, lambda _: None, lambda base: env.get(base, {}))  # type: ignore[arg-type]
    return plan(BuildRequest(context=context, **more), around)  # type: ignore[arg-type]


def keys(planned: tuple[PlannedStep, ...]) -> list[str | None]:
    return [step.key for step in planned]


def same_prefix(one: list[str | None], other: list[str | None]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def test_comments_blanks_continuations_and_case_make_no_difference(folder: Path):
    dressed = FILE.replace("RUN pip install -r", "# why\n\nrun   pip install \\\n  # in between\n   -r")
    assert keys(steps(folder, dressed)) == keys(steps(folder))


def test_renaming_a_stage_makes_no_difference(folder: Path):
    assert keys(steps(folder, FILE.replace("builder", "first"))) == keys(steps(folder))


def test_the_spelling_of_a_base_makes_no_difference(folder: Path):
    spelled = FILE.replace("FROM python", "FROM docker.io/library/python")
    assert keys(steps(folder, spelled)) == keys(steps(folder))


def test_an_edit_leaves_the_steps_before_it_alone(folder: Path):
    edited = FILE.replace("RUN pip install", "RUN pip install --no-cache-dir")
    assert same_prefix(keys(steps(folder)), keys(steps(folder, edited))) == 4


def test_an_edit_of_one_stage_reaches_those_that_copy_from_it(folder: Path):
    before, after = steps(folder), steps(folder, FILE.replace("RUN pip install", "RUN pip install -q"))
    assert before[5].key == after[5].key, "the second FROM does not depend on the first stage"
    assert before[6].key != after[6].key, "COPY --from does"


def test_the_content_of_a_copied_file_counts_and_its_time_does_not(folder: Path):
    before = keys(steps(folder))
    (folder / "requirements.txt").touch()
    (folder / "other.txt").write_text("not copied")
    assert keys(steps(folder)) == before
    (folder / "requirements.txt").write_text("fastapi==0.116.0\n")
    assert same_prefix(before, keys(steps(folder))) == 3


def test_a_missing_source_has_a_key_of_its_own(folder: Path):
    before = keys(steps(folder))
    (folder / "requirements.txt").unlink()
    assert same_prefix(before, keys(steps(folder))) == 3


def test_a_build_argument_counts_where_a_run_sees_it(folder: Path):
    before, after = keys(steps(folder)), keys(steps(folder, args={"FLAVOUR": "extra"}))
    assert same_prefix(before, after) == 4, "as in the classic builder, neither ARG nor COPY depends on its value"


def test_a_build_argument_that_nobody_declares_makes_no_difference(folder: Path):
    assert keys(steps(folder, args={"UNKNOWN": "1"})) == keys(steps(folder))


def test_an_argument_hidden_by_the_bases_env_makes_no_difference(folder: Path):
    env = {"python:3.12-slim": {"FLAVOUR": "from the base"}}
    assert keys(steps(folder, env=env)) == keys(steps(folder, env=env, args={"FLAVOUR": "extra"}))


def test_a_global_argument_counts_through_the_base_it_names(folder: Path):
    text = "ARG MINOR=3.12\nARG OTHER=1\n" + FILE.replace("3.12", "${MINOR}")
    assert keys(steps(folder, text))[2:] == keys(steps(folder))
    assert keys(steps(folder, text, args={"OTHER": "2"}))[2:] == keys(steps(folder))
    assert same_prefix(keys(steps(folder, text)), keys(steps(folder, text, args={"MINOR": "3.11"}))) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"builder": "buildah"},
        {"platform": "linux/arm64"},
        {"network": "none"},
    ],
)
def test_builder_platform_and_network_count_from_the_first_step(folder: Path, other: dict[str, Any]):
    assert same_prefix(keys(steps(folder)), keys(steps(folder, **other))) == 0


def test_a_target_ends_the_plan(folder: Path):
    assert keys(steps(folder, target="builder")) == keys(steps(folder))[:5]
    assert [step.is_stage_end for step in steps(folder)] == [False] * 4 + [True, False, False, True]


def test_steps_are_numbered_as_the_builders_do(folder: Path):
    text = "ARG MINOR=3.12\n" + FILE
    classic, buildah = steps(folder, text), steps(folder, text, builder="buildah")
    assert [step.position.number for step in classic] == list(range(1, 10))
    assert [(step.position.stage, step.position.stage_number) for step in buildah] == [
        (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 1), (1, 2), (1, 3)
    ]  # fmt: skip


def test_an_image_of_this_session_is_known_by_its_chain(folder: Path):
    context = BuildContext.open(folder, dockerfile_text="FROM layerlab/mine\nRUN true\n")
    request = BuildRequest(context=context)
    chains = {"layerlab/mine": "abc"}

    def planned(found: Mapping[str, str]) -> tuple[PlannedStep, ...]:
        return plan(request, BuildEnvironment("classic", "linux/amd64", found.get, lambda _: {}))

    assert planned(chains)[0].parent == "abc"
    assert keys(planned(chains)) != keys(planned({"layerlab/mine": "def"})) != keys(planned({}))


BOUND = """\
FROM python:3.12-slim AS tools
RUN make tool
FROM python:3.12-slim
RUN --mount=type=bind,source=requirements.txt,target=/r --mount=type=bind,from=tools,target=/t cat /r
RUN --mount=type=cache,target=/c --mount=type=secret,id=token true
"""


def test_what_a_bind_mount_shows_is_an_input(folder: Path):
    before = keys(steps(folder, BOUND, builder="buildkit"))
    other_tool = keys(steps(folder, BOUND.replace("make tool", "make other"), builder="buildkit"))
    (folder / "requirements.txt").write_text("uvicorn\n")
    after = keys(steps(folder, BOUND, builder="buildkit"))
    assert same_prefix(before, after) == 3 and before[-1] != after[-1]
    assert same_prefix(before, other_tool) == 1 and before[2:3] == other_tool[2:3] and before[3] != other_tool[3]


def test_a_build_by_buildkit_is_another_one_and_a_secret_counts_by_its_id(folder: Path):
    context = BuildContext.open(folder, dockerfile_text=BOUND)
    planned = steps(folder, BOUND, builder="buildkit")
    named = {id: solve_key(BuildRequest(context=context, secrets={id: "x"}), planned) for id in ("a", "b")}
    assert named["a"] != named["b"]
    assert named["a"] == solve_key(BuildRequest(context=context, secrets={"a": "another"}), planned)


def test_the_state_of_the_caches_tells_results_from_mounts(folder: Path):
    session_images, request = SessionImages(), BuildRequest(context=BuildContext.open(folder, dockerfile_text=BOUND))
    planned = steps(folder, BOUND, builder="buildkit")
    assert cache_state(request, planned, session_images) == "....."
    remember(planned, session_images)
    assert cache_state(request, planned, session_images) == "ccccc"
    edited = steps(folder, BOUND.replace("id=token true", "id=token false"), builder="buildkit")
    assert cache_state(request, edited, session_images) == "ccccm"
    assert cache_state(replace(request, no_cache=True), planned, session_images) == "!"


def test_the_last_stage_stands_on_the_base_of_the_stage_it_continues(folder: Path):
    text = "FROM python:3.12-slim AS a\nRUN true\nFROM python:3.12\nRUN true\nFROM a\nRUN false\n"
    assert foundation(steps(folder, text, builder="buildkit")).base == "python:3.12-slim"
    assert foundation(steps(folder, "FROM scratch\nCOPY requirements.txt /\n")).parent == "scratch"
