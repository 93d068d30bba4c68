"""The image that notebook 05 makes by hand, cell by cell: an engine takes it, and so does our own reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import layerlab
from layerlab import archive
from layerlab.engine import Engine
from layerlab.grading import cells
from layerlab.lab.lab import open_lab

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_layers.ipynb"
TAG = "layerlab/by-hand:1"


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The names that the cells ``hand-…`` leave, and the predictions that they end: a recorded engine will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_WORK", str(tmp_path_factory.mktemp("work")))
        names: dict[str, Any] = {"ll": layerlab, "lab": open_lab(NOTEBOOK.stem, engine="recorded")}
        for cell in cells.code_cells(cells.read(NOTEBOOK)):
            if cell.id.startswith("hand-") or cell.id in ("predict-chmod", "predict-all"):
                exec(cell.source, names)
        yield names


def test_our_reader_finds_the_four_layers(by_hand: dict[str, Any]) -> None:
    layers = archive.read(by_hand["archive"]).layers
    assert [layer.diff_id for layer in layers] == by_hand["digests"]
    assert sum(layer.size_bytes for layer in layers) == by_hand["carried"]
    assert [entry.kind for layer in layers for entry in layer.entries] == ["file", "file", "file", "whiteout"]
    assert layers[0].entries[0].path == layers[3].entries[0].path, "the whiteout hides what the first layer brought"


def test_an_engine_loads_it_and_counts_the_same(engine: Engine, by_hand: dict[str, Any]) -> None:
    if engine.info.kind != "private":
        pytest.skip("what is loaded is in no journal, so this test loads only where no user's images are")
    with by_hand["archive"].open("rb") as file:
        [loaded] = engine.client.images.load(file)
    try:
        history = loaded.history()
        assert loaded.tags == [TAG] and loaded.attrs["RootFS"]["Layers"] == by_hand["digests"]
        assert [entry["CreatedBy"] for entry in reversed(history)][-1] == "by hand: 4-rm"
        assert sum(engine.layer_sizes(TAG)) == by_hand["carried"], "an engine's history may count whole blocks"
    finally:
        engine.client.images.remove(TAG)
