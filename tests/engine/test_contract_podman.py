"""The contract and the promise about other people's things, asked of a Podman that is started for them alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import podman_service
import pytest
from asking import asked
from test_contract import *  # noqa: F403
from test_contract import dockerfile, things
from test_ownership import *  # noqa: F403

from layerlab import bases, build, events
from layerlab.engine.live import LiveEngine
from layerlab.engine.live import belongings as ours
from layerlab.errors import BuildCancelled, DockerfileError, NotOurs


@pytest.fixture(scope="module")
def engine(engine: LiveEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEngine]:
    """Podman: the one that the tests run on, else one that holds the slim base of the engine that they run on."""
    if engine.info.kind == "podman":
        yield engine
        return
    if why_not := podman_service.why_not():
        pytest.skip(f"No Podman: {why_not}")
    base = bases.resolve(engine, "slim").reference
    folder = tmp_path_factory.mktemp("podman")
    with podman_service.running(folder) as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_DATA", str(folder / "data"))
        opened = LiveEngine.open(endpoint, kind="docker", why="a test")
        opened.client.images.load(engine.save(base))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def slim(engine: LiveEngine) -> str:
    """The base under the name that Dockerfiles use, though Podman lists it as localhost/…."""
    return bases.resolve(engine, "slim").reference


def working_containers(engine: LiveEngine) -> set[str]:
    """The containers in which builds run; Podman's Docker API does not list them."""
    api = engine.client.api
    answer = api._get(f"{api.base_url}/v4.0.0/libpod/containers/json", params={"all": "true", "external": "true"})
    answer.raise_for_status()
    return {one["Id"] for one in answer.json() if one["State"] == "storage"}


def until_builds_have_ended(engine: LiveEngine, before: set[str], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while working_containers(engine) - before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert working_containers(engine) <= before


def test_it_is_podman(engine):
    assert (engine.info.kind, engine.info.name, engine.info.builder) == ("podman", "Podman", "buildah")


def test_the_base_is_known_for_what_it_is(engine, slim):
    base = bases.resolve(engine, "slim")
    (shown,) = (one for one in bases.status(engine) if one.key == "slim")
    assert slim == base.reference == shown.reference
    assert base.is_standin == (shown.state == "stand-in")
    if base.is_standin:
        assert base.digest is shown.digest is None


def test_the_journal_stays_the_same_though_podman_names_itself_anew(engine):
    again = LiveEngine.open(engine.info.endpoint, kind="podman", why="a test")
    try:
        assert engine.client.info()["ID"] != again.client.info()["ID"]
        assert again.journal.path == engine.journal.path
    finally:
        again.close()


def test_a_cancelled_command_comes_to_its_end_and_leaves_nothing(engine, slim, tmp_path):
    text = f"FROM {slim}\nRUN head -c 50000000 /dev/zero > /big && echo written && sleep 6\nRUN true\n"
    before, working = things(engine), working_containers(engine)
    begun = build.begin(engine, asked(dockerfile(tmp_path, text), no_cache=True))

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == "written":
            begun.cancel()

    with pytest.raises(BuildCancelled, match="come to its end"):
        begun.run(on_event)
    assert working_containers(engine) - working
    until_builds_have_ended(engine, working, seconds=20)
    assert things(engine) == before


def test_stages_that_nothing_needs_are_left_out_and_lines_still_found(engine, slim, tmp_path):
    text = f"ARG UNUSED=1\nFROM {slim} AS unused\nRUN exit 1\n\nFROM {slim}\nARG A\nRUN echo {time.time_ns()}\n"
    result = build.build(engine, asked(dockerfile(tmp_path, text)))
    assert [(step.number, step.line) for step in result.steps] == [(1, 5), (2, 6), (3, 7)]
    assert [entry.instruction for entry in result.image.history[-2:]] == text.splitlines()[-2:]


def test_what_this_builder_cannot_read_is_a_fault_of_the_dockerfile(engine, slim, tmp_path):
    with pytest.raises(DockerfileError, match="ECHO") as caught:
        build.build(engine, asked(dockerfile(tmp_path, f"FROM {slim}\nRUN <<EOF\necho from a heredoc\nEOF\n")))
    assert caught.value.line == 3


def test_a_name_that_the_user_gave_with_podman_itself_is_never_taken(course, user, slim, tmp_path):
    # `podman build -t layerlab/x` names it localhost/layerlab/x, which answers to layerlab/x as ours does.
    user.images.get(slim).tag("localhost/layerlab/mine", "podman")
    try:
        with pytest.raises(NotOurs, match="layerlab/mine:podman"):
            build.build(course, asked(dockerfile(tmp_path, f"FROM {slim}\n"), tag="layerlab/mine:podman"))
        with pytest.raises(NotOurs):
            course.remove("layerlab/mine:podman")
    finally:
        user.images.remove("localhost/layerlab/mine:podman")


def test_of_two_names_of_one_image_only_ours_is_removed(engine, course, user, slim, tmp_path):
    built = build.build(
        course, asked(dockerfile(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()}\n"), tag="layerlab/both:1")
    )
    user.images.get(built.image.id).tag("localhost/layerlab/both", "1")
    try:
        ours.remove(course)
        assert engine.inspect(built.image.id)["RepoTags"] == ["localhost/layerlab/both:1"]
    finally:
        user.images.remove("localhost/layerlab/both:1")


def test_nothing_of_it_is_in_the_machines_own_network(engine):
    links = Path("/proc/1/net/dev").read_text()
    assert "cni-podman" not in links and "podman0" not in links
