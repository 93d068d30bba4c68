"""The user's images, tags and containers are sacred: an engine that already holds somebody's things."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import multiprocessing
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import pytest
import requests
import strangers
from asking import asked
from generated import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerlab import build, events
from layerlab.engine.journal import BUILDS, RUN, Journal
from layerlab.engine.live import LiveEngine, ownership
from layerlab.engine.live import belongings as ours
from layerlab.engine.live.buildkit import program
from layerlab.engine.protocol import StartRequest
from layerlab.errors import BuildCancelled, BuildFailed, LayerLabError, NotOurs


@pytest.fixture
def user(engine):
    """The user's own client, who knows nothing of our journal."""
    client = docker.DockerClient(base_url=engine.info.endpoint)
    yield client
    client.close()


@pytest.fixture
def course(engine, tmp_path):
    """The same engine as a user's, not as our private one, with a journal that is still empty; cleaned afterwards."""
    found = opened(engine.info.endpoint, tmp_path / "journal.jsonl")
    yield found
    ours.remove(found)
    found.close()


def opened(endpoint: str, journal: Path) -> LiveEngine:
    found = LiveEngine.open(endpoint, kind="docker", why="test")
    found.journal = found.client.api.journal = Journal(journal)
    return found


def users_image(user, slim, tag, marker):
    text = f"FROM {slim}\nRUN echo {marker} > /users-own\n".encode()
    user.images.build(fileobj=io.BytesIO(text), tag=tag, nocache=True, rm=True)
    return user.images.get(tag).id


