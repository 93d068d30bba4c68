"""A mistake that people really make, documented: `layerlab verify` asks the exercise for its verdict on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """A wrong answer to a task, and the check that must fail on it before all others.

    Attributes
    ----------
    name
        What people do, in words that go on after "who …": "moves the folder and nothing else".
    answers
        Question → what they answer; of a Dockerfile its text.
    failing
        Name of the check that a learner is shown.
    """

    name: str
    task: str
    answers: Mapping[str, Any]
    failing: str

    @classmethod
    def in_file(cls, task: str, name: str, text: str, failing: str) -> Mistake:
        """Make one of a Dockerfile: the text of the task's question, ``<task>-file``."""
        return cls(name, task, {f"{task}-file": text}, failing)
