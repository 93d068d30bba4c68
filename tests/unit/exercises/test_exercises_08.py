"""Exercise 08: the writer and the hider are measured, every honest mend passes, every slip meets its check."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_herbarium import DRAWERS, SCANS, Herbarium
from test_exercises import most_words, word_count

from layerlab.checks import Verdicts
from layerlab.errors import NotRecorded
from layerlab.exercises.ex08_measuring import mistakes as slips
from layerlab.exercises.ex08_measuring.checks import REASONS, SEEN
from layerlab.exercises.ex08_measuring.exercise import EXERCISE, FILE, FIND, HIDER, LARGEST, MEND, WRITER, Measuring
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import cells
from layerlab.units import size

STARTER = Measuring(Herbarium()).starter(FILE)
SORTS, SETTLES = "RUN python sort.py scans.txt drawers", "RUN python settle.py drawers"


@pytest.fixture
def exercise(tmp_path: Path) -> Measuring:
    return Measuring(Herbarium(), work=tmp_path)


def tried(exercise: Measuring, text: str) -> Verdicts:
    return exercise.verdicts(MEND, {FILE: text})


def failing(verdicts: Verdicts) -> list[str]:
    return [check.name for check in verdicts if check.status != "PASS"]


# --- who wrote it, who hid it ------------------------------------------------------------------


def test_the_pair_is_found_and_told_in_bytes(exercise: Measuring) -> None:
    verdicts = exercise.verdicts(FIND, {WRITER: SORTS, HIDER: SETTLES})
    assert verdicts.all_pass, str(verdicts)
    assert (
        verdicts.check("wrote it").why == f"of the {size(DRAWERS)} that it wrote, {size(DRAWERS)} are in no container"
    )


@pytest.mark.parametrize(
    ("writer", "why"),
    [
        ("RUN python scan.py scans.txt", "all that it wrote is there"),
        ("RUN rm -rf /tmp/* /var/tmp/* /root/.cache", "adds no byte of content"),
        (1, "all that it wrote is there"),
    ],
)
def test_every_other_writer_is_told_why_not(exercise: Measuring, writer: str | int, why: str) -> None:
    check = exercise.verdicts(FIND, {WRITER: writer, HIDER: SETTLES}).check("wrote it")
    assert (check.status, why in check.why) == ("FAIL", True)
    assert "sort.py" not in check.line + check.why + check.hint, "a verdict gives no solution away"


def test_every_line_but_one_is_no_writer_and_no_hider(exercise: Measuring) -> None:
    keys = exercise.question(WRITER).keys  # type: ignore[attr-defined]
    assert [key for key in keys if exercise.verdicts(FIND, {WRITER: key, HIDER: SETTLES}).all_pass] == [SORTS]
    assert [key for key in keys if exercise.verdicts(FIND, {WRITER: SORTS, HIDER: key}).all_pass] == [SETTLES]


def test_the_truth_is_measured_and_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is the scans that are removed, their line is the writer, and the largest layer is waste."""
    monkeypatch.setattr(
        Herbarium, "begin", lambda self, app, **given: _begin(self, app, given.pop("dockerfile"), **given)
    )
    exercise = Measuring(Herbarium(), work=tmp_path)
    scans = "RUN python scan.py scans.txt"
    assert exercise.verdicts(FIND, {WRITER: scans, HIDER: "RUN rm scans.txt"}).all_pass
    assert exercise.verdicts(FIND, {WRITER: SORTS, HIDER: SETTLES}).shown.name == "wrote it"  # type: ignore[union-attr]
    assert not exercise.verdicts(LARGEST, {LARGEST: SEEN}).all_pass


_real_begin = Herbarium.begin


def _begin(bench: Herbarium, app: str, dockerfile: str, **given: Any) -> Any:
    return _real_begin(bench, app, text=edited(STARTER, SETTLES, "RUN rm scans.txt"), dockerfile=dockerfile, **given)


def test_of_four_reasons_one_tells_the_layers_apart(exercise: Measuring) -> None:
    assert [one for one in REASONS if exercise.verdicts(LARGEST, {LARGEST: one}).all_pass] == [SEEN]
    assert size(SCANS) in exercise.verdicts(LARGEST, {LARGEST: SEEN}).check("evidence decides").why


# --- mends and slips ---------------------------------------------------------------------------

MENDS: Mapping[str, str] = {
    "joined": slips.solution(STARTER),
    "two stages": slips.two_stages(STARTER),
    "joined, rm kept": edited(
        slips.solution(STARTER), "COPY serve.py", "RUN rm -rf /tmp/* /root/.cache\nCOPY serve.py"
    ),
    "removed by rm": edited(slips.solution(STARTER), "python settle.py drawers", "rm -r drawers"),
}


