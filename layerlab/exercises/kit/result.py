"""What a check came to, as it is saved: its verdicts, and what tells the answers that they are about from others.

Whether something is passed is read from the verdicts, and only where they are about what is saved now. Nobody who can
write to the folder is kept from making one up: what is graded is judged again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from layerlab.checks import Verdicts
from layerlab.version import __version__
from layerlab.work.text_file import fingerprint

# A place in a learner's folder is a kind and an id, as the file that progress travels in has them.
ANSWER, FILE = "answers/{}", "files/{}"


@dataclass(frozen=True)
class Result:
    """The verdicts on one task.

    Attributes
    ----------
    judged
        Place of each thing that was judged → `mark` of what was there.
    checks
        Name and status of every check, in their order.
    edition
        The Layer Lab that judged.
    """

    judged: Mapping[str, str]
    checks: tuple[tuple[str, str], ...]
    edition: str = __version__

    @classmethod
    def of(cls, verdicts: Verdicts, judged: Mapping[str, Any]) -> Result:
        """Make the result of verdicts on values, each by its place."""
        marks = {place: mark(value) for place, value in judged.items()}
        return cls(marks, tuple((check.name, check.status) for check in verdicts))

    @classmethod
    def read(cls, value: Any) -> Result | None:
        """Read a saved result; None where it has not the form of one, as editions up to 0.1.0 wrote it."""
        try:
            judged, checks, edition = value["judged"], value["checks"], value["edition"]
            pairs = tuple((name, status) for name, status in checks)
            texts = (*judged, *judged.values(), *(part for pair in pairs for part in pair), edition)
        except (TypeError, KeyError, ValueError, AttributeError):
            return None
        return cls(judged, pairs, edition) if all(isinstance(text, str) for text in texts) else None

    @property
    def value(self) -> dict[str, Any]:
        """The result as a JSON value."""
        return {"judged": dict(self.judged), "checks": [list(pair) for pair in self.checks], "edition": self.edition}

    @property
    def all_pass(self) -> bool:
        """True where there is a check and every one passes."""
        return bool(self.checks) and all(status == "PASS" for _, status in self.checks)

    def is_about(self, marked: Callable[[str], str | None]) -> bool:
        """True where all that was judged is still there; ``marked`` gives the `mark` of what is at a place now."""
        return bool(self.judged) and all(marked(place) == there for place, there in self.judged.items())


def mark(value: Any) -> str:
    """Return what tells one answer, or one file's text, from another."""
    return fingerprint(json.dumps(value, sort_keys=True, ensure_ascii=False))
