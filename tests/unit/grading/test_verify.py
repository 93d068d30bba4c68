"""Verify finds drift, solutions that fail, exercises that pass unsolved, and wrong answers with another verdict."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import made_up
import pytest
from made_up import code, notebook, prose
from recorded_bench import recorded

from layerlab import exercises
from layerlab.checks import Check, Verdicts
from layerlab.checks import judge as judge_value
from layerlab.errors import ReleaseError
from layerlab.exercises import Exercise, Mistake
from layerlab.grading import cells, judge, verbs, verify
from layerlab.grading.kernels import CellError, CellRun, execute
from layerlab.grading.release import release

NAME = "77_made_up"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one solution and its released exercise, and no exercise declared in the library."""
    monkeypatch.setattr(exercises, "NAMES", ())
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / f"{NAME}.ipynb").write_bytes(cells.to_bytes(made_up.solution()))
    release(tmp_path / "solutions", tmp_path / "exercises")
    return tmp_path


def ran(cell_id: str, role: cells.Role = "check", error: str = "", text: str = "") -> CellRun:
    """A cell that ran; ``error`` is "Name: message" where it raised."""
    name, _, message = error.partition(": ")
    return CellRun(cell_id, role, CellError(name, message) if error else None, text)


# --- end to end ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_released_exercise_passes_every_check(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises, "NAMES", ())
    checks = {check.name: check for check in verify.verify_one(
        course / "solutions" / f"{NAME}.ipynb", course / "exercises" / f"{NAME}.ipynb"
    )}  # fmt: skip
    assert {name.removeprefix(f"{NAME} "): check.status for name, check in checks.items()} == {
        "is released as its solution gives it": "PASS",
        "solved gets full marks": "PASS",
        "unsolved is refused": "PASS",
    }
    assert checks[f"{NAME} solved gets full marks"].found == "1 of 1 check cells passed"


def test_the_verb_prints_a_line_for_each_check_and_one_tally(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "execute", lambda *_, **__: (ran("q1-check"),))
    assert verbs.verify(("77",), checkout=course) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"PASS {NAME} is released as its solution gives it (found the same bytes)"
    assert lines[2].startswith(f"FAIL {NAME} unsolved is refused (found `q1-check` passed, wanted CheckFailed")
    assert lines[3:] == ["2 PASS, 1 FAIL, 0 SKIP"]


def test_a_solution_that_cannot_be_released_is_a_failure_and_nothing_is_run(course: Path) -> None:
    path = course / "solutions" / f"{NAME}.ipynb"
    path.write_bytes(cells.to_bytes(notebook(prose("title", "# 77"), code("a-answer", "chosen = 1", "answer"))))
    (check,) = verify.verify_one(path, course / "exercises" / path.name)
    assert check.status == "FAIL"
    assert "`a-answer` has no solution region" in check.found


def test_a_name_that_is_not_there_is_refused(course: Path) -> None:
    with pytest.raises(ReleaseError, match="No solution is called `78`"):
        next(verify.verify(course / "solutions", course / "exercises", names=("78",)))


def test_solutions_exercises_and_declarations_that_stand_alone_are_told(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "verify_one", lambda *_, **__: iter(()))
    monkeypatch.setattr(exercises, "NAMES", (NAME, "78_declared"))
    (course / "exercises" / "79_old.ipynb").write_text("{}")
    told = {check.name: check.line for check in verify.verify(course / "solutions", course / "exercises")}
    assert "none called 78_declared, 79_old" in told["every notebook has its solution"]
    assert "none called 78_declared," in told["every notebook has its exercise"]
    assert "none called 79_old," in told["every notebook has its declared exercise"]


def test_release_says_what_it_wrote(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = course / "exercises" / f"{NAME}.ipynb"
    exercise.write_bytes(b"mine")
    assert verbs.release(force=True, checkout=course) == 0
    told = capsys.readouterr().out.strip()
    assert told.startswith(f"replaced exercises/{NAME}.ipynb (what was there is now exercises/work/{NAME}.edited-")


# --- what the checks say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_disk", "found"), [(b"this", "the same bytes"), (b"that", "other bytes"), (None, "no file")]
)
def test_drift(tmp_path: Path, on_disk: bytes | None, found: str) -> None:
    path = tmp_path / "01.ipynb"
    if on_disk is not None:
        path.write_bytes(on_disk)
    check = verify.drift("01", b"this", path)
    assert (check.status, check.found) == ("PASS" if on_disk == b"this" else "FAIL", found)


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([ran("a-check", error="CheckFailed: SKIP size")], "`a-check` raised CheckFailed: SKIP size"),
        ([ran("a-check"), ran("asserts", "solution", "AssertionError: no")], "`asserts` raised AssertionError: no"),
        ([ran("a-check", text="✓ Passed: one\n– Not checked: size")], "`a-check` says – Not checked: size"),
        (
            [ran("a-check", text="✗ Not yet: size"), ran("b-check", text="✗ Not yet: base")],
            "`a-check` says ✗ Not yet: size, and 1 more",
        ),
        ([ran("given", "given")], "no check cell"),
        ([], "no check cell"),
    ],
)
def test_less_than_full_marks(runs: list[CellRun], found: str) -> None:
    check = verify.full_marks("01", runs)
    assert (check.status, check.found) == ("FAIL", found)


