"""Predictions are whole or not kept, gates never block a run, read-offs say most to confident misses."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from layerlab.answers import Answers
from layerlab.errors import AnswerError
from layerlab.widgets.prediction import CAME, Band, Gate, Prediction

BANDS = (
    Band("under 100 MB", high=100e6),
    Band("100 MB to 1 GB", 100e6, 1e9),
    Band("1 GB or more", low=1e9),
)
EXPLAINED = {"found": "1.11 GB", "short": "Most of it is the base.", "full": "Compilers, headers, tools."}


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers.open("01_naive", kind="predictions", work=tmp_path)


@pytest.fixture
def at_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAYERLAB_HEADLESS", raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_naive.ipynb")


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


def made(answers: Answers) -> Prediction:
    return Prediction("size", "How large?", BANDS, answers=answers)


def kept(answers: Answers, choice: str, confidence: str = "guess") -> Prediction:
    prediction = made(answers)
    prediction.value, prediction.reason, prediction.confidence = choice, "the app is small", confidence
    prediction.keep()
    return prediction


def test_a_prediction_is_kept_whole_and_comes_back(answers: Answers) -> None:
    kept(answers, "under 100 MB")
    again = made(answers)
    assert "under 100 MB (guess), because the app is small" in again._repr_mimebundle_()["text/plain"]
    assert again.answer == {"choice": "under 100 MB", "reason": "the app is small", "confidence": "guess"}
    assert (again.value, again.reason, again.confidence) == ("under 100 MB", "the app is small", "guess")


def test_it_lies_beside_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLAB_WORK", str(tmp_path))
    prediction = Prediction("gcc", "Is gcc in slim?", ["yes", "no"], notebook="02_slim")
    prediction.value, prediction.reason, prediction.confidence = "no", "the word slim", "fairly"
    prediction.keep()
    assert (tmp_path / "02_slim" / "predictions.json").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": None}, "not whole"),
        ({"confidence": None}, "how sure you are"),
        ({"reason": "  "}, "no reason yet"),
        ({"reason": "word " * 13}, "13 words; at most 12"),
        ({"reason": "x" * 121}, "121 characters; at most 120"),
    ],
)
def test_half_a_prediction_is_not_kept(answers: Answers, change: dict[str, Any], message: str) -> None:
    prediction = made(answers)
    whole = {"value": "under 100 MB", "reason": "small", "confidence": "guess", **change}
    for name, value in whole.items():
        setattr(prediction, name, value)
    with pytest.raises(AnswerError, match=message):
        prediction.keep()
    assert not prediction.kept


def test_the_view_has_no_slider_and_nothing_preset(answers: Answers) -> None:
    prediction = made(answers)
    found = walk(prediction.view)
    assert not [w for w in found if "Slider" in type(w).__name__]
    choice, confidence = (w for w in found if isinstance(w, widgets.RadioButtons))
    (reason,) = (w for w in found if isinstance(w, widgets.Text))
    assert (choice.value, confidence.value, reason.value) == (None, None, "")
    choice.value, reason.value, confidence.value = "1 GB or more", "the base is large", "certain"
    next(w for w in found if isinstance(w, widgets.Button)).click()
    assert prediction.answer == {
        "choice": "1 GB or more",
        "reason": "the base is large",
        "confidence": "certain",
    }
    assert 'role="status"' in found[-1].value


@pytest.mark.usefixtures("headless")
def test_headless_runs_skip_silently(answers: Answers) -> None:
    assert made(answers).gate() is True
    assert made(answers).gate(lambda: "figure") == "figure"


@pytest.mark.usefixtures("at_the_desk")
def test_the_gate_asks_once(answers: Answers) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    assert isinstance(gate, Gate)
    assert "skip" in gate._repr_mimebundle_()["text/plain"]
    assert prediction.gate(lambda: "figure") == "figure"


@pytest.mark.usefixtures("at_the_desk")
def test_skip_opens_the_gate_once(answers: Answers) -> None:
    drawn: list[int] = []
    gate = made(answers).gate(lambda: drawn.append(1) or "figure")
    note, skip, place = gate.view.children
    assert 'role="status"' in note.value
    skip.click()
    gate.skip()
    assert (gate.is_open, gate.shown, drawn) == (True, "figure", [1])
    assert place.outputs[0]["data"]["text/plain"] == "'figure'"


@pytest.mark.usefixtures("at_the_desk")
def test_keeping_a_prediction_opens_the_gate(answers: Answers) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    prediction.value, prediction.reason, prediction.confidence = "under 100 MB", "small", "guess"
    prediction.keep()
    assert gate.shown == "figure"
    assert made(answers).gate() is True


@pytest.mark.usefixtures("at_the_desk")
def test_a_runner_may_say_that_it_is_headless(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(answers).gate() is False
    monkeypatch.setenv("LAYERLAB_HEADLESS", "1")
    assert made(answers).gate() is True


def test_a_confident_miss_gets_the_full_text_in_the_open(answers: Answers) -> None:
    miss = kept(answers, "under 100 MB", "certain").readoff(1_110_000_000, **EXPLAINED)
    assert miss.is_confident_miss
    assert miss.lines == (
        "You expected: under 100 MB (certain), because the app is small.",
        "It came: 1 GB or more (1.11 GB).",
        "Most of it is the base.",
        "Compilers, headers, tools.",
    )
    assert "<details>" not in miss.html


@pytest.mark.parametrize(("choice", "hit"), [("under 100 MB", False), ("1 GB or more", True)])
def test_others_find_the_full_text_in_a_fold(answers: Answers, choice: str, hit: bool) -> None:
    readoff = kept(answers, choice, "fairly").readoff(1_110_000_000, **EXPLAINED)
    assert readoff.is_hit is hit
    assert "Compilers, headers, tools." not in readoff.lines
    assert "<details><summary>Why?</summary><p>Compilers, headers, tools.</p></details>" in readoff.html
    assert "Compilers, headers, tools." in readoff.text


def test_the_readoff_asks_back_and_keeps_what_is_said(answers: Answers) -> None:
    readoff = kept(answers, "under 100 MB").readoff("1 GB or more")
    assert "which part of your reason must change?" in readoff.text
    assert "Why?" not in readoff.html
    field = next(w for w in walk(readoff.view) if isinstance(w, widgets.Textarea))
    field.value = "the base counts, not the app"
    readoff.keep()
    assert answers.get("size-readoff") == "the base counts, not the app"


def test_without_a_prediction_the_readoff_still_tells(answers: Answers) -> None:
    readoff = made(answers).readoff(50_000_000, found="50 MB")
    assert readoff.lines == ("You kept no prediction for this one.", "It came: under 100 MB (50 MB).")
    assert not readoff.is_hit


def test_what_came_must_be_one_of_the_choices(answers: Answers) -> None:
    with pytest.raises(ValueError, match="is 0 of the choices"):
        made(answers).readoff("huge")
    with pytest.raises(ValueError, match="is 0 of the choices"):
        Prediction("gcc", "?", ["yes", "no"], answers=answers).readoff(3)


WHOLE = {"choice": "under 100 MB", "reason": "small", "confidence": "guess"}


@pytest.mark.parametrize(
    "garbage",
    [
        "under 100 MB",
        17,
        {"choice": "under 100 MB"},
        {**WHOLE, "choice": "huge"},
        {**WHOLE, "choice": ["huge"]},
        {**WHOLE, "reason": 17},
        {**WHOLE, "confidence": "very"},
    ],
)
def test_a_kept_prediction_of_another_form_is_said(answers: Answers, garbage: Any) -> None:
    answers.keep("size", garbage)
    prediction = made(answers)
    prediction.restore()
    assert "cannot be read" in prediction.status
    assert (prediction.value, prediction.reason, prediction.confidence) == (None, "", None)
    readoff = prediction.readoff(50_000_000)
    assert readoff.lines[0] == "Your kept prediction cannot be read. Keep it again."
    assert not readoff.is_hit
    assert answers.get("size") == garbage


def walk(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in walk(child))]


# --- what it came to -------------------------------------------------------------------------


def outcome(answers: Answers) -> Any:
    return answers.get(f"size{CAME}")


def test_what_came_is_kept_when_it_is_shown_and_not_before(answers: Answers) -> None:
    readoff = kept(answers, "under 100 MB", "certain").readoff(1.11e9)
    assert outcome(answers) is None
    readoff._repr_mimebundle_()
    assert outcome(answers) == {"choice": "under 100 MB", "confidence": "certain", "came": "1 GB or more"}


def test_a_prediction_changed_after_it_was_read_off_changes_no_outcome(answers: Answers) -> None:
    kept(answers, "under 100 MB").readoff(1.11e9)._repr_mimebundle_()
    first = answers.path.read_bytes()
    made(answers).readoff(1.11e9)._repr_mimebundle_()
    assert answers.path.read_bytes() == first, "a cell that is run again writes nothing"
    kept(answers, "1 GB or more").readoff(1.11e9)._repr_mimebundle_()
    assert outcome(answers)["choice"] == "under 100 MB"


def test_without_a_prediction_nothing_is_written(answers: Answers) -> None:
    made(answers).readoff(1.11e9)._repr_mimebundle_()
    assert not answers.path.exists()


def test_an_outcome_that_cannot_be_written_is_said_and_the_readoff_still_shown(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    readoff = kept(answers, "under 100 MB").readoff(1.11e9)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    text = readoff._repr_mimebundle_()["text/plain"]
    assert "It came: 1 GB or more" in text
    assert "No space is left" in text
