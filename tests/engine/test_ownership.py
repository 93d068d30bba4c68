"""The user's images, tags and containers are sacred: an engine that already holds somebody's things."""

from __future__ import annotations

import io
import json
import tarfile
import time

import docker
import pytest

from layerlab import build
from layerlab.engine.journal import RUN, Journal
from layerlab.engine.live import LiveEngine
from layerlab.engine.live import belongings as ours
from layerlab.errors import NotOurs


@pytest.fixture
def user(engine):
    """The user's own client, who knows nothing of our journal."""
    client = docker.DockerClient(base_url=engine.info.endpoint)
    yield client
    client.close()


@pytest.fixture
def course(engine, tmp_path):
    """The same engine as a user's, not as our private one, with a journal that is still empty."""
    opened = LiveEngine.open(engine.info.endpoint, kind="docker", why="test")
    opened.journal = Journal(tmp_path / "journal.jsonl")
    opened.client.api.journal = opened.journal
    return opened


def users_image(user, slim, tag, marker):
    text = f"FROM {slim}\nRUN echo {marker} > /users-own\n".encode()
    user.images.build(fileobj=io.BytesIO(text), tag=tag, nocache=True, rm=True)
    return user.images.get(tag).id


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
        build.build(course, folder, tag="layerlab/mine:naive")
    with pytest.raises(NotOurs, match="layerlab/"):
        build.build(course, folder, tag="users/service:1")
    with pytest.raises(NotOurs):
        course.tag(slim, "layerlab/mine:naive")
    with pytest.raises(NotOurs):
        course.remove("users/service:1")


def test_clean_removes_what_is_ours_and_nothing_else(belonging_to_somebody, course, slim, tmp_path):
    marker = time.time_ns()
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {marker} > /a\nRUN echo {marker} > /b\n")
    built = build.build(course, folder, tag="layerlab/clean:1")
    container = course.start("layerlab/clean:1", ["sleep", "60"])
    shown = ours.belongings(course)
    assert {one.kind for one in shown} == {"container", "tag", "image"}
    assert container.id.startswith(next(one.name for one in shown if one.kind == "container"))
    gone, kept = ours.remove(course)
    assert not kept
    assert not ours.belongings(course)
    assert built.image.id not in set(course.client.api.images(all=True, quiet=True))
    assert any(one.name == "layerlab/clean:1" for one in gone)


def test_a_run_takes_with_it_what_it_made_and_nothing_that_was_there_before(course, slim, tmp_path, monkeypatch):
    below = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    before = build.build(course, folder_with(tmp_path, below), tag="layerlab/before:1")
    monkeypatch.setenv(RUN, "a-run")
    made = build.build(course, folder_with(tmp_path, f"{below}RUN echo > /b\n"), tag="layerlab/made:1")
    assert made.steps[1].is_cached
    gone, kept = ours.remove(course, run="a-run")
    assert not kept
    assert "layerlab/made:1" in {one.name for one in gone}
    assert made.image.id not in set(course.client.api.images(all=True, quiet=True))
    assert [one.name for one in ours.belongings(course) if one.kind == "tag"] == ["layerlab/before:1"]
    ours.remove(course)
    assert before.image.id not in set(course.client.api.images(all=True, quiet=True))


def test_an_image_the_user_built_on_ours_stays_and_so_does_what_it_needs(engine, course, user, slim, tmp_path):
    folder = folder_with(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n")
    built = build.build(course, folder, tag="layerlab/clean:2")
    child = users_image(user, "layerlab/clean:2", "users/child:1", "child")
    try:
        ours.remove(course)
        assert user.images.get("users/child:1").id == child
        assert user.containers.run("users/child:1", ["cat", "/a", "/users-own"], remove=True).endswith(b"child\n")
        # Podman needs the layers only: they stay as long as an image has them, the image below may go.
        is_there = built.image.id in set(user.api.images(all=True, quiet=True))
        assert is_there or engine.info.builder == "buildah"
    finally:
        user.images.remove("users/child:1", force=True)
        ours.remove(course)


def test_an_untagged_image_of_the_users_below_ours_stays(course, user, slim, tmp_path):
    text = f"FROM {slim}\nRUN echo {time.time_ns()} > /a\n"
    users, _ = user.images.build(fileobj=io.BytesIO(text.encode()), rm=True)
    built = build.build(course, folder_with(tmp_path, f"{text}RUN echo ours > /b\n"), tag="layerlab/cached:2")
    assert built.steps[1].is_cached
    try:
        ours.remove(course)
        held = set(user.api.images(all=True, quiet=True))
        assert users.id in held and built.image.id not in held
    finally:
        user.images.remove(users.id)


def test_a_cached_build_of_the_users_does_not_become_ours(course, user, slim, tmp_path):
    marker = time.time_ns()
    text = f"FROM {slim}\nRUN echo {marker} > /a\n"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    archive.seek(0)
    user.images.build(fileobj=archive, custom_context=True, tag="users/cached:1", rm=True)
    users_id = user.images.get("users/cached:1").id
    built = build.build(course, folder_with(tmp_path, text), tag="layerlab/cached:1")
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
