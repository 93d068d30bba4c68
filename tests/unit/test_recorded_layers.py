"""Layers are recorded under the diff_ids that a replay asks for, though a step that ran twice left two layers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerlab.archive import LayerFiles, PackedLayer, columns
from layerlab.engine.chains import Chains, base_chain
from layerlab.engine.recorder import RecordingEngine
from layerlab.engine.recordings import Recordings, base_key, layer_key
from layerlab.engine.shelf import Shelf

BASE, FIRST, SECOND = (f"sha256:{letter * 64}" for letter in "abc")
IMAGE = f"sha256:{'1' * 64}"


class Live:
    """An engine whose image was built once more: its second layer is not the one that was recorded."""

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        return LayerFiles(BASE, ()), LayerFiles(SECOND, (), packed_bytes=7)

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        return PackedLayer(BASE, 9, "plain"), PackedLayer(SECOND, 7, "plain")


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    found = Recordings(tmp_path)
    found.write("bases", base_key("python:3.12-slim"), {"reference": "python:3.12-slim", "diff_ids": [BASE]})
    found.write("steps", "step", {"parent": base_chain("python:3.12-slim"), "diff_ids": [FIRST]})
    return found


@pytest.fixture
def engine(recordings: Recordings) -> RecordingEngine:
    shelf = Shelf()
    shelf.add(IMAGE, "step")
    session: Any = SimpleNamespace(live=Live(), recordings=recordings, shelf=shelf)
    return RecordingEngine(session)


def test_what_layers_hold_is_found_by_the_recorded_steps(engine: RecordingEngine, recordings: Recordings) -> None:
    assert [layer.diff_id for layer in engine.layer_files(IMAGE)] == [BASE, SECOND], "the answer is the engine's own"
    found = [recordings.read("layers", layer_key(diff_id)) for diff_id in Chains(recordings).diff_ids("step")]
    layers = [columns.decode(one["layer"]) for one in found if one]
    assert [(layer.diff_id, layer.packed_bytes) for layer in layers] == [(BASE, None), (FIRST, 7)]


def test_what_layers_take_packed_too(engine: RecordingEngine, recordings: Recordings) -> None:
    engine.packed_layers(IMAGE)
    found = [recordings.read("packed", layer_key(diff_id)) for diff_id in (BASE, FIRST, SECOND)]
    assert [one["layer"]["compressed_bytes"] for one in found if one] == [9, 7, 7]


def test_an_image_without_a_layer_for_each_step_is_recorded_as_it_is(
    engine: RecordingEngine, recordings: Recordings
) -> None:
    recordings.write("steps", "step", {"parent": base_chain("python:3.12-slim"), "diff_ids": []})
    engine.layer_files(IMAGE)
    assert recordings.read("layers", layer_key(SECOND)) and not recordings.read("layers", layer_key(FIRST))
