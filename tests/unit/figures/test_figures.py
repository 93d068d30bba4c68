"""Figures: the same numbers in plot, table and text; the same bytes twice; nothing told by colour alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from made_up_images import BASE, LARGE_BASE, LARGE_SERVICE, SERVICE, HistoryEntry, image, result

from layerlab import figures, measure
from layerlab.build import Step
from layerlab.design_space import COMBINATIONS, Measured
from layerlab.figures import palette, sheet
from layerlab.figures.table import Table

SPACE = [
    Measured(one, 971_000_000 - 9_000_000 * n, 40_000_000, True, 0, (0.9 + n / 10,), 3.0, 8, 0, True)
    for n, one in enumerate(COMBINATIONS[:5])
]
SOURCE = "Docker Engine 20.10 · bases: stand-ins · 2026-09-20"
MEASURED = {"naive": LARGE_SERVICE, "v1-slim": SERVICE}
BASES = {"naive": LARGE_BASE, "v1-slim": BASE}


def timeline(*rows: tuple[str, str, float, float, bool, int | None]) -> pd.DataFrame:
    """Lay out steps as `measure.timeline` does: stage, instruction, began, seconds, cached, bytes."""
    steps = [
        Step(n, text, n, cached, took, None, (), began, stage)
        for n, (stage, text, began, took, cached, _) in enumerate(rows, 1)
    ]
    history = tuple(HistoryEntry(text, size or 0, written=text) for _, text, _, _, _, size in rows)
    built = replace(result(), steps=tuple(steps), image=replace(SERVICE, history=history))
    return measure.timeline(built)


ROWS = (
    ("a", "RUN install x", 3.0, None),
    ("b", "RUN draw", 2.0, None),
    ("2", "COPY --from=a /x /x", 0.2, 15_000_000),
)
IN_A_ROW = timeline(*((stage, text, n * 4.0, took, False, size) for n, (stage, text, took, size) in enumerate(ROWS)))
AT_ONCE = timeline(*((stage, text, 3.0 * (stage == "2"), took, stage == "2", size) for stage, text, took, size in ROWS))


def ladder(**given: Any) -> figures.Figure:
    return figures.size_ladder(measure.images(MEASURED, BASES), source=SOURCE, **given)


def every_figure() -> list[figures.Figure]:
    return [
        ladder(claims={"naive": 1_200_000_000}, predictions={"v1-slim": (100_000_000, 300_000_000)}),
        figures.layer_stack(measure.layers(SERVICE, base=BASE), source=SOURCE),
        figures.official_layers(measure.blobs([("root", 30_000_000), ("compilers", 90_000_000)]), source=SOURCE),
        figures.step_times(measure.steps(result()), source=SOURCE),
        figures.build_timeline({"classic": IN_A_ROW, "BuildKit": AT_ONCE}, source=SOURCE),
        figures.calibration({"guess": (1, 3), "fairly": (0, 0), "certain": (4, 5)}, source=SOURCE),
        figures.build_space(measure.space(SPACE), source=SOURCE, yours={SPACE[0].combination.name: (971_000_000, 0.9)}),
    ]


def bundle(figure: figures.Figure) -> dict[str, Any]:
    return figure._repr_mimebundle_()


def bars(figure: figures.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.figure.data if trace.type == "bar" and (trace.name or "").startswith(name)]


def texts(figure: figures.Figure) -> list[str]:
    return [note["text"] for note in bundle(figure)[sheet.PLOTLY_MIME]["layout"]["annotations"]]


class Cells(HTMLParser):
    """Collects the text of table cells and which tags and attributes occur."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.scopes: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.scopes.append(dict(attrs).get("scope") or "")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and self.tags[-1] in ("td", "th"):
            self.rows[-1][-1] += data