def users_build(engine, text, tag=None):
    """Build as a user does, with the engine's own cache; gives the image's id."""
    with contextlib.closing(docker.DockerClient(base_url=engine.info.endpoint)) as user:
        if engine.info.builder == "buildah":
            return user.images.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True)[0].id
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "metadata"
            command = [program.buildx(), "build", "--builder", "default", "--metadata-file", str(file)]
            command += ["--tag", tag] if tag else []
            around = {**os.environ, "DOCKER_HOST": engine.info.endpoint, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
            given = {"input": text.encode(), "env": around, "capture_output": True, "timeout": 120}
            subprocess.run([*command, "-"], check=True, **given)
            told = json.loads(file.read_text())
        # The first with the containerd store, the second with the older one.
        digests = (told.get(f"containerimage.{name}") for name in ("digest", "config.digest"))
        return next(one for one in digests if one in user.api.images(all=True, quiet=True))


def snapshot(user) -> tuple[str, str]:
    images = {one["Id"]: sorted(one.get("RepoTags") or []) for one in user.api.images(all=True)}
    containers = sorted(one["Id"] for one in user.api.containers(all=True))
    return json.dumps(images, sort_keys=True), json.dumps(containers)


@pytest.fixture
def belonging_to_somebody(user, slim):
    """Images and containers with our own names and somebody else's work in them."""
    marker = str(time.time_ns())
    users_image(user, slim, "layerlab/mine:naive", marker)
    users_image(user, slim, "users/service:1", f"{marker}-2")
    container = user.containers.create(slim, ["sleep", "60"], name=f"layerlab-{marker}")
    before = snapshot(user)
    yield before
    assert snapshot(user) == before
    container.remove(force=True)
    for tag in ("layerlab/mine:naive", "users/service:1"):
        user.images.remove(tag, force=True)


def folder_with(tmp_path, text):
    (tmp_path / "Dockerfile").write_text(text)
    return tmp_path


def test_a_name_of_the_users_is_never_taken(belonging_to_somebody, course, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo ours\n")
    with pytest.raises(NotOurs, match="layerlab/mine:naive"):
        build.build(course, asked(folder, tag="layerlab/mine:naive"))
    with pytest.raises(NotOurs, match="layerlab/"):
        build.build(course, asked(folder, tag="users/service:1"))
    with pytest.raises(NotOurs):
        course.tag(slim, "layerlab/mine:naive")
    with pytest.raises(NotOurs):
        course.remove("users/service:1")


def test_clean_removes_what_is_ours_and_nothing_else(belonging_to_somebody, course, slim, tmp_path):
    marker = time.time_ns()
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {marker} > /a\nRUN echo {marker} > /b\n")
    built = build.build(course, asked(folder, tag="layerlab/clean:1"))
    container = course.start(StartRequest(image="layerlab/clean:1", command=["sleep", "60"]))
    shown = ours.belongings(course)
    # Podman leaves an image for each step.
    assert {one.kind for one in shown} - {"image"} == {"container", "tag"}
    assert container.id.startswith(next(one.name for one in shown if one.kind == "container"))
    gone, kept = ours.remove(course)
    assert not kept
    assert not ours.belongings(course)
    assert built.image.id not in set(course.client.api.images(all=True, quiet=True))
    assert any(one.name == "layerlab/clean:1" for one in gone)


def test_a_run_takes_with_it_what_it_made_and_nothing_that_was_there_before(course, slim, tmp_path, monkeypatch):
    below = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    before = build.build(course, asked(folder_with(tmp_path, below), tag="layerlab/before:1"))
    monkeypatch.setenv(RUN, "a-run")
    made = build.build(course, asked(folder_with(tmp_path, f"{below}RUN echo > /b\n"), tag="layerlab/made:1"))
    assert made.steps[1].is_cached
    gone, kept = ours.remove(course, run="a-run")
    assert not kept
    assert "layerlab/made:1" in {one.name for one in gone}
    assert made.image.id not in set(course.client.api.images(all=True, quiet=True))
    assert [one.name for one in ours.belongings(course) if one.kind == "tag"] == ["layerlab/before:1"]
    ours.remove(course)
    assert before.image.id not in set(course.client.api.images(all=True, quiet=True))


def test_an_image_the_user_built_on_ours_stays_and_so_does_what_it_needs(course, user, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    build.build(course, asked(folder, tag="layerlab/clean:2"))
    child = users_image(user, "layerlab/clean:2", "users/child:1", "child")
    try:
        ours.remove(course)
        assert user.images.get("users/child:1").id == child
        assert user.containers.run("users/child:1", ["cat", "/a", "/users-own"], remove=True).endswith(b"child\n")
    finally:
        user.images.remove("users/child:1", force=True)
        ours.remove(course)


def test_an_untagged_image_of_the_users_below_ours_stays(course, user, slim, tmp_path):
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    users = users_build(course, text)
    built = build.build(course, asked(folder_with(tmp_path, f"{text}RUN echo ours > /b\n"), tag="layerlab/cached:2"))
    assert built.steps[1].is_cached
    try:
        ours.remove(course)
        held = set(user.api.images(all=True, quiet=True))
        assert users in held and built.image.id not in held
    finally:
        user.images.remove(users)


def test_a_cached_build_of_the_users_does_not_become_ours(course, user, slim, tmp_path):
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    users_id = users_build(course, text, "users/cached:1")
    built = build.build(course, asked(folder_with(tmp_path, text), tag="layerlab/cached:1"))
    assert built.image.id == users_id
    assert not course.journal.owns_image(users_id)
    try:
        gone, _ = ours.remove(course)
        assert [one.name for one in gone] == ["layerlab/cached:1"]
        assert user.images.get("users/cached:1").id == users_id
    finally:
        user.images.remove("users/cached:1", force=True)


def test_what_a_notebook_builds_with_the_raw_sdk_is_entered_too(course, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    image, _ = course.client.images.build(path=str(folder), tag="layerlab/raw:1", rm=True, forcerm=True)
    assert course.journal.owns_image(image.id)
    assert course.journal.owns_tag("layerlab/raw:1", image.id)
    ours.remove(course)
    assert image.id not in set(course.client.api.images(all=True, quiet=True))


def test_clean_leaves_the_bases_that_we_built_and_what_they_stand_on(engine, slim):
    if slim not in ours.built_bases(engine):
        pytest.skip("this engine has no stand-in bases")
    base = engine.inspect(slim)
    listed = {one.name for one in ours.belongings(engine)}
    assert slim not in listed
    assert base["Id"] not in listed
    assert base["Parent"] not in listed


# --- what a build prints decides nothing -------------------------------------------------------

ENDINGS = ("well", "fails", "is cancelled", "is killed")
READY = "everything is printed"


def forged(lines: list[str], ending: str, marker: str, base: str) -> str:
    """A Dockerfile whose RUN prints the lines as the older builder would, and then ends, fails or goes on for long."""
    last = {"well": "true", "fails": "exit 3"}.get(ending, "sleep 60")
    said = "\\n".join(lines)
    return f"FROM {base}\nRUN echo {marker} > /a\nRUN printf '{said}\\n'; echo {READY}; {last}\nRUN echo more > /b\n"


def build_to_its_ending(engine: LiveEngine, folder: Path, ending: str) -> None:
    begun = build.begin(engine, asked(folder, tag=f"layerlab/forged:{time.time_ns()}"))

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == READY:
            if ending == "is cancelled":
                begun.cancel()
            elif ending == "is killed":
                os.kill(os.getpid(), signal.SIGKILL)

    begun.run(on_event)


def build_and_die(endpoint: str, journal: str, folder: str) -> None:
    build_to_its_ending(opened(endpoint, Path(journal)), Path(folder), "is killed")


def end_as(ending: str, course: LiveEngine, folder: Path) -> None:
    """Let a build end that way; a killed one in a process of its own."""
    if ending == "is killed":
        arguments = (course.info.endpoint, str(course.journal.path), str(folder))
        child = multiprocessing.get_context("spawn").Process(target=build_and_die, args=arguments)
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
    elif ending == "well":
        build_to_its_ending(course, folder, ending)
    else:
        with pytest.raises((BuildFailed, BuildCancelled)):
            build_to_its_ending(course, folder, ending)


LINES = (
    " ---> Running in {short}",
    " ---> {short}",
    "Removing intermediate container {short}",
    "Successfully built {short}",
    "Successfully tagged layerlab/forged:1",
    "Step 3/4 : FROM {short}",
    "Step 4/4 : RUN echo more > /b",
    " ---> Using cache",
    "sha256:{id}",
    '{{"aux":{{"ID":"sha256:{id}"}}}}',
)


@pytest.fixture(scope="module")
def neighbours(engine, slim):
    """Six people, each with an image, a container and a volume; three of the containers run."""
    with strangers.settled(engine.info.endpoint, count=6, runs=slim) as them:
        yield them


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_build_that_prints_ids_of_strangers_touches_nothing_of_theirs(ending, neighbours, course, slim, tmp_path):
    ids = [one.removeprefix("sha256:") for one in neighbours.ids]
    lines = [line.format(short=one[:12], id=one) for one in ids for line in LINES[:2]]
    end_as(ending, course, folder_with(tmp_path, forged(lines, ending, str(time.time_ns()), slim)))
    listed = {one.name for one in ours.belongings(course)}
    assert not listed & {*neighbours.ids, *ids, *(one[:12] for one in ids)}
    assert not neighbours.harmed()
    ours.remove(course)
    assert not neighbours.harmed()


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    ending=st.sampled_from(ENDINGS),
    cleans=st.booleans(),
)
def test_whatever_builds_print_and_however_they_end_strangers_are_untouched(
    data, ending, cleans, neighbours, course, slim, tmp_path_factory
):
    ids = [one.removeprefix("sha256:") for one in neighbours.ids]
    printed = st.builds(
        lambda line, one: line.format(short=one[:12], id=one), st.sampled_from(LINES), st.sampled_from(ids)
    )
    lines = data.draw(st.lists(printed, min_size=1, max_size=8))
    folder = tmp_path_factory.mktemp("forged")
    end_as(ending, course, folder_with(folder, forged(lines, ending, str(time.time_ns()), slim)))
    if cleans:
        ours.remove(course)
    assert not neighbours.harmed()


def test_a_forged_step_changes_neither_the_steps_nor_what_came_from_the_cache(course, slim, tmp_path):
    lines = ["Step 4/4 : RUN echo more > /b", " ---> Using cache", " ---> 0123456789ab"]
    marker = str(time.time_ns())
    result = build.build(course, asked(folder_with(tmp_path, forged(lines, "well", marker, slim))))
    again = build.build(course, asked(folder_with(tmp_path, forged(lines, "well", marker, slim))))
    try:
        assert [step.number for step in result.steps] == [1, 2, 3, 4]
        assert result.steps[2].instruction.startswith("RUN printf")
        assert [step.is_cached for step in result.steps] == [False] * 4
        assert [step.is_cached for step in again.steps] == [False, True, True, True]
        assert result.image.id == again.image.id
    finally:
        ours.remove(course)


def test_a_forged_step_is_not_the_one_that_failed(course, slim, tmp_path):
    text = forged(["Step 4/4 : RUN echo more > /b"], "fails", str(time.time_ns()), slim)
    with pytest.raises(BuildFailed) as caught:
        build.build(course, asked(folder_with(tmp_path, text)))
    assert (caught.value.step, caught.value.line, caught.value.exit_code) == (3, 3, 3)


# --- what is left of builds that did not end well ----------------------------------------------


def fail_in_the_sdks_builder(course, folder):
    """BuildKit leaves no image of a build that failed; the builder that the SDK drives leaves one for each step."""
    with pytest.raises(docker.errors.BuildError):
        course.client.images.build(path=str(folder), rm=True)


def test_a_build_that_fails_leaves_no_image(course, user, slim, tmp_path):
    if course.info.builder != "buildkit":
        pytest.skip("Podman leaves an image for each step.")
    before = set(user.api.images(all=True, quiet=True))
    with pytest.raises(BuildFailed):
        text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\nRUN exit 3\n"
        build.build(course, asked(folder_with(tmp_path, text), tag="layerlab/fails:1"))
    assert set(user.api.images(all=True, quiet=True)) == before
    assert not (ours.leftovers(course) or ours.belongings(course) or course.journal.owned().builds)


def test_steps_of_a_failed_build_on_somebodys_base_are_named_and_stay(course, user, slim, tmp_path):
    before = set(user.api.images(all=True, quiet=True))
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\nRUN exit 3\n"
    fail_in_the_sdks_builder(course, folder_with(tmp_path, text))
    (left,) = set(user.api.images(all=True, quiet=True)) - before
    try:
        assert ours.leftovers(course) == (left,)
        assert not ours.belongings(course)
        ours.remove(course)
        assert left in set(user.api.images(all=True, quiet=True))
    finally:
        user.api.remove_image(left, noprune=True)


def test_steps_of_a_failed_build_on_an_image_of_ours_go_with_it(course, user, slim, tmp_path):
    before = set(user.api.images(all=True, quiet=True))
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    build.build(course, asked(folder_with(tmp_path, text), tag="layerlab/below:1"))
    fail_in_the_sdks_builder(
        course, folder_with(tmp_path, f"FROM layerlab/below:1\nRUN echo {time.time_ns()}\nRUN echo > /b\nRUN exit 3\n")
    )
    assert not ours.leftovers(course)
    _, kept = ours.remove(course)
    assert not kept
    assert set(user.api.images(all=True, quiet=True)) == before


def meanwhile(course: LiveEngine, folder: Path, act, *, tag: str | None = None) -> None:
    """Build, and let somebody act when the first RUN has printed that it is there; a failing build is well too."""
    begun = build.begin(course, asked(folder, tag=tag))

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == READY:
            act()

    with contextlib.suppress(BuildFailed):
        begun.run(on_event)


def meanwhile_in_the_sdks_builder(course: LiveEngine, folder: Path, act) -> None:
    """The same of a build by the builder that the SDK drives, which leaves an image for each step."""
    for event in course.client.api.build(path=str(folder), rm=True, decode=True):
        if READY in str(event.get("stream")).splitlines():  # one event may bring several lines
            act()


@pytest.fixture
def theirs(user):
    """Builds somebody's untagged images, and holds that each is there at the end as it was."""
    built: dict[str, object] = {}

    def make(text: str, tag: str | None = None) -> str:
        image = user.images.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True)[0]
        built[image.id] = user.api.inspect_image(image.id)["RepoTags"]
        return image.id

    yield make
    for image, tags in built.items():
        assert user.api.inspect_image(image)["RepoTags"] == tags
    for image, tags in reversed(built.items()):
        for name in tags or [image]:
            user.api.remove_image(name)


def test_an_untagged_image_that_somebody_built_meanwhile_is_not_taken_for_a_step(course, user, slim, tmp_path, theirs):
    marker = time.time_ns()
    ours_below = build.build(
        course, asked(folder_with(tmp_path, f"FROM {slim}\nRUN echo {marker} > /a\n"), tag="layerlab/b:1")
    )
    made = []
    for text in (f"FROM {slim}\nRUN echo {marker + 1} > /theirs\n", f"FROM {ours_below.tag}\nENV MY=WORK\n"):
        failing = f"FROM {slim}\nENV Z={marker + len(made)}\nRUN echo {READY}; exit 3\n"
        folder = folder_with(tmp_path, failing)
        meanwhile_in_the_sdks_builder(course, folder, lambda text=text: made.append(theirs(text)))
    left = ours.leftovers(course)
    assert not {*made} & {*left, *(one.name for one in ours.belongings(course))}
    ours.remove(course)
    for image in left:
        user.api.remove_image(image, noprune=True)


def test_what_somebody_built_meanwhile_from_the_same_lines_stays_theirs(course, slim, tmp_path, theirs):
    line = f"RUN echo {time.time_ns()} > /a"
    text = f"FROM {slim} AS one\nRUN echo {time.time_ns()}; echo {READY}; sleep 3\nFROM {slim}\n{line}\n"
    made = []
    folder = folder_with(tmp_path, text)
    meanwhile_in_the_sdks_builder(course, folder, lambda: made.append(theirs(f"FROM {slim}\n{line}\n")))
    assert not course.journal.owns_image(made[0])
    ours.remove(course)


def test_an_image_that_somebody_named_meanwhile_is_not_ours(course, user, slim, tmp_path):
    line, tag = f"RUN echo {time.time_ns()} > /a; echo {READY}; sleep 1", f"users/same:{time.time_ns()}"
    text, made = f"FROM {slim}\n{line}\n", []
    meanwhile(course, folder_with(tmp_path, text), lambda: made.append(users_build(course, text, tag)))
    ours.remove(course)
    assert user.api.inspect_image(tag)["Id"] == made[0]
    assert not course.journal.owned().builds
    user.api.remove_image(tag)


@pytest.mark.parametrize("ending", ["", "RUN exit 3\n"])
def test_a_base_that_somebody_built_and_replaced_meanwhile_stays_theirs(course, user, slim, tmp_path, ending):
    if course.info.builder != "buildkit":
        pytest.skip("only the older builder of Docker says which image a FROM took")
    container, base, made = user.containers.create(slim), f"users/base-{time.time_ns()}", []
    stage = f"RUN echo {time.time_ns()} > /a; echo {READY}; sleep 2\n"

    def replaced() -> None:
        # The first before the second stage takes it, the second while that runs: then the first has no name.
        made.append(user.api.commit(container.id, base, "1")["Id"])

    folder = folder_with(tmp_path, f"FROM {slim}\n{stage}FROM {base}:1\n{stage}{ending}")
    meanwhile_in_the_sdks_builder(course, folder, replaced)
    owned, left = course.journal.owned(), ours.leftovers(course)
    assert len(made) == 2
    assert user.api.inspect_image(made[0])["RepoTags"] == []
    assert not {*made} & {*owned.images, *owned.leftovers}
    ours.remove(course)
    container.remove()  # it is there
    for image in (*left, f"{base}:1", made[0]):
        user.api.remove_image(image, noprune=True)


def test_a_step_of_a_stage_before_is_cached_and_still_ours(course, user, slim, tmp_path):
    before = set(user.api.images(all=True, quiet=True))
    line = f"RUN echo {time.time_ns()} > /a"
    folder = folder_with(tmp_path, f"FROM {slim} AS one\n{line}\nFROM {slim}\n{line}\n")
    course.client.images.build(path=str(folder), rm=True)
    ours.remove(course)
    assert set(user.api.images(all=True, quiet=True)) == before


def test_an_id_that_comes_back_by_somebody_elses_hand_is_theirs(course, slim, tmp_path, user):
    built = build.build(course, asked(folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")))
    archive = b"".join(user.api.get_image(built.image.id))
    user.api.remove_image(built.image.id)
    build.build(course, asked(folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /b\n")))
    user.images.load(archive)
    ours.remove(course)
    user.api.remove_image(built.image.id)  # it is there


def test_an_image_whose_only_name_is_a_digest_has_a_name(course, slim, tmp_path):
    built = build.build(
        course, asked(folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"), tag="layerlab/d:1")
    )
    raw = course.inspect("layerlab/d:1")
    assert not ownership.names_of({**raw, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]})
    assert ownership.names_of({**raw, "RepoTags": [], "RepoDigests": [f"users/x@{built.image.id}"]})
    # The containerd store lists one beside each tag, which is no name that anybody gave.
    beside = {"RepoTags": ["layerlab/d:1"], "RepoDigests": [f"layerlab/d@{built.image.id}"]}
    assert ownership.names_of({**raw, **beside}) == {"layerlab/d:1"}
    ours.remove(course)


def test_a_killed_build_that_still_led_to_an_image_is_ours_by_its_name(course, user, slim, tmp_path):
    before = set(user.api.images(all=True, quiet=True))
    # What the process would have found out, had it lived: the engine has given the name to what it built.
    name = ownership.begin(course.client.api)
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n".encode()
    user.images.build(fileobj=io.BytesIO(text), tag=name, rm=True)
    course.journal.abandon_build(name)
    assert {one.kind for one in ours.belongings(course)} == {"image"}
    ours.remove(course)
    assert set(user.api.images(all=True, quiet=True)) == before
    assert not course.journal.owned().builds


def test_a_build_leaves_no_name_of_its_own_behind(course, user, slim, tmp_path):
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    users = users_build(course, text)
    try:
        # The user's image has no name at all, and a build of ours that comes to it leaves it so.
        assert build.build(course, asked(folder_with(tmp_path, text))).image.id == users
        assert user.api.inspect_image(users)["RepoTags"] == []
        assert not ours.belongings(course)
        built = build.build(course, asked(folder_with(tmp_path, f"{text}RUN echo > /b\n"), tag="layerlab/named:1"))
        assert user.api.inspect_image(built.image.id)["RepoTags"] == ["layerlab/named:1"]
        assert not [tag for one in user.api.images() for tag in one["RepoTags"] or () if tag.startswith(BUILDS)]
    finally:
        ours.remove(course)
        user.api.remove_image(users)


def test_a_raw_build_takes_no_name_of_somebodys(belonging_to_somebody, course, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo ours\n")
    with pytest.raises(NotOurs, match="layerlab/mine:naive"):
        course.client.images.build(path=str(folder), tag="layerlab/mine:naive", rm=True)


def test_a_raw_build_takes_no_name_that_somebody_gives_meanwhile(course, slim, tmp_path, theirs):
    tag = f"layerlab/taken:{time.time_ns()}"
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()}; echo {READY}; sleep 1\n")
    with pytest.raises(NotOurs):  # a positional tag, as the SDK allows it
        for event in course.client.api.build(str(folder), tag, rm=True, decode=True):
            if READY in str(event.get("stream")) and "Step" not in str(event.get("stream")):
                theirs(f"FROM {slim}\nENV THEIRS={time.time_ns()}\n", tag)
    ours.remove(course)


def test_a_raw_build_that_is_left_early_ends_and_leaves_no_name(course, user, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()}; echo {READY}; sleep 3\n")
    for event in course.client.api.build(path=str(folder), tag="layerlab/left:1", rm=True, decode=True):
        if READY in str(event.get("stream")) and "Step" not in str(event.get("stream")):
            break
    time.sleep(5)
    assert not [
        tag for one in user.api.images() for tag in one["RepoTags"] or () if tag.startswith((BUILDS, "layerlab/left"))
    ]
    ours.remove(course)
    assert not course.journal.owned().builds


def test_a_raw_build_that_fails_is_settled_while_its_error_lives(course, user, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\nRUN exit 3\n")
    with pytest.raises(docker.errors.BuildError):
        course.client.images.build(path=str(folder), rm=True, forcerm=True)
    assert not course.journal.owned().builds
    (left,) = ours.leftovers(course)
    user.api.remove_image(left, noprune=True)


def test_a_name_without_a_tag_is_latest(course, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    for _ in range(2):
        build.build(course, asked(folder, tag="layerlab/untold"))
        course.client.images.build(path=str(folder), tag="layerlab/untold", rm=True)
    gone, kept = ours.remove(course)
    assert not kept
    assert "layerlab/untold:latest" in {one.name for one in gone}


def test_a_raw_build_leaves_no_container(course, user, slim, tmp_path):
    before = snapshot(user)
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    course.client.images.build(path=str(folder), tag="layerlab/unremoved:1")
    ours.remove(course)
    assert snapshot(user) == before


def test_cleaning_up_makes_room_on_a_disk_that_is_full(course, user, slim, tmp_path, monkeypatch):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    built = build.build(course, asked(folder, tag="layerlab/full:1")).image.id
    container = course.start(StartRequest(image="layerlab/full:1", command=["sleep", "60"])).id
    # And a build of which nothing could be written down once it had ended.
    name = ownership.begin(course.client.api)
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /b\n".encode()
    unsettled = user.images.build(fileobj=io.BytesIO(text), tag=name, rm=True)[0].id
    course.journal.abandon_build(name)

    append, remove_image, is_full = Journal._append, course.client.api.remove_image, True

    def full(*args, **kwargs):
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(*args, **kwargs)

    def makes_room(*args, **kwargs):
        nonlocal is_full
        answer, is_full = remove_image(*args, **kwargs), False
        return answer

    monkeypatch.setattr(Journal, "_append", full)
    monkeypatch.setattr(course.client.api, "remove_image", makes_room)
    assert {one.kind for one in ours.belongings(course)} == {"container", "tag"}
    _, kept = ours.remove(course)
    assert not kept
    assert not {built, unsettled} & set(user.api.images(all=True, quiet=True))
    assert container not in {one["Id"] for one in user.api.containers(all=True)}
    owned = Journal(course.journal.path).owned()
    assert not (owned.builds or owned.images or owned.tags or owned.containers)


def test_a_container_whose_answer_never_came_is_found_by_its_name(course, user, slim, monkeypatch):
    before = snapshot(user)
    create = course.client.api.create_container

    def answers_too_late(*args, **kwargs):
        create(*args, **kwargs)
        raise requests.ReadTimeout("read timed out")

    monkeypatch.setattr(course.client.api, "create_container", answers_too_late)
    with pytest.raises(LayerLabError):
        course.start(StartRequest(image=slim, command=["sleep", "60"]))
    assert snapshot(user) != before
    assert [one.kind for one in ours.belongings(course)] == ["container"]
    ours.remove(course)
    assert snapshot(user) == before


def test_what_the_first_edition_read_in_a_builds_output_proves_nothing(neighbours, course):
    kinds = [("image" if one.startswith("sha256:") else "container", one) for one in neighbours.ids]
    lines = [{"own": kind, "id": one} for kind, one in kinds]
    lines += [{"own": "tag", "id": name, "image": image} for name, image in neighbours.named]
    course.journal.path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert not ours.belongings(course)
    ours.remove(course)
    assert not neighbours.harmed()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('RUN ["sh", "-c", "echo {m}; echo \'Step 3/3 : RUN echo fine\'; exit 3"]\nRUN echo fine\n', (2, 2, 3)),
        ("RUN echo {m} parse error line 99; exit 3\n", (2, 2, 3)),
    ],
)
def test_what_a_failing_command_says_is_not_where_it_failed(course, user, slim, tmp_path, text, told):
    with pytest.raises(BuildFailed) as caught:
        build.build(course, asked(folder_with(tmp_path, f"FROM {slim}\n{text.replace('{m}', str(time.time_ns()))}")))
    assert (caught.value.step, caught.value.line, caught.value.exit_code) == told


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_process_that_is_killed_around_a_naming_loses_no_name(is_moved, engine, course, slim, tmp_path, monkeypatch):
    folders = {}
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
        folders[number] = folder_with(tmp_path / str(number), text)
    build.build(course, asked(folders[1], tag="layerlab/killed:1"))
    tag = course.client.api.tag

    def killed(*given, **named):
        if is_moved:
            tag(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(course.client.api, "tag", killed)
    with pytest.raises(KeyboardInterrupt):
        build.build(course, asked(folders[2], tag="layerlab/killed:1"))
    again = opened(engine.info.endpoint, course.journal.path)
    third = build.build(again, asked(folders[2], tag="layerlab/killed:1"))
    assert again.journal.owns_tag("layerlab/killed:1", third.image.id)
    ours.remove(again)
    assert not [one for one in again.images() if "layerlab/killed:1" in (one.get("RepoTags") or ())]
    assert ours.belongings(again) == ()
