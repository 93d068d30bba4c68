"""The live build panel: step k of n, seconds, cache hits, cancel, and the log on demand.

Given two callables, never an engine. The build is a `Job`, so that the clock ticks and an interrupt is heard while a
RUN line is silent for minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from layerlab.errors import BuildCancelled, LayerLabError
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.build_view import BuildView
from layerlab.widgets.job import Job
from layerlab.widgets.showing import bundle

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.events import Event


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
    """

    def __init__(
        self,
        start: Callable[[Callable[[Event], None]], BuildResult],
        cancel: Callable[[], None],
        *,
        title: str = "The build",
    ) -> None:
        self.model = BuildProgress(title)
        self.view = BuildView(self.model, self.cancel)
        self._build = start
        self._cancel = cancel
        self._job = Job(
            self._run, cancel=self._end, name="layerlab-build", on_tick=self.model.refresh, on_settled=self._settle
        )
        self._shown: Any = None

    @property
    def result(self) -> BuildResult | None:
        """The BuildResult, or None while there is none."""
        return self._job.result

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
        self.start()
        return self.wait()

    def start(self) -> None:
        """Show the panel, begin to build, and return at once; `wait` for the result."""
        if self.model.state != "waiting":
            raise LayerLabError(f"{self.model.title} was started before. Make a new panel to build it again.")
        with self._ended_if_broken_off():
            self.model.state = "running"
            self._shown = _show(self)
            self._job.start()

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
        with self._ended_if_broken_off():
            is_settled = self._job.wait(timeout)
        if not is_settled:
            raise TimeoutError(f"{self.model.title} is not built after {timeout:g} s. It goes on; wait again.")
        return self._job.outcome()

    def cancel(self) -> None:
        """Ask the build to end; `run` or `wait` then raises BuildCancelled. Harmless once it is over."""
        self._job.cancel()

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

    def _run(self) -> BuildResult:
        return self._build(self._receive)

    def _receive(self, event: Event) -> None:
        self.model.receive(event)
        self._job.beat()

    def _end(self) -> None:
        try:
            self._cancel()
        except Exception as fault:
            # ipywidgets prints what a callback raises to a log that nobody has open.
            self.model.error = f"Cancelling failed: {fault}"
            raise

    def _settle(self) -> None:
        outcome = self._job.fault if self._job.fault is not None else self._job.result
        assert outcome is not None
        self.model.finish(outcome, elapsed=self._job.seconds)
        if self._shown is not None:
            self._shown.update(self)

    @contextmanager
    def _ended_if_broken_off(self) -> Iterator[None]:
        """End the build first, whatever breaks the waiting off: an interrupt, or a panel that cannot be shown."""
        try:
            yield
        except KeyboardInterrupt:
            self._job.end()
            raise self._job.noted(BuildCancelled(self._interrupted())) from None
        except BaseException:
            self._job.end()
            raise

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


def _show(panel: BuildPanel) -> Any:
    """Display the panel where there is a notebook; return the handle that updates its saved text."""
    from IPython import get_ipython
    from IPython.display import display

    return display(panel, display_id=True) if get_ipython() is not None else None  # type: ignore[no-untyped-call]
