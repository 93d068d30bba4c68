"""Progress of pulls and of stand-ins: what the events of one layer add up to, and what a timeline says meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab.bases.progress import LayerProgress, PullMeter
from layerlab.bases.standin.timeline import Task, Timeline

# As Docker Engine 20.10 sends them for an image of two layers.
PULL = [
    {"status": "Pulling from library/python", "id": "3.12-slim"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "aaaa"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "bbbb"},
    {"status": "Downloading", "progressDetail": {"current": 30_000_000, "total": 60_000_000}, "id": "aaaa"},
    {"status": "Downloading", "progressDetail": {"current": 20_000_000, "total": 20_000_000}, "id": "bbbb"},
    {"status": "Verifying Checksum", "progressDetail": {}, "id": "bbbb"},
    {"status": "Download complete", "progressDetail": {}, "id": "bbbb"},
    {"status": "Download complete", "progressDetail": {}, "id": "aaaa"},
    {"status": "Extracting", "progressDetail": {"current": 30_000_000, "total": 60_000_000}, "id": "aaaa"},
    {"status": "Pull complete", "progressDetail": {}, "id": "aaaa"},
    {"status": "Extracting", "progressDetail": {"current": 20_000_000, "total": 20_000_000}, "id": "bbbb"},
    {"status": "Pull complete", "progressDetail": {}, "id": "bbbb"},
    {"status": "Digest: sha256:cafe"},
    {"status": "Status: Downloaded newer image for python:3.12-slim"},
]


def test_a_pull_adds_up_its_layers() -> None:
    meter = PullMeter("python:3.12-slim")
    said = [meter.read(event) for event in PULL]
    half = said[4]
    assert half.detail == "pulling 50.0 MB of 80.0 MB, 0 of 2 layers unpacked"
    assert half.layers == (
        LayerProgress("aaaa", "Downloading", 30_000_000, 60_000_000),
        LayerProgress("bbbb", "Downloading", 20_000_000, 20_000_000),
    )
    assert half.fraction == pytest.approx(0.75 * 50 / 80)
    assert said[-1].fraction == 1.0
    assert said[-1].detail == "pulling 80.0 MB of 80.0 MB, 2 of 2 layers unpacked"


def test_a_pull_never_runs_backwards() -> None:
    meter = PullMeter("python:3.12-slim")
    fractions = [meter.read(event).fraction for event in PULL]
    assert fractions == sorted(fractions)


def test_a_pull_says_why_nothing_moves() -> None:
    meter = PullMeter("python:3.12-slim")
    for event in PULL[:5]:
        meter.read(event)
    said = meter.read({"status": "Retrying in 5 seconds", "progressDetail": {}, "id": "aaaa"})
    assert said.detail.endswith("retrying in 5 seconds")
    assert len(said.layers) == 2


def test_layers_that_were_there_are_no_work() -> None:
    meter = PullMeter("python:3.12")
    there = [meter.read({"status": "Already exists", "progressDetail": {}, "id": one}) for one in ("aaaa", "bbbb")]
    assert [one.fraction for one in there] == [0.0, 0.0]
    half = {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "cccc"}
    assert meter.read(half).fraction == pytest.approx(0.375)
    assert meter.read({"status": "Status: Downloaded newer image for python:3.12"}).fraction == 1.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Downloading", "Extracting", "Download complete", "Pull complete", "Waiting", "Odd"]),
            st.sampled_from(["aaaa", "bbbb", "cccc"]),
            st.integers(0, 10**12),
            st.integers(0, 10**12),
        )
    )
)
def test_any_order_of_events_gives_a_fraction(events: list[tuple[str, str, int, int]]) -> None:
    meter = PullMeter("python:3.12")
    for status, layer, current, total in events:
        detail = {"current": min(current, total), "total": total}
        said = meter.read({"status": status, "id": layer, "progressDetail": detail})
        assert 0.0 <= said.fraction <= 1.0


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


ONE, TWO, THREE = Task("one", "first", 10), Task("two", "second", 30), Task("three", "third", 20)


def timeline(clock: Clock) -> Timeline:
    return Timeline({"slim": (ONE, TWO), "full": (ONE, TWO, THREE)}, clock=clock)


def test_a_timeline_waits_works_and_ends() -> None:
    clock = Clock()
    line = timeline(clock)
    assert (line.progress("slim").fraction, line.progress("slim").eta_seconds) == (0.0, 40.0)
    assert line.progress("slim").detail == "waiting its turn"
    with line.running("one"):
        clock.now += 5
        assert line.progress("slim").fraction == pytest.approx(5 / 40)
        assert line.progress("full").detail == "first, step 1 of 3"
        clock.now += 5
    with line.running("two"):
        clock.now += 30
        assert line.progress("slim").fraction < 1.0, "nothing is done before it is"
    assert (line.progress("slim").fraction, line.progress("slim").eta_seconds) == (1.0, 0.0)
    assert line.progress("slim").detail == "done"
    assert line.progress("full").eta_seconds == pytest.approx(20)


def test_a_slow_machine_shows_in_the_time_left() -> None:
    clock = Clock()
    line = timeline(clock)
    with line.running("one"):
        clock.now += 20  # twice as long as on two idle cores
    assert line.progress("slim").eta_seconds == pytest.approx(60)


def test_an_overdue_task_promises_no_end_and_never_runs_backwards() -> None:
    clock = Clock()
    line = timeline(clock)
    with line.running("one"):
        seen = []
        for _ in range(40):
            clock.now += 2.5  # a hundred seconds in all, for a task of ten
            seen.append(line.progress("slim"))
    fractions = [one.fraction for one in seen]
    assert fractions == sorted(fractions) and fractions[-1] <= 0.25
    assert seen[-1].eta_seconds == pytest.approx(30 * 10 + 0.2 * 100)


def test_what_was_done_earlier_says_nothing_about_the_pace() -> None:
    line = timeline(Clock())
    line.skip("one")
    assert line.progress("slim").eta_seconds == pytest.approx(30)
    assert line.progress("slim").fraction == pytest.approx(0.25)


def test_a_failed_task_is_not_done() -> None:
    line = timeline(Clock())
    with pytest.raises(ValueError, match="no"), line.running("one"):
        raise ValueError("no")
    assert line.progress("slim").fraction < 0.25
