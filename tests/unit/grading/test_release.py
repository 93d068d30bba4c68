"""Solutions become exercises: every transformation, every refusal, and nobody's work overwritten."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import made_up
import nbformat
import pytest
from made_up import code, notebook, prose, solved
from nbformat import NotebookNode, v4

from layerlab import __version__
from layerlab.errors import ReleaseError
from layerlab.grading import cells, pipeline
from layerlab.grading.pipeline import exercise
from layerlab.grading.release import exercise_of, release


def source_of(made: NotebookNode, cell_id: str) -> str:
    """Return the source of the cell with that id."""
    return str(next(cell.source for cell in made.cells if cell.id == cell_id))


def answer_cell(source: str, **layerlab: object) -> NotebookNode:
    """Return a solution notebook of a title and one answer cell."""
    return notebook(prose("title", "# 01 · Title (solution)"), code("q1-answer", source, "answer", **layerlab))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A folder with one solution, not released yet."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01_naive.ipynb").write_bytes(cells.to_bytes(made_up.solution()))
    return tmp_path


# --- what an exercise is ---------------------------------------------------------------------


def test_a_question_answered_in_its_panel_leaves_no_cell_behind() -> None:
    released = exercise(made_up.solution(), name="01_naive")
    assert "q1-heaviest-answer" not in {cell.id for cell in released.cells}
    assert source_of(released, "q1-heaviest-check") == made_up.CHECK


def test_cells_of_the_solution_alone_are_dropped_and_all_others_keep_their_ids() -> None:
    released = exercise(made_up.solution(), name="01_naive")
    assert [cell.id for cell in released.cells] == [
        "title", "setup", "q1-heaviest", "q1-heaviest-check",
    ]  # fmt: skip


def test_a_cell_tagged_solution_only_is_dropped_as_well() -> None:
    tagged = v4.new_markdown_cell("Only here.", id="aside", metadata={"tags": ["solution-only"]})
    released = exercise(notebook(prose("title", "# 01"), tagged), name="01")
    assert [cell.id for cell in released.cells] == ["title"]


def test_a_starter_of_the_cell_keeps_the_indent_of_the_region() -> None:
    region = "    ### BEGIN SOLUTION\n    order.append(3)\n    ### END SOLUTION"
    source = f"order = []\nfor line in (1, 2):\n{region}\nprint(order)"
    released = exercise(answer_cell(source, starter="# your line\n\npass"), name="01")
    assert source_of(released, "q1-answer") == (
        "order = []\nfor line in (1, 2):\n    # your line\n\n    pass\nprint(order)"
    )


def test_two_regions_take_a_list_of_two_starters_and_the_metadata_keeps_neither() -> None:
    source = f"{solved('first = 100')}\n{solved('second = 200')}"
    released = exercise(answer_cell(source, starter=["first = None", "second = None"]), name="01")
    assert source_of(released, "q1-answer") == "first = None\nsecond = None"
    assert dict(released.cells[1].metadata.layerlab) == {"role": "answer"}


def test_given_and_check_cells_are_locked_and_the_answer_stays_open() -> None:
    solution = made_up.solution()
    next(cell for cell in solution.cells if cell.id == "q1-heaviest-answer").metadata.layerlab["starter"] = (
        "heaviest = ..."
    )
    released = {cell.id: cell.metadata for cell in exercise(solution, name="01_naive").cells}
    for locked in ("setup", "q1-heaviest-check"):
        assert released[locked]["editable"] is False
        assert released[locked]["deletable"] is False
    assert "editable" not in released["q1-heaviest-answer"]


def test_what_a_run_left_behind_is_gone() -> None:
    ran = made_up.solution()
    ran.cells[1].update(execution_count=7, outputs=[v4.new_output("stream", text="hello")])
    ran.cells[1].metadata["execution"] = {"iopub.status.busy": "2026"}
    ran.metadata["widgets"] = {"state": "of a kernel long gone"}
    ran.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    text = cells.to_bytes(exercise(ran, name="01_naive")).decode()
    for left_over in ("hello", "iopub", "long gone", "3.11.2"):
        assert left_over not in text


@pytest.mark.parametrize(
    "title", ["01 · Order the lines (solution)", "Solution 01 · Order the lines", "01 · Order the lines – Solution"]
)
def test_the_title_does_not_call_itself_a_solution(title: str) -> None:
    released = exercise(notebook(prose("title", f"# {title}\n\nA solution exists.")), name="01")
    first, _, rest = released.cells[0].source.partition("\n")
    assert "olution" not in first
    assert first.startswith("# 01 · Order the lines") or first == "# 01 · Order the lines"
    assert rest == "\nA solution exists."


def test_the_exercise_says_where_it_comes_from() -> None:
    solution = made_up.solution()
    stamp = exercise(solution, name="01_naive").metadata.layerlab
    assert stamp.released_from == "01_naive"
    assert stamp.solution_digest == cells.digest(solution)
    assert stamp.layerlab_version == __version__


def test_the_same_solution_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    solution = made_up.solution()
    turned = nbformat.from_dict(dict(reversed(list(json.loads(json.dumps(solution)).items()))))
    content = cells.to_bytes(exercise(solution, name="01_naive"))
    assert content == cells.to_bytes(exercise(turned, name="01_naive"))
    assert content.endswith(b"\n}\n")
    assert content.splitlines()[1].startswith(b' "cells"')  # indent 1, keys sorted


@pytest.mark.parametrize("transformation", pipeline.PIPELINE, ids=lambda step: step.__name__)
def test_no_transformation_changes_what_it_is_given(transformation: pipeline.Transformation) -> None:
    solution = made_up.solution()
    before = copy.deepcopy(solution)
    transformation(solution)
    assert solution == before


def test_an_exercise_is_valid_nbformat() -> None:
    nbformat.validate(exercise(made_up.solution(), name="01_naive"))


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION",
        "## begin solution\nx = 1\n### END SOLUTION",
    ],
    ids=["no end", "no begin", "nested", "nearly a marker"],
)
def test_unbalanced_markers_are_refused_with_cell_and_line(source: str) -> None:
    with pytest.raises(ReleaseError, match=r"Cell `q1-answer`, line \d: .* has no partner"):
        exercise(answer_cell(source), name="01")


def test_an_answer_cell_without_a_region_is_refused() -> None:
    with pytest.raises(ReleaseError, match="`q1-answer` has no solution region"):
        exercise(answer_cell('chosen = "slim"'), name="01")


def test_a_region_outside_answer_cells_is_refused() -> None:
    bad = notebook(prose("title", "# 01"), code("setup", solved("chosen = 12345"), "given"))
    with pytest.raises(ReleaseError, match="`setup` has the role 'given' and holds a solution region"):
        exercise(bad, name="01")


def test_a_given_cell_with_a_starter_of_its_own_reads_otherwise_in_the_exercise_and_stays_locked() -> None:
    opens = code("open", f"first()\n{solved('opened = solve()')}\nlast()", "given", starter="opened = begin()")
    released = exercise(notebook(prose("title", "# 01"), opens), name="01")
    assert source_of(released, "open") == "first()\nopened = begin()\nlast()"
    assert released.cells[1].metadata.editable is False


def test_a_cell_called_solution_without_the_role_is_refused() -> None:
    bad = notebook(prose("title", "# 01"), prose("q1-after-solution", "It was the fifth line."))
    with pytest.raises(ReleaseError, match="`q1-after-solution` is called a solution and has the role 'prose'"):
        exercise(bad, name="01")


def test_as_many_starters_as_regions_are_wanted() -> None:
    with pytest.raises(ReleaseError, match="1 solution regions and 2 starters"):
        exercise(answer_cell(solved("chosen = 1"), starter=["a", "b"]), name="01")


@pytest.mark.parametrize("role", [None, "anwser"])
def test_a_code_cell_without_a_known_role_is_refused(role: str | None) -> None:
    with pytest.raises(ReleaseError, match=f"`setup` has the role {role!r}"):
        exercise(notebook(prose("title", "# 01"), code("setup", "x = 1", role)), name="01")


def test_ids_used_twice_are_refused() -> None:
    with pytest.raises(ReleaseError, match="2 cells have the id `title`"):
        exercise(notebook(prose("title", "# 01"), prose("title", "again")), name="01")


def test_a_missing_id_is_refused() -> None:
    bad = notebook(prose("title", "# 01"), prose("next", "text"))
    del bad.cells[1]["id"]
    with pytest.raises(ReleaseError, match="Cell number 2 has no id"):
        exercise(bad, name="01")


def test_a_notebook_too_old_for_ids_is_refused() -> None:
    old = made_up.solution()
    old.nbformat_minor = 4
    with pytest.raises(ReleaseError, match=r"nbformat 4\.4"):
        exercise(old, name="01")


def leaks_in_prose(solution: NotebookNode) -> None:
    solution.cells[0].source += '\n\nTip: `chosen = "pip install"`.'


def leaks_as_a_short_line(solution: NotebookNode) -> None:
    solution.cells[3].source = solved("chosen = 1")
    solution.cells[1].source = "  chosen = 1"


def leaks_in_metadata(solution: NotebookNode) -> None:
    solution.cells[4].metadata.layerlab["note"] = 'chosen = "pip install"'


def leaks_in_the_starter(solution: NotebookNode) -> None:
    solution.cells[3].metadata.layerlab["starter"] = 'chosen = "pip install"  # not yet'


@pytest.mark.parametrize("leak", [leaks_in_prose, leaks_as_a_short_line, leaks_in_metadata, leaks_in_the_starter])
def test_solution_text_in_the_exercise_is_refused(leak: Callable[[NotebookNode], None]) -> None:
    solution = made_up.solution()
    leak(solution)
    with pytest.raises(ReleaseError, match=r"solution line `chosen = .*` of cell `q1-heaviest-answer` can be read"):
        exercise(solution, name="01_naive")


def test_brackets_of_the_solution_may_stand_elsewhere() -> None:
    source = "given = [\n]\n" + solved("order = [\n]")
    assert source_of(exercise(answer_cell(source), name="01"), "q1-answer").startswith("given = [\n]\n#")


def test_results_that_a_pipeline_left_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(step for step in pipeline.PIPELINE if step is not pipeline.strip_results)
    monkeypatch.setattr(pipeline, "PIPELINE", kept)
    ran = made_up.solution()
    ran.cells[1].execution_count = 3
    with pytest.raises(ReleaseError, match="`setup` still has outputs"):
        exercise(ran, name="01_naive")


# --- the folders -----------------------------------------------------------------------------


def test_releasing_writes_then_leaves_alone_then_replaces(course: Path) -> None:
    folders = course / "solutions", course / "exercises"
    (first,) = release(*folders)
    assert (first.change, first.path) == ("written", course / "exercises" / "01_naive.ipynb")
    assert release(*folders)[0].change == "unchanged"

    changed = made_up.solution()
    changed.cells[2].source = "Which line wrote the most of them?"
    (course / "solutions" / "01_naive.ipynb").write_bytes(cells.to_bytes(changed))
    assert release(*folders)[0].change == "replaced"
    assert b"most of them" in first.path.read_bytes()
    assert sorted(path.name for path in (course / "exercises").iterdir()) == ["01_naive.ipynb"]


def edit(path: Path) -> bytes:
    """Add a learner's line to a released exercise, as an editor would, and return what is on disk then."""
    on_disk = cells.read(path)
    on_disk.cells[3].source += "\nchosen = 'mine'"
    path.write_bytes(cells.to_bytes(on_disk))
    return path.read_bytes()


