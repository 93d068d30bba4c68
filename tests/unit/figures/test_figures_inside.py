"""What lies inside an image, as tables and figures: every byte once, the folded ones too, and hostile text harmless."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from generated import examples
from hypothesis import given, settings
from made_up_layers import HOSTILE, hostile, inspection, many
from made_up_stacks import inspection as of_stack
from made_up_stacks import stacks
from test_figures import Cells, bundle, texts

from layerlab import figures, measure
from layerlab.archive import LayerFiles
from layerlab.figures import folding, palette
from layerlab.figures.folding import Folding
from layerlab.inspection import Inspection

SOURCE = "Docker Engine 20.10 · 2026-11-28"


def icicle(looked: Inspection) -> figures.Figure:
    return figures.file_icicle(measure.files(looked), source=SOURCE)


def cells(figure: figures.Figure) -> list[dict[str, Any]]:
    """The icicle's cells as records, a cell's children by its id."""
    drawn = figure.figure.data[-1]
    assert drawn.type == "icicle"
    names = ("id", "parent", "label", "value", "hover", "colour")
    columns = (drawn.ids, drawn.parents, drawn.labels, drawn.values, drawn.hovertext, drawn.marker.colors)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def every_figure(looked: Inspection, other: Inspection) -> list[figures.Figure]:
    return [
        icicle(looked),
        figures.waste_bars(measure.waste(looked), source=SOURCE),
        figures.size_waterfall(measure.changes(looked, other), source=SOURCE, names=(looked.name, other.name)),
    ]


# --- tables ------------------------------------------------------------------------------------


def test_files_are_tidy_and_add_up() -> None:
    looked = inspection()
    frame = measure.files(looked)
    assert frame["size_bytes"].sum() == looked.size_bytes
    assert frame["size_bytes"].dtype == "int64" and frame["line"].dtype == "Int64"
    gcc = frame[frame["path"] == "usr/bin/gcc"].iloc[0]
    assert (gcc["part"], gcc["how"], gcc["hidden_by"], gcc["line"]) == ("wasted", "removed", "line 5", 2)
    assert (gcc["package"], gcc["cause"], gcc["instruction"]) == (
        "debian:gcc-12",
        "compiler",
        looked.makers[1].instruction,
    )
    seen = frame[frame["part"] != "wasted"]
    assert seen["how"].isna().all() and seen["hidden_by"].isna().all()
    assert frame["part"].tolist()[:2] == ["base", "base"] and frame["line"].isna().tolist()[:2] == [True, True]
    assert measure.files(inspection(base_layers=0))["part"].isna().sum() == 5, "no part without a base, unless wasted"


def test_waste_names_writer_hider_and_fix() -> None:
    looked = inspection()
    frame = measure.waste(looked)
    assert frame["size_bytes"].tolist() == [50_000_000, 30_000_000] and looked.waste_bytes == 80_000_000
    assert frame[["written_by", "hidden_by", "how"]].values.tolist() == [
        ["line 4", "line 5", "attributes only"],
        ["line 2", "line 5", "removed"],
    ]
    assert frame["fix"].tolist() == [one.fix for one in looked.findings]
    assert not frame["is_base"].any()


@given(stacks(), stacks())
@settings(max_examples=examples(50))
def test_steps_of_the_waterfall_add_up_to_the_difference(before: list[LayerFiles], after: list[LayerFiles]) -> None:
    old, new = of_stack(before), of_stack(after)
    frame = measure.changes(old, new)
    assert frame["difference_bytes"].sum() == new.size_bytes - old.size_bytes
    drawn = figures.size_waterfall(frame, source=SOURCE).figure
    bars = {bar.name: bar for bar in drawn.data if bar.type == "bar"}
    sizes = bars["size on disk"]
    ends = [base + length for base, length in zip(sizes.base, sizes.x, strict=True)]
    assert ends == [old.size_bytes, new.size_bytes]
    steps = sum(sum(bars[name].x) for name in ("added", "gone") if name in bars)
    assert steps == new.size_bytes - old.size_bytes


# --- the icicle --------------------------------------------------------------------------------


def assert_adds_up(figure: figures.Figure, total: int) -> None:
    every = {cell["id"]: cell for cell in cells(figure)}
    held = Counter[str]()
    for cell in every.values():
        held[cell["parent"]] += cell["value"]
    assert len(every) == len(cells(figure)) and held[""] == every["image"]["value"] == total
    for parent in set(held) - {""}:
        assert held[parent] == every[parent]["value"], every[parent]


@given(stacks())
@settings(max_examples=examples(50))
def test_every_cell_is_as_large_as_what_it_holds(layers: list[LayerFiles]) -> None:
    looked = of_stack(layers)
    assert_adds_up(icicle(looked), looked.size_bytes)


def test_what_is_too_small_is_folded_and_the_subtitle_says_how_much() -> None:
    looked = many(20_000)
    figure = icicle(looked)
    assert_adds_up(figure, looked.size_bytes)
    assert len(cells(figure)) < 2 * folding._MOST_CELLS + 10
    alone = [cell for cell in cells(figure) if "cause:" in cell["hover"]]
    folded = 20_000 - len(alone)
    size = looked.size_bytes - sum(cell["value"] for cell in alone)
    wanted = f"{folded:,} of 20,000 files are too small"
    assert wanted in figure.table.source and wanted in " ".join(texts(figure)).replace("<br>", " ")
    assert f"{measure.files(looked)['size_bytes'].sum() / 1e6:.1f} MB in all" in figure.alt
    assert figure.table.source.endswith(figures.sheet.units.size(size))


def test_a_budget_of_cells_holds_where_all_files_are_alike() -> None:
    rows = [(layer, f"f{n}") for layer in range(120) for n in range(300)]
    made = Folding([path for _, path in rows], [7] * len(rows), [layer for layer, _ in rows], [False] * len(rows))
    assert len(made.cells) < 2 * folding._MOST_CELLS
    assert sum(cell.size_bytes for cell in made.cells if cell.parent < 0) == 7 * len(rows)


def test_folders_that_only_hold_one_another_are_one_cell_and_deep_ones_do_no_harm() -> None:
    deep = "/".join(["d"] * 50_000)
    made = Folding(["usr/local/lib/a", "usr/local/lib/b", f"{deep}/x"], [4, 5, 6], [0, 0, 0], [False] * 3)
    assert [cell.name for cell in made.cells][:2] == ["", "usr/local/lib"]
    assert sum(cell.size_bytes for cell in made.cells if cell.row is not None) == 15
    assert made.folded == (0, 0)


def test_colours_mean_what_they_mean_everywhere() -> None:
    found = {cell["label"]: cell for cell in cells(icicle(inspection()))}
    assert found["python3.11"]["colour"] == palette.BASE.fill
    assert found["gcc"]["colour"] == palette.WASTED.fill
    assert found["app.py"]["colour"] == palette.ADDED.fill
    assert "line 2: RUN apt-get install -y gcc" in found["gcc"]["hover"]
    assert "wasted: removed by line 5" in found["gcc"]["hover"]
    assert "package: debian:gcc-12" in found["gcc"]["hover"] and "/usr/bin/gcc" in found["gcc"]["hover"]
    unknown = {cell["label"]: cell for cell in cells(icicle(inspection(base_layers=0)))}
    assert unknown["app.py"]["colour"] == palette.UNSPLIT.fill


# --- waste and waterfall -----------------------------------------------------------------------


def test_each_bar_of_waste_carries_its_fix() -> None:
    looked = inspection()
    figure = figures.waste_bars(measure.waste(looked), source=SOURCE)
    words = [text.strip() for trace in figure.figure.data[1:] for text in trace.text]
    assert all(one.fix in words for one in looked.findings)
    assert figure.table.rows[1][:4] == ("line 2", "line 5", "removed", "30.0 MB")
    assert "80.0 MB are wasted. The most expensive: line 5 hides what line 4 wrote; set mode" in figure.alt


def test_waste_within_the_base_is_one_bar() -> None:
    figure = figures.waste_bars(measure.waste(inspection(base_layers=5)), source=SOURCE)
    assert figure.figure.layout.yaxis.ticktext == ("within the base ",)
    assert len(figure.table.rows) == 2
    assert figure.alt == "80.0 MB are wasted, 0 B of it by what was added to the base."


def test_small_steps_get_an_axis_that_says_where_it_begins() -> None:
    frame = measure.changes(inspection(), inspection())
    frame.loc[frame["cause"] == "application", ["after_bytes", "difference_bytes"]] += 2_000_000
    figure = figures.size_waterfall(frame, source=SOURCE)
    left = figure.figure.layout.xaxis.range[0]
    assert 0 < left < frame["before_bytes"].sum()
    assert "The axis begins at" in figure.alt


# --- all of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_the_twin_has_the_same_numbers_and_the_bytes_are_the_same_twice(number: int) -> None:
    figure, again = (every_figure(inspection(), many(10))[number] for _ in range(2))
    assert json.dumps(bundle(figure)) == json.dumps(bundle(again))
    given = bundle(figure)
    read = Cells()
    read.feed(given["text/html"])
    assert read.rows == [list(figure.table.columns), *(list(row) for row in figure.table.rows)]
    assert figure.alt in given["text/plain"] and figure.alt in given["text/html"]


@pytest.mark.parametrize("number", range(3))
def test_nothing_is_an_empty_figure(number: int) -> None:
    nothing = of_stack([LayerFiles("sha256:0", ())])
    assert bundle(every_figure(nothing, nothing)[number])["text/plain"]


@pytest.mark.parametrize("number", range(3))
def test_hostile_text_is_shown_and_does_nothing(number: int) -> None:
    figure = every_figure(hostile(), inspection())[number]
    given = bundle(figure)
    whole = json.dumps(given, ensure_ascii=False)
    whole.encode("utf-8")
    text = given["text/plain"]
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    drawn = given["application/vnd.plotly.v1+json"]
    del drawn["layout"]["meta"]  # data, never drawn
    assert "<img" not in json.dumps(drawn) and "<script" not in json.dumps(drawn) and "<b>x" not in json.dumps(drawn)
    assert "<img" not in given["text/html"] and "<script" not in given["text/html"]
    if number < 2:
        assert HOSTILE.partition("\x1b")[0] in text, "it is shown, not swallowed"
