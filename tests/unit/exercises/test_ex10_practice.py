"""Exercise 10: other good ways pass, bronze is less than silver, and a larger image may be the right one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS

from layerlab.checks import Verdicts
from layerlab.errors import AnswerError, BaseError, NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex10_practice import checks, mistakes, record
from layerlab.exercises.ex10_practice.exercise import Practice
from layerlab.exercises.ex10_practice.services import BRONZE, PREDICTION, SERVICE, SILVER
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import judge

KINDS, ALMANAC = "q3-kinds-file", "q1-almanac-file"
TEMPLATE = (APPS / "exercise10" / record.FILE).read_text()
STARTERS: Mapping[str, str] = {
    f"{task}-file": (APPS / f"exercise10/{name}/Dockerfile.naive").read_text() for task, name in BRONZE.items()
}
WAYS = [(id, text) for id, texts in mistakes.neighbours(STARTERS).items() for text in texts[1:]]


@pytest.fixture(scope="module")
def opened() -> Iterator[Exercise]:
    with judge.opened("10_practice", engine="recorded") as exercise:
        yield exercise


@pytest.fixture
def exercise(opened: Exercise, tmp_path: Path) -> Practice:
    return Practice(opened.bench, work=tmp_path)


def silver(exercise: Practice, text: str, said: str = checks.BANDS[2][0]) -> Verdicts:
    return exercise.verdicts(SILVER, {SERVICE: "kinds", PREDICTION: said, KINDS: text})


@pytest.mark.parametrize(("id", "text"), WAYS, ids=[f"{id} {number}" for number, (id, _) in enumerate(WAYS)])
def test_every_good_way_is_bronze(exercise: Practice, id: str, text: str) -> None:
    verdicts = exercise.verdicts(id.removesuffix("-file"), {id: text})
    assert verdicts.all_pass, str(verdicts)


@pytest.mark.parametrize("name", BRONZE.values())
def test_behaviour_is_tried_on_the_image_of_today(exercise: Practice, name: str) -> None:
    told = exercise.behaves(name)
    assert [check.name for check in told] == ["serves", "stops", "any user", "read-only"]
    assert told.all_pass
    assert told.title == name


def test_a_library_that_apt_installed_is_bronze_and_not_silver(exercise: Practice) -> None:
    text = mistakes.installed(STARTERS[KINDS])
    assert exercise.verdicts("q3-kinds", {KINDS: text}).all_pass
    assert [check.name for check in silver(exercise, text) if check.status == "FAIL"] == ["luggage"]


def test_bytecode_of_what_is_needed_is_a_choice_and_no_luggage(exercise: Practice) -> None:
    right = mistakes.reference("almanac", STARTERS[ALMANAC])
    larger = edited(right, "--no-cache -r", "--no-cache --compile-bytecode -r")
    without, compiled = (exercise._trial(ALMANAC, text).sizes for text in (right, larger))
    bytecode = compiled.added_bytes - without.added_bytes
    assert bytecode > 1_000_000
    assert abs(compiled.luggage_bytes - without.luggage_bytes) < bytecode / 10


def test_the_smallest_base_is_right_for_almanac_and_for_no_other(exercise: Practice) -> None:
    fails = {one.task for one in exercise.mistakes if "-alpine\nWORKDIR" in str(one.answers.get(f"{one.task}-file"))}
    for task, name in BRONZE.items():
        stands_on_it = "-alpine\nWORKDIR" in mistakes.reference(name, STARTERS[f"{task}-file"])
        assert stands_on_it == (name == "almanac")
    assert {"q2-labels", "q3-kinds"} <= fails


def test_silver_on_an_undecided_bronze_is_undecided(exercise: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    right = mistakes.reference("kinds", STARTERS[KINDS])
    monkeypatch.setattr(exercise.bench, "begin", not_recorded)
    (told,) = silver(exercise, right)
    assert (told.name, told.status) == ("bronze", "SKIP")
    assert "a live engine" in told.why
    monkeypatch.undo()
    (told,) = silver(exercise, edited(right, "USER 10001\n", ""))
    assert told.status == "FAIL", "what fails is told, whatever else could not be decided"


def not_recorded(*given: object, **named: object) -> None:
    raise NotRecorded("The build is not recorded. A live engine can run it.")


def test_what_stands_on_scratch_cannot_be_weighed_and_that_is_said(exercise: Practice) -> None:
    right = mistakes.reference("almanac", STARTERS[ALMANAC])
    head, _, last = right.rpartition("FROM python:${PY_MINOR}-alpine")
    trial = exercise._trial(ALMANAC, f"{head}FROM scratch{last}")
    for ask in (lambda: trial.base, lambda: checks.base_pinned(trial)):
        with pytest.raises(BaseError, match="brings a whole system along"):
            ask()


def test_a_prediction_may_be_one_band_off(exercise: Practice) -> None:
    right = mistakes.reference("kinds", STARTERS[KINDS])
    names = [name for name, _ in checks.BANDS]
    passed = [silver(exercise, right, said).check("prediction").status == "PASS" for said in names]
    # It adds as much as the image of today, or nearly: the third band.
    assert passed == [False, True, True, True]


@pytest.mark.parametrize(
    ("base", "standin", "official"),
    [
        ("python:3.12-slim", "PASS", "FAIL"),  # of a stand-in more cannot be said
        ("python:3.12.14-slim", "PASS", "PASS"),
        ("python:3.12-slim@sha256:" + "0" * 64, "PASS", "PASS"),
    ],
)
def test_a_pinned_base_stays_what_it_is(base: str, standin: str, official: str) -> None:
    for label, status in (("true", standin), (None, official)):
        described = SimpleNamespace(config=SimpleNamespace(label=lambda name, label=label: label))
        trial: Any = SimpleNamespace(base_reference=base, base=described)
        assert checks.base_pinned(trial).status == status


@pytest.mark.parametrize("base", ["python", "python:slim", "python:latest", "python:3-slim", "localhost:5000/python"])
def test_a_name_without_a_version_is_told_before_anything_is_built(
    exercise: Practice, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setattr(exercise.bench, "begin", not_recorded)
    head, _, last = mistakes.reference("kinds", STARTERS[KINDS]).rpartition("FROM python:${PY_MINOR}-slim")
    (told,) = silver(exercise, f"{head}FROM {base}{last}")
    assert (told.name, told.status, told.found) == ("base pinned", "FAIL", base)


def test_mistakes_go_stale_with_the_starter() -> None:
    with pytest.raises(ValueError, match=r"an edit needs one place|not found"):
        mistakes.mistakes({id: text.replace("EXPOSE", "LABEL") for id, text in STARTERS.items()}, TEMPLATE)


def test_a_record_may_be_bold_and_have_other_lines_between() -> None:
    said = ("one two three four", "from 9.1 MB to 3 MB on my engine", *("four words are enough",) * 4)
    text = record.filled(TEMPLATE, said).replace("- What I gave up:", "note\n\n* **What I gave up:**")
    assert list(record.lines(text).values()) == list(said)
    assert all(check.status == "PASS" for check in record.checks(text))
    assert [check.status for check in record.checks("")] == ["FAIL"] * 3


def test_the_record_is_a_file_that_any_editor_may_write(exercise: Practice) -> None:
    assert exercise._kept("q5-record") is None
    path = exercise.answers.folder / record.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.filled(TEMPLATE, ("61.0 MB became 12.4 MB here",) * 6))
    assert exercise.verdicts("q5-gold").all_pass
    question = exercise.question("q5-record")
    question.restore()
    assert "12.4 MB" in question.value


@pytest.fixture
def own_kinds(tmp_path: Path) -> Path:
    """A folder of somebody's own, with the service kinds in it."""
    folder = tmp_path / "kinds"
    shutil.copytree(APPS / "exercise10/kinds", folder)
    return folder


