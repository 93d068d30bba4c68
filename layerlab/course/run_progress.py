"""How far a run of the course is: a bar in a terminal, plain lines in a log. Cells are its unit of work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class CourseProgress:
    """Counts cells over all notebooks and estimates what is left from the cells so far."""

    def __init__(self, console: Console, notebooks: Sequence[tuple[str, int]]) -> None:
        self._console = console
        self._total = max(1, sum(cells for _, cells in notebooks))
        self._order = [name for name, _ in notebooks]
        self._ends = self._end_positions(notebooks)
        self._done = 0
        self._began = time.monotonic()
        self._notebook_began = self._began
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._total, left="")

    def __enter__(self) -> CourseProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, name: str) -> None:
        """Say that a notebook starts."""
        self._notebook_began = time.monotonic()
        self._bar.update(self._task, description=name)
        if not self._console.is_terminal:
            self._print(f"{self._place(name)} {name} …")

    def advance(self) -> None:
        """Count a cell as done."""
        self._done += 1
        self._bar.update(self._task, completed=self._done, left=self.remaining())

    def end(self, name: str, *, passed: bool) -> None:
        """Say how long a notebook took, and how much is left."""
        self._done = self._ends[name]  # a failing notebook leaves cells behind that nobody will run
        seconds = time.monotonic() - self._notebook_began
        self._bar.update(self._task, completed=self._done, left=self.remaining())
        verdict = "PASS" if passed else "FAIL"
        self._print(f"{self._place(name)} {verdict} {name} {seconds:.1f} s; {self.remaining()}")

    def remaining(self) -> str:
        """Estimate the time left, in words."""
        if self._done >= self._total:
            return f"all done in {time.monotonic() - self._began:.0f} s"
        if not self._done:
            return "time left unknown"
        seconds = (time.monotonic() - self._began) / self._done * (self._total - self._done)
        return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"

    def _place(self, name: str) -> str:
        return f"[{self._order.index(name) + 1}/{len(self._order)}]"

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    @staticmethod
    def _end_positions(notebooks: Sequence[tuple[str, int]]) -> dict[str, int]:
        ends, position = {}, 0
        for name, cells in notebooks:
            position += cells
            ends[name] = position
        return ends