def test_full_marks() -> None:
    check = verify.full_marks(
        "01", [ran("open", "given", text="– Not checked, in words"), ran("a-check", text="✓ Passed: a")]
    )
    assert (check.status, check.found) == ("PASS", "1 of 1 check cells passed")


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([ran("a-check", error="CheckFailed: FAIL"), ran("b-check")], "`b-check` passed"),
        ([ran("a-check", error="KeyError: q1")], "`a-check` raised KeyError: q1"),
        ([ran("open", "given", "NoEngine: -"), ran("a-check", error="CheckFailed: x")], "`open` raised NoEngine: -"),
        (
            [ran("answer", "answer", "CheckFailed: x"), ran("a-check", error="CheckFailed: x")],
            "`answer` raised CheckFailed: x",
        ),
        ([ran("open", "given")], "no check cell"),
    ],
)
def test_an_unsolved_exercise_that_is_not_refused(runs: list[CellRun], found: str) -> None:
    check = verify.refused("01", runs)
    assert (check.status, check.found) == ("FAIL", found)


def test_an_unsolved_exercise_that_is_refused() -> None:
    check = verify.refused("01", [ran("open", "given"), ran("a-check", error="CheckFailed: FAIL answered")])
    assert (check.status, check.found) == ("PASS", "1 of 1 check cells raised CheckFailed")


def test_a_task_without_a_check_cell_is_told() -> None:
    solved = [ran("q1-order-check"), ran("q2-point-check", "given")]
    check = verify.every_task_is_checked("01", ("q1-order", "q2-point"), solved)
    assert (check.status, check.found) == ("FAIL", "none called q2-point-check")
    assert verify.every_task_is_checked("01", ("q1-order",), solved).status == "PASS"


MISTAKE = Mistake("copies first", "q1", {}, "order")


def judged(*checks: str) -> judge.Judged:
    """The documented mistake with these verdicts, each as "FAIL name"."""
    told = (check.partition(" ") for check in checks)
    return judge.Judged(MISTAKE, Verdicts(tuple(Check(name=name, status=status) for status, _, name in told)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "status", "found"),
    [
        (["PASS folder", "FAIL order"], "PASS", "FAIL order"),
        (["FAIL folder", "FAIL order"], "FAIL", "FAIL folder, wanted FAIL order)"),
        (["PASS order"], "FAIL", "PASS, wanted FAIL order)"),
        (["FAIL orders"], "FAIL", "FAIL orders, wanted FAIL order, and there is no such check: orders)"),
        (["SKIP measured"], "SKIP", "SKIP measured"),
    ],
)
def test_a_mistake_gets_its_documented_verdict(verdicts: list[str], status: str, found: str) -> None:
    check = verify.documented("01", judged(*verdicts))
    assert check.line.startswith(f"{status} 01 q1 mistake “copies first” (found {found}")


@pytest.mark.parametrize(
    ("passed", "verdicts", "status", "found"),
    [
        (["order"], [["FAIL order"]], "PASS", "all 1"),
        (["order", "folder"], [["FAIL order"]], "FAIL", "no mistake fails “folder”"),
        ([], [["FAIL order", "PASS folder"]], "FAIL", "no mistake fails “folder”"),
        ([], [["FAIL order", "PASS folder"], ["PASS order", "FAIL folder"]], "PASS", "all 2"),
        (["reads", "builds", "order"], [["PASS reads", "FAIL order"]], "PASS", "all 1"),
        (["folder"], [["SKIP order"]], "SKIP", "not seen: folder, order"),
    ],
)
def test_a_check_that_no_mistake_fails_is_refused(
    passed: list[str], verdicts: list[list[str]], status: str, found: str
) -> None:
    check = verify.every_check_can_fail("01", passed, [judged(*one) for one in verdicts])
    assert (check.status, check.found) == (status, found)


@pytest.mark.parametrize(
    ("hints", "verdicts", "status", "found"),
    [
        (["order"], ["FAIL order"], "PASS", ""),
        (["q1: order"], ["FAIL order"], "PASS", ""),
        ([], ["FAIL order"], "FAIL", "none for “order”"),
        (["order", "odrer"], ["FAIL order"], "FAIL", "some for “odrer”, which is no check"),
        (["order", "builds"], ["FAIL order"], "PASS", ""),
        ([], ["SKIP order"], "SKIP", "none for “order”"),
    ],
)
def test_hints_are_there_for_what_mistakes_fail_and_for_nothing_else(
    hints: list[str], verdicts: list[str], status: str, found: str
) -> None:
    check = verify.hints_fit("01", dict.fromkeys(hints, ("?",)), (), [judged(*verdicts)])
    assert (check.status, check.found if found else "") == (status, found)


