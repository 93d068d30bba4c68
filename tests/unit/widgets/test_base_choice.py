"""The bench for choosing a base, and the arithmetic of a roll-out, without a browser."""

from __future__ import annotations

import pytest

from layerlab.widgets import BaseChoice, MeasuredBase, Rollout

MB = 1_000_000
SLIM = MeasuredBase("slim", 137 * MB, 51 * MB, 412, 3, 11, "glibc")
FULL = MeasuredBase("full", 955 * MB, None, 813, 3, 13, "glibc")
MUSL = MeasuredBase("musl", 55 * MB, 19 * MB, 415, 2, 0, "musl")
DISTROLESS = MeasuredBase("distroless", 61 * MB, 22 * MB, 7, 0, 0, "glibc")
BASES = (SLIM, FULL, MUSL, DISTROLESS)


@pytest.mark.parametrize(
    ("needs", "best"),
    [
        ((), SLIM),
        (("shell",), SLIM),
        (("wheels",), SLIM),
        (("security",), DISTROLESS),
        (("pulls",), MUSL),
        (("security", "shell"), MUSL),
        (("pulls", "wheels"), DISTROLESS),
        (("pulls", "wheels", "shell"), SLIM),
        (("security", "pulls", "wheels", "shell"), SLIM),
    ],
)
def test_each_need_moves_the_answer(needs: tuple[str, ...], best: MeasuredBase) -> None:
    assert BaseChoice(BASES).set(*needs).best == best


def test_what_is_out_says_why_and_comes_last() -> None:
    choice = BaseChoice(BASES).set("shell", "wheels")
    assert [one.base for one in choice.ranking if one.is_out] == [MUSL, DISTROLESS]
    assert "no shell" in choice.text and "stands on musl" in choice.text
    assert BaseChoice([DISTROLESS]).set("shell").best is None
    assert "No base here meets" in BaseChoice([DISTROLESS]).set("shell").text


def test_what_no_need_tells_apart_shares_a_place() -> None:
    assert [one.place for one in BaseChoice(BASES).ranking] == [1, 1, 1, 1]
    assert [one.place for one in BaseChoice(BASES).set("shell").ranking] == [1, 1, 1, None]
    assert [one.place for one in BaseChoice(BASES).set("pulls").ranking] == [1, 2, 3, 4]
    assert BaseChoice(BASES).set("shell").text.count("\n  1  ") == 3


def test_a_base_that_nobody_packed_is_weighed_on_disk() -> None:
    assert "955 MB on disk" in BaseChoice([FULL]).set("pulls").text


def test_an_unknown_need_is_refused() -> None:
    with pytest.raises(ValueError, match=r"colour is no need\. There are shell"):
        BaseChoice(BASES).set("colour")
    with pytest.raises(ValueError, match="no base to choose"):
        BaseChoice([])


def test_a_tick_in_the_view_moves_the_text() -> None:
    choice = BaseChoice(BASES)
    *boxes, said = choice.view.children
    assert "By what you ticked: slim." in said.value and 'role="status"' in said.value
    boxes[3].value = True
    assert choice.pulls and "By what you ticked: musl." in said.value
    choice.set("security")
    assert boxes[2].value and not boxes[3].value and "By what you ticked: distroless." in said.value
    assert {"text/plain", "text/html"} <= set(choice._repr_mimebundle_())


def test_a_roll_out_is_bytes_times_machines_over_the_line() -> None:
    rollout = Rollout({"slim": 50 * MB, "musl": 20 * MB})
    rollout.nodes, rollout.megabits = 10, 100
    assert rollout.seconds("slim") == 40.0 and "40.0 s" in rollout.text
    line, nodes, said = rollout.view.children
    nodes.value = 1
    assert rollout.nodes == 1 and "1 machine," in said.value
    line.value = 1000
    assert rollout.seconds("slim") == pytest.approx(0.4)
