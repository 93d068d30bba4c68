"""The promises of tests/conftest.py, each shown on a made-up test run in a process of its own."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.course import testing
from layerlab.engine.journal import RUN
from layerlab.work.answers import work_folder as folder_of_answers

CONFTEST = Path(__file__).parents[1] / "conftest.py"
WANTS_AN_ENGINE = "def test_wants_an_engine(engine):\n    assert engine.info.is_live\n"


@pytest.fixture
def run(tmp_path: Path):
    """Run tests in a folder with our conftest, where a dead engine is named, and return the output."""

    def run_tests(source: str, *arguments: str, name: str = "test_made_up.py") -> tuple[int, str]:
        for one in (CONFTEST, CONFTEST.with_name("strangers.py")):
            (tmp_path / one.name).write_text(one.read_text())
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
        nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock", "LAYERLAB_DATA": str(tmp_path)}
        environment = {name: value for name, value in os.environ.items() if name != RUN}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *arguments, str(tmp_path)],
            env={**environment, **nowhere, "LAYERLAB_ENGINE": "docker"},
            capture_output=True,
            text=True,
            timeout=500,
        )
        return done.returncode, done.stdout

    return run_tests


@pytest.mark.slow
def test_without_an_engine_the_test_is_skipped_with_a_reason(run) -> None:
    status, output = run(WANTS_AN_ENGINE)
    assert status == 0
    assert "1 skipped" in output
    assert "This test needs a live engine." in output
    assert "nowhere.sock" in output


@pytest.mark.slow
def test_with_require_engine_the_skip_is_a_failure(run) -> None:
    status, output = run(WANTS_AN_ENGINE, "--require-engine")
    assert status == 1
    assert "1 error" in output
    assert "This test needs a live engine." in output


@pytest.mark.slow
def test_collecting_speaks_to_no_engine(run) -> None:
    watch = "import layerlab.engine.choice as c\ndef boom(*_): raise SystemExit('contacted')\nc.connect = boom\n"
    status, output = run(watch + WANTS_AN_ENGINE, "--collect-only", "--require-engine")
    assert status == 0
    assert "1 test collected" in output


def test_answers_never_lie_in_a_checkout(work_folder: Path) -> None:
    assert folder_of_answers() == work_folder
    assert not work_folder.is_relative_to(CONFTEST.parents[1])


SEVERAL = """
import pytest

def test_cheap():
    pass

@pytest.mark.parametrize("name", ["01", "02"])
@pytest.mark.parametrize("where", ["recorded", "live"])
def test_notebook(where, name):
    pass
"""
SLOW = """
import time, pytest

@pytest.mark.parametrize("n", range(4))
def test_of_the_engine(n):
    time.sleep(0.5)
"""


@pytest.mark.slow
def test_side_by_side_the_course_waits_on_every_worker_until_the_engines_own_tests_are_over(run) -> None:
    run(SLOW, "--collect-only", name="tests/engine/test_slow.py")
    status, output = run(SEVERAL, *testing.SIDE_BY_SIDE, "-n", "3", "-v", name="tests/notebooks/test_several.py")
    done = re.findall(r"\[(gw\d+)\].* PASSED .*::(\S+)", output)
    assert status == 0 and len(done) == 9
    engine = [worker for worker, name in done if "engine" in name]
    assert len(engine) == 4 and len(set(engine)) == 1
    names = [name for _, name in done]
    live = [place for place, name in enumerate(names) if "live" in name]
    assert len(live) == 2 and min(live) > names.index("test_of_the_engine[3]") > names.index("test_cheap")


@pytest.mark.parametrize(
    ("id", "group"),
    [
        ("tests/engine/test_contract.py::test_tag", "live engine"),
        ("tests/notebooks/test_run.py::test_every_cell_passes[live-first-01_naive]", "live-first"),
        ("tests/notebooks/test_run.py::test_twice_in_a_row[live-solutions-01_naive]", "live-solutions"),
        ("tests/notebooks/test_run.py::test_twice_in_a_row[recorded-notebooks-01_naive]", "recorded-notebooks"),
        ("tests/notebooks/test_run.py::test_every_notebook_and_solution_runs_once_on_either_engine", None),
        ("tests/notebooks/test_exercises_hold.py::test_each_check_fails_once[01_naive-live]", None),
        ("tests/browser/test_panel_on_an_engine.py::test_wrong_then_right", "live engine"),
        ("tests/browser/test_lesson.py::test_the_build_panel", "pages"),
        ("tests/unit/test_units.py::test_alive[lively]", None),
        ("tests/unit/test_conftest.py::test_what[tests/engine/test_contract.py::test_tag-live engine]", None),
        ("tests/unit/test_conftest.py::test_what[tests/notebooks/test_run.py::test_notebook[01-live]-a group]", None),
    ],
)
def test_what_one_worker_does_alone(id: str, group: str | None) -> None:
    assert runpy.run_path(str(CONFTEST))["_group"](id) == group


PASSES = """
import pytest