# --- the twin --------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", every_figure(), ids=lambda figure: figure.table.caption)
def test_every_figure_carries_a_plot_a_table_and_a_text(figure: figures.Figure) -> None:
    given = bundle(figure)
    assert set(given) == {sheet.PLOTLY_MIME, "text/html", "text/plain"}
    cells = Cells()
    cells.feed(given["text/html"])
    assert cells.rows == [list(figure.table.columns), *(list(row) for row in figure.table.rows)]
    assert cells.scopes.count("row") == len(figure.table.rows)
    assert cells.tags.count("caption") == 1
    for row in figure.table.rows:
        assert all(cell in given["text/plain"] for cell in row)
    for text in (figure.alt, SOURCE):
        assert text in given["text/plain"]
        assert text in given["text/html"]


@pytest.mark.parametrize("figure", every_figure(), ids=lambda figure: figure.table.caption)
def test_title_source_and_alternative_text_stand_on_the_plot_itself(figure: figures.Figure) -> None:
    seen = " ".join(text.replace("<br>", " ").replace("\u00a0", " ") for text in texts(figure))
    for wanted in (figure.table.caption, SOURCE, figure.alt):
        assert wanted in seen
    assert figure.figure.layout.meta == {"alt": figure.alt, "source": SOURCE}


def test_the_same_numbers_give_the_same_bytes() -> None:
    first, second = ([json.dumps(bundle(figure)) for figure in every_figure()] for _ in range(2))
    assert first == second
    assert "uid" not in "".join(first)


def test_text_columns_line_up() -> None:
    table = Table("Caption", "source", ("name", "size"), (("a", "1 B"), ("longer", "100 kB")), frozenset({1}))
    lines = table.text("All of it.").splitlines()
    assert lines == [
        "Caption",
        "source",
        "",
        "name      size",
        "------  ------",
        "a          1 B",
        "longer  100 kB",
        "",
        "All of it.",
    ]


def test_what_comes_from_an_image_is_escaped_in_html() -> None:
    entry = HistoryEntry("/bin/sh -c echo '<script>alert(1)</script>' > /x", 5)
    figure = figures.layer_stack(measure.layers(image(entry)), source="<b>engine</b>")
    assert "<script" not in bundle(figure)["text/html"]
    drawn = bundle(figure)[sheet.PLOTLY_MIME]
    assert "<script" in drawn["layout"].pop("meta")["alt"], "kept as data, never drawn"
    assert "<script" not in json.dumps(drawn)
    assert "<b>engine" not in json.dumps(drawn)


# --- the size ladder -------------------------------------------------------------------------


def test_bars_are_the_measured_bytes_split_into_base_and_added() -> None:
    figure = ladder()
    assert list(bars(figure, "base")[0].x) == [LARGE_BASE.size_bytes, BASE.size_bytes]
    assert list(bars(figure, "added")[0].x) == [20_000_300, 20_000_300]
    assert figure.table.rows == (
        ("naive", "1.00 GB", "980 MB", "20.0 MB"),
        ("v1-slim", "140 MB", "120 MB", "20.0 MB"),
    )
    assert "naive takes 1.00 GB on disk" in figure.alt
    assert "v1-slim takes 140 MB" in figure.alt
    assert "86% less" in figure.alt


def test_an_image_that_dwarfs_the_rest_gets_them_a_panel_of_their_own() -> None:
    figure = ladder()
    assert figure.figure.layout.yaxis2.ticktext == ("v1-slim ",)
    assert any("The same without naive" in text for text in texts(figure))
    alike = measure.images({"a": SERVICE, "b": BASE})
    assert "yaxis2" not in bundle(figures.size_ladder(alike, source=SOURCE))[sheet.PLOTLY_MIME]["layout"]


def test_a_row_without_a_measurement_is_a_blank_outline() -> None:
    frame = measure.images({"naive": LARGE_SERVICE, "v1-slim": None}, BASES)
    figure = figures.size_ladder(frame, source=SOURCE, claims={"v1-slim": 450_000_000})
    assert texts(figure).count("<b>?</b>") == 1
    assert [shape.line.dash for shape in figure.figure.layout.shapes] == ["dot"]
    assert "Not measured yet: v1-slim." in figure.alt
    assert "450" not in json.dumps(bundle(figure)), "a claim must not come before the measurement"


