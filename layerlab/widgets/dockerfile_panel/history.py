"""The attempts at one exercise, kept in a file: when, what failed first, what it weighed, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from layerlab import units
from layerlab.checks import Outcome
from layerlab.work.answers import Answer, Answers
from layerlab.work.text_file import fingerprint

_MOST = 200
ALL_PASS = "all pass"
COLUMNS = ("when", "first check that does not pass", "added", "took")


@dataclass(frozen=True)
class Tried:
    """One attempt.

    Attributes
    ----------
    when
        ISO 8601 with its offset.
    failing
        Name of the check that the verdict shows; empty where all pass.
    added_bytes
        What the image added to its base, None where there was no image.
    text
        Fingerprint of the text that was judged, to tell a new attempt from a repeated one.
    """

    when: str
    failing: str
    added_bytes: int | None
    seconds: float
    text: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The attempt as text, one cell for each of `COLUMNS`."""
        added = "no image" if self.added_bytes is None else units.size(self.added_bytes)
        return (_clock(self.when), self.failing or ALL_PASS, added, units.duration(self.seconds))


class History:
    """What was tried, oldest first; a damaged entry counts as none."""

    def __init__(self, attempts: Answers, id: str) -> None:
        self._attempts = attempts
        self._id = f"{id}-attempts"
        self._unwritten: list[Tried] = []

    def all(self) -> tuple[Tried, ...]:
        """Return every attempt in the file. Raises AnswerError where the file cannot be read."""
        return (*_read_all(self._attempts.get(self._id)), *self._unwritten)

    def add(self, text: str, outcome: Outcome, *, when: datetime, seconds: float) -> None:
        """Write down one more attempt. Raises AnswerError, DiskFull; it is then written with the next one."""
        shown = outcome.verdicts.shown
        tried = Tried(
            when=when.isoformat(timespec="seconds"),
            failing=shown.name if shown else "",
            added_bytes=outcome.sizes.added_bytes if outcome.sizes else None,
            seconds=round(seconds, 1),
            text=fingerprint(text),
        )
        self._unwritten.append(tried)
        self._attempts.change(self._with_unwritten)
        self._unwritten.clear()

    def tries(self, check: str) -> int:
        """Count the different texts that failed at that check first: what opens its hints."""
        return len({tried.text for tried in self.all() if tried.failing == check})

    def _with_unwritten(self, kept: dict[str, Answer]) -> Mapping[str, Answer]:
        # Read and written under one lock: a second panel may be writing down its own attempt.
        before = _read_all(kept[self._id].value) if self._id in kept else ()
        entries = [asdict(entry) for entry in (*before, *self._unwritten)][-_MOST:]
        return {**kept, self._id: Answer(entries, datetime.now(UTC).isoformat(timespec="seconds"))}


def _read_all(entries: object) -> tuple[Tried, ...]:
    found = map(_read, entries if isinstance(entries, list) else ())
    return tuple(tried for tried in found if tried is not None)


def _read(entry: object) -> Tried | None:
    try:
        tried = Tried(**entry)  # type: ignore[arg-type]
        assert isinstance(tried.failing, str) and isinstance(tried.text, str) and tried.cells
    except (TypeError, ValueError, AssertionError):
        return None
    return tried


def _clock(when: str) -> str:
    local = datetime.fromisoformat(when).astimezone()
    return f"{local.day} {local:%b %H:%M}"
