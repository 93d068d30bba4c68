"""Limits as Docker's API takes them: all that are given, and none that the engine would drop without a word."""

from __future__ import annotations

import pytest

from layerlab.engine.live.limits import of_container
from layerlab.engine.protocol import Limits
from layerlab.errors import EngineRefused

CAPABLE = {"MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True}


def test_a_container_is_given_each_limit_and_no_swap_besides() -> None:
    found = of_container(Limits(memory_bytes=64_000_000, cpus=1.5, pids=20), CAPABLE)
    assert found == {
        "mem_limit": 64_000_000, "memswap_limit": 64_000_000, "nano_cpus": 1_500_000_000, "pids_limit": 20,
    }  # fmt: skip
    assert of_container(Limits(pids=20), CAPABLE) == {"pids_limit": 20}


def test_a_limit_that_the_engine_would_drop_is_refused_by_name() -> None:
    with pytest.raises(EngineRefused, match="can't limit the processes of a container"):
        of_container(Limits(pids=20, cpus=1), {**CAPABLE, "PidsLimit": False})
    assert of_container(Limits(cpus=1), {**CAPABLE, "PidsLimit": False}) == {"nano_cpus": 1_000_000_000}
