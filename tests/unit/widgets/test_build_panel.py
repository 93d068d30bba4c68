"""The build panel without a browser: model, cancel, interrupt, faults that must not be lost."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

import ipywidgets
import pytest
from made_up_images import result

from layerlab import events
from layerlab.build import BuildResult
from layerlab.errors import BuildCancelled, BuildFailed, EngineGone, LayerLabError, SetupError
from layerlab.widgets import BuildPanel
from layerlab.widgets.build_progress import BuildProgress
from layerlab.widgets.job import Job

TITLE = "layerlab/service:v1-slim"
INSTRUCTIONS = ("FROM python:3.12-slim", "COPY requirements.txt .", "RUN pip install -r requirements.txt")
OnEvent = Callable[[events.Event], None]


class PretendBuild:
    """A build in three steps that may wait in the last one until it is cancelled or let go."""

    def __init__(self, *, waits: bool = False, fault: BaseException | None = None) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.cancels, self.has_ended = 0, False
        self._waits, self._fault = waits, fault

    def run(self, on_event: OnEvent) -> BuildResult:
        try:
            for number, instruction in enumerate(INSTRUCTIONS, start=1):
                on_event(events.StepStarted(0.0, number, 3, instruction))
                on_event(events.StepCached(0.0, number) if number < 3 else events.StepOutput(0.0, 3, "Collecting <x>"))
                if number == 3:
                    self._last_step()
                on_event(events.StepFinished(0.0, number, "abc"))
            return result()
        finally:
            self.has_ended = True

    def cancel(self) -> None:
        self.cancels += 1
        self.go_on.set()

    def _last_step(self) -> None:
        self.reached.set()
        if self._waits:
            assert self.go_on.wait(20), "nobody cancelled or went on"
        if self.cancels:
            raise BuildCancelled("The build was cancelled. Run the cell again.")
        if self._fault:
            raise self._fault


def panel(build: PretendBuild) -> BuildPanel:
    return BuildPanel(build.run, build.cancel, title=TITLE)


def text(of: BuildPanel) -> str:
    return str(of._repr_mimebundle_()["text/plain"])


def interrupt_while_waiting(build: PretendBuild) -> None:
    """Do what the stop button of a notebook does, once the main thread waits for the build."""
    assert build.reached.wait(20)
    main = threading.main_thread().ident
    while Job.wait.__code__ not in {frame.f_code for frame in frames_of(main)}:
        time.sleep(0.01)
    _thread.interrupt_main()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def frames_of(thread: int | None) -> Iterator[FrameType]:
    frame = sys._current_frames().get(thread or 0)
    while frame is not None:
        yield frame
        frame = frame.f_back


# --- a build that ends -----------------------------------------------------------------------


def test_a_build_runs_to_its_result_and_the_text_says_so() -> None:
    shown = panel(PretendBuild())
    assert text(shown) == f"{TITLE}: Not started."
    built = shown.run()
    assert built == shown.result == result()
    model = shown.model
    assert (model.state, model.step, model.total, model.finished, model.cached) == ("done", 3, 3, 3, 2)
    assert text(shown) == f"Built {TITLE} in 12.1 s, 3 steps, 2 from cache."
    assert "application/vnd.jupyter.widget-view+json" in shown._repr_mimebundle_()


def test_a_replayed_build_is_not_called_a_build() -> None:
    shown = BuildPanel(lambda on_event: result(is_live=False), lambda: None, title=TITLE)
    shown.run()
    assert text(shown).startswith(f"Replayed the build of {TITLE}: 12.1 s when it was recorded")


def test_in_the_background_start_returns_and_wait_has_the_result() -> None:
    build = PretendBuild(waits=True)
    shown = panel(build)
    shown.start()
    assert build.reached.wait(20)
    with pytest.raises(TimeoutError, match="It goes on"):
        shown.wait(timeout=0.01)
    assert shown.model.state == "running"
    build.go_on.set()
    assert shown.wait(timeout=20) == result()
    assert shown.wait() == result(), "asking twice is no harm"
    assert shown.model.state == "done"


def test_a_panel_builds_once() -> None:
    shown = panel(PretendBuild())
    with pytest.raises(LayerLabError, match="has not been started"):
        shown.wait()
    shown.run()
    for again in (shown.run, shown.start):
        with pytest.raises(LayerLabError, match="Make a new panel"):
            again()


# --- a build that does not -------------------------------------------------------------------


def test_the_cancel_button_ends_the_build() -> None:
    build = PretendBuild(waits=True)
    shown = panel(build)
    assert shown.view.cancel.disabled
    shown.start()
    assert build.reached.wait(20)
    assert not shown.view.cancel.disabled
    shown.view.cancel.click()
    with pytest.raises(BuildCancelled):
        shown.wait(timeout=20)
    assert shown.model.state == "cancelled"
    assert shown.result is None
    assert text(shown).startswith(f"{TITLE}: Cancelled at step 3 of 3 (RUN pip install -r requirements.txt), after")
    assert shown.view.cancel.disabled


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, as in a kernel: a shell that put pytest into the background had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("in_background", [False, True])
def test_an_interrupt_cancels_and_waits_for_the_end(in_background: bool) -> None:
    build = PretendBuild(waits=True)
    shown = panel(build)
    threading.Thread(target=interrupt_while_waiting, args=(build,), daemon=True).start()
    with pytest.raises(BuildCancelled, match="interrupted"):
        if in_background:
            shown.start()
            shown.wait()
        else:
            shown.run()
    assert build.has_ended
    assert build.cancels == 1
    assert shown.model.state == "cancelled"


def test_a_failed_build_is_raised_and_shown() -> None:
    fault = BuildFailed("Step 3 failed with exit code 1.", step=3)
    shown = panel(PretendBuild(fault=fault))
    with pytest.raises(BuildFailed) as caught:
        shown.run()
    assert caught.value is fault
    assert shown.model.state == "failed"
    assert shown.model.error == "Step 3 failed with exit code 1."
    assert "Failed at step 3 of 3" in text(shown)
    assert "Step 3 failed with exit code 1." in shown.view.status.value


def test_whatever_else_ends_a_build_is_raised_too() -> None:
    shown = panel(PretendBuild(fault=EngineGone("The engine stopped answering.")))
    shown.start()
    with pytest.raises(EngineGone):
        shown.wait(timeout=20)
    assert shown.model.state == "failed"


def test_cancelling_what_is_over_does_nothing() -> None:
    build = PretendBuild()
    shown = panel(build)
    shown.run()
    shown.cancel()
    shown.view.cancel.click()
    assert build.cancels == 0
    assert shown.model.state == "done"


# --- nothing is lost -------------------------------------------------------------------------


def test_a_fault_of_the_cancel_button_is_shown_and_raised() -> None:
    build = PretendBuild(waits=True)

    def broken() -> None:
        raise EngineGone("No engine answers any more.")

    shown = BuildPanel(build.run, broken, title=TITLE)
    shown.start()
    assert build.reached.wait(20)
    shown.view.cancel.click()
    until(lambda: "Cancelling failed: No engine answers" in shown.view.status.value)
    build.go_on.set()
    with pytest.raises(EngineGone, match="No engine answers any more"):
        shown.wait(timeout=20)


def test_a_fault_of_the_cancel_button_is_noted_on_what_ended_the_build() -> None:
    build = PretendBuild(waits=True, fault=BuildFailed("Step 3 failed."))
    shown = BuildPanel(build.run, lambda: 1 / 0, title=TITLE)  # type: ignore[arg-type]
    shown.start()
    assert build.reached.wait(20)
    shown.view.cancel.click()
    until(lambda: "Cancelling failed" in shown.view.status.value)
    build.go_on.set()
    with pytest.raises(BuildFailed) as caught:
        shown.wait(timeout=20)
    assert any("division by zero" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("in_background", [False, True])
def test_a_fault_of_whoever_watches_the_model_is_raised(in_background: bool) -> None:
    build = PretendBuild(waits=True)
    shown = panel(build)

    def broken(change: Any) -> None:
        shown.model.unobserve(broken, "step")
        raise ValueError("a broken observer")

    shown.model.observe(broken, "step")
    with pytest.raises((ValueError, BuildCancelled)) as caught:
        if in_background:
            shown.start()
            shown.wait(timeout=20)
        else:
            shown.run()
    notes = " ".join(getattr(caught.value, "__notes__", ()))
    assert "a broken observer" in f"{caught.value} {notes}"
    assert build.has_ended, "the build must not go on unseen"


@pytest.mark.parametrize("which", [0, 1], ids=["no thread at all", "one thread and no second"])
@pytest.mark.parametrize("in_background", [False, True])
def test_a_thread_that_cannot_start_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, in_background: bool, which: int
) -> None:
    start, started = threading.Thread.start, []

    def refused(thread: threading.Thread) -> None:
        if len(started) == which:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    build = PretendBuild()
    shown = panel(build)
    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(SetupError, match=r"can't start new thread.*Shut down") as caught:
        if in_background:
            shown.start()
            shown.wait(timeout=20)
        else:
            shown.run()
    assert not build.reached.is_set()
    assert shown.model.state == "failed"
    assert str(caught.value) in text(shown)


def test_an_observer_that_fails_at_the_end_leaves_no_panel_that_looks_alive() -> None:
    shown = panel(PretendBuild())

    def broken(change: Any) -> None:
        raise ValueError("a broken observer")

    shown.model.observe(broken, "step")
    shown.start()
    with pytest.raises(ValueError, match="a broken observer"):
        shown.wait(timeout=20)
    assert shown.model.state == "done"


def test_in_a_python_without_threads_a_build_is_over_when_it_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise AssertionError("there are no threads")

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(threading.Thread, "start", refused)
    shown = panel(PretendBuild())
    shown.start()
    assert (shown.model.state, shown.model.finished) == ("done", 3)
    assert shown.wait() == panel(PretendBuild()).run() == result()


# --- the model alone -------------------------------------------------------------------------


def test_traits_change_only_when_they_are_refreshed() -> None:
    model, seen = BuildProgress(TITLE), []
    model.observe(lambda change: seen.append(change.name))
    for number in range(1, 500):
        model.receive(events.StepStarted(0.0, number, 500, "RUN true"))
    assert seen == []
    model.refresh(1.5)
    assert model.step == 499
    assert model.elapsed == 1.5
    assert seen.count("step") == 1


def test_a_build_that_prints_much_keeps_its_last_lines_only() -> None:
    model = BuildProgress(TITLE)
    for number in range(50_000):
        model.receive(events.StepOutput(0.0, 1, f"line {number} " + "x" * 2_000))
    model.refresh(1.0)
    lines = model.log_text.splitlines()
    assert model.lines_seen == 50_000
    assert lines[0] == "(49800 earlier lines are not kept)"
    assert lines[-1].startswith("line 49999 ")
    assert len(model.log_text) < 100_000


def test_a_pull_inside_a_build_is_told_in_bytes() -> None:
    model = BuildProgress(TITLE)
    model.receive(events.StepStarted(0.0, 1, 7, "FROM python:3.12"))
    model.receive(events.PullProgress(0.1, "a", "Downloading", 10_000_000, 40_000_000))
    model.receive(events.PullProgress(0.2, "b", "Downloading", 5_000_000, 60_000_000))
    model.receive(events.PullProgress(0.3, "c", "Already exists", 0, 0))
    model.state = "running"
    model.refresh(0.3)
    assert "pulling the base, 15.0 MB of 100 MB" in model.status
    model.receive(events.StepStarted(1.0, 2, 7, "WORKDIR /app"))
    model.refresh(1.0)
    assert model.pulling == ""


def test_a_long_instruction_is_cut_to_one_line() -> None:
    model = BuildProgress(TITLE)
    model.receive(events.StepStarted(0.0, 1, 1, "RUN a &&\n    b " + "c" * 300))
    model.refresh(0.0)
    assert len(model.instruction) == 90
    assert model.instruction.startswith("RUN a && b ccc")


# --- the view --------------------------------------------------------------------------------


def test_the_status_is_announced_and_says_the_state_in_words() -> None:
    build = PretendBuild(waits=True)
    shown = panel(build)
    shown.start()
    assert build.reached.wait(20)
    shown.model.refresh(2.0)
    status = shown.view.status.value
    assert 'role="status"' in status
    assert "running" in status
    assert "Step 3 of 3: RUN pip install -r requirements.txt · 2 from cache" in status
    assert shown.view.bar.max == 3
    build.go_on.set()
    shown.wait(timeout=20)
    assert "done" in shown.view.status.value
    assert shown.view.bar.value == shown.view.bar.max


def test_the_log_comes_on_demand_and_escaped() -> None:
    shown = panel(PretendBuild())
    shown.run()
    assert shown.view.log.layout.display == "none"
    assert "Collecting" not in shown.view.log.value
    shown.view.log_switch.value = True
    assert shown.view.log.layout.display == "block"
    assert "Collecting &lt;x&gt;" in shown.view.log.value
    assert 'tabindex="0"' in shown.view.log.value
    assert "Collecting <x>" in shown.log_text
    shown.view.log_switch.value = False
    assert shown.view.log.layout.display == "none"


def test_nothing_asks_for_more_room_than_the_cell_has() -> None:
    """A child of full width plus its margins is wider than its box, which then scrolls sideways."""
    view = panel(PretendBuild()).view
    for box in (view.box, *(child for child in view.box.children if isinstance(child, ipywidgets.Box))):
        assert box.layout.overflow == "hidden"
        assert box.layout.width in ("auto", None)
    for child in view.box.children:
        assert child.layout.width in ("auto", None)


def test_a_title_cannot_bring_markup_along() -> None:
    shown = BuildPanel(lambda on_event: replace(result(), tag=None), lambda: None, title="<img src=x>")
    shown.run()
    assert "<img" not in shown.view.status.value
    assert text(shown).startswith("Built <img src=x> in")