def test_an_exercise_edited_in_place_is_not_overwritten(course: Path) -> None:
    (released,) = release(course / "solutions", course / "exercises")
    edited = edit(released.path)
    with pytest.raises(ReleaseError, match=r"01_naive\.ipynb.*--force"):
        release(course / "solutions", course / "exercises")
    assert released.path.read_bytes() == edited


def test_with_force_an_edited_exercise_is_replaced_and_a_copy_kept(course: Path) -> None:
    (released,) = release(course / "solutions", course / "exercises")
    wanted = released.path.read_bytes()
    edited = edit(released.path)
    (again,) = release(course / "solutions", course / "exercises", force=True)
    assert (again.change, released.path.read_bytes()) == ("replaced", wanted)
    assert again.backup is not None
    assert again.backup.parent == course / "exercises" / "work"
    assert again.backup.read_bytes() == edited


@pytest.mark.parametrize("content", [b"", b"no notebook", b"[]", b'{"cells": 3}'])
def test_a_file_that_is_no_exercise_counts_as_somebodys(course: Path, content: bytes) -> None:
    (course / "exercises").mkdir()
    (course / "exercises" / "01_naive.ipynb").write_bytes(content)
    with pytest.raises(ReleaseError, match="Somebody edited"):
        release(course / "solutions", course / "exercises")