@pytest.mark.parametrize("name", MENDS)
def test_every_honest_mend_passes_and_says_why(exercise: Measuring, name: str) -> None:
    verdicts = tried(exercise, MENDS[name])
    assert verdicts.all_pass, str(verdicts)
    assert all(check.why for check in verdicts)


def test_the_recipe_as_inherited_has_its_fault_and_no_other(exercise: Measuring) -> None:
    verdicts = tried(exercise, STARTER)
    assert failing(verdicts) == ["waste"]
    assert f"{size(DRAWERS)}, most of it by line 9, hidden by line 12" in verdicts.check("waste").found
    assert STARTER.splitlines()[8] == SORTS and STARTER.splitlines()[11] == SETTLES


@pytest.mark.parametrize("wrong", Measuring(Herbarium()).mistakes, ids=lambda wrong: f"{wrong.task}: {wrong.name}")
def test_a_documented_slip_meets_its_check(exercise: Measuring, wrong: Any) -> None:
    verdicts = exercise.verdicts(wrong.task, wrong.answers)
    shown = verdicts.shown
    assert shown is not None
    assert (shown.name, shown.status) == (wrong.failing, "FAIL"), str(verdicts)
    assert shown.why and shown.hint.endswith("?") and word_count(verdicts) <= most_words(verdicts)
    assert len(exercise._ladder(wrong.task, shown.name)) == 3


def test_slips_and_neighbours_differ_and_go_stale_with_the_starter(exercise: Measuring) -> None:
    texts = exercise.neighbours[FILE]
    assert len(set(texts)) == len(texts) >= 8
    assert all(check.status in ("PASS", "FAIL") for text in texts for check in tried(exercise, text))
    with pytest.raises(ValueError, match="an edit needs one place"):
        slips.slips(STARTER.replace("python", "python3"))


def test_what_is_not_recorded_is_skipped(tmp_path: Path) -> None:
    class Nothing(Herbarium):
        def begin(self, *given: Any, **named: Any) -> Any:
            raise NotRecorded("The build is not recorded. A live engine can run it.")

    exercise = Measuring(Nothing(), work=tmp_path)
    for task, answers in {
        FIND: {WRITER: SORTS, HIDER: SETTLES},
        LARGEST: {LARGEST: SEEN},
        MEND: {FILE: STARTER},
    }.items():
        *_, last = exercise.verdicts(task, answers)
        assert (last.status, "live engine" in last.why) == ("SKIP", True)


# --- the texts, and the service itself -----------------------------------------------------------


def test_hints_work_on_another_image_and_ask_back() -> None:
    lines = [line for line in STARTER.splitlines() if line.startswith(("RUN", "COPY"))]
    for ladder in EXERCISE.hints.values():
        for text in ladder:
            assert "?" in text and not any(line in text for line in lines)


def test_the_notebook_asks_what_the_exercise_judges() -> None:
    notebook = cells.read(Path(__file__).parents[3] / "solutions" / "08_measuring.ipynb")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    ids = {cell.id for cell in notebook.cells}
    for task, title in EXERCISE.titles.items():
        assert f"## {title}" in prose and {f"{task}-answer", f"{task}-check"} <= ids
    assert "sort.py" not in prose, "the page does not name the line before the learner does"


def test_the_drawers_outweigh_nothing_that_is_served(tmp_path: Path) -> None:
    folder = Measuring(Herbarium()).bench.folder("exercise08/herbarium")
    scans, drawers, catalogue = (str(tmp_path / name) for name in ("scans.txt", "drawers", "catalogue.json"))
    for program, *words in (("scan", scans), ("sort", scans, drawers), ("catalogue", drawers, catalogue)):
        subprocess.run([sys.executable, "-B", folder / f"{program}.py", *words], check=True)
    sorted_bytes = sum(path.stat().st_size for path in Path(drawers).rglob("*.txt"))
    assert 45_000_000 < sorted_bytes < Path(scans).stat().st_size, "large, and not the largest"
    assert sorted(json.loads(Path(catalogue).read_text())) == ["Asteraceae", "Fabaceae", "Lamiaceae", "Rosaceae"]
    subprocess.run([sys.executable, "-B", folder / "settle.py", drawers], check=True)
    again = subprocess.run([sys.executable, "-B", folder / "catalogue.py", drawers, catalogue], check=False)
    assert again.returncode == 1, "nothing to read: the build is red"
