"""What Podman does otherwise than Docker, in one place; which of the two answers is found out once, when connecting.

Podman answers Docker's API. What is said here of it was tried on 4.3 and 5.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import docker
import docker.errors

from layerlab.engine.protocol import Builder, EngineKind
from layerlab.errors import EngineRefused

_FIRST_DOCKER = 23


class Dialect:
    """Docker's ways, a private engine's too."""

    name = "Docker"
    builder: Builder = "buildkit"

    def require_supported(self, version: str, endpoint: str) -> None:
        """Raise EngineRefused where the engine is older than what the course is made for.

        Notes
        -----
        From Docker Engine 23.0 on `docker build` is BuildKit by itself; what the pages say and measure is that.
        """
        major = re.match(r"\d+", version)
        if major and int(major[0]) < _FIRST_DOCKER:
            raise EngineRefused(
                f"The engine at {endpoint} is Docker {version}, and this course needs {_FIRST_DOCKER}.0 or later: from "
                "then on Docker builds with BuildKit by itself, and that is what the pages measure. Upgrade Docker, or "
                "run `layerlab engine start` for an engine of ours."
            )

    def kind(self, asked: EngineKind) -> EngineKind:
        """Say which kind of engine this is, connected to as ``asked``."""
        return asked

    def identity(self, info: Mapping[str, Any], endpoint: str) -> str:
        """Name the engine's store, the same whichever way it is connected to; ``info`` is what `docker info` says."""
        return str(info.get("ID") or endpoint)

    def image_id(self, printed: str) -> str:
        """Return an image's id, as a history prints it, with its algorithm."""
        return printed

    def inspected(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return what the engine says of an image, with no names but those that somebody gave or pulled."""
        return raw

    def in_full(self, reference: str) -> str:
        """Return a name of ours so that it can mean no other image."""
        return reference

    def is_same(self, tag: str, asked: str) -> bool:
        """True where a tag that the engine prints is the name that somebody asked for."""
        return tag == _tagged(asked)

    def remove_alone(self, client: docker.APIClient, image: Any, *, force: bool) -> Any:
        """Remove an image and leave its untagged parents, which may be somebody's build cache."""
        return docker.APIClient.remove_image(client, image, force=force, noprune=True)


class _Podman(Dialect):
    name = "Podman"

    def require_supported(self, version: str, endpoint: str) -> None:
        """Do nothing: what an older Podman cannot do, it says itself."""

    # It does what BuildKit does, but for secrets, which Docker's API can't hand over.
    builder: Builder = "buildah"

    def kind(self, asked: EngineKind) -> EngineKind:
        return "podman"  # whatever socket it was found at

    def identity(self, info: Mapping[str, Any], endpoint: str) -> str:
        # It makes up another ID at every question. Machine and folder name its store.
        return f"podman {info.get('Name')} {info.get('DockerRootDir')}"

    def image_id(self, printed: str) -> str:
        # It leaves the algorithm away.
        return f"sha256:{printed.removeprefix('sha256:')}"

    def inspected(self, raw: dict[str, Any]) -> dict[str, Any]:
        # It lists a digest in each repository in which the image has a tag, though nobody pulled or pushed it (5.8).
        # It goes with the tag.
        repositories = {tag.rpartition(":")[0] for tag in raw.get("RepoTags") or ()}
        digests = [one for one in raw.get("RepoDigests") or () if one.partition("@")[0] not in repositories]
        return {**raw, "RepoDigests": digests}

    def in_full(self, reference: str) -> str:
        # To it a short name means localhost/… first, which is what somebody built with Podman itself.
        return f"docker.io/{reference}"

    def is_same(self, tag: str, asked: str) -> bool:
        # It prints names in full.
        full = _tagged(asked)
        return tag in (full, f"localhost/{full}", f"docker.io/{full}", f"docker.io/library/{full}")

    def remove_alone(self, client: docker.APIClient, image: Any, *, force: bool) -> Any:
        # It overlooks `noprune` in Docker's call and takes the parents along. In its own call for several images it
        # heeds it.
        asked = {"images": image, "force": force, "noprune": True}
        url = f"{client.base_url}/v4.0.0/libpod/images/remove"
        answer = client._result(client._delete(url, params=asked), json=True)
        if errors := answer.get("Errors"):
            kind = docker.errors.ImageNotFound if "image not known" in errors[0] else docker.errors.APIError
            raise kind(errors[0], explanation=errors[0])
        return [{word: one} for word in ("Untagged", "Deleted") for one in answer.get(word) or ()]


DOCKER, PODMAN = Dialect(), _Podman()


def spoken(version: Mapping[str, Any]) -> Dialect:
    """Tell from an engine's answer to `docker version` who answers."""
    names = (str(part.get("Name")) for part in version.get("Components") or ())
    return PODMAN if any("Podman" in name for name in names) else DOCKER


def _tagged(reference: str) -> str:
    return reference if ":" in reference.split("/")[-1] else f"{reference}:latest"
