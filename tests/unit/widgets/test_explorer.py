"""The explorer without browser and engine: nothing is spent unpredicted, nothing is spent twice or lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from layerlab.design_space import COMBINATIONS, Combination, Measured
from layerlab.errors import AnswerError, BuildCancelled, DiskFull, EngineGone, LayerLabError, SetupError
from layerlab.lab.catalogue import catalogue
from layerlab.lab.explorer import unfinished
from layerlab.lab.overview import overview
from layerlab.widgets.explorer import BANDS, BUDGET, Bench, Explorer, Ledger
from layerlab.widgets.explorer.hidden_figure import HiddenFigure
from layerlab.work.answers import Answers
from layerlab.work.folder import read

ROOT = Path(__file__).parents[3]
NOTEBOOK = "05b_design_space"
MB = 1_000_000
BASES = {"full": 946 * MB, "slim": 128 * MB, "musl": 45 * MB}
NAMES = [one.name for one in COMBINATIONS]
SMALL, LARGE = "musl two uv as-is number", "full one pip as-is root"


def measured(one: Combination, *, serves: bool = True) -> Measured:
    added = (60 if (one.installer, one.stages) == ("uv", "one") else 10) * MB
    base = BASES[one.base]
    return Measured(
        one, base + added, base, serves, 0 if serves else None, (1.6, 1.5) if serves else (), 3.0, 9, 2, True
    )


class Building:
    """One pretended build, which may be held back, fail, or end in a cancel."""

    def __init__(self, one: Combination, oven: Oven) -> None:
        self.one, self.oven = one, oven
        self.cancelled = threading.Event()

    def run(self, on_event: Callable[[Any], None] | None = None) -> Measured:
        self.oven.built.append(self.one.name)
        if self.oven.is_held:
            self.oven.held.wait(20)
        if self.oven.is_slow:
            self.cancelled.wait(20)
            raise BuildCancelled("cancelled")
        if self.oven.fault:
            raise self.oven.fault
        return measured(self.one, serves=self.oven.serves)

    def cancel(self) -> None:
        self.cancelled.set()


class Oven:
    """Where all builds of a test come from."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.is_slow = False
        self.is_held, self.held = False, threading.Event()
        self.serves = True
        self.fault: Exception | None = None

    def __call__(self, one: Combination) -> Building:
        return Building(one, self)


@pytest.fixture
def oven() -> Oven:
    return Oven()


@pytest.fixture
def make(oven: Oven, tmp_path: Path) -> Callable[..., Explorer]:
    """Make the explorer of one learner, as each run of the notebook does."""

    def made(*, unfinished: str = "", source: str = "Live on Docker 20") -> Explorer:
        files = (Answers.open(NOTEBOOK, kind=kind, work=tmp_path) for kind in ("answers", "predictions"))
        return Explorer(Bench(oven, BASES.get, source, unfinished), Ledger(*files))

    return made


@pytest.fixture
def explorer(make: Callable[..., Explorer]) -> Explorer:
    return make()