def test_unrevealed_bars_tell_nothing_that_was_measured_or_claimed() -> None:
    figure = ladder(reveal=False, claims={"naive": 1_200_000_000}, predictions={"naive": 700_000_000})
    whole = json.dumps(bundle(figure))
    assert "1.00 GB" not in repr(figure)
    assert str(LARGE_SERVICE.size_bytes) not in whole
    assert "1.20 GB" not in whole
    assert "naive 700 MB" in figure.alt
    assert texts(figure).count("<b>?</b>") == 2
    assert not bars(figure, "")


def test_nothing_measured_or_predicted_has_no_scale_to_guess_from() -> None:
    figure = figures.size_ladder(measure.images({"naive": None, "v1-slim": None}), source=SOURCE)
    assert figure.figure.layout.xaxis.showticklabels is False


def test_predictions_come_from_the_frame_or_from_the_call() -> None:
    frame = measure.ladder(MEASURED, bases=BASES, predictions={"naive": (500_000_000, 700_000_000)})
    from_frame = figures.size_ladder(frame, source=SOURCE)
    from_call = ladder(predictions={"naive": (500_000_000, 700_000_000)})
    assert from_frame.table.rows[0][-1] == "500 MB to 700 MB"
    assert bundle(from_frame) == bundle(from_call)
    marker = next(trace for trace in from_call.figure.data if trace.name == "your prediction")
    assert list(marker.x) == [600_000_000]


def test_a_claim_is_a_marker_named_for_what_it_is() -> None:
    figure = ladder(claims={"naive": 1_200_000_000})
    marker = next(trace for trace in figure.figure.data if trace.name == "another engineer's estimate")
    assert list(marker.x) == [1_200_000_000]
    assert figure.table.columns[-1] == "another engineer's estimate"
    assert figure.table.rows[0][-1] == "1.20 GB"
    assert figure.table.rows[1][-1] == "–"


def test_without_a_base_nothing_is_called_base_or_added() -> None:
    figure = figures.size_ladder(measure.images(MEASURED), source=SOURCE)
    assert not bars(figure, "base")
    assert not bars(figure, "added")
    assert list(bars(figure, "not split")[0].x) == [LARGE_SERVICE.size_bytes, SERVICE.size_bytes]
    assert figure.table.rows[0] == ("naive", "1.00 GB", "?", "?")


# --- layers, pulls, steps ---------------------------------------------------------------------


def test_layers_stand_in_the_order_of_the_dockerfile_with_their_exact_bytes() -> None:
    figure = figures.layer_stack(measure.layers(SERVICE, base=BASE), source=SOURCE)
    assert list(bars(figure, "base image: 120 MB")[0].x) == [80_000_000, 40_000_000]
    assert list(bars(figure, "added by this Dockerfile: 20.0 MB")[0].y) == [2, 3]
    assert figure.table.rows[3] == ("3", "added", "300 B", "0.0%", "COPY file:9 in .")
    assert "the largest is layer 0" in figure.alt
    assert "most by RUN pip install -r requirements.txt (20.0 MB)" in figure.alt
    low, high = figure.figure.layout.yaxis.range
    assert low > high, "the lowest layer, like the first line of the file, stands on top"


def test_a_long_instruction_is_one_line_as_a_label_and_whole_on_hover() -> None:
    command = "RUN " + " && ".join(f"install package-{i}" for i in range(20))
    figure = figures.layer_stack(measure.layers(image(HistoryEntry(command, 9))), source=SOURCE)
    label = unescape(figure.figure.layout.yaxis.ticktext[0])
    assert len(label) <= 36
    assert label.rstrip().endswith("…")
    hover = bars(figure, "layer")[0].hovertext[0]
    assert "package-19" in hover
    assert "<br>" in hover


