"""Limits as Docker's API takes them, and a refusal of those that would be dropped without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerlab.engine.protocol import Limits
from layerlab.errors import EngineRefused

_NANO = 1_000_000_000


def of_container(limits: Limits, info: Mapping[str, Any]) -> dict[str, int]:
    """Return what the SDK's ``containers.create`` takes for limits; ``info`` is what `docker info` says.

    Raises
    ------
    EngineRefused
        The engine's kernel has no control group for one of them.
    """
    wanted = {
        "memory": (limits.memory_bytes, "MemoryLimit"),
        "processors": (limits.cpus, "CpuCfsQuota"),
        "processes": (limits.pids, "PidsLimit"),
    }
    lacking = [name for name, (limit, sign) in wanted.items() if limit is not None and info.get(sign) is False]
    if lacking:
        raise EngineRefused(
            f"This engine can't limit the {' or '.join(lacking)} of a container: its kernel has no control group for "
            "that. Leave the limit out, or use another engine."
        )
    given = {
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "nano_cpus": None if limits.cpus is None else round(limits.cpus * _NANO),
        "pids_limit": limits.pids,
    }
    return {name: value for name, value in given.items() if value is not None}