@pytest.fixture
def seated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody sits before the notebook."""
    monkeypatch.delenv("LAYERLAB_HEADLESS", raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", "05b_design_space.ipynb")
    yield


def spend(explorer: Explorer, name: str, *, expected: str = BANDS[0].text, confidence: str = "fairly") -> None:
    explorer.choose(name)
    explorer.expected, explorer.reason, explorer.confidence = expected, "only the packages", confidence
    explorer.spend()
    explorer.wait(20)


# --- choosing --------------------------------------------------------------------------------


def test_it_begins_where_the_course_began(explorer: Explorer) -> None:
    assert explorer.combination.name == LARGE
    assert "full has 946 MB" in explorer.says and explorer.left == BUDGET == 6


def test_what_is_not_there_says_why_and_one_press_goes_to_the_nearest(explorer: Explorer, oven: Oven) -> None:
    explorer.choose("slim two uv as-is root")
    explorer.bytecode = "none"
    assert "This one is not there. uv compiles nothing" in explorer.says
    explorer.expected, explorer.reason, explorer.confidence = BANDS[0].text, "x", "guess"
    with pytest.raises(AnswerError, match="not there, so nothing was spent"):
        explorer.spend()
    explorer.take_nearest()
    assert explorer.combination.name == "slim two uv as-is root"
    assert explorer.status == "Changed to bytecode: as installed."
    assert oven.built == [] and explorer.left == BUDGET


def test_a_wrong_name_is_refused_in_words(explorer: Explorer) -> None:
    with pytest.raises(AnswerError, match="'distroless' is no combination"):
        explorer.choose("distroless")


# --- spending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "reason", "confidence", "said"),
    [
        (None, "only packages", "guess", "Nothing is chosen yet"),
        (BANDS[0].text, "only packages", "very", "none of guess"),
        (BANDS[0].text, "a b c d e f g h i j k l m", "guess", "at most 12"),
        ("about a kilo", "only packages", "guess", "none of"),
    ],
)
def test_nothing_is_spent_without_a_prediction(
    explorer: Explorer, oven: Oven, expected: Any, reason: str, confidence: Any, said: str
) -> None:
    explorer.expected, explorer.reason, explorer.confidence = expected, reason, confidence
    with pytest.raises(AnswerError, match=said):
        explorer.spend()
    assert oven.built == [] and explorer.left == BUDGET and explorer.state == "idle"


def test_a_build_is_measured_kept_and_read_off(explorer: Explorer) -> None:
    spend(explorer, SMALL, confidence="certain")
    (one,) = explorer.spent
    assert (one.number, one.expected, one.came, one.is_hit) == (1, BANDS[0].text, BANDS[0].text, True)
    assert explorer.left == 5 and not explorer.is_open
    assert "Number 1: it adds 10.0 MB, you expected up to 12 MB; 55.0 MB on disk." in explorer.status
    assert "1 of 1 came as you expected. 5 builds left to spend." in explorer.text
    assert (explorer.expected, explorer.reason, explorer.confidence) == (None, "", None), "the next one is a new one"


def test_neither_reason_nor_confidence_is_asked_for(explorer: Explorer) -> None:
    explorer.choose(SMALL)
    explorer.expected = BANDS[0].text
    explorer.spend()
    assert explorer.wait(20).is_hit


def test_the_same_one_is_not_spent_twice(explorer: Explorer, oven: Oven) -> None:
    spend(explorer, SMALL)
    explorer.expected, explorer.reason, explorer.confidence = BANDS[0].text, "x", "guess"
    with pytest.raises(AnswerError, match="it was your number 1"):
        explorer.spend()
    assert "You have built this one" in explorer.says and oven.built == [SMALL]


def test_another_run_of_the_page_goes_on_where_the_first_ended(make: Callable[..., Explorer]) -> None:
    spend(make(), SMALL)
    again = make(source="Recorded")
    assert [one.measured.combination.name for one in again.spent] == [SMALL]
    assert again.spent[0].source == "Live on Docker 20" and again.left == 5
    assert again.text.count("Live on Docker 20") == 1 and "2 of 9 steps cached" in again.text
    spend(again, LARGE, expected=BANDS[4].text)
    assert [one.number for one in make().spent] == [1, 2]
    assert "on more than one engine" in make().text and "cached. Recorded" in make().text


def test_after_six_the_map_is_open_and_nothing_is_left(explorer: Explorer, make: Callable[..., Explorer]) -> None:
    for name in NAMES[:6]:
        spend(explorer, name)
    assert explorer.is_open and explorer.left == 0 and "That was the last one" in explorer.status
    explorer.choose(NAMES[7])
    explorer.expected, explorer.reason, explorer.confidence = BANDS[0].text, "x", "guess"
    with pytest.raises(AnswerError, match="Nothing is left"):
        explorer.spend()
    assert make().is_open and list(make().yours) == NAMES[:6]


def test_what_does_not_serve_is_spent_too_and_has_no_place_on_the_map(explorer: Explorer, oven: Oven) -> None:
    oven.serves = False
    spend(explorer, SMALL)
    assert "It does not serve." in explorer.status and "does not serve" in explorer.text
    assert explorer.left == 5 and explorer.yours == {}


def test_a_cancelled_build_is_not_spent(explorer: Explorer, oven: Oven) -> None:
    oven.is_slow = True
    explorer.choose(SMALL)
    explorer.expected, explorer.reason, explorer.confidence = BANDS[0].text, "x", "guess"
    explorer.spend()
    explorer.spend()
    assert "One is being built already" in explorer.status
    with pytest.raises(AnswerError, match="being built"):
        explorer.stop()
    explorer.cancel()
    with pytest.raises(BuildCancelled, match="not spent"):
        explorer.wait(20)
    assert "Nothing was spent" in explorer.status and explorer.left == BUDGET and explorer.state == "idle"
    assert explorer.expected == BANDS[0].text, "what was filled in stays"


def test_an_engine_that_goes_away_costs_nothing(explorer: Explorer, oven: Oven) -> None:
    oven.fault = EngineGone("The engine has gone.")
    with pytest.raises(EngineGone):
        spend(explorer, SMALL)
    assert explorer.status == "Not spent: The engine has gone." and explorer.left == BUDGET
    oven.fault = None
    spend(explorer, SMALL)
    assert explorer.left == 5


def test_a_thread_that_cannot_start_costs_nothing(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(SetupError, match="can't start new thread"):
        spend(explorer, SMALL)
    assert explorer.status.startswith("Not spent: Nothing was begun")
    assert (explorer.state, explorer.left) == ("idle", BUDGET)


def test_in_a_python_without_threads_a_build_is_spent_when_spend_returns(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    explorer.choose(SMALL)
    explorer.expected = BANDS[0].text
    explorer.spend()
    assert (explorer.state, explorer.left) == ("idle", 5)
    assert explorer.status.startswith("Number 1: ")


def test_a_full_disk_is_said(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise DiskFull("No space is left.")

    monkeypatch.setattr(Ledger, "add", full)
    with pytest.raises(DiskFull):
        spend(explorer, SMALL)
    assert "could not be kept: No space is left." in explorer.status and explorer.state == "idle"


def test_an_entry_that_somebody_edited_counts_as_spent_and_stays(make: Callable[..., Explorer], tmp_path: Path) -> None:
    spend(make(), SMALL)
    answers = Answers.open(NOTEBOOK, work=tmp_path)
    answers.keep("build-1", {"measured": {"combination": "gone"}, "source": "x"})
    again = make()
    assert "Build 1 cannot be read" in again.status and again.left == 5 and again.spent == ()
    spend(again, LARGE)
    assert again.spent[0].number == 2 and answers.get("build-1")["source"] == "x"


def test_two_open_pages_that_spend_at_once_keep_both_builds_and_both_predictions(
    make: Callable[..., Explorer], oven: Oven
) -> None:
    first, second = make(), make()
    oven.is_held = True
    for one, name, expected in ((first, SMALL, BANDS[0].text), (second, LARGE, BANDS[2].text)):
        one.choose(name)
        one.expected, one.reason, one.confidence = expected, "packages", "guess"
        one.spend()
    oven.held.set()
    spent = {one.wait(20).measured.combination.name for one in (first, second)}
    assert spent == {SMALL, LARGE}
    assert {(one.measured.combination.name, one.expected) for one in make().spent} == {
        (SMALL, BANDS[0].text),
        (LARGE, BANDS[2].text),
    }


def test_a_damaged_file_of_its_own_is_said_and_set_aside(make: Callable[..., Explorer], tmp_path: Path) -> None:
    spend(make(), SMALL)
    (tmp_path / NOTEBOOK / "answers.json").write_text("{")
    assert "was damaged" in make().status
    assert make().left == BUDGET and (tmp_path / NOTEBOOK / "answers.json.damaged-1").read_text() == "{"


def test_asking_what_is_to_do_in_05_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / NOTEBOOK).mkdir()
    (tmp_path / NOTEBOOK / "answers.json").write_text("{")
    unfinished(ROOT, work=tmp_path)
    assert (tmp_path / NOTEBOOK / "answers.json").read_text() == "{", "who sets it aside must say so"


def test_waiting_for_nothing_is_said(explorer: Explorer) -> None:
    with pytest.raises(LayerLabError, match="No build was begun"):
        explorer.wait()


# --- opening ---------------------------------------------------------------------------------


def test_stopping_opens_the_map_for_good(explorer: Explorer, make: Callable[..., Explorer]) -> None:
    spend(explorer, SMALL)
    explorer.stop()
    assert explorer.is_open and explorer.left == 0 and "Ended with 5 builds left" in explorer.status
    assert make().is_open and make().left == 0


def test_before_notebook_05_it_is_closed_and_says_how_to_open_it(make: Callable[..., Explorer], oven: Oven) -> None:
    locked = make(unfinished="Do notebook 05 first, or press Open it anyway.")
    assert locked.is_locked and locked.text == "Do notebook 05 first, or press Open it anyway."
    with pytest.raises(AnswerError, match="Open it anyway"):
        spend(locked, SMALL)
    locked.open_anyway()
    spend(locked, SMALL)
    assert oven.built == [SMALL]
    assert not make(unfinished="Do notebook 05 first.").is_locked, "it was opened once"


def test_what_is_still_to_do_in_05_is_told_until_it_is_done(tmp_path: Path) -> None:
    asked = catalogue(ROOT).predictions["05_layers"]
    assert f"you have made 0 of {len(asked)} predictions" in unfinished(ROOT, work=tmp_path)
    predictions = Answers.open("05_layers", kind="predictions", work=tmp_path)
    for id in asked:
        predictions.keep(id, {"choice": "x", "reason": "y", "confidence": "guess"})
    assert unfinished(ROOT, work=tmp_path) == ""


def test_a_curtain_opens_with_the_map_and_shows_its_figure_once(explorer: Explorer, seated: None) -> None:
    shown: list[str] = []
    hidden_figure = explorer.when_open(lambda: shown.append("figure") or "figure")
    assert isinstance(hidden_figure, HiddenFigure) and "Stop here" in repr(hidden_figure) and not shown
    note, _ = hidden_figure.view.children
    assert "opens once" in note.value
    explorer.stop()
    assert shown == ["figure"] and hidden_figure.shown == "figure" and note.value == '<p role="status">Open:</p>'
    assert explorer.when_open(lambda: "at once") == "at once"


def test_where_nobody_sits_nothing_is_held_back_and_nothing_is_kept(
    explorer: Explorer, make: Callable[..., Explorer], oven: Oven
) -> None:
    assert explorer.when_open(lambda: "figure") == "figure"
    explorer.play_unattended(*NAMES[:7])
    assert oven.built == NAMES[:6] and explorer.left == 0 and explorer.is_open
    assert [(one.number, one.expected) for one in explorer.spent] == [(n, None) for n in range(1, 7)]
    assert make().left == BUDGET and make().spent == ()


def test_unattended_only_what_is_left_is_played(make: Callable[..., Explorer], oven: Oven) -> None:
    spend(make(), NAMES[0])
    again = make()
    again.play_unattended(*NAMES[:6])
    assert oven.built == NAMES[:6] and [one.number for one in again.spent] == [1, 2, 3, 4, 5, 6]


def test_in_an_open_notebook_nothing_is_spent_for_the_learner(explorer: Explorer, oven: Oven, seated: None) -> None:
    explorer.play_unattended(*NAMES[:6])
    assert oven.built == [] and explorer.left == BUDGET


# --- the logbook -----------------------------------------------------------------------------


def test_predictions_count_in_the_calibration_and_are_nothing_strange(explorer: Explorer, tmp_path: Path) -> None:
    spend(explorer, SMALL, confidence="certain")
    spend(explorer, "slim one uv as-is root", confidence="certain")
    seen = overview(read(tmp_path).record, catalogue(ROOT))
    assert seen.counts()["certain"] == (1, 2)
    assert seen.strange == ()
    chapter = next(one for one in seen.chapters if one.name == NOTEBOOK)
    assert chapter.kept == 2 and chapter.asked >= BUDGET and chapter.is_optional


def test_a_detour_is_never_what_comes_next(tmp_path: Path) -> None:
    asked = catalogue(ROOT)
    for name in asked.names:
        if name < NOTEBOOK and name != NOTEBOOK:
            for id in asked.predictions.get(name, ()):
                Answers.open(name, kind="predictions", work=tmp_path).keep(
                    id, {"choice": "x", "reason": "y", "confidence": "guess"}
                )
            for task in asked.tasks.get(name, ()):
                Answers.open(name, kind="results", work=tmp_path).keep(task.id, {"passed": True})
    seen = overview(read(tmp_path).record, asked)
    assert seen.next is not None and seen.next.name > NOTEBOOK


# --- the view --------------------------------------------------------------------------------


def buttons(explorer: Explorer) -> dict[str, Any]:
    found, waiting = {}, [explorer.view]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        if type(widget).__name__ == "Button":
            found[widget.description] = widget
    return found


def said(explorer: Explorer) -> str:
    values, waiting = [], [explorer.view]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        if type(widget).__name__ == "HTML":
            values.append(widget.value)
    return "\n".join(values)


def test_a_click_without_a_prediction_says_what_is_lacking(explorer: Explorer, oven: Oven) -> None:
    buttons(explorer)["Spend a build"].click()
    assert "Nothing is chosen yet" in said(explorer) and oven.built == []


def test_clicking_spends_and_the_table_grows(explorer: Explorer) -> None:
    press = buttons(explorer)
    explorer.choose(SMALL)
    explorer.expected, explorer.reason, explorer.confidence = BANDS[0].text, "x", "guess"
    press["Spend a build"].click()
    explorer.wait(20)
    assert "Number 1: it adds" in said(explorer) and "Your builds" in said(explorer) and SMALL in said(explorer)
    assert not press["Spend a build"].disabled


def test_stop_asks_once_more(explorer: Explorer) -> None:
    press = buttons(explorer)
    press["Stop here"].click()
    assert "6 builds unspent. Press Stop here again" in said(explorer) and not explorer.is_open
    press["Spend a build"].click()
    press["Stop here"].click()
    assert not explorer.is_open, "something else came between"
    press["Stop here"].click()
    assert explorer.is_open and press["Spend a build"].disabled and press["Stop here"].disabled


def test_a_closed_one_shows_why_and_opens_with_a_press(make: Callable[..., Explorer]) -> None:
    locked = make(unfinished="Do notebook 05 first, or run `explorer.open_anyway()`.")
    press = buttons(locked)
    assert "Do notebook 05 first, or run <code>explorer.open_anyway()</code>." in said(locked)
    press["Open it anyway"].click()
    assert not locked.is_locked and "Choose your first build" in said(locked) and "946 MB" in said(locked)


def test_what_is_shown_has_a_text_and_a_table_beside_the_widgets(explorer: Explorer) -> None:
    spend(explorer, SMALL)
    bundle = explorer._repr_mimebundle_()
    assert SMALL in bundle["text/plain"] and "<table>" in bundle["text/html"]
    assert 'role="status"' in said(explorer) and "<summary>Its Dockerfile</summary>" in said(explorer)
