"""The client of a recorded engine has no name and no parameter that the Docker SDK doesn't have."""

from __future__ import annotations

import inspect

import docker
import pytest
from docker.models.containers import ContainerCollection
from docker.models.images import Image, ImageCollection

from layerlab.engine.recorded import raw_client

PAIRS = [
    (raw_client.RawClient, docker.DockerClient),
    (raw_client.RawImages, ImageCollection),
    (raw_client.RawImage, Image),
    (raw_client.RawContainers, ContainerCollection),
    (raw_client.RawAPI, docker.APIClient),
]
# The SDK takes **kwargs in these and hands them on; there the parameters have their names.
HANDED_ON = {
    ImageCollection.build: [docker.APIClient.build],
    ImageCollection.list: [docker.APIClient.images],
    ContainerCollection.run: [ContainerCollection.create, docker.APIClient.create_container],
}


def public(owner: type) -> list[str]:
    return [name for name in vars(owner) if not name.startswith("_")]


def parameters(function) -> dict[str, inspect.Parameter]:
    found: dict[str, inspect.Parameter] = {}
    for one in [*HANDED_ON.get(function, []), function]:
        found |= inspect.signature(one).parameters
    return {name: one for name, one in found.items() if one.kind is not one.VAR_KEYWORD}


METHODS = [
    (ours, theirs, name) for ours, theirs in PAIRS for name in public(ours) if inspect.isfunction(getattr(ours, name))
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_name_is_the_sdks(ours: type, theirs: type):
    missing = [name for name in public(ours) if not hasattr(theirs, name)]
    assert public(ours) and not missing


@pytest.mark.parametrize(("ours", "theirs", "name"), METHODS)
def test_every_parameter_is_the_sdks_with_its_default(ours: type, theirs: type, name: str):
    real = parameters(getattr(theirs, name))
    for parameter in inspect.signature(getattr(ours, name)).parameters.values():
        assert parameter.name in real, f"{name}({parameter.name}=…) is not the SDK's"
        if parameter.default is not parameter.empty:
            assert parameter.default == real[parameter.name].default


@pytest.mark.parametrize(("ours", "theirs", "name"), METHODS)
def test_positional_parameters_stand_in_the_sdks_order(ours: type, theirs: type, name: str):
    own = inspect.signature(getattr(ours, name)).parameters.values()
    positional = [one.name for one in own if one.kind is not one.KEYWORD_ONLY]
    assert list(inspect.signature(getattr(theirs, name)).parameters)[: len(positional)] == positional


def test_what_the_client_holds_the_sdks_client_holds():
    class NoEngine:
        pass

    client = raw_client.RawClient(NoEngine(), version={"a": 1}, info={"b": 2})  # type: ignore[arg-type]
    assert {name for name in vars(client) if not name.startswith("_")} == {"api", "images", "containers"}
    assert isinstance(docker.DockerClient.images, property) and isinstance(docker.DockerClient.containers, property)
    client.version()["a"] = 3
    assert (client.version(), client.info()) == ({"a": 1}, {"b": 2})