@pytest.mark.parametrize("name", [f"{kind}-{n}" for kind in ("live-a", "live-b") for n in "123"])
def test_every_cell_passes(name):
    pass
"""
SMALL = """
import pytest

@pytest.mark.parametrize("name", ["01-live", "02-live"])
def test_each_check_fails_once(name):
    pass
"""


@pytest.mark.slow
def test_two_workers_share_the_passes_on_the_live_engine_and_then_what_is_small(run) -> None:
    run(SMALL, "--collect-only", name="tests/notebooks/test_exercises_hold.py")
    status, output = run(PASSES, *testing.SIDE_BY_SIDE, "-n", "2", "-v", name="tests/notebooks/test_run.py")
    done = re.findall(r"\[(gw\d+)\].* PASSED .*\[(\S+)\]", output)
    assert status == 0 and len(done) == 8
    workers = [{worker for worker, name in done if name.startswith(kind)} for kind in ("live-a", "live-b")]
    assert [len(one) for one in workers] == [1, 1] and workers[0] != workers[1]
    # A worker that is late leaves its pass to itself: what is small waits for a pass of the same worker, not of all.
    for worker in {worker for worker, _ in done}:
        names = [name for by, name in done if by == worker]
        assert names[0].startswith("live-")


MARKED = """
import pytest
from hypothesis import settings
from generated import examples

def test_quick():
    print("examples:", settings.default.max_examples, examples(400), examples(3))

@pytest.mark.parametrize("name", "ab")
@pytest.mark.slow
def test_slow(name):
    pass

@pytest.mark.nightly
def test_of_a_night():
    pass
"""


@pytest.mark.parametrize(
    ("verb", "examples", "said"),
    [
        (
            testing.QUICK,
            "10 40 1",
            "1 tests were run; 2 marked slow are left to `make test`; "
            "1 marked nightly are left to `layerlab test --nightly`.\n",
        ),
        ((), "100 400 3", "3 tests were run; 1 marked nightly are left to `layerlab test --nightly`.\n"),
        (testing.NIGHTLY, "1000 4000 30", "4 passed"),
    ],
)
@pytest.mark.slow
def test_each_verb_runs_its_marks_and_examples_and_says_what_it_leaves(
    run, verb: tuple[str, ...], examples: str, said: str
) -> None:
    settings = CONFTEST.parents[1] / "pyproject.toml"
    status, output = run(MARKED, "-c", str(settings), "-n", "2", "-rP", *verb)
    assert status == 0
    assert f"examples: {examples}\n" in output
    assert said in output


@pytest.mark.slow
def test_one_after_another_nothing_moves_within_a_folder(run) -> None:
    _, output = run(SEVERAL, "-v")
    assert re.findall(r"::(\S+)", output) == [
        "test_cheap",
        *("test_notebook[recorded-01]", "test_notebook[recorded-02]"),
        *("test_notebook[live-01]", "test_notebook[live-02]"),
    ]
