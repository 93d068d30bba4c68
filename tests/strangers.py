"""Other people's things on an engine: images, names, containers and volumes that the course has nothing to do with."""

from __future__ import annotations

import contextlib
import io
import secrets
import tarfile
from collections.abc import Iterator
from typing import Any

import docker
import docker.errors

# As a user may call things: below our own namespace too, and not at all.
_NAMES = ("users{0}/service:1", "layerlab/users-{0}:1", "users{0}", "")
_LABEL = "layerlab.tests.strangers"


class Strangers:
    """What ``count`` people own on one engine: each an image, with a name or without, a container and a volume.

    Every second container runs, where the engine has an image with a `sleep` to run it from.
    """

    def __init__(self, endpoint: str, *, count: int, runs: str | None = None) -> None:
        self.client = docker.DockerClient(base_url=endpoint)
        self._mark = secrets.token_hex(6)
        self._runs = runs
        self._images: list[str] = []
        self._names: list[str] = []
        self.containers: list[str] = []
        self._volumes: list[str] = []
        for number in range(count):
            self._settle(number)
        self._before = self.seen()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that somebody may print: of images and of containers."""
        return (*self._images, *self.containers)

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Every name with the image that it names."""
        return tuple((name, str(self.client.api.inspect_image(name)["Id"])) for name in self._names)

    def seen(self) -> dict[str, str]:
        """What the engine says of each of these things now; "gone" where it has none."""
        api = self.client.api
        found = {
            f"image {one}": _asked(api.inspect_image, one, "RepoTags", "RepoDigests", "Metadata")
            for one in self._images
        }
        found |= {f"name {one}": _asked(api.inspect_image, one, "Id") for one in self._names}
        found |= {f"container {one}": _asked(api.inspect_container, one, "Name", "State") for one in self.containers}
        return found | {f"volume {one}": _asked(api.inspect_volume, one, "CreatedAt") for one in self._volumes}

    def harmed(self) -> list[str]:
        """Say of each thing that is not as it was what it was, and what it is."""
        now = self.seen()
        return [f"{what} was {was}, and is {now[what]}" for what, was in self._before.items() if now[what] != was]

    def leave(self) -> None:
        """Take everything away again."""
        for remove, ids in (
            (lambda one: self.client.api.remove_container(one, force=True), self.containers),
            (self.client.api.remove_image, (*self._names, *self._images)),
            (self.client.api.remove_volume, self._volumes),
        ):
            for one in ids:
                with contextlib.suppress(docker.errors.APIError):
                    remove(one)
        self.client.close()

    def _settle(self, number: int) -> None:
        api = self.client.api
        name = _NAMES[number % len(_NAMES)].format(f"{self._mark}-{number}")
        repository, _, tag = name.partition(":")
        told = api.import_image_from_data(_archive(f"{self._mark} {number}"), repository or None, tag or None)
        image = str(told).rpartition('"status":"')[2].partition('"')[0]
        self._images.append(image)
        self._names += [name] if name else []
        runs = self._runs is not None and number % 2 == 0
        made = api.create_container(self._runs if runs else image, ["sleep", "36000"], labels={_LABEL: self._mark})
        self.containers.append(str(made["Id"]))
        if runs:
            api.start(made["Id"])
        volume = f"users-{self._mark}-{number}"
        api.create_volume(volume)
        self._volumes.append(volume)


@contextlib.contextmanager
def settled(endpoint: str, *, count: int, runs: str | None = None) -> Iterator[Strangers]:
    """Let strangers own things for a while, and fail where one of these is not as it was."""
    strangers = Strangers(endpoint, count=count, runs=runs)
    try:
        yield strangers
        assert not strangers.harmed()
    finally:
        strangers.leave()


def _archive(content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("users-own")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def _asked(verb: Any, name: str, *fields: str) -> str:
    try:
        return str([verb(name).get(field) for field in fields])
    except docker.errors.NotFound:
        return "gone"