@pytest.mark.parametrize(("heading", "status"), [("## 1. Rides", "PASS"), ("## 1. Rids", "FAIL"), ("1. Rides", "FAIL")])
def test_a_notebook_has_the_headings_of_the_texts(heading: str, status: str) -> None:
    check = verify.has_its_headings("01", ["1. Rides"], notebook(prose("title", "# 01"), prose("q1", heading)))
    assert check.status == status


def test_the_checks_of_a_solution_are_those_that_its_cells_told() -> None:
    told = "✓ Passed: 44 MB\n✓ luggage: 2 MB\n✓ not root: it runs as 10001"
    alone = "✓ Passed: it is the largest"
    runs = [ran("q1-check", text=told), ran("q2-check", text=alone), ran("q3", "given", text="✓ no check: x")]
    assert verify.passed_checks(runs) == ("luggage", "not root")


@pytest.mark.parametrize(("statuses", "wanted"), [("PASS PASS", 0), ("PASS FAIL SKIP", 1), ("SKIP PASS", 2), ("", 0)])
def test_exit_status(statuses: str, wanted: int) -> None:
    assert verify.exit_status([Check(name="a", status=status) for status in statuses.split()]) == wanted  # type: ignore[arg-type]


# --- kernels ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_kernel_runs_every_cell_in_this_interpreter_and_away_from_the_learner(tmp_path: Path) -> None:
    page = notebook(
        prose("title", "# 77"),
        code("where", "import os, sys\nprint(sys.executable, os.getcwd())", "given"),
        code("told", "print(os.environ['LAYERLAB_WORK'], os.environ['LAYERLAB_ENGINE'])", "given"),
        code("fails", "raise ValueError('first line\\nsecond line')", "check"),
        code("goes-on", "print('on'); {'twin': 1}", "check"),
    )
    before = cells.to_bytes(page)
    where, told, fails, goes_on = execute(page, folder=tmp_path, engine="recorded")
    assert where.text.split() == [sys.executable, str(tmp_path)]
    work, engine = told.text.split()
    assert (engine, Path(work).exists(), "layerlab-work-" in work) == ("recorded", False, True)
    assert str(fails.error) == "ValueError: first line"
    assert (goes_on.role, goes_on.error, goes_on.text.split()) == ("check", None, ["on", "{'twin':", "1}"])
    assert cells.to_bytes(page) == before


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import time; time.sleep(60)", "CellTimeoutError"),
        ("import os; os.write(2, b'last words'); os._exit(9)", "DeadKernelError"),
    ],
)
@pytest.mark.slow
def test_a_cell_that_ends_the_run_is_told_and_what_follows_is_not_run(tmp_path: Path, source: str, error: str) -> None:
    page = notebook(code("a", "1", "given"), code("b", source, "check"), code("c", "1", "check"))
    runs = execute(page, folder=tmp_path, cell_seconds=4)
    assert [run.id for run in runs] == ["a", "b"]
    assert runs[0].error is None
    assert runs[1].error is not None
    assert runs[1].error.name == error
    assert ("last words" in runs[1].error.message) == (error == "DeadKernelError")


class MadeUp(Exercise):
    """One question, two checks, and a mistake that its author got wrong."""

    name = NAME
    tasks = {"q1-base": ("q1-base",)}  # noqa: RUF012
    mistakes = (
        Mistake("takes the full one", "q1-base", {"q1-base": "full"}, "small"),
        Mistake("takes none", "q1-base", {"q1-base": "scratch"}, "small"),
    )

    def _judge(self, task: str, values: Mapping[str, Any]) -> tuple[Check, ...]:
        return (judge_value("small", values[task] != "full"), judge_value("serves", values[task] != "scratch"))


def test_an_exercise_judges_its_own_mistakes(tmp_path: Path) -> None:
    exercise = MadeUp(recorded("02_slim"), work=tmp_path)
    assert [verify.documented(NAME, one).line for one in judge.mistakes(exercise)] == [
        f"PASS {NAME} q1-base mistake “takes the full one” (found FAIL small)",
        f"FAIL {NAME} q1-base mistake “takes none” (found FAIL serves, wanted FAIL small)",
    ]


@pytest.mark.parametrize(("checks", "names"), [({"small"}, ["takes the full one"]), ({"elsewhere"}, []), ((), [])])
def test_of_the_mistakes_only_the_first_for_each_check_asked_for_is_judged(
    checks: set[str], names: list[str], tmp_path: Path
) -> None:
    exercise = MadeUp(recorded("02_slim"), work=tmp_path)
    assert [one.mistake.name for one in judge.mistakes(exercise, checks=checks)] == names


def test_an_exercise_that_cannot_be_opened_is_told() -> None:
    with (
        pytest.raises(ReleaseError, match="78_none cannot judge its mistakes"),
        judge.opened("78_none", engine="recorded"),
    ):
        pass


@pytest.mark.parametrize("source", ["1 + 1", "import os; os._exit(3)"])
@pytest.mark.slow
def test_no_kernel_outlives_its_notebook(source: str, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    first = f"import os, pathlib; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))"
    execute(notebook(code("pid", first, "given"), code("more", source, "given")), folder=tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    heartbeats = [thread for thread in threading.enumerate() if type(thread).__module__ == "jupyter_client.channels"]
    assert not heartbeats
