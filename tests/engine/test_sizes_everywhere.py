"""One image has one size on disk, to the byte, on whichever engine and image store it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import asked

from layerlab import bases, build, inspection
from layerlab.archive import read
from layerlab.archive.cache import LayerCache
from layerlab.engine.live import LiveEngine
from layerlab.engine.live.layers import layer_sizes

# A second engine's endpoint; its published ports and its disk aren't needed.
OTHER = "LAYERLAB_TEST_OTHER_ENGINE"

# What engines count in ways of their own: links of both kinds, empty files and layers, folders, a sparse file.
RECIPE = r"""
RUN head -c 198 /dev/zero > /small && ln /small /twin && ln -s small /link && mkdir -p /a/b
RUN truncate -s 70001 /sparse && true > /empty
RUN echo longer >> /small && rm -r /a
WORKDIR /new
COPY Dockerfile .
"""


@pytest.fixture(scope="module")
def image(engine: LiveEngine, tmp_path_factory: pytest.TempPathFactory) -> build.Image:
    """An image whose layers have bytes, none, and links."""
    folder = tmp_path_factory.mktemp("sizes")
    (folder / "Dockerfile").write_text(f"FROM {bases.resolve(engine, 'slim').reference}{RECIPE}")
    return build.build(engine, asked(folder, tag="layerlab/tests:sizes")).image


def test_the_size_is_that_of_the_files_in_the_layers(engine: LiveEngine, image: build.Image, tmp_path: Path) -> None:
    archived = read(engine.save(image.tags[0])).layers
    assert image.layer_sizes == tuple(layer.size_bytes for layer in archived)
    assert image.size_bytes == inspection.of_engine(engine, image).size_bytes == sum(image.layer_sizes)
    # Whichever route leads to the layers; this one passes by folders and content stores.
    described = engine.inspect(image.id) | {"GraphDriver": {}}
    assert layer_sizes(described, save=engine.save, cache=LayerCache(tmp_path)) == image.layer_sizes
    assert image.layers[-1].size_bytes == len(f"FROM {bases.resolve(engine, 'slim').reference}{RECIPE}")


@pytest.fixture(scope="module")
def other() -> Iterator[LiveEngine]:
    """A second engine, which the environment names."""
    if OTHER not in os.environ:
        pytest.skip(f"{OTHER} names no second engine, and one engine has one store")
    opened = LiveEngine.open(os.environ[OTHER], kind="docker", why="a test")
    yield opened
    opened.close()


def test_an_image_moved_to_another_engine_has_the_same_size(
    engine: LiveEngine, other: LiveEngine, image: build.Image
) -> None:
    (loaded,) = other.client.images.load(engine.save(image.tags[0]))
    try:
        moved = build.image(other, str(loaded.id))
        assert (moved.diff_ids, moved.layer_sizes) == (image.diff_ids, image.layer_sizes)
        assert moved.size_bytes == image.size_bytes
        assert [one.size_bytes for one in moved.layers] == [one.size_bytes for one in image.layers]
    finally:
        other.client.images.remove(image.tags[0], noprune=True)
