"""Where a build stands, as a model: fed with events, it knows steps, cache hits and the last lines.

Knows no widget, no engine and no clock: whoever drives it says how many seconds have passed.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from traitlets import Enum, Float, HasTraits, Int, Unicode

from layerlab import events, units
from layerlab.errors import BuildCancelled

if TYPE_CHECKING:
    from layerlab.build import BuildResult

STATES = ("waiting", "running", "done", "failed", "cancelled")

# A RUN line may print 100 MB: the panel holds the last lines only, and of each line the beginning.
_LINES, _LINE_LENGTH = 200, 400
_INSTRUCTION_LENGTH = 90


class BuildProgress(HasTraits):
    """Where a build stands.

    `receive` may be called from any thread and as often as events come; the traits change only in
    `refresh` and `finish`, so that a view is redrawn as often as its driver likes and no oftener.
    """

    title = Unicode()
    state = Enum(STATES, default_value="waiting")
    step = Int(0, help="the step that runs, from 1; 0 before the first")
    total = Int(0)
    finished = Int(0, help="steps that are over")
    cached = Int(0, help="steps answered from the build cache")
    instruction = Unicode()
    pulling = Unicode(help="what of a base has arrived, as text; empty when nothing is pulled")
    elapsed = Float(0.0, help="seconds")
    lines_seen = Int(0, help="lines the build has printed, kept or not")
    error = Unicode()
    summary = Unicode(help="one sentence, once the build is over")

    def __init__(self, title: str) -> None:
        super().__init__(title=title)
        self._lock = threading.Lock()
        self._seen: dict[str, Any] = {}
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._count = 0
        self._finished: set[int] = set()
        self._cached: set[int] = set()
        self._pulls: dict[str, tuple[int, int]] = {}

    @property
    def is_over(self) -> bool:
        """True once the build has ended, however it did."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def log_text(self) -> str:
        """The last lines the build printed; says how many came before them."""
        with self._lock:
            lines, dropped = list(self._lines), self._count - len(self._lines)
        return "\n".join([f"({dropped} earlier lines are not kept)", *lines] if dropped else lines)

    @property
    def status(self) -> str:
        """The state as one sentence."""
        if self.is_over:
            return self.summary
        if self.state == "waiting":
            return "Not started."
        if not self.step:
            return self.pulling or "Starting."
        parts = [f"Step {self.step} of {self.total}: {self.instruction}", self.pulling, f"{self.cached} from cache"]
        return " · ".join(part for part in parts if part)

    @property
    def cut_off(self) -> str:
        """What can be said of a build that runs once its kernel has gone, or in a file saved meanwhile."""
        return f"{self.title}: the build had not finished when this page was last connected."

    def receive(self, event: events.Event) -> None:
        """Take in one event; cheap, and bounded in memory however much a build prints."""
        with self._lock:
            match event:
                case events.StepStarted():
                    self._seen |= {"step": event.number, "total": event.total, "instruction": _short(event.instruction)}
                    self._pulls.clear()
                    self._keep(f"Step {event.number}/{event.total}: {event.instruction}")
                case events.StepCached():
                    self._cached.add(event.number)
                case events.StepFinished():
                    self._finished.add(event.number)
                case events.PullProgress() if event.total:
                    self._pulls[event.layer] = (event.current, event.total)
                case events.StepOutput():
                    self._keep(event.text)
                case events.Failed():
                    self._keep(event.message)

    def refresh(self, elapsed: float) -> None:
        """Show in the traits what was received so far, ``elapsed`` seconds after the start."""
        with self._lock:
            seen = {
                **self._seen,
                "finished": len(self._finished),
                "cached": len(self._cached),
                "pulling": self._pull_text(),
                "lines_seen": self._count,
            }
        with self.hold_trait_notifications():
            self.elapsed = elapsed
            for name, value in seen.items():
                setattr(self, name, value)

    def finish(self, outcome: BuildResult | BaseException, *, elapsed: float) -> None:
        """Close the build: with its result, or with what ended it."""
        try:
            self.refresh(elapsed)
        finally:
            # Whatever an observer raises: a build that is over is never shown as one that runs.
            self._finish(outcome)

    def _finish(self, outcome: BuildResult | BaseException) -> None:
        with self.hold_trait_notifications():
            self.pulling = ""
            if not isinstance(outcome, BaseException):
                self.state, self.summary = "done", _built(outcome, self.title)
            elif isinstance(outcome, BuildCancelled):
                self.state, self.summary = "cancelled", f"Cancelled {self._place()}."
            else:
                self.state, self.error = "failed", str(outcome) or type(outcome).__name__
                self.summary = f"Failed {self._place()}: {self.error}"

    def _keep(self, text: str) -> None:
        for line in text.splitlines() or [""]:
            self._lines.append(line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}…")
            self._count += 1

    def _pull_text(self) -> str:
        if not self._pulls:
            return ""
        current, total = (sum(pair[i] for pair in self._pulls.values()) for i in (0, 1))
        return f"pulling the base, {units.size(current)} of {units.size(total)} so far announced"

    def _place(self) -> str:
        where = f"at step {self.step} of {self.total} ({self.instruction})" if self.step else "before the first step"
        return f"{where}, after {units.duration(self.elapsed)}"


def _short(instruction: str) -> str:
    line = " ".join(instruction.split())
    return line if len(line) <= _INSTRUCTION_LENGTH else f"{line[: _INSTRUCTION_LENGTH - 1]}…"


def _built(result: BuildResult, title: str) -> str:
    name = result.tag or title
    counts = f"{len(result.steps)} steps, {result.cached_steps} from cache"
    if result.is_live:
        return f"Built {name} in {units.duration(result.seconds)}, {counts}."
    return f"Replayed the build of {name}: {units.duration(result.seconds)} when it was recorded, {counts}."
