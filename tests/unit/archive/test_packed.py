"""What layers take packed: read off where they are packed, measured where they are not, kept and replayed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import made_up_archives as made
import pytest
from made_up_archives import file, tar

from layerlab import archive
from layerlab.archive import PackedLayer
from layerlab.archive.cache import PackedCache
from layerlab.archive.packed import LEVEL
from layerlab.engine.live.layers import packed_layers
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.store import Store, layer_key
from layerlab.errors import ArchiveError, NotRecorded

FIRST = tar([file("a", b"x" * 70_000), file("b", bytes(range(256)) * 90)])
SECOND = tar([file(".wh.a")])


def chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("layout", ["docker_save", "podman"])
@pytest.mark.parametrize("size", [511, 1 << 20])
def test_layers_that_lie_plain_are_packed_for_the_measurement(layout: str, size: int) -> None:
    found = archive.read_packed(chunks(getattr(made, layout)([FIRST, SECOND]), size))
    wanted = [len(gzip.compress(layer, LEVEL, mtime=0)) for layer in (FIRST, SECOND)]
    assert [layer.compressed_bytes for layer in found] == wanted
    assert all(layer.is_packed_here for layer in found)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_layers_that_lie_packed_have_the_figure_of_their_manifest(packing: str) -> None:
    found = archive.read_packed(chunks(made.oci([FIRST, SECOND], packing)))
    wanted = [len(made.PACKINGS[packing](layer)) for layer in (FIRST, SECOND)]
    assert [layer.compressed_bytes for layer in found] == wanted
    assert {layer.packing for layer in found} == {packing} and not any(layer.is_packed_here for layer in found)


def test_a_layer_that_is_linked_counts_as_often_as_the_image_has_it(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(made.docker_save([FIRST, SECOND, FIRST]))
    found = archive.read_packed(path)
    assert found[0] == found[2] and len(found) == 3
    assert [layer.diff_id for layer in found] == list(archive.read(path).image.diff_ids)


def test_an_archive_that_was_cut_off_is_refused() -> None:
    with pytest.raises(ArchiveError, match="cut off"):
        archive.read_packed(chunks(made.docker_save([FIRST])[:5000]))


# --- kept ------------------------------------------------------------------------------------


def described(layers: list[bytes]) -> dict[str, object]:
    image = archive.read(chunks(made.docker_save(layers))).image
    return {"Id": image.id, "RootFS": {"Layers": list(image.diff_ids)}}


def test_layers_are_packed_once(tmp_path: Path) -> None:
    streamed: list[str] = []

    def save(image: str) -> Iterator[bytes]:
        streamed.append(image)
        return chunks(made.docker_save([FIRST, SECOND]))

    asked, cache = described([FIRST, SECOND]), PackedCache(tmp_path)
    first = packed_layers(asked, save=save, cache=cache)
    assert packed_layers(asked, save=save, cache=PackedCache(tmp_path)) == first
    assert streamed == [asked["Id"]]


@pytest.mark.parametrize(
    "text", ["", "{}", '{"diff_id": "sha256:other", "compressed_bytes": 1, "packing": "gzip"}', "[]"]
)
def test_what_was_kept_and_cannot_be_read_is_measured_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "sha256-a.packed.json").write_text(text)
    cache = PackedCache(tmp_path)
    assert cache.get("sha256:a") is None
    layer = PackedLayer("sha256:a", 7, "plain")
    cache.put(layer)
    assert cache.get("sha256:a") == layer == PackedLayer(**asdict(layer))


# --- replayed --------------------------------------------------------------------------------


def test_what_was_recorded_is_replayed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = (PackedLayer("sha256:aa", 7, "plain"), PackedLayer("sha256:bb", 9, "gzip"))
    recordings = Store(tmp_path / "made.jsonl")
    engine = RecordedEngine.__new__(RecordedEngine)
    engine._recordings = recordings
    monkeypatch.setattr(engine, "inspect", lambda image: {"RootFS": {"Layers": [one.diff_id for one in layers]}})
    recordings.write("packed", layer_key("sha256:aa"), {"layer": asdict(layers[0])})
    with pytest.raises(NotRecorded, match="take packed is not recorded"):
        engine.packed_layers("layerlab/x:1")
    recordings.write("packed", layer_key("sha256:bb"), {"layer": asdict(layers[1])})
    assert engine.packed_layers("layerlab/x:1") == layers
