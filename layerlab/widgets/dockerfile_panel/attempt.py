"""One text being judged in threads of its own: progress while it runs, a cancel that is heard. Draws nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from traitlets import Unicode

from layerlab import events, narration, units
from layerlab.checks import Outcome, Verdicts
from layerlab.errors import BuildCancelled
from layerlab.widgets.build_progress import BuildProgress

if TYPE_CHECKING:
    from layerlab.build import OnEvent

_REDRAW_SECONDS = 0.2
_LOOK_SECONDS = 0.05
# After this long the panel is free again, although the engine may still be ending its step.
_CANCEL_SECONDS = 1.5
# How long a cancelled attempt may take to put its things away before the next one begins all the same: an engine
# that was committing a layer when it was told to stop has needed 15 s.
_CLEARING_SECONDS = 20.0


Result = TypeVar("Result")
Given = TypeVar("Given", covariant=True)


class Running(Protocol[Given]):
    """What builds one text, and asks what it made."""

    def run(self, on_event: OnEvent | None = None) -> Given:
        """Build and check to the end. Raises BuildCancelled after `cancel`."""

    def cancel(self) -> None:
        """End `run`; called from any thread."""


class Judging(Running[Outcome], Protocol):
    """What judges one text."""

    def static(self) -> Verdicts:
        """Judge what can be seen without an engine, within 50 ms."""


class AttemptProgress(BuildProgress):
    """Where building and checking of one text stand.

    Its steps are those of the build of that text. What the checks do besides, builds of other texts among it, comes as
    words by `tell`.

    Attributes
    ----------
    doing
        What runs besides a step of the build, in words; empty while one runs.
    """

    doing = Unicode("")

    @property
    def is_built(self) -> bool:
        """True once the last step of the build is over."""
        return 0 < self.total == self.finished

    @property
    def status(self) -> str:
        """The state as one sentence."""
        if self.state != "running" or not (self.is_built or self.doing):
            return super().status
        done = f"All {self.total} steps are done. " if self.is_built else ""
        return f"{done}Now {self.doing or 'checking the image'}."

    def receive(self, event: events.Event) -> None:
        """Take in one event of the build of this text."""
        if isinstance(event, events.StepStarted):
            self.tell("")
        super().receive(event)

    def tell(self, what: str) -> None:
        """Take in what begins now, from any thread; see `layerlab.narration`."""
        with self._lock:
            self._seen["doing"] = what

    def _place(self) -> str:
        if not self.is_built:
            return super()._place()
        return f"after the last step ({self.doing or 'checking the image'}), after {units.duration(self.elapsed)}"

    def close(self, *, elapsed: float) -> None:
        """Say what was judged, ``elapsed`` seconds after the start: a refused text is not built, or not to its end."""
        self.refresh(elapsed)
        done = "Built and checked" if self.is_built else "Checked"
        # A recording ends behind its last step, and never begins the one that it does not hold.
        place = self.step + 1 if self.step in self._finished else self.step
        stopped = f" Your build stopped at step {place} of {self.total}."
        how_far = "" if self.is_built else stopped if self.total else " Nothing was built."
        with self.hold_trait_notifications():
            self.state = "failed" if self.total and not self.is_built else "done"
            self.summary = f"{done} in {units.duration(elapsed)}.{how_far}"


class Attempt(Generic[Result]):
    """One run of a judge over one text.

    Parameters
    ----------
    judge
        Makes what judges the text; called in the thread of the attempt.
    on_settled
        Told once, from a thread, when the attempt is over; `wait` returns after it.
    after
        The attempt before. A cancelled one takes away the image that it may have come to by then, and a build that
        had found that image in the cache would fail; so this one begins after that.

    Attributes
    ----------
    outcome, fault
        One of them is set once the attempt is settled, unless it was cancelled.
    """

    def __init__(
        self,
        text: str,
        judge: Callable[[str], Running[Result]],
        *,
        title: str,
        on_settled: Callable[[Attempt[Result]], None],
        after: Attempt[Result] | None = None,
    ) -> None:
        self.text = text
        self.began_at = datetime.now().astimezone()
        self.progress = AttemptProgress(title)
        self.outcome: Result | None = None
        self.fault: BaseException | None = None
        self._judge = judge
        self._on_settled = on_settled
        self._after = after
        self._judging: Running[Result] | None = None
        self._lock = threading.Lock()
        self._stirred, self._over, self._settled = threading.Event(), threading.Event(), threading.Event()
        self._cancelled = False
        self._began = 0.0

    @property
    def was_cancelled(self) -> bool:
        """True where a cancel came before the end: whatever came after it is not believed."""
        return self._cancelled and self.fault is None

    @property
    def is_cleared_away(self) -> bool:
        """True once none of its steps will be taken away any more, nor of those that it waited for."""
        is_cleared = self._over.is_set() or self.progress.is_built
        return is_cleared and (self._after is None or self._after.is_cleared_away)

    @property
    def seconds(self) -> float:
        """How long it took, or takes so far."""
        return self.progress.elapsed

    def start(self) -> None:
        """Begin, and return at once."""
        self._began = time.monotonic()
        self.progress.state = "running"
        for work, name in ((self._work, "layerlab-attempt"), (self._drive, "layerlab-attempt-panel")):
            threading.Thread(target=work, name=name, daemon=True).start()

    def cancel(self) -> None:
        """End it; harmless once it is over."""
        with self._lock:
            if not self._over.is_set():
                self._cancelled = True
        self._stirred.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is settled; False where ``timeout`` seconds were over before."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        # In slices: on Windows nothing interrupts a wait without an end.
        while not self._settled.wait(min(_REDRAW_SECONDS, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                return False
        return True

    def _work(self) -> None:
        outcome: Result | None = None
        fault: BaseException | None = None
        try:
            self._await_clearing()
            self._judging = self._judge(self.text)
            if not self._cancelled:
                with narration.heard(self.progress.tell):
                    outcome = self._judging.run(self.progress.receive)
        except BaseException as raised:
            fault = raised
        with self._lock:
            if not self._cancelled:
                self.outcome, self.fault = outcome, fault
            self._over.set()
        self._stirred.set()

    def _await_clearing(self) -> None:
        end = time.monotonic() + _CLEARING_SECONDS
        while self._after is not None and not self._after.is_cleared_away and time.monotonic() < end:
            if self._stirred.wait(_LOOK_SECONDS):
                return
        self._after = None

    def _drive(self) -> None:
        try:
            while not self._stirred.wait(_REDRAW_SECONDS):
                self.progress.refresh(self._elapsed())
            self._end()
            self._close()
        except BaseException as raised:
            # Nobody reads the traceback of a thread: whoever waits is told.
            self.cancel()
            self._end()
            self.fault, self.outcome = self.fault or raised, None
        finally:
            self._settle()

    def _end(self) -> None:
        """See to it that the worker ends; one that does not hear is left to itself."""
        if not self._over.is_set():
            threading.Thread(target=self._cancel_judging, name="layerlab-attempt-cancel", daemon=True).start()
            self._over.wait(_CANCEL_SECONDS)

    def _cancel_judging(self) -> None:
        try:
            if self._judging is not None:
                self._judging.cancel()
        except Exception as raised:
            self.progress.error = f"Cancelling failed: {raised}"

    def _close(self) -> None:
        elapsed = self._elapsed()
        if self._cancelled:
            self.progress.finish(BuildCancelled("The build was cancelled."), elapsed=elapsed)
        elif self.fault is not None:
            self.progress.finish(self.fault, elapsed=elapsed)
        else:
            self.progress.close(elapsed=elapsed)

    def _settle(self) -> None:
        try:
            self._on_settled(self)
        except BaseException as raised:
            self.fault = self.fault or raised
        finally:
            self._settled.set()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began
