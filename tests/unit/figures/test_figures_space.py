"""The map of the design space: each recipe a point, the front told apart, the learner's own on top; and its tables."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from layerlab import figures, measure
from layerlab.design_space import COMBINATIONS, Measured, named
from layerlab.figures import palette, sheet

SOURCE = "Recorded on 28 Nov 2026 with Docker 20 · stand-in bases"
MB = 1_000_000


def one(name: str, size_mb: int, seconds: float | None, *, uid: int | None = 0) -> Measured:
    starts = () if seconds is None else (seconds + 0.3, seconds, seconds + 0.2)
    return Measured(named(name), size_mb * MB, (size_mb - 10) * MB, seconds is not None, uid, starts, 3.0, 9, 0, True)


MEASURED = (
    one("full one pip as-is root", 971, 0.96),
    one("slim one no-cache as-is root", 154, 0.77),
    one("slim two no-cache as-is root", 143, 1.29),
    one("slim two no-cache none root", 138, 1.95),
    one("slim two no-cache none number", 138, 1.75, uid=10001),
    one("musl two uv as-is root", 55, 1.90),
    one("musl two uv compiled root", 60, None, uid=None),
)
FRONT = {"musl two uv as-is root", "slim two no-cache as-is root", "slim one no-cache as-is root"}


@pytest.fixture
def frame() -> pd.DataFrame:
    return measure.space(MEASURED)


def points(figure: figures.Figure) -> list[tuple[str, list[float]]]:
    return [(trace.name, list(trace.x)) for trace in figure.figure.data if trace.name]


def test_the_table_is_sorted_and_knows_the_front(frame: pd.DataFrame) -> None:
    assert list(frame["size_bytes"]) == sorted(frame["size_bytes"])
    # 138 MB starts with less work than 55 MB, but by no more than one image differs from start to start.
    assert set(frame[frame["is_on_front"]]["name"]) == FRONT
    assert list(frame.dtypes.astype(str))[6:] == ["int64", "int64", "float64", "Int64", "bool", "bool"]
    silent = frame[~frame["serves"]].iloc[0]
    assert silent["name"] == "musl two uv compiled root" and pd.isna(silent["start_seconds"]) and pd.isna(silent["uid"])


def test_each_that_serves_is_a_point_once(frame: pd.DataFrame) -> None:
    figure = figures.build_space(frame, source=SOURCE)
    drawn = points(figure)
    assert sorted(x for _, xs in drawn for x in xs) == sorted(
        m.size_bytes for m in MEASURED if m.start_seconds is not None
    )
    assert [name for name, _ in drawn] == ["full", "slim", "front", "front"], "the front of slim and of musl"
    assert [trace.name for trace in figure.figure.data if trace.showlegend] == ["full", "slim", "front"]


def test_bases_differ_in_shape_and_the_front_in_fill_line_and_words(frame: pd.DataFrame) -> None:
    figure = figures.build_space(frame, source=SOURCE)
    marked = [trace for trace in figure.figure.data if trace.mode == "markers"]
    assert {trace.marker.symbol for trace in marked} == {"square", "circle", "triangle-up"}
    on_front = [trace for trace in marked if trace.name == "front"]
    assert {trace.marker.color for trace in on_front} == {palette.ADDED.fill}
    (line,) = [trace for trace in figure.figure.data if trace.mode == "lines"]
    assert sorted(line.x) == [55 * MB, 143 * MB, 154 * MB]
    assert [row[4] for row in figure.table.rows if row[0] in FRONT] == ["beaten by none"] * 3


def test_the_learners_own_are_numbered_as_their_engine_measured_them(frame: pd.DataFrame) -> None:
    yours = {"slim one no-cache as-is root": (150 * MB, 0.7), "full one pip as-is root": (970 * MB, 0.9)}
    figure = figures.build_space(frame, source=SOURCE, yours=yours)
    (rings,) = [trace for trace in figure.figure.data if trace.name == "yours"]
    assert list(rings.x) == [150 * MB, 970 * MB] and list(rings.text) == ["<b>1</b>", "<b>2</b>"]
    cells = {row[0]: row[5] for row in figure.table.rows}
    assert cells["slim one no-cache as-is root"] == "1: 150 MB, 0.70 s" and cells["musl two uv as-is root"] == ""
    assert "Of your builds, number 1 is among them." in figure.alt


def test_the_words_name_the_front_and_what_does_not_serve(frame: pd.DataFrame) -> None:
    alt = figures.build_space(frame, source=SOURCE).alt
    assert "6 recipes from 55.0 MB to 971 MB; 1 more does not serve." in alt
    assert "3 of them are beaten by none: musl two uv as-is root (55.0 MB, 1.90 s);" in alt
    assert "None of 0 recipes serves." in figures.build_space(measure.space([]), source=SOURCE).alt


def test_each_line_of_the_size_axis_is_twice_the_one_before(frame: pd.DataFrame) -> None:
    layout: dict[str, Any] = figures.build_space(frame, source=SOURCE)._repr_mimebundle_()[sheet.PLOTLY_MIME]["layout"]
    ticks = layout["xaxis"]["tickvals"]
    assert layout["xaxis"]["type"] == "log"
    assert all(later == 2 * earlier for earlier, later in pairwise(ticks)) and len(ticks) >= 4


def test_what_one_change_buys_is_the_middle_of_all_such_pairs() -> None:
    steps = measure.space_steps(MEASURED)
    user = steps[steps["choice"] == "User"].iloc[0]
    assert (user["from"], user["to"], user["pairs"], user["size_bytes"]) == ("root", "a number", 1, 0)
    assert user["start_seconds"] == pytest.approx(-0.2)
    stages = steps[steps["choice"] == "Stages"].iloc[0]
    assert (stages["pairs"], stages["size_bytes"]) == (1, -11 * MB)
    assert not len(measure.space_steps([])) and set(steps["pairs"]) == {1}


def test_all_combinations_fit_into_the_table() -> None:
    everything = [
        Measured(c, 50 * MB + n, 40 * MB, True, 0, (1.0,), 1.0, 8, 0, True) for n, c in enumerate(COMBINATIONS)
    ]
    assert len(figures.build_space(measure.space(everything), source=SOURCE).table.rows) == len(COMBINATIONS)
