"""The process in the background: what its state file says, also after a kill, and that there is only one of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil
import pytest

from layerlab.bases import Progress, background
from layerlab.bases import __main__ as process
from layerlab.errors import BaseUnavailable


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path))
    yield tmp_path / "bases"
    if background.status().pid != os.getpid():
        background.stop()


def state_file(data: Path, **content: object) -> Path:
    data.mkdir(parents=True, exist_ok=True)
    own = psutil.Process()
    known = {"state": "building", "pid": own.pid, "process_started": own.create_time(), "written": time.time()}
    (data / "state.json").write_text(json.dumps({**known, **content}))
    return data / "state.json"


SLIM = {
    "slim": {"reference": "slim", "detail": "compiling CPython", "fraction": 0.5, "eta_seconds": 60.0, "layers": []}
}


def test_nothing_was_ever_begun(data: Path) -> None:
    found = background.status()
    assert (found.state, found.is_running, found.of("slim")) == ("absent", False, None)
    assert not data.exists(), "looking changes nothing"


def test_a_living_process_tells_how_far_it_is(data: Path) -> None:
    state_file(data, bases=SLIM)
    found = background.status()
    assert found.is_running and found.pid == os.getpid()
    assert found.of("slim") == Progress("slim", "compiling CPython", 0.5, 60.0)
    assert found.of("full") is None


def test_a_killed_process_is_not_believed(data: Path) -> None:
    state_file(data, pid=2**22 + 1, bases=SLIM)
    assert background.status().state == "ended"
    assert background.status().of("slim") is None


def test_a_stranger_with_the_same_number_is_not_believed(data: Path) -> None:
    state_file(data, process_started=1.0)
    assert background.status().state == "ended"


def test_a_process_that_never_spoke_is_given_up(data: Path) -> None:
    state_file(data, state="starting", pid=None)
    assert background.status().is_running
    state_file(data, state="starting", pid=None, written=time.time() - 60)
    assert background.status().state == "ended"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"state": "dancing"}', '{"state": null}'])
def test_a_damaged_state_file_is_as_good_as_none(data: Path, damage: str) -> None:
    state_file(data).write_text(damage)
    assert background.status().state == "absent"


def test_the_process_reports_and_ends_ready(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[background.Background] = []

    def provide(keys: object, *, on_progress: object) -> None:
        assert callable(on_progress)
        on_progress("slim", Progress("slim", "compiling CPython", 0.5, 60.0))
        seen.append(background.status())

    monkeypatch.setattr("layerlab.bases.provision.provide", provide)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert process.main(["slim"]) == 0
    assert seen[0].state == "building" and seen[0].of("slim") == Progress("slim", "compiling CPython", 0.5, 60.0)
    assert background.status().state == "ready"
    assert list(data.glob("*.tmp")) == []


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (BaseUnavailable("No source here."), "failed", "No source here."),
        (KeyboardInterrupt(), "ended", "It was ended before it was done"),
    ],
)
def test_the_process_says_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str, message: str
) -> None:
    def provide(keys: object, *, on_progress: object) -> None:
        raise error

    monkeypatch.setattr("layerlab.bases.provision.provide", provide)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert process.main([]) == 1
    assert (background.status().state, background.status().message) == (state, message)


def test_a_fault_of_ours_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def provide(keys: object, *, on_progress: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("layerlab.bases.provision.provide", provide)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(ZeroDivisionError):
        process.main([])
    assert background.status().message == "ZeroDivisionError: oh"


def test_whoever_comes_second_ends_at_once(data: Path) -> None:
    data.mkdir(parents=True)
    with filelock.FileLock(data / "lock"):
        assert process.main([]) == 3
    assert background.status().state == "absent"


def test_a_second_start_does_nothing(data: Path) -> None:
    before = state_file(data, bases=SLIM).read_text()
    assert background.start().pid == os.getpid()
    assert (data / "state.json").read_text() == before


@pytest.mark.slow
def test_a_real_process_starts_ends_and_says_why(data: Path) -> None:
    # This data folder has no engine, so the process has to say so and end.
    assert background.start(["slim"]).is_running
    deadline = time.monotonic() + 60
    while background.status().is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    found = background.status()
    assert found.state == "failed"
    assert "layerlab engine start" in found.message
    assert "layerlab engine start" in (data / "build.log").read_text()