def test_labels_leave_out_how_every_official_run_line_begins() -> None:
    figure = figures.layer_stack(measure.layers(SERVICE, base=BASE), source=SOURCE)
    assert figure.figure.layout.yaxis.ticktext[1] == "1 RUN apt-get install gcc "
    assert "set -eux; apt-get update" in repr(figure)


def test_a_pull_adds_up() -> None:
    blobs = measure.blobs([("root", 30_000_000), ("compilers", 90_000_000)])
    figure = figures.official_layers(blobs, source=SOURCE)
    assert "120 MB in 2 layers" in figure.alt
    assert "compilers, with 90.0 MB (75%)" in figure.alt


def test_steps_say_in_words_which_came_from_the_cache() -> None:
    figure = figures.step_times(measure.steps(result()), source=SOURCE)
    assert [row[2] for row in figure.table.rows] == ["cached", "cached", "ran"]
    assert "3 steps in 12.1 s, 2 from the cache" in figure.alt
    assert "step 3" in figure.alt


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.layer_stack(measure.layers(image()), source=SOURCE),
        lambda: figures.size_ladder(measure.images({}), source=SOURCE),
        lambda: figures.step_times(measure.steps(result()).head(0), source=SOURCE),
        lambda: figures.official_layers(measure.blobs([]), source=SOURCE),
    ],
)
def test_an_empty_table_is_an_empty_figure_not_an_error(draw: Any) -> None:
    assert bundle(draw())["text/plain"]


# --- the look --------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_meanings_differ_in_lightness_and_in_hatching() -> None:
    marks = list(palette.PARTS.values())
    assert len({mark.pattern for mark in marks}) == len(marks)
    assert all(contrast(one.fill, other.fill) > 1.4 for one, other in pairwise(marks))


def test_text_can_be_read_on_what_lies_under_it() -> None:
    for mark in (*palette.PARTS.values(), palette.UNSPLIT, palette.TIME, palette.CAME_TRUE, palette.CAME_OTHERWISE):
        assert contrast(mark.ink, mark.fill) >= 4.5
    for ink in (palette.INK, palette.SOFT_INK):
        assert contrast(ink, palette.PAPER) >= 4.5


@pytest.mark.parametrize("end", [1, 850, 12_345, 1_180_000_000, 3.3e12])
def test_ticks_are_few_round_and_decimal(end: float) -> None:
    axis = sheet.size_axis(end)
    assert 2 <= len(axis["ticktext"]) <= 8
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])
    assert all(re.fullmatch(r"[\d.]+ (B|kB|MB|GB)", text) for text in axis["ticktext"])
    assert not any(re.search(r"\.\d*0 ", text) for text in axis["ticktext"])


@pytest.mark.slow
def test_the_first_figure_needs_no_plotly_express() -> None:
    program = (
        "from layerlab import figures, measure; import sys;"
        "figures.size_ladder(measure.images({'a': None}), source='')._repr_mimebundle_();"
        "print('plotly.express' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_timeline_says_what_ran_at_once_and_which_layer_came_of_it():
    drawn = figures.build_timeline({"classic": IN_A_ROW, "BuildKit": AT_ONCE}, source=SOURCE)
    classic, _, buildkit = drawn.alt.partition("BuildKit:")
    assert "no two steps at once" in classic
    assert "at once ran a: RUN install x and b: RUN draw" in buildkit and "1 from the cache" in buildkit
    (bar,) = bars(drawn, "")
    assert list(bar.base) == [0, 4, 8, 0, 0, 3] and list(bar.x) == [3, 2, 0.2] * 2
    assert [row[6] for row in drawn.table.rows] == ["–", "–", "15.0 MB"] * 2, "of other stages no layer is shipped"
    assert len(drawn.figure.layout.shapes) == 5


def test_a_timeline_of_nothing_is_no_error():
    assert "nothing to see" in figures.build_timeline({"classic": timeline()}, source=SOURCE).alt
