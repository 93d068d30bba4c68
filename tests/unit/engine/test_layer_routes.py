"""Which route leads to an image's layers: folders that can be read as they lie, else the archive; each read once."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_up_archives as made
import pytest
from made_up_archives import file, tar

from layerlab.archive import FileEntry, LayerFiles
from layerlab.archive.cache import LayerCache, PackedCache
from layerlab.engine.live import layers
from layerlab.narration import heard

BOTTOM, TOP = tar([file("lib/x", b"1" * 90), file("own", b"2")]), tar([file("lib/x", b"1" * 90, mode=0o755)])


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An engine's answer for an image of two layers, whose folders lie here; read as root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(layers, "_OVERLAY", tmp_path / "parameters")
    for name, mode in (("bottom", 0o644), ("top", 0o755)):
        (tmp_path / name / "lib").mkdir(parents=True)
        (tmp_path / name / "lib" / "x").write_bytes(b"1" * 90)
        (tmp_path / name / "lib" / "x").chmod(mode)
    data = {"UpperDir": str(tmp_path / "top"), "LowerDir": str(tmp_path / "bottom")}
    ids = ["sha256:bottom", "sha256:top"]
    return {"Id": "sha256:i", "RootFS": {"Layers": ids}, "GraphDriver": {"Name": "overlay2", "Data": data}}


def refuse(image: str) -> Iterator[bytes]:
    raise AssertionError(f"{image} was streamed")


def test_folders_are_walked_base_first_and_a_chmod_is_told_by_checksums(
    described: dict[str, Any], tmp_path: Path
) -> None:
    cache = LayerCache(tmp_path / "cache")
    walked = layers.layer_files(described, save=refuse, cache=cache)
    files = [next(one for one in layer.entries if one.kind == "file") for layer in walked]
    assert [one.mode for one in files] == [0o644, 0o755]
    assert files[0].checksum == files[1].checksum is not None
    (tmp_path / "top" / "lib" / "x").unlink()  # what was kept is not read again, its checksum neither
    assert layers.layer_files(described, save=refuse, cache=cache) == walked


@pytest.mark.parametrize("setting", ["redirect_dir", "metacopy"])
def test_folders_in_which_the_kernel_abridges_are_not_walked(
    described: dict[str, Any], tmp_path: Path, setting: str
) -> None:
    assert layers.overlay_folders(described) == (tmp_path / "bottom", tmp_path / "top")
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / setting).write_text("N\n")
    assert layers.overlay_folders(described) is not None
    (tmp_path / "parameters" / setting).write_text("Y\n")
    assert layers.overlay_folders(described) is None


def test_folders_of_somebody_else_are_not_walked(described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert layers.overlay_folders(described) is None


@pytest.mark.parametrize("driver", [{}, {"Name": "btrfs", "Data": None}, {"Name": "overlayfs"}])
def test_another_store_is_streamed_once(described: dict[str, Any], tmp_path: Path, driver: dict[str, Any]) -> None:
    archive = made.docker_save([BOTTOM, TOP])
    image_id = made.image_id([BOTTOM, TOP])
    described |= {"Id": image_id, "GraphDriver": driver, "RootFS": {"Layers": made.diff_ids([BOTTOM, TOP])}}
    cache = LayerCache(tmp_path / "cache")
    streamed = layers.layer_files(described, save=lambda _: iter([archive]), cache=cache)
    assert streamed[1].entries == (FileEntry("lib/x", "file", 90, 0o755, checksum=streamed[0].entries[0].checksum),)
    assert layers.layer_files(described, save=refuse, cache=cache) == streamed


class Counted(LayerCache):
    """A cache that counts how often the entries of a layer are read."""

    read = 0

    def get(self, diff_id: str) -> LayerFiles | None:
        self.read += 1
        return super().get(diff_id)


def test_a_size_is_read_from_the_layer_and_then_kept_without_its_entries(
    described: dict[str, Any], tmp_path: Path
) -> None:
    cache = Counted(tmp_path / "cache")
    assert layers.layer_sizes(described, save=refuse, cache=cache) == (90, 90)
    (tmp_path / "top" / "lib" / "x").unlink()
    cache.read = 0
    assert layers.layer_sizes(described, save=refuse, cache=cache) == (90, 90)
    assert cache.read == 0


def test_an_image_without_layers_has_no_sizes() -> None:
    assert layers.layer_sizes({"Id": "sha256:i", "RootFS": {"Layers": None}}, save=refuse) == ()


@pytest.fixture
def held(tmp_path: Path) -> dict[str, Any]:
    """An engine's answer for an image whose blobs lie in a content store here."""
    image = made.oci([BOTTOM, TOP])
    with tarfile.open(fileobj=io.BytesIO(image)) as opened:
        opened.extractall(tmp_path / "root" / "io.containerd.content.v1.content", filter="data")
    driver = {"Name": "overlayfs", "Data": None}
    diff_ids = made.diff_ids([BOTTOM, TOP])
    return {"Id": made.digests(image)[0], "GraphDriver": driver, "RootFS": {"Layers": diff_ids}, "Size": 9}


