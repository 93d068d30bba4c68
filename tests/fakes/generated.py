"""How many examples a property is shown: few in `make check`, ten times as many in a night; see tests/conftest.py."""

from __future__ import annotations

from hypothesis import settings

FULL = 100  # what the profile of `make test` shows, and hypothesis by itself: a spawned process has no profiles of ours


def examples(full: int) -> int:
    """Return how many examples this run shows of a property that is shown ``full`` in `make test`."""
    return max(1, full * settings.default.max_examples // FULL)
