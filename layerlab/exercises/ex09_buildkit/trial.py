"""A trial on BuildKit that measures an edit once: an engine that has built it finds it in its cache the next time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerlab.build import BuildResult
from layerlab.exercises.kit.trial import Trial

Measured = dict[tuple[Any, ...], BuildResult]


class OnceTrial(Trial):
    """One text, tried. What a build after an edit ran is kept in ``measured``, which all trials of an exercise share.

    On a live engine every edit is new. On recordings, and while they are made, it is always the same one.
    """

    def __init__(self, *given: Any, measured: Measured, **named: Any) -> None:
        super().__init__(*given, **named)
        self._measured = measured

    def rebuilt(self, changed: Mapping[str, str]) -> BuildResult:
        """Build again as after an edit, unless this text was built after this very edit already."""
        key = (self.text, *sorted(changed.items()))
        if key not in self._measured:
            self._measured[key] = super().rebuilt(changed)
        return self._measured[key]
