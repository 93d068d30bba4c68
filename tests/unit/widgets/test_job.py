"""The job behind a panel: threaded and inline, cancelled, late, without threads; no fault of it is lost."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerlab.errors import BuildCancelled, SetupError
from layerlab.widgets import job as module
from layerlab.widgets.job import Job, Runner, inline, threaded

BOTH = pytest.mark.parametrize("runner", [threaded, inline])


class Work:
    """Work that may wait until it is cancelled, or hear no cancel at all."""

    def __init__(self, *, waits: bool = False, deaf: bool = False) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.cancels = 0
        self._waits, self._deaf = waits, deaf

    def __call__(self) -> str:
        self.reached.set()
        if self._waits:
            assert self.go_on.wait(20), "nobody cancelled or went on"
            if self.cancels and not self._deaf:
                raise BuildCancelled("cancelled")
        return "done"

    def cancel(self) -> None:
        self.cancels += 1
        if not self._deaf:
            self.go_on.set()


def job(work: Any, **changes: Any) -> Job[str]:
    return Job(work, **({"cancel": getattr(work, "cancel", lambda: None), "name": "layerlab-test"} | changes))


def fails(fault: BaseException) -> Callable[..., Any]:
    def failing(*_: Any) -> Any:
        raise fault

    return failing


def refuse_threads(monkeypatch: pytest.MonkeyPatch, *, after: int = 0) -> None:
    start, left = threading.Thread.start, [None] * after

    def refused(thread: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)


# --- to the end --------------------------------------------------------------------------------


@BOTH
def test_it_settles_once_with_its_result(runner: Runner) -> None:
    settled: list[str | None] = []
    done = job(Work(), runner=runner, on_settled=lambda: settled.append(done.result))
    assert done.run() == "done"
    assert settled == ["done"]
    assert (done.fault, done.is_over, done.is_cancelled, done.is_late) == (None, True, False, False)
    assert done.wait(0), "asking again is no harm"
    done.cancel()
    assert not done.is_cancelled, "a cancel that comes too late is harmless"


def test_threaded_it_returns_at_once_and_redraws_meanwhile() -> None:
    work, drawn = Work(waits=True), threading.Event()
    going = job(work, runner=threaded, on_tick=lambda seconds: drawn.set())
    going.start()
    assert work.reached.wait(5) and drawn.wait(5)
    assert not going.wait(0.05) and not going.is_over
    work.go_on.set()
    assert going.wait(5) and going.outcome() == "done"


def test_inline_it_is_settled_when_start_returns_and_no_thread_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_threads(monkeypatch)
    here: list[int] = []
    done = job(lambda: here.append(threading.get_ident()) or "done", runner=inline)
    done.start()
    assert done.is_over and done.wait(0) and done.outcome() == "done"
    assert here == [threading.get_ident()]


def test_inline_the_work_redraws_as_it_goes_but_not_at_every_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REDRAW_SECONDS", 0.05)
    ticks: list[float] = []

    def work() -> str:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            going.beat()
        return "done"

    going = job(work, runner=inline, on_tick=ticks.append)
    assert going.run() == "done"
    assert 1 < len(ticks) <= 6
    assert ticks == sorted(ticks)


def test_threaded_a_beat_draws_nothing() -> None:
    ticks: list[float] = []

    def work() -> str:
        for _ in range(1000):
            going.beat()
        return "done"

    going = job(work, runner=threaded, on_tick=lambda seconds: ticks.append(threading.get_ident()))
    going.run()
    assert len(ticks) <= 1


def test_a_browser_runs_it_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.usual_runner() is threaded
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert module.usual_runner() is inline


# --- no thread -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1], ids=["the first", "the second"])
def test_a_thread_that_cannot_start_settles_the_job_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    refuse_threads(monkeypatch, after=after)
    work, settled = Work(), []
    refused = job(work, on_settled=lambda: settled.append(True))
    began = time.monotonic()
    refused.start()
    assert refused.wait(5)
    assert time.monotonic() - began < 1
    assert settled == [True]
    assert refused.is_over and not work.reached.is_set()
    with pytest.raises(SetupError, match=r"can't start new thread.*Shut down kernels"):
        refused.outcome()


def test_without_a_thread_for_it_a_cancel_is_heard_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(waits=True)
    going = job(work)
    going.start()
    assert work.reached.wait(5)
    refuse_threads(monkeypatch)
    going.cancel()
    assert going.wait(5) and work.cancels == 1


# --- cancelled -------------------------------------------------------------------------------------


def test_a_cancel_ends_the_work() -> None:
    work = Work(waits=True)
    going = job(work)
    going.start()
    assert work.reached.wait(5)
    going.cancel()
    assert going.wait(5)
    assert (work.cancels, going.is_cancelled, going.result) == (1, True, None)
    with pytest.raises(BuildCancelled):
        going.outcome()


def test_work_that_hears_no_cancel_is_left_to_itself_and_what_it_comes_to_forgotten() -> None:
    work = Work(waits=True, deaf=True)
    going = job(work, patience_seconds=0.3)
    going.start()
    assert work.reached.wait(5)
    began = time.monotonic()
    going.cancel()
    assert going.wait(5)
    assert 0.2 < time.monotonic() - began < 1
    assert not going.is_over
    work.go_on.set()
    end = time.monotonic() + 5
    while not going.is_over and time.monotonic() < end:
        time.sleep(0.01)
    assert going.is_over and going.result is None


def test_a_cancel_that_takes_long_holds_nobody() -> None:
    work, answered = Work(waits=True), threading.Event()
    going = job(work, cancel=lambda: answered.wait(5), patience_seconds=0.1)
    going.start()
    assert work.reached.wait(5)
    began = time.monotonic()
    going.cancel()
    assert time.monotonic() - began < 0.1
    assert going.wait(2)
    answered.set()
    work.go_on.set()


def test_inline_the_work_can_cancel_itself() -> None:
    work = Work()

    def cancelled() -> str:
        going.cancel()
        assert work.cancels == 1
        raise BuildCancelled("cancelled")

    going = job(cancelled, cancel=work.cancel, runner=inline)
    with pytest.raises(BuildCancelled):
        going.run()
    assert going.is_cancelled


def test_a_pause_ends_with_a_cancel() -> None:
    going = job(lambda: str(going.pause(20)))
    going.start()
    assert not going.wait(0.05)
    began = time.monotonic()
    going.cancel()
    assert going.wait(5) and time.monotonic() - began < 2
    assert going.result == "True"


def test_to_end_one_that_was_never_started_settles_it() -> None:
    work, settled = Work(), []
    never = job(work, on_settled=lambda: settled.append(True))
    never.end()
    assert settled == [True]
    never.start()
    with pytest.raises(BuildCancelled):
        never.outcome()
    assert not work.reached.is_set(), "what was given up never begins"


@BOTH
def test_after_its_limit_it_cancels_itself(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REDRAW_SECONDS", 0.02)
    work = Work()

    def endless() -> str:
        while not work.cancels:
            going.beat()
            time.sleep(0.001)
        raise BuildCancelled("cancelled")

    going = job(endless, cancel=work.cancel, limit_seconds=0.1, runner=runner)
    with pytest.raises(BuildCancelled):
        going.run()
    assert (going.is_late, going.is_cancelled, work.cancels) == (True, True, 1)


# --- interrupted ----------------------------------------------------------------------------------


def test_an_interrupt_of_the_waiting_ends_the_work_first(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(waits=True)
    going = job(work)
    wait, calls = going.wait, []

    def interrupted(timeout: float | None = None) -> bool:
        calls.append(timeout)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return wait(timeout)

    monkeypatch.setattr(going, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        going.run()
    assert going.is_over and work.cancels == 1


def test_inline_an_interrupt_of_the_work_cancels_it() -> None:
    work = Work()
    going = job(fails(KeyboardInterrupt()), cancel=work.cancel, runner=inline)
    going.start()
    assert going.is_cancelled and work.cancels == 1
    with pytest.raises(BuildCancelled, match="interrupted"):
        going.outcome()


# --- faults ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("fault", [ValueError("broken"), SystemExit(3)])
def test_a_fault_of_the_work_reaches_whoever_waits(runner: Runner, fault: BaseException) -> None:
    settled: list[BaseException | None] = []
    failed = job(fails(fault), runner=runner, on_settled=lambda: settled.append(failed.fault))
    with pytest.raises(type(fault)) as caught:
        failed.run()
    assert caught.value is fault
    assert settled == [fault]


@BOTH
def test_a_fault_in_settling_is_raised_and_nobody_waits_for_ever(runner: Runner) -> None:
    unsettled = job(Work(), runner=runner, on_settled=fails(KeyError("luggage")))
    unsettled.start()
    assert unsettled.wait(5)
    assert unsettled.result == "done"
    with pytest.raises(KeyError, match="luggage"):
        unsettled.outcome()


@BOTH
def test_what_was_lost_besides_is_a_note_on_the_fault(runner: Runner) -> None:
    failed = job(fails(ValueError("broken")), runner=runner, on_settled=fails(KeyError("luggage")))
    with pytest.raises(ValueError, match="broken") as caught:
        failed.run()
    assert any("luggage" in note for note in caught.value.__notes__)


def test_a_fault_in_redrawing_cancels_the_work_and_is_raised_once() -> None:
    work = Work(waits=True, deaf=True)
    unseen = job(work, on_tick=fails(ValueError("a broken observer")), patience_seconds=0.5)
    unseen.start()
    with pytest.raises(ValueError, match="a broken observer"):
        assert unseen.wait(5) and unseen.outcome()
    assert work.cancels == 1 and len(unseen.lost) == 1
    work.go_on.set()


def test_a_fault_of_cancelling_is_raised_too() -> None:
    work = Work(waits=True)
    going = job(work, cancel=fails(OSError("no engine answers")), patience_seconds=0.2)
    going.start()
    assert work.reached.wait(5)
    going.cancel()
    with pytest.raises(OSError, match="no engine answers"):
        assert going.wait(5) and going.outcome()
    work.go_on.set()


# --- the only place --------------------------------------------------------------------------------


def test_nothing_else_of_the_panels_and_the_lab_starts_threads() -> None:
    package = Path(module.__file__).parents[1]
    files = [path for part in ("widgets", "lab", "work") for path in (package / part).rglob("*.py")]
    starts = re.compile(r"\b(Thread|Timer|ThreadPoolExecutor|start_new_thread|to_thread)\(")
    assert [path.name for path in files if starts.search(path.read_text())] == ["job.py"]
