"""Exercise 08: an image that nobody explained. Who wrote what no container sees, who hid it; then mend it."""

from __future__ import annotations

from layerlab.exercises.ex08_measuring.exercise import EXERCISE

__all__ = ["EXERCISE"]