def test_a_content_store_is_read_by_digest_and_nothing_is_streamed(held: dict[str, Any], tmp_path: Path) -> None:
    roots = [tmp_path / "nowhere", tmp_path / "root"]
    sizes = layers.layer_sizes(held, save=refuse, cache=LayerCache(tmp_path / "cache"), content=roots)
    assert sizes == (91, 90)
    packed = layers.packed_layers(held, save=refuse, cache=PackedCache(tmp_path / "cache"), content=roots)
    assert [layer.diff_id for layer in packed] == held["RootFS"]["Layers"]
    other = held | {"RootFS": {"Layers": ["sha256:of another platform"]}}
    with pytest.raises(AssertionError, match="was streamed"):
        layers.layer_sizes(other, save=refuse, cache=LayerCache(tmp_path / "cache"), content=roots)


def test_a_layer_that_the_content_store_lacks_is_streamed_and_told_of(held: dict[str, Any], tmp_path: Path) -> None:
    blobs = tmp_path / "root" / "io.containerd.content.v1.content"
    archive = made.oci([BOTTOM, TOP])
    (blobs / made.layer_names(archive)[1]).unlink()
    told: list[str] = []
    with heard(told.append):
        sizes = layers.layer_sizes(
            held, save=lambda _: iter([archive]), cache=LayerCache(tmp_path / "cache"), content=[tmp_path / "root"]
        )
    assert sizes == (91, 90)
    assert "9 B by the engine's own count" in told[0]


def test_a_layer_walked_on_another_engine_gets_its_checksums_from_the_stream(
    described: dict[str, Any], tmp_path: Path
) -> None:
    archive = made.docker_save([BOTTOM, TOP])
    cache = LayerCache(tmp_path / "cache")
    streamed = {"Id": made.image_id([BOTTOM, TOP]), "RootFS": {"Layers": made.diff_ids([BOTTOM, TOP])}}
    layers.layer_sizes(described | {"RootFS": streamed["RootFS"]}, save=refuse, cache=cache)
    found = layers.layer_files(streamed, save=lambda _: iter([archive]), cache=cache)
    files = [next(one for one in layer.entries if one.path == "lib/x") for layer in found]
    assert files[0].checksum == files[1].checksum is not None


@pytest.mark.parametrize(
    ("info", "given", "wanted"),
    [
        ({"DriverStatus": [["Backing Filesystem", "extfs"]], "DockerRootDir": "/d"}, None, ()),
        ({}, Path("/ours"), ()),
        (
            {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]], "DockerRootDir": "/d"},
            Path("/ours"),
            ("/ours", "/d/containerd/daemon", "/var/lib/containerd"),
        ),
    ],
)
def test_a_content_store_is_looked_for_where_there_is_one(
    info: dict[str, Any], given: Path | None, wanted: tuple[str, ...]
) -> None:
    assert tuple(map(str, layers.content_roots(info, given))) == wanted
