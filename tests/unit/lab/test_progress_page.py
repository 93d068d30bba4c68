"""The page of progress: what is done, late, tried or passed, and what another edition left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from kept_work import EARLY, LATE, carried, keep

from layerlab import exercises
from layerlab.checks import Check, Verdicts
from layerlab.errors import CheckFailed
from layerlab.exercises.ex01_naive.checks import LINES
from layerlab.exercises.kit.result import Result
from layerlab.lab import progress_page as logbook
from layerlab.lab.catalogue import Catalogue, Task, catalogue
from layerlab.lab.overview import overview
from layerlab.work import document, folder, transfer
from layerlab.work.answers import Answers
from layerlab.work.text_file import fingerprint

ROOT = Path(__file__).parents[3]
EDITIONS = ROOT / "tests" / "data" / "progress"


def test_what_this_edition_does_not_ask_is_shown_as_another_editions(here: Path) -> None:
    for edition in ("older", "newer"):
        transfer.import_file(EDITIONS / f"{edition}.json", work=here)
    page = logbook.open_page(ROOT, work=here)
    assert page.overview.strange == (
        "00_setup: weight (predictions)",
        "00_welcome (1 entry)",
        "01_naive: peer-1 (reviews)",
        "12_sbom (2 entries)",
    )
    assert "From another edition of the course, kept for it: 00_setup: weight" in repr(page)
    assert (here / "12_sbom" / "Dockerfile").read_bytes() == "FROM python:4-slim\r\n# ünï\r\n".encode()


# --- the page --------------------------------------------------------------------------------


def outcome(choice: str, came: str, confidence: str = "guess") -> dict[str, str]:
    return {"choice": choice, "came": came, "confidence": confidence}


def chapter(work: Path, name: str) -> Any:
    return next(one for one in logbook.open_page(ROOT, work=work).overview.chapters if one.name == name)


def test_a_prediction_counts_as_kept_only_where_the_course_asks_it(tmp_path: Path) -> None:
    said = {"choice": "no such file", "confidence": "guess", "reason": "two processes"}
    keep(tmp_path, "00_setup", "predictions", "note", said, EARLY)
    keep(tmp_path, "00_setup", "predictions", "weight", said, EARLY)
    assert (chapter(tmp_path, "00_setup").kept, chapter(tmp_path, "00_setup").asked) == (1, 2)
    assert "1 prediction to make in notebook 00_setup" in repr(logbook.open_page(ROOT, work=tmp_path))


def passed(work: Path, name: str, task: str) -> dict[str, Any]:
    """The result of a check that passed on what is saved now."""
    (asked,) = (one for one in catalogue(ROOT).tasks[name] if one.id == task)
    answers = Answers.open(name, work=work)
    judged = {f"answers/{id}": answers.get(id) for id in asked.questions}
    return Result.of(Verdicts((Check(name="fits", status="PASS"),)), judged).value


def test_tasks_are_open_then_tried_then_passed(tmp_path: Path) -> None:
    def states() -> list[str]:
        return [task.state for task in chapter(tmp_path, "02_slim").tasks][:3]

    assert states() == ["open", "open", "open"]
    keep(tmp_path, "02_slim", "answers", "q1-notes-base", "slim", EARLY)
    keep(tmp_path, "02_slim", "attempts", "q2-fingerprint", {"base fits": [["slim"]]}, EARLY)
    assert states() == ["tried", "tried", "open"]
    for id, value in (("base", "full"), ("evidence", "git --version")):
        keep(tmp_path, "02_slim", "answers", f"q2-fingerprint-{id}", value, EARLY)
    keep(tmp_path, "02_slim", "results", "q2-fingerprint", passed(tmp_path, "02_slim", "q2-fingerprint"), EARLY)
    assert states() == ["tried", "passed", "open"]
    text = repr(logbook.open_page(ROOT, work=tmp_path))
    assert f"1 of {len(chapter(tmp_path, '02_slim').tasks)}" in text
    assert "1. A service that keeps notes" in text


def test_what_an_edition_before_verdicts_were_saved_calls_passed_is_shown_and_not_counted(tmp_path: Path) -> None:
    keep(tmp_path, "02_slim", "results", "q2-fingerprint", {"passed": True}, EARLY)
    assert [task.state for task in chapter(tmp_path, "02_slim").tasks][:3] == ["open", "earlier", "open"]
    text = repr(logbook.open_page(ROOT, work=tmp_path))
    assert "0 of 4" in text
    title = exercises.kind("02_slim").titles["q2-fingerprint"]
    assert f"Passed earlier in exercise 02_slim, not checked again since: {title}. Run their check" in text


def test_a_check_that_passed_is_remembered_whatever_is_tried_afterwards(tmp_path: Path) -> None:
    # The order of lines is judged without an engine, so no bench is asked anything.
    exercise = exercises.open("01_naive", cast("exercises.Bench", None), work=tmp_path)
    solved = [LINES[place] for place in (5, 6, 4, 2, 1, 3, 0)]
    seen = []
    for lines in (LINES, solved, LINES, solved):
        exercise.answers.keep("q1-order", list(lines))
        with contextlib.suppress(CheckFailed):
            exercise.check("q1-order")
        seen.append(chapter(tmp_path, "01_naive").tasks[0].state)
    assert seen == ["tried", "passed", "earlier", "passed"]


def test_a_dockerfile_that_was_begun_is_tried(tmp_path: Path) -> None:
    course = Catalogue({}, {"03_x": (Task("q1", "Mend", ("q1-file",), ("Dockerfile",)),)})
    assert overview(folder.read(tmp_path).record, course).chapters[0].tasks[0].state == "open"
    Answers.open("03_x", work=tmp_path).keep_file("Dockerfile", "FROM x\n")
    assert overview(folder.read(tmp_path).record, course).chapters[0].tasks[0].state == "tried"


def builds(*entries: tuple[str, int | None]) -> list[dict[str, Any]]:
    return [
        {
            "when": f"2026-01-0{day}T10:00:00+00:00",
            "failing": failing,
            "added_bytes": added,
            "seconds": 1,
            "text": fingerprint(f"FROM {failing}\n"),
        }
        for day, (failing, added) in enumerate(entries, 1)
    ]


def test_a_build_that_passed_gives_pass_and_size_on_whichever_machine_it_was(tmp_path: Path) -> None:
    work = tmp_path / "work"
    task = chapter(work, "02_slim").tasks[3].title
    history = builds(("serves", 90_000_000), ("", 40_000_000), ("", 45_000_000))
    keep(work, "02_slim", "attempts", "q4-change-file-attempts", history, LATE)
    keep(tmp_path / "b", "02_slim", "attempts", "q4-change-file-attempts", builds(("", 12_000_000)), EARLY)
    carried(tmp_path / "b", work, tmp_path / "p.json")
    page = logbook.open_page(ROOT, work=work)
    assert f"Reached in exercise 02_slim, {task}: 12.0 MB added to the base, in 4 builds." in repr(page)
    assert chapter(work, "02_slim").tasks[3].state == "earlier", "the text that passed is not saved"
    for failing, state in (("", "passed"), ("serves", "earlier")):
        Answers.open("02_slim", work=work).keep_file("Dockerfile", f"FROM {failing}\n")
        assert chapter(work, "02_slim").tasks[3].state == state


@pytest.mark.parametrize("junk", ["text", 5, [], [1], {"passed": "yes"}, {"choice": 1}, [{"failing": ""}]])
def test_values_edited_by_hand_break_no_page(tmp_path: Path, junk: Any) -> None:
    for kind, id in (("results", "q1-notes"), ("attempts", "q3-checksum-base-attempts"), ("predictions", "size-came")):
        keep(tmp_path, "02_slim", kind, id, junk, EARLY)
    page = logbook.open_page(ROOT, work=tmp_path)
    assert page.overview.calls == ()
    assert page.overview.images == ()
    assert page._repr_html_()


def test_a_late_prediction_is_shown_as_late_and_is_neither_hit_nor_miss(tmp_path: Path) -> None:
    late = {"choice": "no such file", "confidence": "certain", "reason": ""}
    keep(tmp_path, "00_setup", "predictions", "note-late", late, LATE)
    keep(tmp_path, "00_setup", "predictions", "note-came", {**outcome("", "no such file"), "choice": None}, EARLY)
    page = logbook.open_page(ROOT, work=tmp_path)
    assert (chapter(tmp_path, "00_setup").kept, chapter(tmp_path, "00_setup").late) == (1, 1)
    assert page.overview.counts()["certain"] == (0, 0) and page.overview.strange == ()
    assert "1 of 2, 1 of them late" in repr(page)
    assert "Not counted: 1 made after the result was shown." in page.calibration.table.source


def test_a_change_after_the_result_was_shown_makes_no_prediction_late(tmp_path: Path) -> None:
    said = {"choice": "no such file", "confidence": "certain", "reason": ""}
    for id in ("note", "note-late"):
        keep(tmp_path, "00_setup", "predictions", id, said, EARLY)
    assert (chapter(tmp_path, "00_setup").kept, chapter(tmp_path, "00_setup").late) == (1, 0)


def test_calibration_counts_only_what_was_said_with_a_confidence(tmp_path: Path) -> None:
    keep(tmp_path, "00_setup", "predictions", "note-came", {**outcome("x", "x"), "confidence": None}, EARLY)
    page = logbook.open_page(ROOT, work=tmp_path)
    assert page.overview.calls == ()
    assert "Not counted: 1 without how sure you were." in page.calibration.table.source


def test_of_two_outcomes_the_first_readoff_counts(tmp_path: Path) -> None:
    keep(tmp_path / "a", "00_setup", "predictions", "note-came", outcome("x", "y", "certain"), EARLY)
    keep(tmp_path / "b", "00_setup", "predictions", "note-came", outcome("y", "y", "certain"), LATE)
    carried(tmp_path / "b", tmp_path / "a", tmp_path / "p.json")
    counts = logbook.open_page(ROOT, work=tmp_path / "a").overview.counts()
    assert counts == {"guess": (0, 0), "fairly": (0, 0), "certain": (0, 1)}


def test_when_all_is_done_the_page_says_so(tmp_path: Path) -> None:
    seen = logbook.open_page(ROOT, work=tmp_path).overview
    for one in seen.chapters:
        for kind, id in everything(one.name):
            keep(tmp_path, one.name, kind, id, {"passed": True}, EARLY)
    text = repr(logbook.open_page(ROOT, work=tmp_path))
    tasks = sum(len(chapter.tasks) for chapter in seen.chapters)
    assert f"every task is passed. But {tasks} passed earlier and wait for another check." in text
    for one in seen.chapters:
        for id in (id for kind, id in everything(one.name) if kind == "results"):
            keep(tmp_path, one.name, "answers", id, "an answer", EARLY)
            result = Result.of(Verdicts((Check(name="fits", status="PASS"),)), {f"answers/{id}": "an answer"})
            keep(tmp_path, one.name, "results", id, result.value, EARLY)
    text = repr(logbook.open_page(ROOT, work=tmp_path))
    assert "Every prediction is saved and every task is passed." in text
    assert "earlier" not in text


def everything(name: str) -> Iterator[tuple[str, str]]:
    course = catalogue(ROOT)
    yield from (("predictions", id) for id in course.predictions.get(name, ()))
    yield from (("results", task.id) for task in course.tasks.get(name, ()))


def test_the_page_reminds_of_the_disk_only_where_it_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BINDER_LAUNCH_HOST", "BINDER_REQUEST", "BINDER_REPO_URL"):
        monkeypatch.delenv(name, raising=False)
    page = logbook.open_page(ROOT, work=tmp_path)
    assert "hosted" not in page.export_button.text
    monkeypatch.setenv("BINDER_REPO_URL", "https://example.org/course")
    assert "This session is hosted" in page.export_button.text


def test_a_page_takes_in_a_file_from_the_folder_of_the_course(here: Path, there: Path, tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    transfer.export(tmp_path / "course", work=there)
    page = logbook.ProgressPage(logbook.open_page(ROOT, work=here).overview, (), tmp_path / "course", here)
    assert len(page.import_file().added) == 1
    assert len(page.import_file(tmp_path / "course" / "layerlab-progress.json").added) == 0


def test_a_press_writes_the_file_and_offers_it(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    page = logbook.ProgressPage(logbook.open_page(ROOT, work=here).overview, (), tmp_path, here)
    button = page.export_button
    assert button.link == ""
    assert not (tmp_path / "layerlab-progress.json").exists(), "nothing is written before it is pressed"
    view = button.view
    view.children[0].click()
    assert document.load(tmp_path / "layerlab-progress.json") == folder.read(here).record
    assert 'href="../layerlab-progress.json" download' in view.children[2].outputs[0]["data"]["text/html"]
    assert "2 entries are in" in view.children[1].value
    assert 'role="status"' in view.children[1].value


def test_a_press_that_fails_says_why_and_offers_nothing(tmp_path: Path) -> None:
    page = logbook.open_page(ROOT, work=tmp_path / "none")
    button = page.export_button
    button.view.children[0].click()
    assert "Nothing is kept" in button.view.children[1].value
    assert button.view.children[2].outputs == ()