def test_an_exercise_that_was_only_run_is_no_edit(course: Path) -> None:
    (released,) = release(course / "solutions", course / "exercises")
    wanted = released.path.read_bytes()
    ran = cells.read(released.path)
    ran.cells[1].update(execution_count=1, outputs=[v4.new_output("stream", text="hello")])
    ran.cells[1].metadata["scrolled"] = True
    released.path.write_bytes(cells.to_bytes(ran))
    assert release(course / "solutions", course / "exercises")[0].change == "replaced"
    assert released.path.read_bytes() == wanted


def test_a_learners_files_are_never_touched(course: Path) -> None:
    mine = course / "exercises" / "work" / "01_naive" / "answers.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    before = mine.stat().st_mtime_ns
    release(course / "solutions", course / "exercises", force=True)
    assert (mine.read_text(), mine.stat().st_mtime_ns) == ("{}", before)
    assert [path.name for path in mine.parent.iterdir()] == ["answers.json"]


def test_one_refused_solution_writes_nothing_and_names_the_file(course: Path) -> None:
    bad = answer_cell("chosen = 1")
    (course / "solutions" / "02_slim.ipynb").write_bytes(cells.to_bytes(bad))
    with pytest.raises(ReleaseError, match=r"^02_slim\.ipynb: Answer cell"):
        release(course / "solutions", course / "exercises")
    assert not (course / "exercises").exists()


