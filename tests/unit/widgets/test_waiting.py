"""The line under a cell: nothing before 2 s, then what runs, and nothing left when it is over."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from layerlab import narration
from layerlab.widgets import waiting as module
from layerlab.widgets.waiting import waiting


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the line said, one entry a change; the cell is a notebook's."""
    said: list[str] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace())
    monkeypatch.setattr(module, "_REDRAW_SECONDS", 0.01)
    monkeypatch.setattr(module, "_show", lambda text: said.append(text))
    monkeypatch.setattr(module, "_update", lambda handle, text: said.append(text))
    return said


def seen(said: list[str], words: str) -> None:
    """Wait until the line has said it."""
    over = threading.Event()
    for _ in range(500):
        if any(text.startswith(words) for text in said):
            return
        over.wait(0.01)
    raise AssertionError((words, said))


def test_what_takes_long_is_named_as_it_goes_on_and_the_line_goes_at_the_end(
    shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.0)
    with waiting("starting a container"):
        seen(shown, "Starting a container … ")
        narration.tell("asking /health (1 of 2)")
        seen(shown, "Asking /health (1 of 2) … ")
    assert shown[-1] == ""
    assert not narration.is_heard()


def test_what_is_over_soon_shows_nothing(shown: list[str]) -> None:
    with waiting("starting a container"):
        narration.tell("asking /health")
    assert shown == []


def test_it_goes_when_the_call_fails(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.0)
    with pytest.raises(KeyError), waiting("starting a container"):
        seen(shown, "Starting")
        raise KeyError("x")
    assert shown[-1] == ""


def test_where_no_thread_can_start_the_call_goes_on_without_its_line(
    shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with waiting("starting a container"):
        narration.tell("asking /health")
    assert shown == []


def test_who_listens_already_is_told_instead(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.0)
    told: list[str] = []
    with narration.heard(told.append), waiting("outer"), narration.about("part 2 of 4"), waiting("inner"):
        narration.tell("asking /notes")
    assert (told, shown) == (["outer", "part 2 of 4: inner", "part 2 of 4: asking /notes"], [])


def test_each_thread_hears_its_own_work() -> None:
    told: dict[str, list[Any]] = {"a": [], "b": []}

    def work(name: str) -> None:
        with narration.heard(told[name].append):
            narration.tell(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in told]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert told == {"a": ["a"], "b": ["b"]}


def test_outside_a_notebook_nothing_is_shown(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with waiting("starting a container"):
        assert not narration.is_heard(), "no line, so nobody listens"
    assert shown == []
