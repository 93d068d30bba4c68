"""Exercise 05: every honest fix passes, every mistake meets its check, and limits are measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS, Watched, recorded

from layerlab.checks import Sizes, Verdicts
from layerlab.dockerfile import parse
from layerlab.errors import BuildFailed, CheckFailed, NotRecorded
from layerlab.exercises.ex05_layers import checks, mistakes
from layerlab.exercises.ex05_layers.exercise import EXERCISE, Layers
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import cells
from layerlab.image import HistoryEntry, Image
from layerlab.units import size
from layerlab.widgets.dockerfile_panel import DockerfilePanel

MB = 1_000_000
TASKS = tuple(EXERCISE.tasks)
HEAVY, SLOW, GREEN, ALL = TASKS


@pytest.fixture
def bench() -> Watched:
    return Watched(recorded("05_layers"))


@pytest.fixture
def exercise(bench: Any, tmp_path: Path) -> Layers:
    return Layers(bench, work=tmp_path)


def starter(task: str) -> str:
    return (APPS / f"exercise05/tides/Dockerfile.{task[3:]}").read_text()


def solution(task: str) -> str:
    return mistakes.solution(task, starter(task))


def tried(exercise: Layers, task: str, text: str) -> Verdicts:
    return exercise.verdicts(task, {f"{task}-file": text})


def failing(verdicts: Verdicts) -> list[str]:
    return [check.name for check in verdicts if check.status != "PASS"]


# --- fixes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_the_solution_passes_and_says_why(exercise: Layers, task: str) -> None:
    verdicts = tried(exercise, task, solution(task))
    assert verdicts.all_pass, str(verdicts)
    assert all(check.why for check in verdicts)


FIXES: Mapping[str, str] = {
    "joined": mistakes.solution(HEAVY, starter(HEAVY)),
    "table from a builder": mistakes.solution(ALL, starter(ALL)),
    "a pipe": edited(solution(HEAVY), mistakes._JOINED, mistakes._PIPED),
    "table and venv from a builder": mistakes._with_body(starter(ALL), mistakes._BUILDER + mistakes._VENV_COPIED),
    "scripts above the packages": edited(
        edited(solution(HEAVY), mistakes._SCRIPTS + mistakes._JOINED, ""),
        mistakes._LIST,
        mistakes._SCRIPTS + mistakes._JOINED + mistakes._LIST,
    ),
    "the rest as a whole": edited(solution(HEAVY), "COPY service.py .", "COPY . ."),
    "packages by name": edited(solution(HEAVY), "-r requirements.txt", "bottle waitress"),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FIXES)
def test_every_honest_fix_passes(exercise: Layers, task: str, name: str) -> None:
    verdicts = tried(exercise, task, FIXES[name])
    if name == "scripts above the packages" and task in (GREEN, ALL):  # with a broken part it is not recorded
        assert [check.name for check in verdicts if check.status != "PASS"] == ["failures count"]
        assert verdicts.check("failures count").status == "SKIP"
    else:
        assert verdicts.all_pass, str(verdicts)


@pytest.mark.parametrize("task", TASKS)
def test_every_neighbour_is_another_text_and_gets_a_verdict(exercise: Layers, task: str) -> None:
    texts = exercise.neighbours[f"{task}-file"]
    assert len(texts) >= 8
    assert len(set(texts)) == len(texts)
    for text in texts:
        shown = tried(exercise, task, text).shown
        assert shown is None or shown.status == "FAIL"


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "faults"),
    [
        (HEAVY, ["luggage"]),
        (SLOW, ["rebuild"]),
        (GREEN, ["serves"]),
        (ALL, ["serves", "luggage", "rebuild"]),
    ],
)
def test_the_given_recipe_has_its_fault_and_no_other(exercise: Layers, task: str, faults: list[str]) -> None:
    """With a broken part GREEN and ALL are not recorded as they are given; see the two tests below for theirs."""
    assert failing(tried(exercise, task, starter(task))) == faults


def test_the_green_recipe_swallows_failures_by_its_text_alone() -> None:
    assert checks.failures_count(stopping(starter(GREEN))).status == "FAIL"


def test_the_last_recipe_has_all_three_faults(exercise: Layers) -> None:
    # With the one word fixed that keeps it from serving, the three checks fail together.
    text = edited(starter(ALL), "/tmp/level.txt", "/tmp/levels.txt")
    assert failing(tried(exercise, ALL, text)) == ["failures count", "luggage", "rebuild"]


def test_each_fault_has_three_mistakes_or_more_and_three_hints_for_each(exercise: Layers) -> None:
    for task in TASKS:
        assert sum(wrong.task == task for wrong in exercise.mistakes) >= 3
    assert {len(exercise._ladder(wrong.task, wrong.failing)) for wrong in exercise.mistakes} == {3}
    assert list(exercise.texts.tasks) == list(TASKS)


def test_mistakes_go_stale_with_the_starter() -> None:
    given = {f"{task}-file": starter(task) for task in TASKS}
    for id, text in given.items():
        stale = {**given, id: text.replace("python", "python3")}
        for texts in (mistakes.mistakes, mistakes.neighbours):
            with pytest.raises(ValueError, match=r"an edit needs one place|does not have the form"):
                texts(stale)


# --- what the verdicts rest on ---------------------------------------------------------------


def test_the_limit_is_measured_on_the_heavy_file(exercise: Layers) -> None:
    trial = exercise._trial(f"{HEAVY}-file", starter(HEAVY))
    luggage = trial.sizes_before.luggage_bytes
    chart = max(layer.size_bytes for layer in trial.image.layers_added_to(trial.base))
    check = tried(exercise, HEAVY, starter(HEAVY)).check("luggage")
    assert check.found == f"{size(luggage)}, {size(chart)} by line 11"
    assert check.wanted == f"at most {size(luggage // 2)}, half of Dockerfile.heavy's"
    assert starter(HEAVY).splitlines()[10] == "RUN python observe.py /tmp/levels.txt"


@pytest.mark.parametrize(("carried", "status"), [(20, "PASS"), (26, "FAIL")])
def test_where_the_chart_weighs_little_removing_it_halves_nothing(carried: int, status: str) -> None:
    base = Image("base", (), "", "", (HistoryEntry("base", 100 * MB),), ("base",), 0)
    now = Image("now", (), "", "", (*base.history, HistoryEntry("RUN pip", carried * MB)), ("base", "pip"), 0)
    before = Sizes(base_bytes=100 * MB, needed_bytes=MB, luggage_bytes=40 * MB)
    trial: Any = SimpleNamespace(image=now, base=base, sizes_before=before, dockerfile=parse("FROM a\nRUN pip\n"))
    assert checks.luggage(trial).status == status


def test_a_file_left_in_the_folder_of_the_service_is_luggage_all_the_same(exercise: Layers) -> None:
    """The need of before counts, whatever lies beside the application now."""
    trial = exercise._trial(f"{HEAVY}-file", starter(HEAVY))
    left: Any = SimpleNamespace(
        image=trial.image,
        base=trial.base,
        dockerfile=trial.dockerfile,
        sizes_before=trial.sizes_before,
        sizes=replace(trial.sizes_before, needed_bytes=trial.image.added_bytes(trial.base), luggage_bytes=0),
    )
    assert checks.luggage(left).status == "FAIL"


def test_an_installation_that_runs_again_is_no_rebuild_in_two_steps(exercise: Layers) -> None:
    check = tried(exercise, SLOW, mistakes._with_body(starter(SLOW), mistakes._FROM + mistakes._ONE_RUN)).check(
        "rebuild"
    )
    assert check.found == "line 8 makes line 9 install again"


def test_the_order_is_judged_while_it_is_written(exercise: Layers, bench: Watched) -> None:
    judging = exercise.judging(SLOW, starter(SLOW))
    assert failing(judging.static()) == ["rebuild"]
    assert exercise.judging(SLOW, solution(SLOW)).static().check("rebuild").status == "PASS"
    assert bench.texts == []
    for text in ("FROM ${NOBODY:?}\n", "FROM python:3.12-slim\nCOPY nothing.py .\n"):
        assert next(iter(exercise.judging(SLOW, text).static())).name == "reads"


class Rebuilt:
    """A text whose builds with a broken part end as they are told to: most of these are not recorded."""

    def __init__(self, text: str, *, green: frozenset[str]) -> None:
        self.dockerfile = parse(text)
        self._green = green

    def rebuilt(self, changed: Mapping[str, str]) -> None:
        if not self._green & changed.keys():
            raise BuildFailed("red", line=1, exit_code=1, log_tail=())


def stopping(text: str) -> Any:
    return Rebuilt(text, green=frozenset())


def swallowing(text: str, *names: str) -> Any:
    return Rebuilt(text, green=frozenset(names))


def test_a_failure_is_tried_and_not_read() -> None:
    check = checks.failures_count(stopping(solution(GREEN)))
    assert check.status == "PASS"
    assert "requirements.txt" in check.why
    assert "tabulate.py" in check.why
    # No word of this line is a known sign; the build that should be red is green.
    sly = edited(solution(GREEN), "-r requirements.txt", "-r requirements.txt || find /app")
    check = checks.failures_count(swallowing(sly, "requirements.txt"))
    assert check.status == "FAIL"
    assert check.found == "line 9 green with a requirements.txt that nobody can install"
    check = checks.failures_count(swallowing(solution(GREEN), "tabulate.py"))
    assert check.found == "line 11 to line 13 green with a tabulate.py that fails"


def test_a_swallowed_failure_is_built_and_told_with_all_its_lines(exercise: Layers) -> None:
    at_home = edited(starter(GREEN), "COPY requirements.txt /tmp/", "COPY requirements.txt .")
    check = tried(exercise, GREEN, at_home).check("failures count")
    assert check.status == "FAIL"
    assert check.found.startswith("line 9 to line 10 green"), "the line with the sign is named as well"
    why = tried(exercise, GREEN, solution(GREEN)).check("failures count").why
    assert "requirements.txt" in why and "tabulate.py" in why


def test_brackets_around_a_clean_up_are_honest() -> None:
    cleaned = "-r requirements.txt && (find /usr/local -name __pycache__ || true)"
    text = edited(solution(HEAVY), "-r requirements.txt", cleaned)
    assert checks.failures_count(stopping(text)).status == "PASS"


def test_what_cannot_be_broken_from_outside_is_read() -> None:
    by_name = edited(solution(GREEN), "-r requirements.txt", "bottle waitress || true")
    check = checks.failures_count(stopping(by_name))
    assert check.status == "FAIL"
    assert check.found.startswith("line 9: pip install")


def test_where_nothing_can_be_broken_the_text_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "BROKEN", {})
    assert checks.failures_count(stopping(solution(GREEN))).status == "PASS"
    at_home = edited(starter(GREEN), "COPY requirements.txt /tmp/", "COPY requirements.txt .")
    assert checks.failures_count(stopping(at_home)).status == "FAIL"


# --- without an engine -----------------------------------------------------------------------


def opened(bench: Any, *, work: Path) -> Layers:
    return Layers(bench, work=work)


class NothingRecorded(Watched):
    def begin(self, *given: Any, **named: Any) -> Any:
        raise NotRecorded("The build is not recorded. A live engine can run it.")


class OnlyTheWholeRecorded(Watched):
    def begin(self, app: str, *, changed: Any = None, **named: Any) -> Any:
        if changed:
            raise NotRecorded("This edit is not recorded. A live engine can run it.")
        return super().begin(app, **named)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_not_recorded_is_skipped(tmp_path: Path, task: str) -> None:
    exercise = opened(NothingRecorded(recorded("05_layers")), work=tmp_path)
    for text in (solution(task), starter(task)):
        *before, last = tried(exercise, task, text)
        assert {check.name for check in before} <= {"reads", "rebuild"}
        assert (last.name, last.status) == ("builds", "SKIP")
        assert "live engine" in last.why


@pytest.mark.parametrize("task", [GREEN, ALL])
def test_a_broken_part_that_is_not_recorded_is_skipped_and_the_rest_is_judged(tmp_path: Path, task: str) -> None:
    exercise = opened(OnlyTheWholeRecorded(recorded("05_layers")), work=tmp_path)
    verdicts = tried(exercise, task, solution(task))
    assert [check.name for check in verdicts if check.status == "SKIP"] == ["failures count"]
    assert {"luggage", "rebuild", "serves"} <= {check.name for check in verdicts if check.status == "PASS"}
    assert not verdicts.all_pass


# --- as learners meet it ---------------------------------------------------------------------


def test_the_panel_shows_gauge_and_attempts_and_opens_hints(exercise: Layers) -> None:
    panel = exercise.question(f"{HEAVY}-file")
    assert isinstance(panel, DockerfilePanel)
    assert panel.parts == {"editor", "diff", "gauge", "attempts"}
    wrongs = [wrong for wrong in exercise.mistakes if wrong.task == HEAVY and wrong.failing == "luggage"]
    for number, wrong in enumerate(wrongs[:4], 1):
        (panel.answer,) = wrong.answers.values()
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
    folder = APPS / "exercise05" / "tides"
    chart, table = tmp_path / "levels.txt", tmp_path / "tides.json"
    subprocess.run([sys.executable, folder / "observe.py", chart], check=True)
    subprocess.run([sys.executable, folder / "tabulate.py", chart, table], check=True)
    days = json.loads(table.read_text())
    assert len(days) == 365
    assert set(days["2026-03-01"]) == {"high", "low"}
    assert chart.stat().st_size > 1000 * table.stat().st_size
    chart.write_text("")
    assert subprocess.run([sys.executable, folder / "tabulate.py", chart, table], check=False).returncode == 1
