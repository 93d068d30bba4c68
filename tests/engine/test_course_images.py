"""The course's own images, built here: by both routes the same, and file by file what a container of them sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import container_view
import pytest

from layerlab import archive, bases
from layerlab.archive.cache import LayerCache
from layerlab.engine.live.layers import layer_files, overlay_folders
from layerlab.engine.protocol import Engine
from layerlab.errors import ImageNotFound
from layerlab.image import Image
from layerlab.lab.lab import Lab, open_lab
from layerlab.waste import union

# The lowest layers of each are its base's, so full, slim and musl are read here too, each by both routes.
RECIPES = (
    "service/Dockerfile.naive",
    "service/Dockerfile.v1-slim",
    "service/Dockerfile.v2-multistage",
    "service/Dockerfile.v4-optimized",
    "service/Dockerfile.v5-alpine-venv",
    "layers/Dockerfile.three-lines",
)


@pytest.fixture(scope="module")
def lab(engine: Engine) -> Lab:
    return open_lab("test", engine=engine)


@pytest.fixture(scope="module", params=RECIPES)
def image(lab: Lab, request: pytest.FixtureRequest) -> Image:
    """One of the course's images; its steps are answered from the cache where a notebook built it before."""
    app, _, dockerfile = request.param.partition("/")
    if "alpine" in dockerfile:
        reference = bases.BASES["musl"].reference(lab.py_minor)
        try:
            lab.image(reference)
        except ImageNotFound:
            pytest.skip(f"{reference} is not on this engine")
    tag = f"layerlab/tests:{dockerfile.removeprefix('Dockerfile.')}"
    return lab.begin(app, dockerfile=dockerfile, tag=tag).run().image


def test_both_routes_lead_to_the_same_layers(engine: Engine, image: Image, tmp_path: Path) -> None:
    described = engine.inspect(image.id)
    if overlay_folders(described) is None:
        pytest.skip("this engine's layer folders cannot be read from here")
    walked = layer_files(described, save=_refuse, cache=LayerCache(tmp_path))
    streamed = archive.read(engine.save(image.id)).layers
    assert [layer.diff_id for layer in walked] == [layer.diff_id for layer in streamed]
    for one, other in zip(walked, streamed, strict=True):
        assert _plain(one.entries) == _plain(other.entries)
        assert one.owners == other.owners
    assert union(walked).wasted == union(streamed).wasted


def test_a_container_sees_what_the_layers_show(engine: Engine, image: Image) -> None:
    layers = engine.layer_files(image.id)
    found = union(layers)
    assert container_view.differences(engine, image, found) == []
    assert found.visible_bytes + found.waste_bytes == sum(layer.size_bytes for layer in layers)


def _plain(entries: Iterable[archive.FileEntry]) -> list[archive.FileEntry]:
    """Entries without what only one route knows: contents, and the root's own entry."""
    return [entry._replace(checksum=None) for entry in entries if entry.path]


def _refuse(image: str) -> Iterator[bytes]:
    raise AssertionError(f"{image} was streamed, and need not have been")
