"""The recorded matrix: every combination replays, serves as whom it should, and says where it was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab.design_space import COMBINATIONS, front, noise_seconds
from layerlab.lab.matrix import NOTEBOOK, Matrix, recorded

ROOT = Path(__file__).parents[2]
MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return recorded(ROOT)


def test_every_combination_is_there_and_serves(matrix: Matrix) -> None:
    assert [one.combination for one in matrix.measured] == list(COMBINATIONS)
    assert all(one.serves and len(one.starts) > 2 and not one.is_live for one in matrix.measured)
    assert {(one.combination.user, one.uid) for one in matrix.measured} == {("root", 0), ("number", 10001)}
    assert "Recorded on" in matrix.source and "bases" in matrix.source


def test_it_comes_out_the_same_twice_whatever_was_built_before(matrix: Matrix) -> None:
    assert recorded(ROOT) == matrix


def test_the_front_says_something(matrix: Matrix) -> None:
    best = front(matrix.measured, noise=noise_seconds(matrix.measured))
    assert 2 <= len(best) < len(COMBINATIONS) / 2


def test_it_stays_small(matrix: Matrix) -> None:
    assert (ROOT / "recordings" / f"{NOTEBOOK}.jsonl").stat().st_size < MOST_BYTES
