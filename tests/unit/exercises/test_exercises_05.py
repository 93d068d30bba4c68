"""Exercise 05: every honest mend passes, every slip meets its check, and limits are measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_harbour import BYTECODE, CHART, Harbour
from test_exercises import most_words, word_count

from layerlab.checks import Verdicts
from layerlab.errors import CheckFailed, NotRecorded
from layerlab.exercises.ex05_layers import checks as ex05_checks
from layerlab.exercises.ex05_layers import mistakes as ex05_slips
from layerlab.exercises.ex05_layers.exercise import EXERCISE, Layers
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import cells
from layerlab.units import size
from layerlab.widgets.dockerfile_panel import DockerfilePanel

TASKS = tuple(EXERCISE.tasks)
HEAVY, SLOW, GREEN, ALL = TASKS


@pytest.fixture
def bench() -> Harbour:
    return Harbour()


@pytest.fixture
def exercise(bench: Harbour, tmp_path: Path) -> Layers:
    return Layers(bench, work=tmp_path)


def starter(task: str) -> str:
    return Layers(Harbour()).starter(f"{task}-file")


def solution(task: str) -> str:
    return ex05_slips.solution(task, starter(task))


def tried(exercise: Layers, task: str, text: str) -> Verdicts:
    return exercise.verdicts(task, {f"{task}-file": text})


def failing(verdicts: Verdicts) -> list[str]:
    return [check.name for check in verdicts if check.status != "PASS"]


# --- mends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_the_solution_passes_and_says_why(exercise: Layers, task: str) -> None:
    verdicts = tried(exercise, task, solution(task))
    assert verdicts.all_pass, str(verdicts)
    assert all(check.why for check in verdicts)


MENDS: Mapping[str, str] = {
    "joined": ex05_slips.solution(HEAVY, starter(HEAVY)),
    "table from a builder": ex05_slips.solution(ALL, starter(ALL)),
    "a pipe": edited(solution(HEAVY), ex05_slips._JOINED, ex05_slips._PIPED),
    "table and venv from a builder": ex05_slips._with_body(starter(ALL), ex05_slips._BUILDER + ex05_slips._VENV_COPIED),
    "scripts above the packages": edited(
        edited(solution(HEAVY), ex05_slips._SCRIPTS + ex05_slips._JOINED, ""),
        ex05_slips._LIST,
        ex05_slips._SCRIPTS + ex05_slips._JOINED + ex05_slips._LIST,
    ),
    "brackets around a clean-up": edited(
        solution(HEAVY), "-r requirements.txt", "-r requirements.txt && (find /usr/local -name __pycache__ || true)"
    ),
    "the rest as a whole": edited(solution(HEAVY), "COPY service.py .", "COPY . ."),
    "packages by name": edited(solution(HEAVY), "-r requirements.txt", "bottle waitress"),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", MENDS)
def test_every_honest_mend_passes(exercise: Layers, task: str, name: str) -> None:
    verdicts = tried(exercise, task, MENDS[name])
    assert verdicts.all_pass, str(verdicts)


@pytest.mark.parametrize("task", TASKS)
def test_every_neighbour_is_another_text_and_gets_a_verdict(exercise: Layers, task: str) -> None:
    texts = exercise.neighbours[f"{task}-file"]
    assert len(texts) >= 8
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert all(check.status in ("PASS", "FAIL") for check in tried(exercise, task, text))


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "faults"),
    [
        (HEAVY, ["luggage"]),
        (SLOW, ["rebuild"]),
        (GREEN, ["serves", "failures count"]),
        (ALL, ["serves", "failures count", "luggage", "rebuild"]),
    ],
)
def test_the_given_recipe_has_its_fault_and_no_other(exercise: Layers, task: str, faults: list[str]) -> None:
    assert failing(tried(exercise, task, starter(task))) == faults


def test_the_last_recipe_has_all_three_faults(exercise: Layers) -> None:
    # With the one word mended that keeps it from serving, the three checks fail together.
    text = edited(starter(ALL), "/tmp/level.txt", "/tmp/levels.txt")
    assert failing(tried(exercise, ALL, text)) == ["failures count", "luggage", "rebuild"]


WRONG = [(wrong.name, wrong) for wrong in Layers(Harbour()).mistakes]


@pytest.mark.parametrize("wrong", [wrong for _, wrong in WRONG], ids=[f"{w.task}: {name}" for name, w in WRONG])
def test_a_documented_slip_meets_its_check(exercise: Layers, wrong: Any) -> None:
    (text,) = wrong.answers.values()
    verdicts = tried(exercise, wrong.task, text)
    shown = verdicts.shown
    assert shown is not None
    assert (shown.name, shown.status) == (wrong.failing, "FAIL"), str(verdicts)
    assert shown.why
    assert shown.hint.endswith("?")
    assert word_count(verdicts) <= most_words(verdicts)
    assert len(exercise._ladder(wrong.task, shown.name)) == 3


def test_each_fault_has_three_slips_or_more(exercise: Layers) -> None:
    for task in TASKS:
        assert sum(wrong.task == task for wrong in exercise.mistakes) >= 3
    assert list(exercise.texts.tasks) == list(TASKS)


def test_slips_go_stale_with_the_starter() -> None:
    for task in TASKS:
        with pytest.raises(ValueError, match=r"an edit needs one place|does not have the form"):
            ex05_slips.slips(task, starter(task).replace("python", "python3"))


# --- what the verdicts rest on ---------------------------------------------------------------


def test_the_limit_is_measured_on_the_heavy_file(exercise: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    check = tried(exercise, HEAVY, starter(HEAVY)).check("luggage")
    assert check.found.startswith(size(CHART + BYTECODE)[:2])
    assert f"{size(CHART)} by line 11" in check.found
    assert starter(HEAVY).splitlines()[10] == "RUN python observe.py /tmp/levels.txt"
    # Where the chart weighs less than what pip leaves, removing it halves nothing.
    monkeypatch.setattr("fake_harbour.CHART", BYTECODE // 2)
    assert failing(tried(exercise, HEAVY, solution(HEAVY))) == ["luggage"]


def test_a_file_left_in_the_folder_of_the_service_is_luggage_all_the_same(exercise: Layers) -> None:
    kept = edited(solution(HEAVY), " && \\\n    rm /tmp/levels.txt", "").replace("/tmp/levels.txt", "/app/levels.txt")
    assert failing(tried(exercise, HEAVY, kept)) == ["luggage"]


def test_an_installation_that_runs_again_is_no_rebuild_in_two_steps(exercise: Layers) -> None:
    check = tried(exercise, SLOW, ex05_slips._with_body(starter(SLOW), ex05_slips._FROM + ex05_slips._ONE_RUN)).check(
        "rebuild"
    )
    assert check.found == "line 8 makes line 9 install again"


def test_the_order_is_judged_while_it_is_written(exercise: Layers, bench: Harbour) -> None:
    judging = exercise.judging(SLOW, starter(SLOW))
    assert failing(judging.static()) == ["rebuild"]
    assert exercise.judging(SLOW, solution(SLOW)).static().check("rebuild").status == "PASS"
    assert bench.builds == 0
    for text in ("FROM ${NOBODY:?}\n", "FROM python:3.12-slim\nCOPY nothing.py .\n"):
        assert next(iter(exercise.judging(SLOW, text).static())).name == "reads"


def test_a_failure_is_tried_and_not_read(exercise: Layers) -> None:
    check = tried(exercise, GREEN, solution(GREEN)).check("failures count")
    assert "requirements.txt" in check.why
    assert "tabulate.py" in check.why
    # No word of this line is a known sign; the build that should be red is green.
    sly = edited(solution(GREEN), "-r requirements.txt", "-r requirements.txt || find /app")
    check = tried(exercise, GREEN, sly).check("failures count")
    assert check.status == "FAIL"
    assert check.found == "line 9 green with a requirements.txt that nobody can install"
    at_home = edited(starter(GREEN), "COPY requirements.txt /tmp/", "COPY requirements.txt .")
    found = tried(exercise, GREEN, at_home).check("failures count").found
    assert found.startswith("line 9 to line 10 green"), "the line with the sign is named as well"


def test_what_cannot_be_broken_from_outside_is_read(exercise: Layers) -> None:
    by_name = edited(solution(GREEN), "-r requirements.txt", "bottle waitress || true")
    check = tried(exercise, GREEN, by_name).check("failures count")
    assert check.status == "FAIL"
    assert check.found.startswith("line 9: pip install")


def test_where_nothing_can_be_broken_the_text_alone_decides(exercise: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ex05_checks, "BROKEN", {})
    assert tried(exercise, GREEN, solution(GREEN)).all_pass
    at_home = edited(starter(GREEN), "COPY requirements.txt /tmp/", "COPY requirements.txt .")
    assert failing(tried(exercise, GREEN, at_home)) == ["failures count"]


# --- without an engine -----------------------------------------------------------------------


class NothingRecorded(Harbour):
    def begin(self, *given: Any, **named: Any) -> Any:
        raise NotRecorded("The build is not recorded. A live engine can run it.")


class OnlyTheWholeRecorded(Harbour):
    def begin(self, app: str, *, changed: Any = None, **named: Any) -> Any:
        if changed:
            raise NotRecorded("This edit is not recorded. A live engine can run it.")
        return super().begin(app, **named)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_not_recorded_is_skipped(tmp_path: Path, task: str) -> None:
    exercise = Layers(NothingRecorded(), work=tmp_path)
    for text in (solution(task), starter(task)):
        *before, last = tried(exercise, task, text)
        assert {check.name for check in before} <= {"reads", "rebuild"}
        assert (last.name, last.status) == ("builds", "SKIP")
        assert "live engine" in last.why


@pytest.mark.parametrize("task", [GREEN, ALL])
def test_a_broken_part_that_is_not_recorded_is_skipped_and_the_rest_is_judged(tmp_path: Path, task: str) -> None:
    exercise = Layers(OnlyTheWholeRecorded(), work=tmp_path)
    verdicts = tried(exercise, task, solution(task))
    assert [check.name for check in verdicts if check.status == "SKIP"] == ["failures count"]
    assert {"luggage", "rebuild", "serves"} <= {check.name for check in verdicts if check.status == "PASS"}
    assert not verdicts.all_pass


# --- as learners meet it ---------------------------------------------------------------------


def test_the_panel_shows_gauge_and_attempts_and_opens_hints(exercise: Layers) -> None:
    panel = exercise.question(f"{HEAVY}-file")
    assert isinstance(panel, DockerfilePanel)
    assert panel.parts == {"editor", "diff", "gauge", "attempts"}
    slips = [wrong for wrong in exercise.mistakes if wrong.task == HEAVY and wrong.failing == "luggage"]
    for number, slip in enumerate(slips[:4], 1):
        (panel.answer,) = slip.answers.values()
        panel.build()
        assert failing(panel.wait(timeout=10)) == ["luggage"]
        assert len(panel.hints) == min(number, 3)
    assert panel.sizes is not None
    assert panel.sizes.luggage_bytes > panel.sizes.needed_bytes
    with pytest.raises(CheckFailed):
        exercise.check(HEAVY)
    panel.answer = solution(HEAVY)
    exercise.check(HEAVY)


def test_four_files_lie_beside_each_other(exercise: Layers) -> None:
    for task in TASKS:
        exercise.question(f"{task}-file").answer = solution(task)  # type: ignore[misc]
    names = sorted(path.name for path in exercise.answers.folder.iterdir() if path.name.startswith("Dockerfile"))
    assert names == ["Dockerfile.all", "Dockerfile.green", "Dockerfile.heavy", "Dockerfile.slow"]


def test_hints_work_on_another_file_and_ask_back() -> None:
    lines = {line.strip() for task in TASKS for line in starter(task).splitlines() if line.startswith(("RUN", "COPY"))}
    for ladder in EXERCISE.hints.values():
        for text in ladder:
            assert "?" in text
            assert not any(line in text for line in lines)
            assert not any(word in text.lower() for word in ("simply", " just ", "obviously", "easy"))


def test_the_notebook_asks_what_the_exercise_judges() -> None:
    notebook = cells.read(Path(__file__).parents[3] / "solutions" / "05_layers.ipynb")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    ids = {cell.id for cell in notebook.cells}
    for task in TASKS:
        assert f"## {EXERCISE.titles[task]}" in prose
        assert {f"{task}-question", f"{task}-answer", f"{task}-check"} <= ids


def test_the_table_is_drawn_from_a_chart_that_outweighs_it(tmp_path: Path) -> None:
    folder = Layers(Harbour()).bench.folder("exercise05/tides")
    chart, table = tmp_path / "levels.txt", tmp_path / "tides.json"
    subprocess.run([sys.executable, folder / "observe.py", chart], check=True)
    subprocess.run([sys.executable, folder / "tabulate.py", chart, table], check=True)
    days = json.loads(table.read_text())
    assert len(days) == 365
    assert set(days["2026-03-01"]) == {"high", "low"}
    assert chart.stat().st_size > 1000 * table.stat().st_size
    chart.write_text("")
    assert subprocess.run([sys.executable, folder / "tabulate.py", chart, table], check=False).returncode == 1