def test_names_choose_what_is_released(course: Path) -> None:
    (course / "solutions" / "02_slim.ipynb").write_bytes(cells.to_bytes(made_up.solution()))
    assert [done.name for done in release(course / "solutions", course / "exercises", names=("02",))] == ["02_slim"]
    with pytest.raises(ReleaseError, match="No solution is called `07`"):
        release(course / "solutions", course / "exercises", names=("07",))


def test_a_folder_without_solutions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no solution notebook"):
        release(tmp_path, tmp_path / "exercises")


def test_a_solution_that_is_no_notebook_is_named(course: Path) -> None:
    (course / "solutions" / "02_slim.ipynb").write_text("{")
    with pytest.raises(ReleaseError, match=r"02_slim\.ipynb` cannot be read as a notebook"):
        release(course / "solutions", course / "exercises")


# --- the course's own ------------------------------------------------------------------------

ROOT = Path(__file__).parents[3]
SOLUTIONS = tuple(sorted((ROOT / "solutions").glob("*.ipynb")))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_committed_exercise_is_what_its_solution_gives(path: Path) -> None:
    generated = cells.to_bytes(exercise_of(path))
    on_disk = ROOT / "exercises" / path.name
    assert on_disk.exists(), "run `layerlab release`"
    assert on_disk.read_bytes() == generated, f"{path.stem} has drifted: run `layerlab release`"


def test_no_committed_exercise_lacks_its_solution() -> None:
    released = {path.name for path in (ROOT / "exercises").glob("*.ipynb")}
    assert released == {path.name for path in SOLUTIONS}


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_solution_opens_in_a_folder_of_its_own_and_an_exercise_in_the_learner_s(path: Path) -> None:
    for made, call in ((cells.read(path), "open_solution"), (exercise_of(path), "open")):
        opening = [line for cell in cells.code_cells(made) for line in cell.source.split("\n") if "exercises" in line]
        assert opening == [f'exercise = ll.exercises.{call}("{path.stem}", lab)']
