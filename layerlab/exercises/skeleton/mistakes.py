"""What people make of the Dockerfile: each an edit of what they begin with, so that none goes stale unseen."""

from __future__ import annotations

from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

_WRITE = "python draw.py /tmp/grid"
_REMOVE = "rm /tmp/grid"
_TWO_LINES = f"RUN {_WRITE}\nRUN {_REMOVE}\n"


def mistakes(task: str, starter: str) -> tuple[Mistake, ...]:
    """Return the documented mistakes, each with the check that must fail on it."""
    return (
        Mistake.in_file(
            task,
            "removes it in the next line, with force",
            edited(starter, f"RUN {_REMOVE}\n", f"RUN {_REMOVE} -f\n"),
            "added",
        ),
    )


def neighbours(starter: str) -> tuple[str, ...]:
    """Return a right text, and what differs from it by one edit."""
    joined = edited(starter, _TWO_LINES, f"RUN {_WRITE} && {_REMOVE}\n")
    return (joined, edited(joined, " && ", " ; "))
