"""What Podman does otherwise than Docker, as answers of both that were seen; asked of no engine."""

from __future__ import annotations

import re
from typing import Any

import docker
import docker.errors
import pytest

from layerlab.engine.live.dialect import DOCKER, PODMAN, Dialect, spoken
from layerlab.errors import EngineRefused

IMAGE = "sha256:" + "1a" * 32


@pytest.mark.parametrize(
    ("components", "expected"),
    [(["Podman Engine", "Conmon"], PODMAN), (["Engine", "containerd"], DOCKER), ([], DOCKER), (None, DOCKER)],
)
def test_who_answers_is_told_by_its_components(components: list[str] | None, expected: Dialect) -> None:
    assert spoken({"Components": components and [{"Name": name} for name in components]}) is expected


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "19.03.15", "22.06.0-beta.0"])
def test_an_old_docker_is_refused_with_the_way_out(version: str) -> None:
    with pytest.raises(
        EngineRefused, match=rf"Docker {re.escape(version)}, and this course needs 23.0 .*Upgrade Docker"
    ):
        DOCKER.require_supported(version, "unix:///x")


@pytest.mark.parametrize("version", ["23.0.0", "26.1.5+dfsg1", "28.5.2", "29.0.0-rc.1", "master-dev"])
def test_a_docker_of_today_and_one_that_bears_no_number_are_taken(version: str) -> None:
    DOCKER.require_supported(version, "unix:///x")
    PODMAN.require_supported("5.4.2", "unix:///x")


def test_podman_is_podman_at_whatever_socket_and_docker_what_it_was_connected_to_as() -> None:
    assert (PODMAN.kind("docker"), DOCKER.kind("private"), DOCKER.kind("docker")) == ("podman", "private", "docker")


def test_a_store_has_one_name_although_podman_makes_up_an_id_at_every_question() -> None:
    first, second = ({"ID": made_up, "Name": "host", "DockerRootDir": "/data"} for made_up in ("a", "b"))
    assert PODMAN.identity(first, "unix:///one") == PODMAN.identity(second, "unix:///two")
    assert DOCKER.identity(first, "unix:///one") == "a"
    assert DOCKER.identity({}, "unix:///one") == "unix:///one"


def test_ids_bear_their_algorithm() -> None:
    printed = IMAGE.removeprefix("sha256:")
    assert PODMAN.image_id(printed) == PODMAN.image_id(IMAGE) == DOCKER.image_id(IMAGE) == IMAGE


def test_a_digest_that_podman_lists_beside_a_tag_is_no_name() -> None:
    beside, pulled = f"docker.io/layerlab/a@{IMAGE}", f"docker.io/library/b@{IMAGE}"
    raw = {"Id": IMAGE, "RepoTags": ["docker.io/layerlab/a:1"], "RepoDigests": [beside, pulled]}
    assert PODMAN.inspected(raw) == {**raw, "RepoDigests": [pulled]}
    assert PODMAN.inspected({"Id": IMAGE, "RepoDigests": [pulled]})["RepoDigests"] == [pulled]
    assert DOCKER.inspected(raw) == raw


@pytest.mark.parametrize("tag", ["layerlab/a:latest", "docker.io/layerlab/a:latest", "localhost/layerlab/a:latest"])
def test_podman_prints_the_names_in_full_that_people_ask_for_in_short(tag: str) -> None:
    assert PODMAN.is_same(tag, "layerlab/a") and not PODMAN.is_same(tag, "layerlab/a:1")
    assert DOCKER.is_same(tag, "layerlab/a") == (tag == "layerlab/a:latest")
    assert (PODMAN.in_full("layerlab/a:1"), DOCKER.in_full("layerlab/a:1")) == (
        "docker.io/layerlab/a:1", "layerlab/a:1",
    )  # fmt: skip


class Client:
    """The calls of the SDK's client that removing an image needs."""

    base_url = "http+docker://localhost"

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer, self.asked = answer, ("", {})

    def _delete(self, url: str, *, params: dict[str, Any]) -> dict[str, Any]:
        self.asked = (url, params)
        return self.answer

    def _result(self, answer: dict[str, Any], *, json: bool) -> dict[str, Any]:
        return answer


def test_podman_keeps_the_parents_of_an_image_only_in_its_own_call() -> None:
    client = Client({"Untagged": ["a:1"], "Deleted": [IMAGE], "Errors": None})
    assert PODMAN.remove_alone(client, "a:1", force=False) == [{"Untagged": "a:1"}, {"Deleted": IMAGE}]
    assert client.asked[0].endswith("/libpod/images/remove")
    assert client.asked[1] == {"images": "a:1", "force": False, "noprune": True}


@pytest.mark.parametrize(
    ("message", "error"),
    [("a:1: image not known", docker.errors.ImageNotFound), ("image is in use", docker.errors.APIError)],
)
def test_an_image_that_podman_does_not_remove_is_told_as_the_sdk_tells_it(message: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=message):
        PODMAN.remove_alone(Client({"Errors": [message]}), "a:1", force=False)


def test_docker_is_asked_in_the_sdk_s_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(docker.APIClient, "remove_image", lambda client, image, **more: asked.append((image, more)))
    DOCKER.remove_alone(Client({}), "a:1", force=True)
    assert asked == [("a:1", {"force": True, "noprune": True})]
