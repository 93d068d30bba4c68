"""Verdicts read in the order that teaches, and SKIP never counts as PASS."""

from __future__ import annotations

import re

import pytest

from layerlab.checks import Check, Verdicts, answered, judge, largest, precedes, require, skipped, unreadable
from layerlab.errors import CheckFailed

SERVES = Check(name="serves", status="PASS", why="/health answered 200")
USER = Check(name="runs as 10001", status="PASS", why="line 9 says USER 10001")
LUGGAGE = Check(
    name="luggage",
    status="FAIL",
    found="44.6 MB",
    wanted="at most 2 MB",
    why="every node would pull an installer that nothing calls.",
    hint="Which one folder holds your packages and nothing else?",
)
SPEED = Check(name="rebuild", status="FAIL", found="6 steps", wanted="2", hint="Which line copies what you edit?")
PULL = skipped("pulled size", "a live engine; the recordings do not hold this build")


def test_all_that_does_not_pass_is_shown_the_first_in_full_below_a_headline() -> None:
    assert str(Verdicts((SERVES, LUGGAGE, USER, PULL, SPEED))).splitlines() == [
        "✗ Not yet: 2 of 5 checks, and 1 not checked",
        "✗ Not yet: luggage (found 44.6 MB, wanted at most 2 MB)",
        "Because every node would pull an installer that nothing calls.",
        "Which one folder holds your packages and nothing else?",
        "✗ Not yet: rebuild (found 6 steps, wanted 2)",
        "Which line copies what you edit?",
        "– Not checked: pulled size",
        "What would decide it: a live engine; the recordings do not hold this build",
        "✓ Passed: serves · runs as 10001",
    ]


def test_a_headline_has_the_number_that_counts_a_colour_of_the_theme_and_words_beside_it() -> None:
    right = Verdicts((SERVES, USER), result="945 MB → 128 MB")
    assert right.lines[0] == "✓ Passed: 945 MB → 128 MB"
    colours = {
        right: ("--jp-success-color1", "Passed: 945 MB → 128 MB"),
        Verdicts((SERVES, LUGGAGE)): ("--jp-error-color1", "Not yet: 1 of 2 checks"),
        Verdicts((SERVES, PULL)): ("--jp-warn-color1", "Not checked: 1 of 2 checks"),
    }
    for verdicts, (colour, words) in colours.items():
        headline = verdicts._repr_html_().partition("</p>")[0]
        assert colour in headline and words in headline, headline
        assert not re.search(r"(?<![-\w])color:#", headline), "a colour of its own could not be read in every theme"


def test_a_single_check_is_its_own_headline() -> None:
    assert str(Verdicts((SERVES,))) == "✓ Passed: /health answered 200"
    assert str(Verdicts((SPEED,))).splitlines()[0] == "✗ Not yet"


def test_a_pass_says_why() -> None:
    verdicts = Verdicts((SERVES, USER))
    assert verdicts.all_pass
    assert verdicts.lines == (
        "✓ Passed: all 2 checks",
        "✓ serves: /health answered 200",
        "✓ runs as 10001: line 9 says USER 10001",
    )
    require(verdicts)


def test_a_skip_says_what_would_decide_it_and_is_no_pass() -> None:
    verdicts = Verdicts((SERVES, PULL))
    assert "What would decide it: a live engine; the recordings do not hold this build" in verdicts.lines
    with pytest.raises(CheckFailed, match=r"^Not checked: 1 of 2 checks could not be decided\.") as caught:
        require(verdicts)
    assert "Change the answer" not in str(caught.value), "another answer decides nothing"


def test_nothing_checked_is_no_pass() -> None:
    with pytest.raises(CheckFailed, match="Nothing was checked"):
        require(Verdicts(()))


