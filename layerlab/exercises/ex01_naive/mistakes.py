"""What people answer in exercise 01: orders that do not work, and lines and reasons picked by habit."""

from __future__ import annotations

from layerlab.exercises.ex01_naive.checks import LINES, REASONS
from layerlab.exercises.kit.mistake import Mistake


def mistakes() -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks, each with the check that must fail on it."""
    return (
        _order("copies the source before the install", (5, 6, 4, 1, 2, 3, 0), "source after install"),
        _order("puts CMD before FROM", (0, 5, 6, 4, 2, 1, 3), "begins with a base"),
        _order("installs before the list is there", (5, 6, 2, 4, 1, 3, 0), "list before install"),
        _order("copies before WORKDIR", (5, 4, 2, 1, 6, 3, 0), "folder before files"),
        _order("changes the folder between the list and the install", (5, 4, 6, 2, 1, 3, 0), "folder before files"),
        _order("starts in the middle", (5, 6, 0, 4, 2, 1, 3), "command last"),
        _order("keeps the lines as they came", (0, 1, 2, 3, 4, 5, 6), "begins with a base"),
        Mistake("pip install is largest", "q2-point", {"q2-point": LINES[2]}, "most bytes"),
        Mistake("the base is always largest", "q2-point", {"q2-point": 1}, "most bytes"),
        Mistake("packages are large", "q3-how", {"q3-how": REASONS[0]}, "measured, not expected"),
        Mistake("the oldest line is largest", "q3-how", {"q3-how": REASONS[1]}, "measured, not expected"),
        Mistake("slow means large", "q3-how", {"q3-how": REASONS[3]}, "measured, not expected"),
    )


def _order(name: str, places: tuple[int, ...], failing: str) -> Mistake:
    return Mistake(name, "q1-order", {"q1-order": [LINES[place] for place in places]}, failing)
