"""A choice is saved at once, a late one is marked, gates never block a run, read-offs say most to confident misses."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from layerlab.errors import AnswerError
from layerlab.widgets.prediction import CAME, HINT, HINT_LATE, LATE, Band, Gate, Prediction
from layerlab.work.answers import Answers

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


# --- saving ----------------------------------------------------------------------------------


def test_choosing_saves_and_needs_neither_reason_nor_confidence(answers: Answers) -> None:
    prediction = made(answers)
    prediction.value = "under 100 MB"
    assert answers.get("size") == {"choice": "under 100 MB", "reason": "", "confidence": None}
    assert prediction.status == "Saved: under 100 MB"
    again = made(answers)
    again.restore()
    assert (again.value, again.status) == ("under 100 MB", "Saved earlier: under 100 MB")


def test_what_is_added_to_a_choice_is_saved_with_it(answers: Answers) -> None:
    prediction = made(answers)
    prediction.reason, prediction.confidence = "the app is small", "certain"
    assert not answers.path.exists(), "nothing is chosen yet"
    prediction.value = "under 100 MB"
    prediction.confidence = "guess"
    assert answers.get("size") == {"choice": "under 100 MB", "reason": "the app is small", "confidence": "guess"}


def test_a_changed_mind_replaces_the_choice_and_its_time(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.path.parent.mkdir()
    old = {"value": {"choice": "under 100 MB", "reason": "", "confidence": "guess"}, "kept_at": "2020-01-01T00:00:00"}
    answers.path.write_text(json.dumps({"version": 1, "answers": {"size": old}}))
    prediction = made(answers)
    prediction.restore()
    prediction.value = "1 GB or more"
    (saved,) = answers.all().values()
    assert saved.value["choice"] == "1 GB or more" and saved.kept_at > "2026"


def test_what_is_no_choice_and_what_is_taken_up_again_write_nothing(answers: Answers) -> None:
    prediction = made(answers)
    with pytest.raises(AnswerError):
        prediction.value = "huge"
    assert not answers.path.exists()
    kept(answers, "under 100 MB", "certain")
    before = answers.path.stat().st_mtime_ns
    again = made(answers)
    again.restore()
    again.view.close()
    again.restore()
    assert answers.path.stat().st_mtime_ns == before and again.saves == 0


def test_a_reason_that_is_too_long_takes_nothing_from_the_choice(answers: Answers) -> None:
    prediction = made(answers)
    prediction.value, prediction.reason = "under 100 MB", "small"
    prediction.reason = "word " * 13
    assert "Your reason is not saved. That is 13 words; at most 12 fit." in prediction.status
    prediction.value = "1 GB or more"
    assert answers.get("size") == {"choice": "1 GB or more", "reason": "small", "confidence": None}
    with pytest.raises(AnswerError, match="13 words"):
        prediction.keep()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": None}, "Nothing is chosen yet"),
        ({"confidence": "very"}, "none of guess, fairly, certain"),
        ({"reason": "x" * 121}, "121 characters; at most 120"),
    ],
)
def test_keeping_raises_where_something_is_wrong(answers: Answers, change: dict[str, Any], message: str) -> None:
    prediction = made(answers)
    prediction.fill_in("under 100 MB", "small", "guess")
    for name, value in change.items():
        setattr(prediction, name, value)
    with pytest.raises(AnswerError, match=message):
        prediction.keep()


def test_what_could_not_be_written_is_said_and_can_be_tried_again(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    prediction = made(answers)
    radio = walk(prediction.view)[2]
    again = next(w for w in walk(prediction.view) if isinstance(w, widgets.Button))
    assert again.layout.display == "none"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        radio.value = "under 100 MB"
        assert prediction.status.startswith("Not saved: No space is left")
        assert (again.description, again.layout.display) == ("Save again", "")
        again.click()
        assert prediction.is_unsaved
    again.click()
    assert (prediction.status, again.layout.display) == ("Saved: under 100 MB", "none")
    assert json.loads(answers.path.read_text())["answers"]["size"]["value"]["choice"] == "under 100 MB"


def test_what_was_chosen_in_time_and_is_written_late_counts(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = made(answers)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        prediction.value = "under 100 MB"
        readoff = prediction.readoff(1.11e9)
        readoff._repr_mimebundle_()
        assert readoff.lines[0] == "You chose: under 100 MB."
    prediction.keep()
    assert Answers(answers.folder, "predictions").get("size")["choice"] == "under 100 MB"
    assert late(answers) is None and not prediction.is_unsaved


def full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_view_has_no_slider_nothing_preset_and_no_keep(answers: Answers) -> None:
    prediction = made(answers)
    found = walk(prediction.view)
    assert not [w for w in found if "Slider" in type(w).__name__]
    choice, confidence = (w for w in found if isinstance(w, widgets.RadioButtons))
    (reason,) = (w for w in found if isinstance(w, widgets.Text))
    assert (choice.value, confidence.value, reason.value) == (None, None, "")
    assert "(optional" in reason.description and "(optional)" in confidence.description
    assert "saved at once" in found[-1].value
    choice.value, reason.value, confidence.value = "1 GB or more", "the base is large", "certain"
    assert prediction.answer == {"choice": "1 GB or more", "reason": "the base is large", "confidence": "certain"}
    assert 'role="status"' in found[-1].value and "Saved: 1 GB or more (certain)" in found[-1].value


def test_a_reason_is_told_when_the_field_is_left_not_letter_by_letter(answers: Answers) -> None:
    (reason,) = (w for w in walk(made(answers).view) if isinstance(w, widgets.Text))
    assert reason.continuous_update is False


# --- gates -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("headless")
def test_headless_runs_skip_silently(answers: Answers) -> None:
    assert made(answers).gate() is True
    assert made(answers).gate(lambda: "figure") == "figure"


def test_the_hint_changes_once_the_result_was_shown(answers: Answers) -> None:
    prediction = made(answers)
    assert any(HINT in one.value for one in walk(prediction.view) if isinstance(one, widgets.HTML))
    prediction.reveal()
    told = [one.value for one in walk(prediction.view) if isinstance(one, widgets.HTML)]
    assert any(HINT_LATE in one for one in told) and not any(HINT in one for one in told)


@pytest.mark.usefixtures("at_the_desk")
def test_the_gate_asks_once(answers: Answers) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    assert isinstance(gate, Gate)
    assert "show it right away" in gate._repr_mimebundle_()["text/plain"]
    assert prediction.gate(lambda: "figure") == "figure"


@pytest.mark.usefixtures("at_the_desk")
def test_its_button_opens_the_gate_once(answers: Answers) -> None:
    drawn: list[int] = []
    gate = made(answers).gate(lambda: drawn.append(1) or "figure")
    note, button, place = gate.view.children
    assert 'role="status"' in note.value
    button.click()
    gate.skip()
    assert (gate.is_open, gate.shown, drawn) == (True, "figure", [1])
    assert place.outputs[0]["data"]["text/plain"] == "'figure'"


@pytest.mark.usefixtures("at_the_desk")
def test_a_choice_alone_leaves_the_figure_hidden_since_arrow_keys_pass_over_choices(answers: Answers) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    note, button, _ = gate.view.children
    for passed in prediction.options:
        prediction.value = passed
        assert not gate.is_open and f"You chose: {passed}." in note.value
    button.click()
    assert gate.shown == "figure" and "You chose" not in note.value
    assert made(answers).gate() is True


@pytest.mark.usefixtures("at_the_desk")
def test_keeping_a_prediction_opens_the_gate(answers: Answers) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    prediction.value = "under 100 MB"
    prediction.keep()
    assert gate.shown == "figure"


@pytest.mark.usefixtures("at_the_desk")
def test_a_runner_may_say_that_it_is_headless(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(answers).gate() is False
    monkeypatch.setenv("LAYERLAB_HEADLESS", "1")
    assert made(answers).gate() is True


def test_a_confident_miss_gets_the_full_text_in_the_open(answers: Answers) -> None:
    miss = kept(answers, "under 100 MB", "certain").readoff(1_110_000_000, **EXPLAINED)
    assert miss.is_confident_miss
    assert miss.lines == (
        "You chose: under 100 MB (certain), because the app is small.",
        "Result: 1 GB or more (1.11 GB).",
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


def test_without_a_reason_the_readoff_asks_about_none(answers: Answers) -> None:
    prediction = made(answers)
    prediction.value = "under 100 MB"
    assert "reason" not in prediction.readoff("1 GB or more").question


def test_without_a_prediction_the_readoff_tells_and_offers_the_choices(answers: Answers) -> None:
    prediction = made(answers)
    readoff = prediction.readoff(50_000_000, found="50 MB")
    assert readoff.lines[0].startswith("You haven't made a prediction yet.")
    assert readoff.lines[1:] == ("Result: under 100 MB (50 MB).",)
    assert not readoff.is_hit
    (choice,) = (w for w in walk(readoff.view) if isinstance(w, widgets.RadioButtons))
    assert choice.options == prediction.options and choice.value is None


def test_with_a_prediction_the_readoff_offers_no_choice(answers: Answers) -> None:
    readoff = kept(answers, "under 100 MB").readoff(50_000_000)
    assert not [w for w in walk(readoff.view) if isinstance(w, widgets.RadioButtons)]


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
        {**WHOLE, "confidence": ["guess"]},
    ],
)
def test_a_kept_prediction_of_another_form_is_said(answers: Answers, garbage: Any) -> None:
    answers.keep("size", garbage)
    prediction = made(answers)
    prediction.restore()
    assert "can't be read" in prediction.status
    assert (prediction.value, prediction.reason, prediction.confidence) == (None, "", None)
    readoff = prediction.readoff(50_000_000)
    assert readoff.lines[0] == "Your saved prediction can't be read. Choose again."
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


@pytest.mark.usefixtures("headless")
def test_without_a_prediction_a_headless_run_writes_nothing(answers: Answers) -> None:
    made(answers).readoff(1.11e9)._repr_mimebundle_()
    assert not answers.path.exists()


def test_an_outcome_that_cannot_be_written_is_said_and_the_readoff_still_shown(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    readoff = kept(answers, "under 100 MB").readoff(1.11e9)

    monkeypatch.setattr(os, "fsync", full)
    text = readoff._repr_mimebundle_()["text/plain"]
    assert "Result: 1 GB or more" in text
    assert "No space is left" in text


# --- late ------------------------------------------------------------------------------------


def late(answers: Answers) -> Any:
    return answers.get(f"size{LATE}")


def test_a_choice_after_the_result_was_shown_is_saved_as_late_and_is_no_hit(answers: Answers) -> None:
    prediction = made(answers)
    readoff = prediction.readoff(1.11e9, **EXPLAINED)
    readoff._repr_mimebundle_()
    (choice,) = (w for w in walk(readoff.view) if isinstance(w, widgets.RadioButtons))
    choice.value = "1 GB or more"
    assert answers.get("size") is None
    assert late(answers) == {"choice": "1 GB or more", "reason": "", "confidence": None}
    assert prediction.kept and "marked late" in prediction.status
    assert readoff.lines[0] == "You chose: 1 GB or more." and "marked late" in readoff.lines[1]
    assert "marked late" in walk(readoff.view)[1].value, "what is on the page says it too"
    assert not readoff.is_hit and not readoff.is_confident_miss
    made(answers).readoff(1.11e9)._repr_mimebundle_()
    assert outcome(answers) is None or outcome(answers)["choice"] is None


def test_what_was_chosen_in_time_counts_and_keeps_its_time(answers: Answers) -> None:
    prediction = kept(answers, "under 100 MB", "certain")
    in_time = answers.all()["size"]
    readoff = prediction.readoff(1.11e9)
    readoff._repr_mimebundle_()
    prediction.value = "1 GB or more"
    assert answers.all()["size"] == in_time and late(answers)["choice"] == "1 GB or more"
    assert outcome(answers)["choice"] == "under 100 MB"
    assert "Your first choice counts: under 100 MB." in prediction.status
    assert readoff.lines[0].startswith("You chose: under 100 MB (certain)") and readoff.is_confident_miss
    assert "you changed to: 1 GB or more. Your first choice is the one that counts." in readoff.lines[1]
    again = made(answers)
    again.restore()
    assert again.value == "1 GB or more" and "marked late" in again.status


def test_going_back_to_what_counts_leaves_no_late_choice(answers: Answers) -> None:
    prediction = kept(answers, "under 100 MB")
    readoff = prediction.readoff(1.11e9)
    readoff._repr_mimebundle_()
    prediction.value = "1 GB or more"
    prediction.value = "under 100 MB"
    prediction.confidence = "certain"
    assert late(answers) is None and len(readoff.said) == 1
    assert prediction.answer["confidence"] == "guess", "the result was shown: what counts stays as it was"
    assert prediction.status == "Saved: under 100 MB (guess), because the app is small"


def test_a_late_choice_is_marked_in_the_readoff_of_the_next_session(answers: Answers) -> None:
    prediction = made(answers)
    prediction.reveal()
    prediction.value = "1 GB or more"
    readoff = made(answers).readoff(1.11e9)
    readoff._repr_mimebundle_()
    (choice,) = (w for w in walk(readoff.view) if isinstance(w, widgets.RadioButtons))
    assert choice.value == "1 GB or more" and "marked late" in readoff.lines[1]


@pytest.mark.usefixtures("at_the_desk")
def test_the_next_session_knows_that_the_result_was_shown(answers: Answers) -> None:
    made(answers).readoff(1.11e9)._repr_mimebundle_()
    tomorrow = made(answers)
    tomorrow.value = "1 GB or more"
    assert answers.get("size") is None and late(answers)["choice"] == "1 GB or more"
    tomorrow.readoff(1.11e9)._repr_mimebundle_()
    assert outcome(answers)["choice"] is None, "no outcome is made of a late choice"


def test_a_late_choice_that_cannot_be_read_is_said_and_counts_as_none(answers: Answers) -> None:
    answers.keep(f"size{LATE}", {"choice": "huge"})
    prediction = made(answers)
    prediction.restore()
    assert "can't be read" in prediction.status
    assert prediction.readoff(1.11e9).lines[0].startswith("You haven't made a prediction yet.")


def test_what_is_chosen_once_the_figure_is_shown_is_late(answers: Answers, at_the_desk: None) -> None:
    prediction = made(answers)
    gate = prediction.gate(lambda: "figure")
    gate.skip()
    prediction.value = "under 100 MB"
    assert prediction.answer is None
    assert prediction.late["choice"] == "under 100 MB"
    again = kept(Answers(answers.folder, "others"), "under 100 MB")
    assert again.gate(lambda: "figure") == "figure"
    again.value = "1 GB or more"
    assert (again.answer["choice"], again.late["choice"]) == ("under 100 MB", "1 GB or more")


@pytest.mark.usefixtures("at_the_desk")
def test_a_result_that_was_shown_is_known_after_a_restart(answers: Answers) -> None:
    first = made(answers)
    first.value = "under 100 MB"
    first.reveal()
    again = made(answers)
    again.restore()
    again.value = "1 GB or more"
    assert again.answer["choice"] == "under 100 MB" and again.late["choice"] == "1 GB or more"


def test_where_nobody_sits_nothing_is_noted_of_a_result_that_was_shown(answers: Answers) -> None:
    made(answers).reveal()
    assert not made(answers).is_result_shown


@pytest.mark.usefixtures("at_the_desk")
def test_the_hint_of_the_next_session_knows_that_the_result_was_shown(answers: Answers) -> None:
    made(answers).reveal()
    again = made(answers)
    again.restore()
    assert again.status == HINT_LATE
