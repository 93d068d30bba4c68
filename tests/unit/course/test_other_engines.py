"""`layerlab test --on`: in which order it goes, what it leaves, and how a run is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from layerlab.course import other_engines
from layerlab.course.engines import Prepared
from layerlab.engine import private, temporary
from layerlab.errors import PrivateEngineError

ROOT = Path(__file__).parents[3]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.engine.test_contract" name="test_a"/>
<testcase classname="tests.engine.test_contract" name="test_b"><failure>x</failure></testcase>
<testcase classname="tests.engine.test_contract" name="test_c"><error>x</error></testcase>
<testcase classname="tests.engine.test_folders" name="test_d"><skipped/></testcase>
<testcase classname="tests.notebooks.test_run" name="test_every_cell_passes[live-first-05b_design_space]"/>
<testcase classname="tests.notebooks.test_run" name="test_every_cell_passes[live-second-09_buildkit]"><failure/>
</testcase>
</testsuite></testsuites>"""


def test_a_run_is_told_in_a_line(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert other_engines.told(report) == (
        "contract 1 passed, 2 failed, 1 skipped; notebooks 1 of 2 passed; not 09_buildkit"
    )


def test_what_it_runs_is_there() -> None:
    for names in other_engines.CONTRACT.values():
        assert [name for name in names if not (ROOT / f"tests/engine/test_{name}.py").is_file()] == []
    assert (ROOT / other_engines.COURSE[0].partition("::")[0]).is_file()


class Machine:
    """Every step of the verb, noted in order; the tests, and what ends badly, as a test wants it."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.passed = True
        self.refused = ""

    def check(self, where: Path) -> None:
        if self.refused:
            raise PrivateEngineError(self.refused)

    def prepared(self) -> Prepared:
        self.steps.append("own engine")
        return Prepared("private", started_here=True)

    @contextmanager
    def running(self, name: str, where: Path, *, on_line: object) -> Iterator[str]:
        self.steps.append(f"start {name}")
        try:
            yield name
        finally:
            self.steps.append(f"remove {name}")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()

    def tests(engine: str, report: Path, arguments: tuple[str, ...], checkout: Path) -> bool:
        made.steps.append(f"tests {' '.join(arguments)}")
        report.write_text(REPORT)
        return made.passed

    monkeypatch.setattr(temporary, "check", made.check)
    monkeypatch.setattr(temporary, "running", made.running)
    monkeypatch.setattr(other_engines, "prepare_engine", made.prepared)
    monkeypatch.setattr(other_engines, "prepare_bases", lambda own: made.steps.append("bases"))
    monkeypatch.setattr(other_engines, "_lend_bases", lambda engine: made.steps.append(f"lend to {engine}"))
    monkeypatch.setattr(other_engines, "_pytest", tests)
    monkeypatch.setattr(private, "stop", lambda: made.steps.append("stop own"))
    return made


@pytest.mark.parametrize("passed", [True, False])
def test_the_engine_goes_whatever_the_tests_came_to(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str], passed: bool
) -> None:
    machine.passed = passed
    assert other_engines.test_on("podman-5.8", ("-x",), checkout=tmp_path) == (0 if passed else 1)
    assert machine.steps == [
        "own engine", "bases", "start podman-5.8", "lend to podman-5.8", "tests -x", "remove podman-5.8", "stop own",
    ]  # fmt: skip
    assert capsys.readouterr().out.startswith("podman-5.8: contract 1 passed")


def test_it_goes_also_where_the_run_is_told_to_end(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(other_engines, "_pytest", lambda *_: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(30))
    with pytest.raises(SystemExit):
        other_engines.test_on("podman-5.8", checkout=tmp_path)
    assert machine.steps[-2:] == ["remove podman-5.8", "stop own"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_where_none_can_be_started_no_base_is_built_for_it(machine: Machine, tmp_path: Path) -> None:
    machine.refused = "Not here."
    with pytest.raises(PrivateEngineError, match="Not here"):
        other_engines.test_on("podman-5.8", checkout=tmp_path)
    assert machine.steps == []
