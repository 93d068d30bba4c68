"""What people make of the Dockerfile: each an edit of what they begin with, so that none goes stale unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

_FILE = "q1-lean-file"
_WRITE = "python draw.py /tmp/grid"
_REMOVE = "rm /tmp/grid"
_TWO_LINES = f"RUN {_WRITE}\nRUN {_REMOVE}\n"


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks, each with the check that must fail on it.

    Parameters
    ----------
    starters
        Question → the Dockerfile that a learner begins with.
    """
    return (
        Mistake.in_file(
            "q1-lean",
            "removes it in the next line, with force",
            edited(starters[_FILE], f"RUN {_REMOVE}\n", f"RUN {_REMOVE} -f\n"),
            "added",
        ),
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return, by question, a right text, and what differs from it by one edit."""
    joined = edited(starters[_FILE], _TWO_LINES, f"RUN {_WRITE} && {_REMOVE}\n")
    return {_FILE: (joined, edited(joined, " && ", " ; "))}
