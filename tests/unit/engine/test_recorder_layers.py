"""What layers hold is recorded under the names that a replay asks for, also where a step was run twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from layerlab.archive import LayerFiles, PackedLayer
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.store import Store, layer_key
from layerlab.engine.recorder.engine import RecordingEngine

STEP, IMAGE = "a" * 32, f"sha256:{'1' * 64}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    recordings = Store(tmp_path / "made.jsonl")
    recordings.write("steps", STEP, {"parent": "scratch", "diff_ids": ["sha256:first"]})
    return recordings


def engine(store: Store) -> RecordingEngine:
    """An engine whose image has the layer of a step that was run a second time."""
    live = SimpleNamespace(
        layer_files=lambda image: (LayerFiles("sha256:again", ()),),
        layer_sizes=lambda image: (5,),
        inspect=lambda image: {"RootFS": {"Layers": ["sha256:again"]}},
        packed_layers=lambda image: (PackedLayer("sha256:again", 7, "packed"),),
    )
    session_images = SessionImages()
    session_images.add(IMAGE, STEP)
    return RecordingEngine(SimpleNamespace(live=live, recordings=store, session_images=session_images))  # type: ignore[arg-type]


def test_files_are_recorded_under_the_layer_that_the_step_is_recorded_with(store: Store) -> None:
    assert [one.diff_id for one in engine(store).layer_files(IMAGE)] == ["sha256:again"]
    assert list(store.keys("layers")) == [layer_key("sha256:first")]


def test_so_are_packed_sizes(store: Store) -> None:
    assert [one.diff_id for one in engine(store).packed_layers(IMAGE)] == ["sha256:again"]
    written = store.read("packed", layer_key("sha256:first"))
    assert written is not None
    assert (written["layer"]["diff_id"], written["layer"]["compressed_bytes"]) == ("sha256:first", 7)


def test_so_are_sizes_on_disk(store: Store) -> None:
    assert engine(store).layer_sizes(IMAGE) == (5,)
    assert store.read("sizes", layer_key("sha256:first")) == {"layer": 5}


def test_an_image_with_other_layers_than_were_recorded_is_taken_as_it_is(store: Store) -> None:
    store.write("steps", STEP, {"parent": "scratch", "diff_ids": []})
    engine(store).layer_files(IMAGE)
    assert list(store.keys("layers")) == [layer_key("sha256:again")]
    engine(store).layer_sizes(IMAGE)
    assert list(store.keys("sizes")) == [layer_key("sha256:again")]
