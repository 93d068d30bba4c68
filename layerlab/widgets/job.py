"""Work that goes on behind a panel: it can be cancelled, the panel is redrawn meanwhile, and it settles once.

The only module of `widgets` and `lab` that starts threads. Draws nothing, and knows no build.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from layerlab.errors import BuildCancelled, SetupError

# Five redraws a second: each is a message to the browser, and none carries more than a line.
REDRAW_SECONDS = 0.2

Result = TypeVar("Result")
Runner = Callable[[Callable[[], None], str], None]


def threaded(body: Callable[[], None], name: str) -> None:
    """Run ``body`` in a thread called ``name``, which knows no context variables of its starter.

    Raises
    ------
    SetupError
        No thread can start.
    """
    thread = threading.Thread(target=body, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise SetupError(
            f"Nothing was begun: this kernel can start no thread ({error}). Shut down kernels that you don't need, "
            "or restart this one, and try again."
        ) from error


def inline(body: Callable[[], None], name: str) -> None:
    """Run ``body`` here and now: for a Python without threads."""
    body()


def usual_runner() -> Runner:
    """Return the runner that fits this Python: one in a browser has no threads."""
    return inline if sys.platform == "emscripten" else threaded


class Job(Generic[Result]):
    """One piece of work behind a panel.

    With the runner `threaded`, `start` returns at once, and the panel is redrawn from a thread. With `inline` the
    work is over and settled when `start` returns.

    Parameters
    ----------
    work
        Does it, and returns its result.
    cancel
        Ends ``work`` soon; called from any thread, also when it has not begun yet.
    name
        What its threads are called.
    on_tick
        Redraws: called every `REDRAW_SECONDS` with the seconds since the start.
    on_settled
        Called once when the job is over; `wait` returns after it.
    patience_seconds
        After a cancel the job settles this many seconds later at the latest, although ``work`` may go on: what it
        comes to then is forgotten.
    limit_seconds
        The job cancels itself after this many seconds.
    runner
        `threaded` or `inline`; `usual_runner` where None.

    Attributes
    ----------
    result, fault
        What ``work`` came to, once it is over. A thread that cannot start is a fault too (SetupError).
    lost
        What failed besides: cancelling, redrawing, settling.
    is_late
        True once ``limit_seconds`` were over before the work was.
    """

    def __init__(
        self,
        work: Callable[[], Result],
        *,
        cancel: Callable[[], None],
        name: str,
        on_tick: Callable[[float], None] = lambda seconds: None,
        on_settled: Callable[[], None] = lambda: None,
        patience_seconds: float = math.inf,
        limit_seconds: float = math.inf,
        runner: Runner | None = None,
    ) -> None:
        self.result: Result | None = None
        self.fault: BaseException | None = None
        self.lost: list[BaseException] = []
        self.is_late = False
        self._work, self._cancel_work, self._name = work, cancel, name
        self._on_tick, self._on_settled = on_tick, on_settled
        self._patience_seconds, self._limit_seconds = patience_seconds, limit_seconds
        self._runner = runner or usual_runner()
        self._lock = threading.Lock()
        self._cancelled, self._over, self._settled = threading.Event(), threading.Event(), threading.Event()
        self._is_taken = self._is_left = self._is_broken = False
        self._began = self._drawn = time.monotonic()
        self._ends_at = math.inf

    @property
    def is_cancelled(self) -> bool:
        """True where a cancel came before the end of the work."""
        return self._cancelled.is_set()

    @property
    def is_over(self) -> bool:
        """True once the work does nothing any more; the job may be settled before, see ``patience_seconds``."""
        return self._over.is_set()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def start(self) -> None:
        """Begin. Where no thread can start, the job is settled when this returns, with that as its fault."""
        self._began = self._drawn = time.monotonic()
        try:
            self._runner(self._drive, f"{self._name}-panel")
        except SetupError as error:
            self._give_up(error)

    def cancel(self) -> None:
        """Ask the work to end, from any thread; returns at once, and is harmless once it is over."""
        with self._lock:
            if self._over.is_set():
                return
            self._ends_at = min(self._ends_at, time.monotonic() + self._patience_seconds)
            self._cancelled.set()
        try:
            # An engine may take its time to answer, and a click must not wait for it.
            self._runner(self._tell_work, f"{self._name}-cancel")
        except SetupError:
            self._tell_work()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is settled; False where ``timeout`` seconds were over before."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        # In slices: on Windows nothing interrupts a wait without an end.
        while not self._settled.wait(min(REDRAW_SECONDS, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                return False
        return True

    def end(self) -> None:
        """Cancel, and wait until it is settled; a job that was not started is settled at once."""
        self.cancel()
        if not self._give_up(BuildCancelled("This was cancelled before it began. Run the cell again.")):
            self.wait()

    def run(self) -> Result:
        """Start, wait and return the result; what breaks the waiting off, an interrupt too, ends the work first."""
        try:
            self.start()
            self.wait()
        except BaseException:
            self.end()
            raise
        return self.outcome()

    def outcome(self) -> Result:
        """Return the result of a settled job, or raise what it failed with; what was lost besides is a note on it."""
        if self.fault is not None:
            raise self.noted(self.fault)
        if self.lost:
            raise self.lost[0]
        return cast(Result, self.result)

    def noted(self, fault: BaseException) -> BaseException:
        """Return ``fault`` with notes on what failed besides."""
        while self.lost:
            fault.add_note(f"Besides, the panel failed: {self.lost.pop(0)}")
        return fault

    # --- for the work ----------------------------------------------------------------------------

    def beat(self) -> None:
        """Called by the work as often as something happens: inline, nobody else can redraw or look at the clock."""
        if self._runner is inline and time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._tick()

    def pause(self, seconds: float) -> bool:
        """Sleep; True, and at once, where a cancel has come."""
        return self._cancelled.wait(seconds)

    # --- within ----------------------------------------------------------------------------------

    def _drive(self) -> None:
        """Do the work beside, redraw until it is over, then settle."""
        if not self._take():
            return
        try:
            self._runner(self._do_work, self._name)
        except SetupError as error:
            self._close(fault=error)
        while not self._over.wait(max(0.0, min(REDRAW_SECONDS, self._ends_at - time.monotonic()))):
            if time.monotonic() >= self._ends_at:
                break
            self._tick()
        with self._lock:
            self._is_left = not self._over.is_set()
        self._settle()

    def _do_work(self) -> None:
        try:
            result = self._work()
        except KeyboardInterrupt:
            # Only inline: it hit the work itself, which has not told its engine yet.
            self.cancel()
            self._close(fault=BuildCancelled("The kernel was interrupted, so this was cancelled. Run the cell again."))
        except BaseException as fault:
            self._close(fault=fault)
        else:
            self._close(result)

    def _close(self, result: Result | None = None, *, fault: BaseException | None = None) -> None:
        with self._lock:
            if not self._is_left:
                self.result, self.fault = result, fault
            self._over.set()

    def _take(self) -> bool:
        """True for whoever comes first: the driver that begins, or somebody who gives the job up."""
        with self._lock:
            is_first, self._is_taken = not self._is_taken, True
        return is_first

    def _give_up(self, fault: BaseException) -> bool:
        """Settle a job that never began; False where it has."""
        if not self._take():
            return False
        self._close(fault=fault)
        self._settle()
        return True

    def _tick(self) -> None:
        self._drawn = time.monotonic()
        if self.seconds >= self._limit_seconds and not self.is_cancelled:
            self.is_late = True
            self.cancel()
        if self._is_broken:
            return
        try:
            self._on_tick(self.seconds)
        except BaseException as fault:
            # Nobody reads the traceback of a thread, and no work may go on unseen.
            self._is_broken = True
            self.lost.append(fault)
            self.cancel()

    def _tell_work(self) -> None:
        try:
            self._cancel_work()
        except Exception as fault:
            self.lost.append(fault)

    def _settle(self) -> None:
        try:
            self._on_settled()
        except BaseException as fault:
            self.lost.append(fault)
        finally:
            self._settled.set()
