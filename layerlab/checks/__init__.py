"""Checks on learners' work: given values, they say what was found, what was wanted and why. Measures nothing itself."""

from __future__ import annotations

from layerlab.checks.verdict import (
    INVITATION,
    Check,
    Outcome,
    Sizes,
    Status,
    Verdicts,
    answered,
    decided,
    judge,
    largest,
    precedes,
    require,
    skipped,
    undecided,
    unreadable,
)

__all__ = [
    "INVITATION",
    "Check",
    "Outcome",
    "Sizes",
    "Status",
    "Verdicts",
    "answered",
    "decided",
    "judge",
    "largest",
    "precedes",
    "require",
    "skipped",
    "undecided",
    "unreadable",
]
