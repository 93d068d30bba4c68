"""Questions work headless, restore what was kept, and their views change the model and nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from layerlab.errors import AnswerError
from layerlab.widgets.question_views import table
from layerlab.widgets.questions import WAS_SO, Choice, MultiChoice, Order, PointAt, Question, ShortText
from layerlab.work.answers import Answers

LINES = ["CMD x", "FROM python", "RUN pip install"]
ROWS = [("rootfs", "75 MB"), ("RUN set -eux", "40 MB"), ("RUN set -eux", "1 MB"), ("COPY app.py .", "1 kB")]


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers.open("01_naive", work=tmp_path)


def every_kind(answers: Answers) -> list[tuple[Question, Any]]:
    """Each kind of question with an answer to it."""
    return [
        (Choice("choice", "Which?", ["full", "slim"], answers=answers), "slim"),
        (MultiChoice("multi", "Which ones?", ["gcc", "git", "pip"], answers=answers), ["gcc", "pip"]),
        (Order("order", "In which order?", LINES, answers=answers), [LINES[1], LINES[2], LINES[0]]),
        (PointAt("point", "Where?", ROWS, columns=["instruction", "size"], answers=answers), "COPY app.py ."),
        (ShortText("text", "Why?", words=5, answers=answers), "it holds the compilers"),
    ]


@pytest.mark.parametrize("index", range(5))
def test_an_answer_counts_when_it_is_kept_and_comes_back(answers: Answers, index: int) -> None:
    question, value = every_kind(answers)[index]
    question.value = value
    assert not question.kept
    question.keep()
    assert question.kept
    assert question.answer == value
    again, _ = every_kind(answers)[index]
    again._repr_mimebundle_()
    assert again.value == value
    assert again.status.startswith("Kept earlier: ")


@pytest.mark.parametrize("index", range(5))
def test_the_keep_button_keeps_and_says_so(answers: Answers, index: int) -> None:
    question, value = every_kind(answers)[index]
    question.value = value
    button(question, "Keep").click()
    assert question.answer == value
    assert 'role="status"' in status_text(question)
    assert "Kept: " in status_text(question)


def test_a_page_without_widgets_says_when_its_text_was_true_and_holds_no_formula(
    answers: Answers,
) -> None:
    question = Choice("q", "Is ${PY_MINOR} set, or $HOME?", ["yes", "no"], answers=answers)
    assert WAS_SO not in question._repr_mimebundle_()["text/html"]
    question.value = "yes"
    question.keep()
    told = question._repr_mimebundle_()["text/html"]
    assert told.startswith("<pre ") and "${PY_MINOR} set, or $HOME" in told.partition("</pre>")[0]
    assert WAS_SO in told


@pytest.mark.parametrize("index", [0, 3, 4])
def test_nothing_is_chosen_beforehand(answers: Answers, index: int) -> None:
    question, _ = every_kind(answers)[index]
    assert question.value is None
    button(question, "Keep").click()
    assert not question.kept
    assert "There is no answer yet" in status_text(question)


@pytest.mark.parametrize("index", range(5))
def test_every_control_has_a_label_and_the_page_reads_without_widgets(answers: Answers, index: int) -> None:
    question, _ = every_kind(answers)[index]
    for control in controls(question):
        assert control.description.strip()
        assert control.tabbable is not False
    bundle = question._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert question.question in bundle["text/plain"]
    assert "Not answered when this cell ran." in bundle["text/html"]
    for line in question.possible():
        assert line in bundle["text/plain"]


def test_what_is_no_option_is_refused(answers: Answers) -> None:
    choice = Choice("c", "?", ["full", "slim"], answers=answers)
    with pytest.raises(AnswerError, match="none of 'full', 'slim'"):
        choice.value = "alpine"
    with pytest.raises(AnswerError, match="'alpine' is no option"):
        MultiChoice("m", "?", ["full"], answers=answers).value = ["full", "alpine"]
    with pytest.raises(AnswerError, match="each line once"):
        Order("o", "?", LINES, answers=answers).value = LINES[:2]
    with pytest.raises(AnswerError, match="no such row; it has 4 rows"):
        PointAt("p", "?", ROWS, answers=answers).value = 5
    with pytest.raises(ValueError, match="differ from each other"):
        Choice("c", "?", ["a", "a"], answers=answers)
    with pytest.raises(AnswerError, match="no answer file"):
        Choice("c", "?", ["a"])


@pytest.mark.parametrize(("index", "says"), [(0, "slim"), (1, "gcc; pip"), (3, "COPY app.py .")])
def test_what_is_chosen_and_not_kept_is_said(answers: Answers, index: int, says: str) -> None:
    question, value = every_kind(answers)[index]
    assert "saved" not in status_text(question)
    question.value = value
    assert f"You chose: {says}. It isn&#x27;t saved yet: press Keep." in status_text(question)
    button(question, "Keep").click()
    question.restore()
    assert "press Keep" not in status_text(question)


def test_radio_buttons_set_the_choice(answers: Answers) -> None:
    choice = Choice("c", "?", ["full", "slim"], answers=answers)
    (radio,) = controls(choice, widgets.RadioButtons)
    radio.value = "slim"
    assert choice.value == "slim"
    choice.value = "full"
    assert radio.value == "full"


def test_check_boxes_keep_the_order_of_the_options(answers: Answers) -> None:
    multi = MultiChoice("m", "?", ["gcc", "git", "pip"], answers=answers)
    gcc, _git, pip = controls(multi, widgets.Checkbox)
    pip.value = True
    gcc.value = True
    assert multi.value == ["gcc", "pip"]
    pip.value = gcc.value = False
    assert multi.value == []
    multi.value = ["git"]
    assert [box.value for box in controls(multi, widgets.Checkbox)] == [False, True, False]


def test_lines_move_by_buttons_from_a_list_that_takes_the_focus(answers: Answers) -> None:
    order = Order("o", "?", LINES, answers=answers)
    (listing,) = controls(order, widgets.Select)
    listing.value = "FROM python"
    button(order, "Move up").click()
    assert order.value == ["FROM python", "CMD x", "RUN pip install"]
    assert listing.value == "FROM python"
    assert "FROM python is now line 1 of 3. Not kept yet." in status_text(order)
    button(order, "Keep").click()
    button(order, "Move up").click()
    assert order.value[0] == "FROM python"
    assert "FROM python is now line 1 of 3. That is saved." in status_text(order)
    listing.value = "CMD x"
    button(order, "Move down").click()
    assert order.value == ["FROM python", "RUN pip install", "CMD x"]
    assert [label for label, _ in listing.options] == ["1  FROM python", "2  RUN pip install", "3  CMD x"]
    order.value = None
    assert order.value == LINES


def test_rows_are_named_by_text_or_number(answers: Answers) -> None:
    point = PointAt("p", "?", ROWS, columns=["instruction", "size"], answers=answers)
    assert point.keys == ("rootfs", "RUN set -eux", "RUN set -eux (2)", "COPY app.py .")
    point.value = 1
    assert point.value == "rootfs"
    assert point.row_with("app.py") == "COPY app.py ."
    with pytest.raises(AnswerError, match="in 2 rows"):
        point.row_with("set -eux")
    assert '<th scope="col">size</th>' in table(point)
    assert '<th scope="row">4</th><td title="COPY app.py .">COPY app.py .</td>' in table(point)


def test_a_kept_row_that_is_gone_is_said_and_stays_in_the_file(answers: Answers) -> None:
    PointAt("p", "?", ROWS, answers=answers)
    answers.keep("p", "RUN gone")
    point = PointAt("p", "?", ROWS, answers=answers)
    point.restore()
    assert point.value is None
    assert "'RUN gone' is no answer to p" in point.status
    assert point.answer == "RUN gone"


def test_too_many_words_are_counted_when_they_are_kept(answers: Answers) -> None:
    text = ShortText("t", "Why?", words=3, answers=answers)
    (field,) = controls(text, widgets.Textarea)
    field.value = "one two  three four"
    button(text, "Keep").click()
    assert "That is 4 words; at most 3 fit." in text.status
    field.value = " one  two "
    text.keep()
    assert text.answer == "one two"


@pytest.mark.parametrize("touched", [False, True])
def test_none_of_several_options_is_an_answer(answers: Answers, touched: bool) -> None:
    multi = MultiChoice("m", "Which ones?", ["gcc", "git"], answers=answers)
    assert multi.value is None
    if touched:
        multi.value = ["gcc"]
        multi.value = []
    button(multi, "Keep").click()
    assert multi.kept
    assert multi.answer == []
    assert "Kept: none of them" in status_text(multi)
    again = MultiChoice("m", "Which ones?", ["gcc", "git"], answers=answers)
    again.restore()
    assert again.value == []
    assert again.status == "Kept earlier: none of them"


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("garbage", [17, 1.5, True, {"a": 1}, ["a", "b"], [["a"], 2], "nonsense"])
def test_a_kept_value_that_is_no_answer_is_said_and_stays_in_the_file(
    answers: Answers, index: int, garbage: Any
) -> None:
    question, _ = every_kind(answers)[index]
    if isinstance(question, ShortText) and isinstance(garbage, str):
        assert question.unreadable(garbage) is None, "any text is an answer to this one"
        return
    assert question.unreadable(garbage)
    before = question.value
    answers.keep(question.id, garbage)
    question.restore()
    assert "is no answer to" in question.status
    assert question.value == before
    assert question.answer == garbage


@pytest.mark.parametrize("index", range(5))
def test_an_answer_is_readable(answers: Answers, index: int) -> None:
    question, value = every_kind(answers)[index]
    assert question.unreadable(value) is None


def test_a_row_may_be_kept_by_its_number(answers: Answers) -> None:
    assert PointAt("p", "?", ROWS, answers=answers).unreadable(4) is None


def test_a_word_without_end_is_refused_and_told_in_few_letters(answers: Answers) -> None:
    text = ShortText("t", "Why?", words=40, answers=answers)
    text.value = "x" * 20_000
    button(text, "Keep").click()
    assert not text.kept
    assert "That is 20000 characters; at most 400 fit." in text.status
    with pytest.raises(AnswerError) as caught:
        Choice("c", "?", ["full"], answers=answers).value = "x" * 20_000
    assert len(str(caught.value)) < 300


def test_a_long_status_is_wrapped(answers: Answers) -> None:
    assert "overflow-wrap:anywhere" in status_text(Choice("c", "?", ["full"], answers=answers))


def test_a_full_disk_is_told_in_the_status(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    choice = Choice("c", "?", ["full", "slim"], answers=answers)
    choice.value = "slim"
    monkeypatch.setattr(os, "fsync", full)
    button(choice, "Keep").click()
    assert "kept in memory" in status_text(choice)
    assert choice.answer == "slim"


def test_a_damaged_file_does_not_stop_the_display(answers: Answers) -> None:
    answers.folder.mkdir(parents=True)
    answers.path.write_text("{")
    choice = Choice("c", "?", ["full", "slim"], answers=answers)
    assert "damaged-1" in choice._repr_mimebundle_()["text/plain"]


def test_headless_use_loads_no_ipywidgets() -> None:
    program = "import sys, layerlab.widgets as w; w.Choice; w.Prediction; assert 'ipywidgets' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def controls(question: Question, kind: type = widgets.CoreWidget) -> list[Any]:
    """Every control of the question's view, in reading order, boxes and plain texts left out."""
    passive = (widgets.Box, widgets.HTML, widgets.Output)
    return [w for w in walk(question.view) if isinstance(w, kind) and not isinstance(w, passive)]


def walk(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in walk(child))]


def button(question: Question, label: str) -> widgets.Button:
    return next(b for b in controls(question, widgets.Button) if b.description == label)


def status_text(question: Question) -> str:
    return str(walk(question.view)[-1].value)
