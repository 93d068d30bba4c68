"""A judge of texts without an engine: builds in three steps, waits where it is told to, counts its calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from layerlab import events
from layerlab.build import OnEvent
from layerlab.checks import Outcome, Sizes, Verdicts, judge
from layerlab.errors import BuildCancelled
from layerlab.work.attempts import Attempts

SIZES = Sizes(base_bytes=119_000_000, needed_bytes=14_000_000, luggage_bytes=3_500_000)
STEPS = ("FROM python:3.12-slim", "RUN pip install -r requirements.txt", "COPY main.py .")


class PretendJudge:
    """Makes what judges one text, and may hold it up, make it fail, print a lot or hear no cancel."""

    def __init__(self, *, waits: bool = False, fault: BaseException | None = None, deaf: bool = False) -> None:
        self.waits, self.fault, self.deaf, self.prints = waits, fault, deaf, 0
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.judged: list[str] = []
        self.looked_at: list[str] = []
        self.runs = self.cancels = 0

    def __call__(self, text: str) -> PretendJudging:
        return PretendJudging(self, text)


class PretendJudging:
    """One text before the judge."""

    def __init__(self, judge: PretendJudge, text: str) -> None:
        self._judge, self._text = judge, text
        self._cancelled = threading.Event()

    def static(self) -> Verdicts:
        self._judge.looked_at.append(self._text)
        return Verdicts((no_blank_left(self._text),))

    def run(self, on_event: OnEvent | None = None) -> Outcome:
        self._judge.runs += 1
        assert on_event is not None
        for number, instruction in enumerate(STEPS, 1):
            on_event(events.StepStarted(0.0, number, len(STEPS), instruction))
            for _ in range(self._judge.prints):
                on_event(events.StepOutput(0.0, number, "x" * 1000))
            if number == len(STEPS):
                self._hold_up()
            on_event(events.StepFinished(0.0, number, "abc"))
        self._judge.judged.append(self._text)
        return outcome_of(self._text)

    def cancel(self) -> None:
        self._judge.cancels += 1
        if not self._judge.deaf:
            self._cancelled.set()
            self._judge.go_on.set()

    def _hold_up(self) -> None:
        self._judge.reached.set()
        if self._judge.waits:
            assert self._judge.go_on.wait(20), "nobody cancelled or went on"
        if self._cancelled.is_set():
            raise BuildCancelled("The build was cancelled.")
        if self._judge.fault:
            raise self._judge.fault


def recorder(attempts: Attempts | Path, hints: Sequence[tuple[str, str]] = ()) -> Callable[..., Any]:
    """Return what records attempts at the question "native" in a store or a folder, and gives the same hints."""
    kept = attempts if isinstance(attempts, Attempts) else Attempts(attempts)

    def record(text: str, outcome: Outcome, **about: Any) -> Sequence[tuple[str, str]]:
        kept.add("native", text, outcome, **about)
        return hints

    return record


def outcome_of(text: str) -> Outcome:
    """Judge a text: no blank may be left, and nothing may be copied that nobody needs."""
    line = line_with("/usr/local", text)
    luggage = judge(
        "luggage",
        not line,
        found=f"3.50 MB, from line {line}",
        wanted="at most 2 MB",
        because="nothing rides along",
        not_yet="every node pulls an installer that nothing calls.",
        look="Which one folder holds your packages?",
    )
    return Outcome(Verdicts((no_blank_left(text), luggage)), SIZES)


def no_blank_left(text: str) -> Any:
    """Check that no blank is left."""
    line = line_with("____", text)
    return judge(
        "no blank left",
        not line,
        found=f"a blank on line {line}",
        wanted="none",
        because="each is filled",
        not_yet="a build looks for a folder of that name.",
        look="What belongs there?",
    )


def line_with(part: str, text: str) -> int:
    """Return the number of the first line that holds ``part``, 0 where none does."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if part in line), 0)
