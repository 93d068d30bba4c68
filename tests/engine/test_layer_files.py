"""What layers hold, by every route there is: walked, streamed, kept; and held against what a container sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import container_view
import pytest
from asking import asked

from layerlab import archive, bases, build
from layerlab.archive.cache import LayerCache, PackedCache
from layerlab.engine import Engine
from layerlab.engine.live.layers import layer_files, overlay_folders, packed_layers
from layerlab.image import Image
from layerlab.inspection import three_sizes
from layerlab.waste import union

# Every way to waste, and a folder that is removed and made again in one step: overlayfs calls it opaque.
DOCKERFILE = r"""
ARG PY_MINOR
FROM python:${PY_MINOR}-slim
RUN python -c "open('/big', 'wb').write(b'x' * 500000)" && ln /big /twin && mkdir -p /tree/leaf \
    && cp /big /tree/leaf/a && cp /big /tree/b && ln -s b /tree/link && mkfifo /pipe
RUN chmod 700 /tree/b
RUN rm /big
RUN rm -r /tree/leaf && rm -r /tree && mkdir /tree && echo new > /tree/c
RUN echo rewritten > /etc/motd && rm -r /usr/local/include && touch /usr/local/bin/python3
"""


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """An image with every kind of waste."""
    folder = tmp_path_factory.mktemp("wasteful")
    (folder / "Dockerfile").write_text(DOCKERFILE.lstrip())
    bases.resolve(engine, "slim")
    args = {"PY_MINOR": bases.py_minor(engine)}
    return build.build(engine, asked(folder, tag="layerlab/tests:wasteful", args=args)).image


def test_the_folders_say_what_the_archive_says(engine: Engine, image: Image, tmp_path: Path) -> None:
    described = engine.inspect(image.id)
    if overlay_folders(described) is None:
        pytest.skip("this engine's layer folders cannot be read from here")
    walked = layer_files(described, save=_refuse, cache=LayerCache(tmp_path))
    streamed = archive.read(engine.save(image.id)).layers
    assert [_plain(layer.entries) for layer in walked] == [_plain(layer.entries) for layer in streamed]
    assert union(walked).wasted == union(streamed).wasted
    assert [layer.diff_id for layer in walked] == list(image.diff_ids)


def test_a_layer_is_read_once(engine: Engine, image: Image, tmp_path: Path) -> None:
    described = engine.inspect(image.id)
    cache = LayerCache(tmp_path)
    first = layer_files({**described, "GraphDriver": {}}, save=engine.save, cache=cache)
    assert layer_files({**described, "GraphDriver": {}}, save=_refuse, cache=cache) == first


def test_what_layers_take_packed_is_what_gzip_makes_of_them(engine: Engine, image: Image, tmp_path: Path) -> None:
    cache = PackedCache(tmp_path)
    packed = packed_layers(engine.inspect(image.id), save=engine.save, cache=cache)
    assert [layer.diff_id for layer in packed] == list(image.diff_ids)
    assert packed_layers(engine.inspect(image.id), save=_refuse, cache=cache) == packed
    # The first line above the base writes one letter more than a million times.
    assert 0 < packed[-5].compressed_bytes < image.layers[-5].size_bytes / 2


def test_on_the_classic_store_all_commands_say_the_same(engine: Engine, image: Image) -> None:
    sizes = three_sizes(engine, image)
    if sizes.store != "classic":
        pytest.skip(f"{engine.info.storage} is another store")
    (said,) = {row.size_bytes for row in sizes.said if row.store == "classic"}
    assert said and 0 <= said - sizes.size_bytes < sizes.size_bytes / 1000, "and count what links say as well"
    assert sizes.compressed_bytes and sizes.compressed_bytes < sizes.size_bytes < sizes.disk_bytes


def test_visible_is_what_a_container_sees(engine: Engine, image: Image) -> None:
    assert container_view.differences(engine, image, union(engine.layer_files(image.id))) == []


def test_waste_names_writer_and_hider(engine: Engine, image: Image) -> None:
    layers = engine.layer_files(image.id)
    own = len(layers) - 5
    wasted = {(one.path, one.written_by - own, one.hidden_by - own): one for one in union(layers).wasted}
    assert wasted["tree/b", 0, 1].how == "attributes only"
    assert wasted["tree/b", 1, 3].size_bytes == wasted["tree/leaf/a", 0, 3].size_bytes == 500_000
    # /big goes, and its bytes stay visible: /twin is the same file.
    assert not [path for path, _, _ in wasted if path in ("big", "twin")]
    assert sum(layer.size_bytes for layer in layers) == union(layers).visible_bytes + union(layers).waste_bytes


def test_the_engine_counts_the_same_bytes(engine: Engine, image: Image) -> None:
    if engine.info.storage != "overlay2":
        pytest.skip(f"{engine.info.storage} counts packed layers or whole blocks")
    layers = engine.layer_files(image.id)
    links = sum(len(one.link) for layer in layers for one in layer.entries if one.kind == "symlink")
    assert 0 <= image.engine_size_bytes - sum(layer.size_bytes for layer in layers) <= links, (
        "links, where it counts them"
    )


def _plain(entries: Iterable[archive.FileEntry]) -> list[archive.FileEntry]:
    """Entries without what only one route knows: contents, and the root's own entry."""
    return [entry._replace(checksum=None) for entry in entries if entry.path]


def _refuse(image: str) -> Iterator[bytes]:
    raise AssertionError(f"{image} was streamed, and need not have been")
