"""Exercise 07: get a model out of an image, and make the service say at its start that it has none."""

from __future__ import annotations

from layerlab.exercises.ex07_model_files.exercise import EXERCISE, ModelFiles

__all__ = ["EXERCISE", "ModelFiles"]
