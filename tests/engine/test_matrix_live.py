"""Every combination that the explorer offers can be built on a live engine, and serves as whom it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab import design_space
from layerlab.design_space import COMBINATIONS, Combination
from layerlab.engine.protocol import Engine
from layerlab.lab.matrix import APP

ROOT = Path(__file__).parents[2]


@pytest.mark.nightly
@pytest.mark.parametrize("one", COMBINATIONS, ids=lambda one: one.name.replace(" ", "-"))
def test_a_combination_builds_and_serves(one: Combination, engine: Engine) -> None:
    (measured,) = design_space.matrix(engine, ROOT / "apps" / APP, combinations=[one])
    assert measured.serves and measured.is_live and len(measured.starts) > 2
    assert (measured.uid == 0) == (one.user == "root")
    assert measured.size_bytes > measured.base_bytes > 0
