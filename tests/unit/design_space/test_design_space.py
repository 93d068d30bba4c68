"""The combinations of the explorer: each once, each a readable Dockerfile that says what was chosen, one step apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab.design_space import (
    AXES,
    COMBINATIONS,
    Combination,
    Measured,
    beats,
    front,
    gap,
    named,
    neighbours,
    noise_seconds,
    recipe,
)
from layerlab.dockerfile import Dockerfile, parse

EVERY = [Combination(*keys) for keys in itertools.product(*(axis.keys for axis in AXES))]
BASES = {"python:3.12": "full", "python:3.12-slim": "slim", "python:3.12-alpine": "musl"}
each = pytest.mark.parametrize("one", COMBINATIONS, ids=lambda one: one.name)


def read_back(text: str) -> Combination:
    """Read the five choices out of a Dockerfile, as a reader would."""
    read = parse(text)
    last = read.stages[-1]
    install = next(line for line in run_lines(read) if "-r requirements.txt" in line)
    users = [one.arguments[0] for one in last.instructions if one.keyword == "USER"]
    return Combination(
        base=BASES[last.base],
        stages={1: "one", 2: "two"}[len(read.stages)],
        installer="uv" if "uv pip" in install else "no-cache" if "--no-cache-dir" in install else "pip",
        bytecode="compiled"
        if "--compile-bytecode" in install
        else "none"
        if "--no-compile" in install and "PYTHONDONTWRITEBYTECODE=1" in install
        else "as-is",
        user="number" if users and users[-1].isdigit() and users[-1] != "0" else "root",
    )


def run_lines(read: Dockerfile) -> Iterator[str]:
    return (one.logical for one in read.instructions if one.keyword == "RUN")


def instructions(one: Combination) -> list[str]:
    return [line.logical for line in parse(recipe(one)).instructions]


def test_there_are_about_forty_and_none_twice() -> None:
    assert 36 <= len(COMBINATIONS) <= 48
    assert len(set(COMBINATIONS)) == len({one.name for one in COMBINATIONS}) == len(COMBINATIONS)
    assert len({recipe(one) for one in COMBINATIONS}) == len(COMBINATIONS)


@each
def test_the_choices_can_be_read_back_from_the_text(one: Combination) -> None:
    assert read_back(recipe(one)) == one


@each
def test_a_recipe_is_one_that_the_course_would_show(one: Combination) -> None:
    read = parse(recipe(one))
    assert recipe(one).splitlines()[0].startswith("# ") and one.title[1:] in recipe(one).splitlines()[0]
    assert recipe(one).endswith("\n") and not recipe(one).endswith("\n\n")
    assert recipe(one).splitlines()[3] == "ARG PY_MINOR=3.12", "line 4, as its second line says"
    assert {stage.base for stage in read.stages} == {read.stages[-1].base}, "what is installed fits where it goes"
    copied = [line for line in instructions(one) if line.startswith("COPY --from")]
    assert copied == ["COPY --from=builder /install /usr/local"] * (one.stages == "two")
    assert all(re.search(r"\buv==\d", line) for line in run_lines(read) if "install" in line and " uv=" in line)


def test_neighbours_differ_in_one_choice_and_nothing_else_changes_in_their_texts() -> None:
    for one in COMBINATIONS:
        for other in neighbours(one):
            (axis,) = one.differences(other)
            mine, theirs = instructions(one), instructions(other)
            changed = {line for line in mine if line not in theirs} | {line for line in theirs if line not in mine}
            assert changed, (one, other)
            if axis == "user":
                assert changed == {"USER 10001"}
            elif axis == "base":
                assert all(line.startswith("FROM") for line in changed)
            elif axis == "bytecode":
                assert all(line.startswith("RUN") for line in changed)
            elif axis == "installer":
                assert all(line.startswith("RUN") for line in changed), "uv is brought along by a RUN"


def test_every_combination_can_be_reached_in_steps_of_one_choice() -> None:
    reached, waiting = set(), [COMBINATIONS[0]]
    while waiting:
        if (one := waiting.pop()) not in reached:
            reached.add(one)
            waiting += neighbours(one)
    assert reached == set(COMBINATIONS)


@given(st.sampled_from(EVERY))
def test_what_is_not_there_says_why_and_names_the_nearest_that_is(one: Combination) -> None:
    found = gap(one)
    assert (found is None) == (one in COMBINATIONS)
    if found:
        assert found.nearest in COMBINATIONS and found.reason.endswith(".")
        away = len(one.differences(found.nearest))
        assert away == min(len(one.differences(other)) for other in COMBINATIONS)


def test_names_lead_back_and_a_wrong_one_is_refused() -> None:
    assert all(named(one.name) == one for one in COMBINATIONS)
    with pytest.raises(ValueError, match="'slim two' is no combination"):
        named("slim two")
    with pytest.raises(ValueError, match=r"'debian' is no base\. There are full, slim, musl"):
        Combination("debian", "one", "pip", "as-is", "root")


def test_each_axis_says_what_it_trades() -> None:
    assert [axis.key for axis in AXES] == ["base", "stages", "installer", "bytecode", "user"]
    assert all(axis.trades.endswith(".") and "against" in axis.trades for axis in AXES)
    assert all(any(getattr(one, axis.key) == key for one in COMBINATIONS) for axis in AXES for key in axis.keys)


MEASURED = Measured(COMBINATIONS[0], 971, 945, True, 0, (1.1, 0.96), 12.5, 8, 3, is_live=True)


def test_what_was_measured_is_kept_as_json_and_read_again() -> None:
    assert (MEASURED.added_bytes, MEASURED.start_seconds) == (26, 0.96)
    assert Measured.from_json(MEASURED.to_json()) == MEASURED


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "full",
        {},
        {**MEASURED.to_json(), "combination": "gone two"},
        {**MEASURED.to_json(), "size_bytes": "12"},
        {**MEASURED.to_json(), "starts": ["soon"]},
        {**MEASURED.to_json(), "colour": "red"},
    ],
)
def test_what_is_no_measurement_is_refused(kept: object) -> None:
    with pytest.raises(ValueError, match=r"no (measured )?combination|a number that is none"):
        Measured.from_json(kept)


# --- the front -------------------------------------------------------------------------------


@st.composite
def measurements(draw: st.DrawFn) -> list[Measured]:
    chosen = draw(st.lists(st.sampled_from(COMBINATIONS), unique=True, max_size=12))
    seconds = st.none() | st.integers(50, 200).map(lambda hundredths: hundredths / 100)
    made = []
    for one in chosen:
        took = draw(seconds)
        size = draw(st.integers(40, 60))
        made.append(
            Measured(one, size, 30, took is not None, None, () if took is None else (took,), 1.0, 8, 0, is_live=True)
        )
    return made


@given(measurements(), st.sampled_from([0.0, 0.05, 0.4]))
def test_none_on_the_front_beats_another_and_all_others_are_beaten_by_one_on_it(
    made: list[Measured], noise: float
) -> None:
    best = front(made, noise=noise)
    serving = [one for one in made if one.start_seconds is not None]
    assert bool(best) == bool(serving)
    for one in serving:
        assert (one in best) == (not any(beats(other, one, noise=noise) for other in best))
    assert list(best) == sorted(best, key=lambda one: one.size_bytes)
    if not noise:
        assert set(best) == {one for one in serving if not any(beats(other, one) for other in serving)}
        starts = [one.start_seconds for one in best]
        assert starts == sorted(starts, reverse=True), "what is larger must start with less work"


def test_what_differs_by_noise_alone_beats_nobody() -> None:
    root, number = (
        Measured(named(f"slim two uv as-is {user}"), 100, 90, True, 0, took, 1.0, 8, 0, is_live=True)
        for user, took in (("root", (1.8, 1.9, 1.85)), ("number", (1.82, 1.75, 2.0)))
    )
    assert beats(number, root) and not beats(number, root, noise=0.06) and not beats(root, number, noise=0.06)
    assert noise_seconds([root, number]) == pytest.approx(0.07), "the wider one, where there are few"
    assert noise_seconds([]) == 0.0
