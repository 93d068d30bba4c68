"""Exercise 11: rank the faults of three Dockerfiles by harm, and repair the worst file."""

from __future__ import annotations

from layerlab.exercises.ex11_with_ai.exercise import EXERCISE, WithAI

__all__ = ["EXERCISE", "WithAI"]
