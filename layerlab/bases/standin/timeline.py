"""What has to be done for which base, how long it usually takes, and how far it is. Knows a clock, no work."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from layerlab.bases.progress import Progress

# Up to here a task's share grows with its time, and from here on ever slower: it is not done before it is.
_STEADY = 0.75
# A task that is overdue is taken to need this much again of the time it had.
_OVERDUE = 0.2


@dataclass(frozen=True)
class Task:
    """One piece of work: ``seconds`` is how long it took on two idle cores."""

    key: str
    title: str
    seconds: float


class Timeline:
    """Keeps the time of tasks that several bases share; asked from any thread."""

    def __init__(
        self,
        plans: Mapping[str, Sequence[Task]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plans = {key: tuple(tasks) for key, tasks in plans.items()}
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._skipped: set[str] = set()

    @contextmanager
    def running(self, key: str) -> Iterator[None]:
        """Mark a task as begun, and as done on leaving without an error."""
        with self._lock:
            self._began[key] = self._clock()
        yield
        with self._lock:
            self._took[key] = self._clock() - self._began[key]

    def skip(self, key: str) -> None:
        """Mark a task as done earlier: it counts as done, and says nothing about this machine's pace."""
        with self._lock:
            self._took[key] = 0.0
            self._skipped.add(key)

    def progress(self, base: str) -> Progress:
        """Say how far a base is; its ``reference`` is the base's key."""
        with self._lock:
            tasks = self._plans[base]
            total = sum(task.seconds for task in tasks)
            done = sum(task.seconds * self._share(task) for task in tasks)
            return Progress(base, self._detail(tasks), done / total if total else 1.0, self._left(tasks))

    def _share(self, task: Task) -> float:
        if task.key in self._took:
            return 1.0
        if task.key not in self._began:
            return 0.0
        passed = self._elapsed(task) / (task.seconds * self._pace())
        if passed <= _STEADY:
            return passed
        return 1 - (1 - _STEADY) * math.exp((_STEADY - passed) / (1 - _STEADY))

    def _left(self, tasks: Sequence[Task]) -> float:
        """Estimate the seconds left, no better than what is under way lets hope."""
        running = [task for task in tasks if task.key in self._began and task.key not in self._took]
        pace = max([self._pace(), *(self._elapsed(task) / task.seconds for task in running)])
        waiting = sum(task.seconds for task in tasks if task.key not in self._began and task.key not in self._took)
        at_work = (max(task.seconds * self._pace() - (had := self._elapsed(task)), _OVERDUE * had) for task in running)
        return waiting * pace + sum(at_work)

    def _elapsed(self, task: Task) -> float:
        return self._clock() - self._began[task.key]

    def _pace(self) -> float:
        """How much slower than expected this machine was so far; within reason, for the first tasks are short."""
        known = {task.key: task.seconds for tasks in self._plans.values() for task in tasks}
        measured = {key: took for key, took in self._took.items() if key in known and key not in self._skipped}
        if not measured:
            return 1.0
        return min(5.0, max(0.4, sum(measured.values()) / sum(known[key] for key in measured)))

    def _detail(self, tasks: Sequence[Task]) -> str:
        for number, task in enumerate(tasks, 1):
            if task.key in self._began and task.key not in self._took:
                return f"{task.title}, step {number} of {len(tasks)}"
        return "done" if all(task.key in self._took for task in tasks) else "waiting its turn"
