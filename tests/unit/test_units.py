from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab import image, units


@pytest.mark.parametrize("module", [units, image])
def test_the_examples_in_the_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@given(st.integers(0, 10**13))
def test_a_size_reads_back_to_within_half_a_percent(size_bytes):
    number, unit = units.size(size_bytes).split()
    factor = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[unit]
    assert float(number) * factor == pytest.approx(size_bytes, rel=0.006, abs=0.5)
    assert float(number) < 1000 or unit == "GB"


def test_a_loss_is_printed_with_its_sign():
    assert units.size(-2_300_000) == "-2.30 MB"
