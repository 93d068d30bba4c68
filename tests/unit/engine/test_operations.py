"""Starts as keys: what is recorded is found again, and what is asked for otherwise has another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab.engine.protocol import Limits, StartRequest
from layerlab.engine.recorded.operations import run_key, start_arguments, start_key
from layerlab.engine.recorded.store import Store, files

COURSE = Path(__file__).parents[3] / "recordings"


def test_every_start_and_run_that_is_recorded_is_found_by_its_key() -> None:
    starts, runs = 0, 0
    for key, one in (pair for path in files(COURSE) for pair in Store(path).all("containers")):
        arguments = one["arguments"]
        if "answer" in one:
            assert run_key(one["image"], arguments["command"], arguments["user"]) == key
            runs += 1
        elif not arguments["mounts"]:  # of a folder only its content is written down
            assert start_key(one["image"], start_arguments(StartRequest(image="any", **arguments))) == key
            starts += 1
    assert starts > 100 and runs > 20


@pytest.mark.parametrize("limits", [Limits(pids=4), Limits(memory_bytes=1 << 30), Limits(cpus=0.5)])
def test_a_start_with_limits_is_another_one(limits: Limits) -> None:
    free, limited = (start_arguments(StartRequest(image="any", limits=one)) for one in (Limits(), limits))
    assert "limits" not in free
    assert start_key("chain", free) != start_key("chain", limited)
