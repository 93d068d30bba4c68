"""One text being judged behind a panel: progress while it runs, a cancel that is heard. Draws nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from traitlets import Unicode

from layerlab import events, narration, units
from layerlab.checks import Outcome, Verdicts
from layerlab.errors import BuildCancelled
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.job import Job

if TYPE_CHECKING:
    from layerlab.build import OnEvent

_LOOK_SECONDS = 0.05
# After this long the panel is free again, although the engine may still be ending its step.
_CANCEL_SECONDS = 1.5
# How long a cancelled attempt may take to put its things away before the next one begins all the same.
_CLEARING_SECONDS = 5.0


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
        Makes what judges the text; called in the attempt's `Job`.
    on_settled
        Told once, in that job, when the attempt is over; `wait` returns after it.
    after
        The attempt before. A cancelled one takes away the image that it may have come to by then, and a build that
        had found that image in the cache would fail; so this one begins after that.
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
        self._judge = judge
        self._on_settled = on_settled
        self._after = after
        self._judging: Running[Result] | None = None
        self._job = Job(
            self._work,
            cancel=self._cancel_judging,
            name="layerlab-attempt",
            on_tick=self.progress.refresh,
            on_settled=self._settle,
            patience_seconds=_CANCEL_SECONDS,
        )

    @property
    def outcome(self) -> Result | None:
        """What the judge came to, unless it was cancelled."""
        return None if self._job.is_cancelled else self._job.result

    @property
    def fault(self) -> BaseException | None:
        """What the judge raised, unless it was cancelled; else what failed besides."""
        own = None if self._job.is_cancelled else self._job.fault
        return own if own is not None else next(iter(self._job.lost), None)

    @property
    def was_cancelled(self) -> bool:
        """True where a cancel came before the end: whatever came after it is not believed."""
        return self._job.is_cancelled and self.fault is None

    @property
    def is_cleared_away(self) -> bool:
        """True once none of its steps will be taken away any more, nor of those that it waited for."""
        is_cleared = self._job.is_over or self.progress.is_built
        return is_cleared and (self._after is None or self._after.is_cleared_away)

    @property
    def seconds(self) -> float:
        """How long it took, or takes so far."""
        return self.progress.elapsed

    def start(self) -> None:
        """Begin; see `Job.start`."""
        self.progress.state = "running"
        self._job.start()

    def cancel(self) -> None:
        """End it; harmless once it is over."""
        self._job.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is settled; False where ``timeout`` seconds were over before."""
        return self._job.wait(timeout)

    def _work(self) -> Result:
        self._await_clearing()
        self._judging = self._judge(self.text)
        if self._job.is_cancelled:
            raise BuildCancelled("The build was cancelled.")
        with narration.heard(self._hear):
            return self._judging.run(self._receive)

    def _receive(self, event: events.Event) -> None:
        self.progress.receive(event)
        self._job.beat()

    def _hear(self, what: str) -> None:
        self.progress.tell(what)
        self._job.beat()

    def _await_clearing(self) -> None:
        end = time.monotonic() + _CLEARING_SECONDS
        while self._after is not None and not self._after.is_cleared_away and time.monotonic() < end:
            if self._job.pause(_LOOK_SECONDS):
                return
        self._after = None

    def _cancel_judging(self) -> None:
        try:
            if self._judging is not None:
                self._judging.cancel()
        except Exception as raised:
            self.progress.error = f"Cancelling failed: {raised}"

    def _settle(self) -> None:
        try:
            self._close()
        except BaseException as raised:
            self._job.lost.append(raised)
        self._on_settled(self)

    def _close(self) -> None:
        elapsed = self._job.seconds
        if self._job.is_cancelled:
            self.progress.finish(BuildCancelled("The build was cancelled."), elapsed=elapsed)
        elif self.fault is not None:
            self.progress.finish(self.fault, elapsed=elapsed)
        else:
            self.progress.close(elapsed=elapsed)
