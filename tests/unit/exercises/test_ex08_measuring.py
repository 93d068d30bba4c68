"""Exercise 08: the writer and the hider are measured, every honest fix passes, every mistake fails its check."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS, ROOT, recorded
from test_exercises import most_words, word_count

from layerlab.checks import Verdicts
from layerlab.errors import NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex08_measuring import checks, mistakes
from layerlab.exercises.ex08_measuring.checks import REASONS, SEEN
from layerlab.exercises.ex08_measuring.exercise import EXERCISE, Measuring
from layerlab.exercises.ex08_measuring.mistakes import FILE
from layerlab.exercises.kit.file_task import edited
from layerlab.grading import cells, judge
from layerlab.units import size

STARTER = (APPS / "exercise08/herbarium/Dockerfile.inherited").read_text()
MISTAKES = mistakes.mistakes({FILE: STARTER})
FIND, LARGEST, MEND, WRITER, HIDER = "q1-find", "q2-largest", "q3-mend", "q1-writer", "q1-hider"
SORTS, SETTLES = "RUN python sort.py scans.txt drawers", "RUN python settle.py drawers"


@pytest.fixture(scope="module")
def opened() -> Iterator[Exercise]:
    with judge.opened("08_measuring", engine="recorded") as exercise:
        yield exercise


@pytest.fixture
def exercise(opened: Exercise) -> Measuring:
    assert isinstance(opened, Measuring)
    return opened


def tried(exercise: Measuring, text: str) -> Verdicts:
    return exercise.verdicts(MEND, {FILE: text})


def failing(verdicts: Verdicts) -> list[str]:
    return [check.name for check in verdicts if check.status != "PASS"]


def unseen(exercise: Measuring) -> int:
    """Bytes of the layer that the drawers were written into; no container sees one of them."""
    return exercise.unknown.hidden_bytes[exercise.unknown.findings[0].writer.layer]


# --- who wrote it, who hid it ------------------------------------------------------------------


def test_the_pair_is_found_and_told_in_bytes(exercise: Measuring) -> None:
    verdicts = exercise.verdicts(FIND, {WRITER: SORTS, HIDER: SETTLES})
    assert verdicts.all_pass, str(verdicts)
    told = re.fullmatch(r"of the (\S+ MB) that it wrote, (\S+ MB) are in no container", verdicts.check("wrote it").why)
    assert told and told[2] == size(unseen(exercise))


@pytest.mark.parametrize(
    ("writer", "why"),
    [
        ("RUN python scan.py scans.txt", "all that it wrote is there"),
        ("RUN rm -rf /tmp/* /var/tmp/* /root/.cache", "adds no byte of content"),
        (1, "a container sees all but"),
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


class Otherwise:
    """The recorded bench, on which the image that nobody explained was built from another recipe, or not at all."""

    def __init__(self, text: str | None) -> None:
        self._bench, self._text = recorded("08_measuring"), text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def begin(self, app: str, **given: Any) -> Any:
        if self._text is None:
            raise NotRecorded("The build is not recorded. A live engine can run it.")
        return self._bench.begin(app, **{**given, "text": self._text})


def test_the_truth_is_measured_and_not_remembered(tmp_path: Path) -> None:
    """Where it is removed by another line, that line is the hider."""
    (earlier,) = (one for one in MISTAKES if one.name == "removes one line earlier")
    exercise = Measuring(Otherwise(earlier.answers[FILE]), work=tmp_path)
    removes = "RUN python catalogue.py drawers catalogue.json && python settle.py drawers"
    assert exercise.verdicts(FIND, {WRITER: SORTS, HIDER: removes}).all_pass
    shown = exercise.verdicts(FIND, {WRITER: SORTS, HIDER: SETTLES}).shown
    assert shown is not None and shown.name == "hid it"


def test_a_largest_layer_that_nobody_sees_is_waste(exercise: Measuring) -> None:
    found = exercise.unknown
    unseen: Any = SimpleNamespace(largest=found.largest, hidden_bytes={found.largest.index: 1})
    assert (checks.evidence(SEEN, found).status, checks.evidence(SEEN, unseen).status) == ("PASS", "FAIL")


def test_of_four_reasons_one_tells_the_layers_apart(exercise: Measuring) -> None:
    assert [one for one in REASONS if exercise.verdicts(LARGEST, {LARGEST: one}).all_pass] == [SEEN]
    largest = size(exercise.unknown.largest.size_bytes)
    assert largest in exercise.verdicts(LARGEST, {LARGEST: SEEN}).check("evidence decides").why


# --- fixes and mistakes ------------------------------------------------------------------------

FIXES: Mapping[str, str] = {
    "joined": mistakes.solution(STARTER),
    "two stages": mistakes.two_stages(STARTER),
    "joined, rm kept": mistakes.neighbours({FILE: STARTER})[FILE][3],
    "removed by rm": edited(mistakes.solution(STARTER), "python settle.py drawers", "rm -r drawers"),
}


@pytest.mark.parametrize("name", FIXES)
def test_every_honest_fix_passes_and_says_why(exercise: Measuring, name: str) -> None:
    verdicts = tried(exercise, FIXES[name])
    assert verdicts.all_pass, str(verdicts)
    assert all(check.why for check in verdicts)


def test_the_recipe_as_inherited_has_its_fault_and_no_other(exercise: Measuring) -> None:
    verdicts = tried(exercise, STARTER)
    assert failing(verdicts) == ["waste"]
    assert f"{size(unseen(exercise))}, most of it by line 9, hidden by line 12" in verdicts.check("waste").found
    assert STARTER.splitlines()[8] == SORTS and STARTER.splitlines()[11] == SETTLES


@pytest.mark.parametrize("wrong", MISTAKES, ids=lambda wrong: f"{wrong.task}: {wrong.name}")
def test_a_documented_mistake_fails_its_check(exercise: Measuring, wrong: Any) -> None:
    verdicts = exercise.verdicts(wrong.task, wrong.answers)
    shown = verdicts.shown
    assert shown is not None
    assert (shown.name, shown.status) == (wrong.failing, "FAIL"), str(verdicts)
    assert shown.why and shown.hint.endswith("?") and word_count(verdicts) <= most_words(verdicts)
    assert len(exercise._ladder(wrong.task, shown.name)) == 3


def test_mistakes_and_neighbours_differ_and_go_stale_with_the_starter(exercise: Measuring) -> None:
    texts = exercise.neighbours[FILE]
    assert len(set(texts)) == len(texts) >= 8
    assert all(check.status in ("PASS", "FAIL") for text in texts for check in tried(exercise, text))
    with pytest.raises(ValueError, match="an edit needs one place"):
        mistakes.mistakes({FILE: STARTER.replace("python", "python3")})


def test_what_is_not_recorded_is_skipped(tmp_path: Path) -> None:
    exercise = Measuring(Otherwise(None), work=tmp_path)
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
    notebook = cells.read(ROOT / "solutions" / "08_measuring.ipynb")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    ids = {cell.id for cell in notebook.cells}
    for task, title in EXERCISE.titles.items():
        assert f"## {title}" in prose and {f"{task}-answer", f"{task}-check"} <= ids
    assert "sort.py" not in prose, "the page does not name the line before the learner does"


def test_the_drawers_outweigh_nothing_that_is_served(tmp_path: Path) -> None:
    folder = APPS / "exercise08/herbarium"
    scans, drawers, catalogue = (str(tmp_path / name) for name in ("scans.txt", "drawers", "catalogue.json"))
    for program, *words in (("scan", scans), ("sort", scans, drawers), ("catalogue", drawers, catalogue)):
        subprocess.run([sys.executable, "-B", folder / f"{program}.py", *words], check=True)
    sorted_bytes = sum(path.stat().st_size for path in Path(drawers).rglob("*.txt"))
    assert 45_000_000 < sorted_bytes < Path(scans).stat().st_size, "large, and not the largest"
    assert sorted(json.loads(Path(catalogue).read_text())) == ["Asteraceae", "Fabaceae", "Lamiaceae", "Rosaceae"]
    subprocess.run([sys.executable, "-B", folder / "settle.py", drawers], check=True)
    again = subprocess.run([sys.executable, "-B", folder / "catalogue.py", drawers, catalogue], check=False)
    assert again.returncode == 1, "nothing to read: the build is red"
