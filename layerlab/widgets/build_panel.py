"""The live build panel: step k of n, seconds, cache hits, cancel, and the log on demand.

Given two callables, never an engine. The build runs in a thread of its own, so that the clock ticks
and an interrupt is heard while a RUN line is silent for minutes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from layerlab.errors import BuildCancelled, LayerLabError
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.build_view import BuildView
from layerlab.widgets.showing import bundle

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.events import Event

# Five redraws a second: each is a message to the browser, and none carries more than a line.
_REDRAW_SECONDS = 0.2


class BuildPanel:
    """Runs a build and shows where it stands.

    Parameters
    ----------
    start
        Runs the build to its end, handing each event to the callable it is given: `build.Build.run`.
    cancel
        Ends the build from any thread: `build.Build.cancel`.
    title
        What is built, in words: the tag.

    Attributes
    ----------
    model
        A `BuildProgress`: all there is to know, without a browser.
    result
        The BuildResult, or None while there is none.
    """

    def __init__(
        self,
        start: Callable[[Callable[[Event], None]], BuildResult],
        cancel: Callable[[], None],
        *,
        title: str = "The build",
    ) -> None:
        self.model = BuildProgress(title)
        self.view = BuildView(self.model, self._on_cancel)
        self.result: BuildResult | None = None
        self._build = start
        self._cancel = cancel
        self._over = threading.Event()
        self._settled = threading.Event()
        self._fault: BaseException | None = None
        self._lost: list[BaseException] = []
        self._worker: threading.Thread | None = None
        self._driver: threading.Thread | None = None
        self._began = 0.0
        self._shown: Any = None

    # --- verbs ---------------------------------------------------------------------------------

    def run(self) -> BuildResult:
        """Show the panel, build, and return the result.

        Raises
        ------
        BuildCancelled
            After the cancel button, or after an interrupt of the kernel; the build has ended by then.
        BuildFailed, EngineGone, DiskFull, NotRecorded
            As the build raised them.
        """
        self._require_unstarted()
        self._guarded(self._begin, self._drive)
        return self._outcome()

    def start(self) -> None:
        """Show the panel, begin to build, and return at once; `wait` for the result."""
        self._require_unstarted()
        self._guarded(self._begin, self._begin_driving)

    def wait(self, timeout: float | None = None) -> BuildResult:
        """Wait for a build that `start` began, and return its result.

        Parameters
        ----------
        timeout
            Seconds; the build goes on when they are over.

        Raises
        ------
        TimeoutError
            When ``timeout`` seconds are over. Else as `run`.
        """
        if self.model.state == "waiting":
            raise LayerLabError(f"{self.model.title} has not been started. Call start() or run() first.")
        self._guarded(lambda: self._await(timeout))
        if not self._settled.is_set():
            raise TimeoutError(f"{self.model.title} is not built after {timeout:g} s. It goes on; wait again.")
        return self._outcome()

    def cancel(self) -> None:
        """Ask the build to end; `run` or `wait` then raises BuildCancelled. Harmless once it is over."""
        if not self._over.is_set():
            self._cancel()

    @property
    def log_text(self) -> str:
        """The last lines that the build printed."""
        return self.model.log_text

    def __repr__(self) -> str:
        model = self.model
        # "Built layerlab/… in 12.3 s" names what was built; every other state has to be told of what it is.
        return model.summary if model.state == "done" else f"{model.title}: {model.status}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # The text is what a saved notebook shows until it is trusted, and all that GitHub shows.
        text = self.model.cut_off if self.model.state == "running" else repr(self)
        return bundle(self.view.box, text)

    # --- the way of a build --------------------------------------------------------------------

    def _require_unstarted(self) -> None:
        if self.model.state != "waiting":
            raise LayerLabError(f"{self.model.title} was started before. Make a new panel to build it again.")

    def _begin(self) -> None:
        self._began = time.monotonic()
        self.model.state = "running"
        self._shown = _show(self)
        self._worker = threading.Thread(target=self._work, name="layerlab-build", daemon=True)
        self._worker.start()

    def _begin_driving(self) -> None:
        self._driver = threading.Thread(target=self._drive_quietly, name="layerlab-build-panel", daemon=True)
        self._driver.start()

    def _work(self) -> None:
        try:
            self.result = self._build(self.model.receive)
        except BaseException as fault:
            self._fault = fault
        finally:
            self._over.set()

    def _drive(self) -> None:
        """Redraw until the build is over, then settle."""
        while not self._over.wait(_REDRAW_SECONDS):
            self.model.refresh(self._elapsed())
        self._settle()

    def _drive_quietly(self) -> None:
        try:
            self._drive()
        except BaseException as fault:
            # Nobody reads the traceback of a thread: `wait` raises it.
            self._lost.append(fault)
            self._on_cancel()
            self._over.wait()
            self._settle_quietly()

    def _settle_quietly(self) -> None:
        try:
            self._settle()
        except BaseException as fault:
            self._lost.append(fault)
        finally:
            self._settled.set()

    def _settle(self) -> None:
        outcome = self._fault if self._fault is not None else self.result
        assert outcome is not None
        self.model.finish(outcome, elapsed=self._elapsed())
        if self._shown is not None:
            self._shown.update(self)
        self._settled.set()

    def _await(self, timeout: float | None) -> None:
        end = math.inf if timeout is None else time.monotonic() + timeout
        # In slices: on Windows nothing interrupts a wait without an end.
        while not self._settled.wait(min(_REDRAW_SECONDS, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                return

    def _guarded(self, *acts: Callable[[], None]) -> None:
        """Do something while the build runs; what breaks it off, an interrupt too, ends the build first."""
        try:
            for act in acts:
                act()
        except KeyboardInterrupt:
            self._end_now()
            raise self._with_notes(BuildCancelled(self._interrupted())) from None
        except BaseException:
            self._end_now()
            raise

    def _end_now(self) -> None:
        """Cancel and wait for the end; a second interrupt stops the waiting, not the cancelling."""
        self._on_cancel()
        if self._worker is None:
            self._fault = BuildCancelled(self._interrupted())
            self._over.set()
        while not self._over.wait(_REDRAW_SECONDS):
            pass
        if self._driver is None:
            self._settle()
        else:
            self._await(None)

    def _interrupted(self) -> str:
        if self.result is not None:
            return (
                f"The kernel was interrupted just as the build of {self.model.title} ended; the image is there. "
                "Run the cell again: its steps come from the cache."
            )
        return (
            f"The kernel was interrupted, so the build of {self.model.title} was cancelled. "
            "Run the cell again to build it."
        )

    def _outcome(self) -> BuildResult:
        if self._fault is not None:
            raise self._with_notes(self._fault)
        if self._lost:
            raise self._lost[0]
        assert self.result is not None
        return self.result

    def _with_notes(self, fault: BaseException) -> BaseException:
        while self._lost:
            fault.add_note(f"Besides, the panel failed: {self._lost.pop(0)}")
        return fault

    def _on_cancel(self) -> None:
        # ipywidgets prints what a callback raises to a log that nobody has open.
        try:
            self.cancel()
        except Exception as fault:
            self._lost.append(fault)
            self.model.error = f"Cancelling failed: {fault}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _show(panel: BuildPanel) -> Any:
    """Display the panel where there is a notebook; return the handle that updates its saved text."""
    from IPython import get_ipython
    from IPython.display import display

    return display(panel, display_id=True) if get_ipython() is not None else None  # type: ignore[no-untyped-call]
