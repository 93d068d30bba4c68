"""The runner of notebooks tells a notebook that passed from one that failed, hung or never began."""

from __future__ import annotations

from pathlib import Path

import nbformat
import nbval_runs
import pytest
from nbformat import v4


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbval_runs.Outcome]:
    """What became of a handful of notebooks that were run together."""
    folder = tmp_path_factory.mktemp("made-up")
    sources = {
        "passes": (
            "import os",
            "assert os.environ['LAYERLAB_ENGINE'] == 'recorded'",
            "assert os.environ['LAYERLAB_WORK'].endswith('work')",
        ),
        "fails": ("x = 1", "assert x == 2, 'x is not two'", "x = 3"),
        "fails_at_length": ("long = 1\n" * 100 + "assert long == 2, 'the end'",),
        "also_passes": ("assert 'x' not in globals()",),
        "hangs": ("import time", "time.sleep(60)", "print('never')"),
    }
    paths = []
    for name, lines in sources.items():
        cells = [v4.new_code_cell(line, id=f"{name.replace('_', '-')}-{at}") for at, line in enumerate(lines)]
        cells.insert(1, v4.new_markdown_cell("Prose is not counted.", id="prose"))
        paths.append(folder / f"{name}.ipynb")
        nbformat.write(v4.new_notebook(cells=cells), paths[-1])
    found = nbval_runs.run(paths, engine="recorded", work=folder / "work", cell_seconds=5, seconds=120)
    return {path.stem: outcome for path, outcome in found.items()}


def test_a_notebook_whose_cells_pass(outcomes: dict[str, nbval_runs.Outcome]) -> None:
    assert outcomes["passes"] == nbval_runs.Outcome(3, ())


def test_each_notebook_has_a_kernel_of_its_own(outcomes: dict[str, nbval_runs.Outcome]) -> None:
    assert outcomes["also_passes"] == nbval_runs.Outcome(1, ())


def test_a_failing_cell_is_named_by_its_id_and_quoted(outcomes: dict[str, nbval_runs.Outcome]) -> None:
    failed = outcomes["fails"]
    assert failed.passed == 2
    (fault,) = failed.faults
    assert fault.startswith("cell `fails-1` failure:")
    assert "x is not two" in fault
    assert "\x1b" not in fault


def test_a_long_failure_is_cut_in_the_middle(outcomes: dict[str, nbval_runs.Outcome]) -> None:
    (fault,) = outcomes["fails_at_length"].faults
    lines = fault.splitlines()
    assert len(lines) <= nbval_runs.TAIL_LINES + 1
    assert "…" in lines
    assert lines[-1].endswith("the end")


def test_a_cell_that_hangs_is_stopped_and_named(outcomes: dict[str, nbval_runs.Outcome]) -> None:
    (fault,) = outcomes["hangs"].faults
    assert fault.startswith("cell `hangs-1` failure:")
    assert "Timeout of 5 seconds" in fault


def test_a_cell_that_a_tag_skips_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "skips.ipynb"
    skipped = v4.new_code_cell("1 / 0", id="not-run", metadata={"tags": ["nbval-skip"]})
    nbformat.write(v4.new_notebook(cells=[skipped]), path)
    found = nbval_runs.run([path], engine="recorded", work=tmp_path / "work", cell_seconds=60, seconds=60)
    assert found[path].passed == 0
    assert found[path].faults[0].startswith("cell `not-run` skipped:")


def test_when_pytest_is_stopped_every_notebook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "slow.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("import time; time.sleep(60)", id="slow")]), path)
    found = nbval_runs.run([path], engine="recorded", work=tmp_path / "work", cell_seconds=60, seconds=0.2)
    assert found[path].passed == 0
    assert "None of its cells was run" in found[path].faults[0]
    assert "Stopped after" in found[path].faults[0]


def test_a_file_that_is_no_notebook_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text("{")
    found = nbval_runs.run([path], engine="recorded", work=tmp_path / "work", cell_seconds=60, seconds=60)
    assert found[path].passed == 0
    assert "None of its cells was run" in found[path].faults[0]
