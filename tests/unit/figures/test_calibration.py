"""The picture of calibration counts, says so where it has little to go on, and never scolds."""

from __future__ import annotations

import pytest

from layerlab import figures
from layerlab.figures.calibration import ENOUGH

WORDS = ("guess", "fairly", "certain")


def drawn(*counts: tuple[int, int]) -> figures.Figure:
    return figures.calibration(dict(zip(WORDS, counts, strict=True)), source="yours")


def lengths(figure: figures.Figure, name: str) -> list[int]:
    return next(list(trace.x) for trace in figure.figure.data if trace.name == name)


def test_bars_and_table_hold_the_same_counts() -> None:
    figure = drawn((1, 4), (2, 2), (3, 5))
    assert lengths(figure, "came true") == [1, 2, 3]
    assert lengths(figure, "came otherwise") == [3, 0, 2]
    assert figure.table.rows == (("guess", "1", "3", "4"), ("fairly", "2", "0", "2"), ("certain", "3", "2", "5"))
    assert "6 of 11 predictions came true: guess 1 of 4, fairly 2 of 2, certain 3 of 5." in figure.alt


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (((0, 0), (0, 0), (0, 0)), "No prediction has been read off yet"),
        (((0, 0), (1, 1), (0, 0)), "Too few to say more"),
        (((4, 4), (4, 4), (4, 4)), "Too few to say more"),
        (((9, 9), (0, 0), (4, 4)), "Too few to say more"),
        (((1, 5), (0, 0), (4, 5)), "certain came true more often than what you called guess"),
        (((4, 5), (5, 5), (1, 2)), "fairly came true more often than what you called guess"),
        (((3, 5), (0, 0), (3, 5)), "no more often"),
        (((5, 5), (0, 0), (1, 5)), "What made you that sure?"),
    ],
)
def test_it_says_no_more_than_its_counts_allow(counts: tuple[tuple[int, int], ...], says: str) -> None:
    assert says in drawn(*counts).alt


def test_ticks_are_whole_and_the_axis_is_never_shorter_than_enough() -> None:
    for counts in (((0, 0), (0, 1), (0, 0)), ((3, 11), (0, 2), (9, 13))):
        axis = drawn(*counts).figure.layout.xaxis
        assert all(tick == int(tick) for tick in axis.tickvals)
        assert axis.range[1] >= ENOUGH
