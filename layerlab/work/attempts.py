"""The attempts at one exercise, in one file: what was built and came to what, and which obstacles were met.

The only owner of that file. Two things are in it: for each Dockerfile question a table, ``<question>-attempts``; for
each task what was tried at each check that did not pass, which is what opens its hints.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerlab import units
from layerlab.work.answers import Answer, Answers
from layerlab.work.text_file import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from layerlab.checks import Outcome

KIND = "attempts"
# What the id of a question ends with under which its table is kept.
BUILDS = "-attempts"
ALL_PASS = "all pass"
COLUMNS = ("when", "first check that does not pass", "added", "took")
_MOST = 200


@dataclass(frozen=True)
class Tried:
    """One row of the table: a text that was built and checked.

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


class Attempts:
    """What was tried, oldest first. What does not have the form of an attempt counts as none.

    Each write may raise AnswerError or DiskFull; what was to be written then stays in memory, counts, and is written
    with the next one.
    """

    def __init__(self, folder: Path) -> None:
        self._file = Answers(folder, KIND)
        self._lock = threading.RLock()
        self._unwritten: list[Callable[[dict[str, Answer]], dict[str, Answer]]] = []

    @classmethod
    def open(cls, name: str, *, work: Path | None = None) -> Attempts:
        """Open the attempts at ``name`` ("01_naive"); see `Answers.open`."""
        return cls(Answers.open(name, work=work).folder)

    def table(self, question: str) -> tuple[Tried, ...]:
        """Return every build of a question. Raises AnswerError where the file cannot be read."""
        return _rows(self._value(f"{question}{BUILDS}"))

    def tried(self, task: str) -> dict[str, list[Any]]:
        """Return what was tried at a task, by the check that did not pass. Raises AnswerError as `table` does."""
        return _by_check(self._value(task))

    def add(
        self, question: str, text: str, outcome: Outcome, *, when: datetime, seconds: float, task: str | None = None
    ) -> None:
        """Write down a build that began at ``when`` and took ``seconds``.

        Parameters
        ----------
        task
            Where given, a check that does not pass counts as an obstacle met at this task, see `meet`.
        """
        shown = outcome.verdicts.shown
        row = Tried(
            when=when.isoformat(timespec="seconds"),
            failing=shown.name if shown else "",
            added_bytes=outcome.sizes.added_bytes if outcome.sizes else None,
            seconds=round(seconds, 1),
            text=fingerprint(text),
        )
        changes = [partial(_with_row, f"{question}{BUILDS}", row)]
        if task is not None and shown is not None:
            changes.append(partial(_with_obstacle, task, shown.name, [row.text]))
        self._write(*changes)

    def meet(self, task: str, check: str, values: Sequence[Any]) -> None:
        """Write down that an answer met an obstacle, unless the same answer has met it before, or there is none.

        Parameters
        ----------
        values
            What tells one answer from another, as JSON; of a question without an answer None.
        """
        if any(value is not None for value in values):
            self._write(partial(_with_obstacle, task, check, list(values)))

    def _value(self, id: str) -> Any:
        with self._lock:
            answer = self._with_unwritten(self._file.all()).get(id)
        return None if answer is None else answer.value

    def _write(self, *changes: Callable[[dict[str, Answer]], dict[str, Answer]]) -> None:
        with self._lock:
            self._unwritten += changes
            # Read and written under the file's lock: another panel may be writing down its own attempt.
            self._file.change(self._with_unwritten)
            self._unwritten.clear()

    def _with_unwritten(self, kept: dict[str, Answer]) -> dict[str, Answer]:
        return reduce(lambda made, change: change(made), self._unwritten, kept)


def _with_row(id: str, row: Tried, kept: dict[str, Answer]) -> dict[str, Answer]:
    before = _rows(kept[id].value) if id in kept else ()
    return {**kept, id: _now([asdict(one) for one in (*before, row)][-_MOST:])}


def _with_obstacle(task: str, check: str, values: list[Any], kept: dict[str, Answer]) -> dict[str, Answer]:
    # An attempt is a changed answer that meets the same obstacle: running a check again opens nothing.
    by_check = _by_check(kept[task].value) if task in kept else {}
    tried = by_check.get(check, [])
    return kept if values in tried else {**kept, task: _now({**by_check, check: [*tried, values]})}


def _now(value: Any) -> Answer:
    return Answer(value, datetime.now(UTC).isoformat(timespec="seconds"))


def _by_check(value: object) -> dict[str, list[Any]]:
    return {name: tried for name, tried in value.items() if isinstance(tried, list)} if isinstance(value, dict) else {}


def _rows(entries: object) -> tuple[Tried, ...]:
    found = map(_row, entries if isinstance(entries, list) else ())
    return tuple(row for row in found if row is not None)


def _row(entry: object) -> Tried | None:
    try:
        row = Tried(**entry) if isinstance(entry, Mapping) else None
        is_one = row is not None and isinstance(row.failing, str) and isinstance(row.text, str) and bool(row.cells)
    except (TypeError, ValueError):
        return None
    return row if is_one else None


def _clock(when: str) -> str:
    local = datetime.fromisoformat(when).astimezone()
    return f"{local.day} {local:%b %H:%M}"