def test_a_folder_of_ones_own_is_judged_alike(exercise: Practice, own_kinds: Path) -> None:
    with pytest.raises(AnswerError, match="There is no Dockerfile in kinds"):
        exercise.own(own_kinds, source="service.py")
    (own_kinds / "Dockerfile").write_text(mistakes.reference("kinds", STARTERS[KINDS]))
    told = exercise.own(own_kinds, source="service.py", paths=("/health", "/kinds/letter.txt"))
    assert told.all_pass, str(told)
    assert {"luggage", "rebuild", "base pinned"} <= {check.name for check in told}


def test_a_folder_of_ones_own_that_is_none_is_said(exercise: Practice, tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"no-such-service is not there\. Name the folder"):
        exercise.own(tmp_path / "no-such-service")
    (tmp_path / "Dockerfile").write_text(STARTERS[KINDS])
    with pytest.raises(AnswerError, match=r"Dockerfile is a file\. Name the folder"):
        exercise.own(tmp_path / "Dockerfile")


def test_a_service_that_does_not_serve_today_is_said(exercise: Practice, own_kinds: Path) -> None:
    (own_kinds / "Dockerfile").write_text(mistakes.reference("kinds", STARTERS[KINDS]))
    (own_kinds / "Dockerfile.naive").write_text("THIS is none\n")
    with pytest.raises(AnswerError, match=r"^Dockerfile\.naive gives no answers to compare with.*'THIS'"):
        exercise.own(own_kinds, source="service.py", paths=("/health", "/kinds/letter.txt"))


def test_what_one_edits_lies_in_the_folder_that_is_built(exercise: Practice, tmp_path: Path) -> None:
    folder = tmp_path / "kinds"
    folder.mkdir()
    for path in (tmp_path / "service.py", folder / "Dockerfile", folder / "Dockerfile.naive"):
        path.write_text(STARTERS[KINDS])
    with pytest.raises(AnswerError, match=r"There is no \.\./service\.py in kinds"):
        exercise.own(folder, source="../service.py")


def test_a_service_that_is_not_there_is_said(exercise: Practice) -> None:
    with pytest.raises(KeyError, match="There are: almanac, labels, kinds"):
        exercise.behaves("tides")
