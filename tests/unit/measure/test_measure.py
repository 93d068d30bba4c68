"""Images and builds as tables: columns, types, arithmetic, and the base that is none."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from made_up_images import BASE, LARGE_BASE, LARGE_SERVICE, ROOT, SERVICE, image, result

from layerlab import figures, measure
from layerlab.archive import FileEntry, LayerFiles
from layerlab.errors import BaseMismatch
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import Inspection
from layerlab.probe import CopiedItem


def test_an_image_is_split_into_what_its_base_holds_and_what_was_added() -> None:
    row = measure.images({"v1-slim": SERVICE}, {"v1-slim": BASE}).iloc[0]
    assert row["name"] == "v1-slim"
    assert row["size_bytes"] == 140_000_300
    assert row["base_bytes"] == BASE.size_bytes == 120_000_000
    assert row["added_bytes"] == SERVICE.added_bytes(BASE) == 20_000_300
    assert (row["layers"], row["added_layers"]) == (4, 2)
    assert row["engine_size_bytes"] == SERVICE.engine_size_bytes != row["size_bytes"]


def test_bytes_are_whole_numbers_even_where_some_are_missing() -> None:
    frame = measure.images({"a": SERVICE, "b": None, "c": result()}, {"a": BASE})
    byte_columns = [name for name in frame if name.endswith("_bytes")]
    assert len(byte_columns) == 4
    assert all(frame[name].dtype == "Int64" for name in byte_columns)
    assert frame["size_bytes"].isna().tolist() == [False, True, False]
    assert frame["added_bytes"].isna().tolist() == [False, True, True]


def test_a_build_result_measures_as_its_image() -> None:
    frames = [measure.images({"x": value}, {"x": BASE}) for value in (SERVICE, result())]
    pd.testing.assert_frame_equal(*frames)


def test_an_image_is_not_compared_with_a_base_it_does_not_stand_on() -> None:
    moved = replace(BASE, diff_ids=("sha256:new", *BASE.diff_ids[1:]))
    with pytest.raises(
        BaseMismatch, match=r"layerlab/service:v1-slim has 0 of the 2 layers of python:3.12-slim\. Build"
    ):
        measure.images({"v1-slim": SERVICE}, {"v1-slim": moved})
    with pytest.raises(BaseMismatch):
        measure.layers(SERVICE, base=LARGE_BASE)
    with pytest.raises(BaseMismatch):
        measure.history(SERVICE, base=LARGE_BASE)


def test_a_base_measured_against_itself_adds_nothing() -> None:
    assert measure.images({"slim": BASE}, {"slim": BASE})["added_bytes"].tolist() == [0]


def test_the_ladder_says_what_each_row_saves_and_what_was_predicted() -> None:
    frame = measure.ladder(
        {"naive": LARGE_SERVICE, "v1-slim": SERVICE, "v2": None},
        predictions={"naive": (500_000_000, 900_000_000), "v1-slim": 200_000_000},
    )
    assert frame["saved_bytes"].isna().tolist() == [True, False, True]
    assert frame["saved_bytes"][1] == LARGE_SERVICE.size_bytes - SERVICE.size_bytes
    assert frame["share_of_first"][0] == 1
    assert frame["share_of_first"][1] == pytest.approx(140_000_300 / 1_000_000_300)
    assert frame["predicted_low_bytes"].tolist()[:2] == [500_000_000, 200_000_000]
    assert frame["predicted_high_bytes"].tolist()[:2] == [900_000_000, 200_000_000]
    assert frame["predicted_low_bytes"].isna().tolist() == [False, False, True]


def test_a_ladder_of_nothing_is_an_empty_table() -> None:
    assert measure.ladder({}).empty


def test_layers_come_base_first_with_their_part_and_share() -> None:
    frame = measure.layers(SERVICE, base=BASE)
    assert frame["index"].tolist() == [0, 1, 2, 3]
    assert frame["part"].tolist() == ["base", "base", "added", "added"]
    assert frame["part"].dtype == "category"
    assert frame["instruction"][2] == "RUN pip install -r requirements.txt"
    assert frame["size_bytes"].tolist() == [80_000_000, 40_000_000, 20_000_000, 300]
    assert frame["size_bytes"].dtype == "int64"
    assert frame["share"].sum() == pytest.approx(1)


def test_without_a_base_no_part_is_claimed() -> None:
    assert measure.layers(SERVICE)["part"].isna().all()


def test_layers_without_bytes_or_history_are_listed_all_the_same() -> None:
    squashed = replace(image(ROOT), diff_ids=("sha256:lost", "sha256:1"), layer_sizes=None)
    frame = measure.layers(squashed)
    assert frame["instruction"].tolist() == ["", "ADD file:33c in /"]
    empty = replace(image(), diff_ids=("sha256:0",), layer_sizes=None)
    assert measure.layers(empty)["share"].tolist() == [0.0]


def test_the_history_keeps_the_lines_that_made_no_layer() -> None:
    frame = measure.history(SERVICE, base=BASE)
    assert frame["instruction"].tolist()[2] == 'CMD ["python3"]'
    assert frame["layer"].isna().tolist() == [False, False, True, False, False, True]
    assert frame["part"].tolist() == ["base"] * 3 + ["added"] * 3
    assert frame["size_bytes"].sum() == SERVICE.size_bytes


def test_steps_keep_their_order_line_and_seconds() -> None:
    frame = measure.steps(result())
    assert frame["number"].tolist() == [1, 2, 3]
    assert frame["is_cached"].tolist() == [True, True, False]
    assert frame["seconds"].dtype == "float64"
    assert frame["seconds"].sum() == pytest.approx(12.1)
    unknown = replace(result(), steps=(replace(result().steps[0], line=None),))
    assert measure.steps(unknown)["line"].isna().all()


def test_blobs_say_which_part_of_a_pull_they_are() -> None:
    frame = measure.blobs([("root file system", 30), ("compilers", 90)])
    assert frame["compressed_bytes"].tolist() == [30, 90]
    assert frame["share"].tolist() == [0.25, 0.75]


def test_what_rides_along_is_listed_by_line_heaviest_first() -> None:
    copied_files = (
        CopiedItem(14, "/usr/local/bin/uvicorn", 216, "uvicorn", True, False),
        CopiedItem(14, "/usr/local/bin/uv", 44_000_000, None, True, False),
        CopiedItem(9, "/usr/local/lib/python3.11/site-packages/pip", 6_000_000, "pip", False, True),
    )
    frame = measure.copied(copied_files)
    assert frame["path"].str.rpartition("/")[2].tolist() == ["pip", "uv", "uvicorn"]
    assert frame["owner"].isna().tolist() == [False, True, False]
    assert (frame["size_bytes"].dtype, frame["line"].tolist(), frame["in_base"].tolist()) == (
        "int64", [9, 14, 14], [True, False, False],
    )  # fmt: skip
    empty = measure.copied(())
    assert (list(empty.columns), len(empty)) == (list(frame.columns), 0)


def test_causes_name_every_byte_once() -> None:
    layers = (
        LayerFiles("sha256:0", (FileEntry("bin/sh", "file", 40),)),
        LayerFiles(
            "sha256:1", (FileEntry("x/__pycache__/a.cpython-311.pyc", "file", 7), FileEntry("app/m.py", "file", 2))
        ),
    )
    history = (HistoryEntry("ADD x", 40), HistoryEntry("COPY m.py .", 9))
    made = Image("sha256:i", (), "linux/amd64", "", history, ("sha256:0", "sha256:1"), 49)
    frame = measure.causes({"one": Inspection(made, layers, base_layers=1), "two": Inspection(made, layers)})
    assert frame.loc["one"].to_dict() == {"base": 40, "application": 2, "bytecode": 7}
    assert list(frame.sum(axis=1)) == [49, 49]


def test_a_size_says_whether_the_layers_or_the_engine_counted_it():
    frame = measure.images({"exact": SERVICE, "told": replace(SERVICE, layer_sizes=None), "none": None})
    assert frame["counted_by"].tolist() == ["layers", "engine", ""]
    shown = str(figures.size_ladder(frame, source="a test"))
    assert "a test · by the engine's own count: told" in shown
    assert "by the engine" not in str(figures.size_ladder(measure.images({"exact": SERVICE}), source="a test"))