def test_the_error_repeats_no_verdict_and_names_the_next_move() -> None:
    with pytest.raises(CheckFailed) as caught:
        require(Verdicts((SERVES, USER, LUGGAGE)))
    assert str(caught.value) == (
        "Not yet: 1 of 3 checks failed; the verdict above says which. "
        "Change the answer, keep it, and run this cell again."
    )
    with pytest.raises(CheckFailed, match=r"2 of 3 checks failed and 1 could not be decided; the verdict"):
        require(Verdicts((LUGGAGE, SPEED, PULL)))


def test_several_verdicts_are_told_apart_and_say_what_was_judged() -> None:
    verdicts = Verdicts((SERVES,), title="1. <Serve>", judged="a & b")
    assert str(verdicts).splitlines()[:2] == ["1. <Serve>", "You kept: a & b"]
    assert verdicts.lines[0].startswith("✓ Passed"), "the verdict itself begins with its headline"
    assert "<p><strong>1. &lt;Serve&gt;</strong></p><p>You kept: a &amp; b</p>" in verdicts._repr_html_()


def test_a_long_word_is_wrapped() -> None:
    assert "overflow-wrap:anywhere" in Verdicts((LUGGAGE,))._repr_html_()


def test_html_is_escaped_keeps_the_words_and_announces_itself() -> None:
    html = Verdicts((Check(name="<b>", status="FAIL", found="a & b"),))._repr_html_()
    assert '<div role="status"' in html
    assert "✗ Not yet: &lt;b&gt; (found a &amp; b)" in html


def test_judge_tells_only_what_belongs_to_the_outcome() -> None:
    texts = {"found": "3", "wanted": "2", "because": "it is 2", "not_yet": "3 is more.", "look": "Which?"}
    assert judge("n", True, **texts) == Check(name="n", status="PASS", found="3", why="it is 2")
    assert judge("n", False, **texts) == Check(
        name="n", status="FAIL", found="3", wanted="2", why="3 is more.", hint="Which?"
    )


def test_answered() -> None:
    assert answered("answered", "x").status == "PASS"
    assert answered("answered", None).line == ("FAIL answered (found no kept answer, wanted an answer that you kept)")
    assert answered("answered", []).status == "PASS", "nothing marked, and kept, is an answer"
    assert answered("answered", None, look="In which order?").hint == "In which order?"


def test_what_cannot_be_read_is_no_answer_and_is_cut() -> None:
    check = unreadable("answered", "x" * 500)
    assert (check.status, check.wanted) == ("FAIL", "one of the possible answers")
    assert "cannot be read" in check.why
    assert "Keep" in check.hint
    assert len(check.found) < 100


def test_check_is_found_by_name() -> None:
    assert Verdicts((SERVES, LUGGAGE)).check("luggage") is LUGGAGE
    with pytest.raises(KeyError, match="no check is called 'weight'"):
        Verdicts((SERVES,)).check("weight")


@pytest.mark.parametrize(
    ("lines", "holds", "found"),
    [
        (["COPY r", "RUN pip"], True, "COPY r on line 1, RUN pip on line 2"),
        (["RUN pip", "COPY r"], False, "RUN pip on line 1, COPY r on line 2"),
        (["COPY r", "RUN pip", "COPY s"], False, "RUN pip on line 2, COPY s on line 3"),
        (["RUN pip"], False, "one of the two lines is missing"),
    ],
)
def test_precedes(lines: list[str], holds: bool, found: str) -> None:
    assert precedes(lines, lambda line: line.startswith("COPY"), lambda line: line.startswith("RUN")) == (
        holds,
        found,
    )


def test_largest() -> None:
    assert largest({"base": 5, "pip": 9, "copy": 9}) == "pip"
    with pytest.raises(ValueError, match="nothing was measured"):
        largest({})


def test_what_was_found_as_a_sentence_does_not_end_twice() -> None:
    check = Check(name="reads", status="FAIL", found="Perhaps FROM is meant.", wanted="a Dockerfile.")
    assert check.told == "Not yet: reads (found Perhaps FROM is meant, wanted a Dockerfile)"
