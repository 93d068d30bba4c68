"""The command line: verbs that forward, errors as one message, and a Makefile that does the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from layerlab import __version__
from layerlab.cli import main
from layerlab.errors import EngineUnreachable

CHECKOUT = Path(__file__).parents[2]
VERBS = (
    "lab",
    "test",
    "check",
    "run",
    "doctor",
    "inspect",
    "compare",
    "review",
    "clean",
    "record",
    "release",
    "verify",
    "engine",
    "bases",
    "progress",
    "sheets",
    "bench",
)

# verb and its arguments → where it forwards to, and with what
FORWARDS = [
    (["lab", "--port", "9000", "--no-browser"], "layerlab.course.jupyterlab.lab", (), {"port": 9000, "browser": False}),
    (["test", "--", "-k", "waste"], "layerlab.course.testing.test", (("-k", "waste"),), {"nightly": False}),
    (["test", "--nightly"], "layerlab.course.testing.test", ((),), {"nightly": True}),
    (["test", "--on", "podman-5.8", "--", "-x"], "layerlab.course.other_engines.test_on", ("podman-5.8", ("-x",)), {}),
    (["check"], "layerlab.course.testing.check", ((),), {}),
    (["run", "00", "02"], "layerlab.course.run.run", (("00", "02"),), {}),
    (["doctor"], "layerlab.course.doctor.doctor", (), {}),
    (["record", "01"], "layerlab.course.record.record", (("01",),), {}),
    (["record", "--matrix"], "layerlab.course.record.record", (("05b_design_space",),), {}),
    (["release", "01", "--force"], "layerlab.grading.verbs.release", (("01",),), {"force": True}),
    (["bases", "status"], "layerlab.course.base_images.show", (), {}),
    (
        ["bases", "build", "slim", "--background"],
        "layerlab.course.base_images.build",
        (("slim",),),
        {"background": True},
    ),
    (["progress", "export", "mine.json"], "layerlab.course.progress.export", (Path("mine.json"),), {}),
    (["progress", "export"], "layerlab.course.progress.export", (None,), {}),
    (["progress", "import", "mine.json"], "layerlab.course.progress.import_file", (Path("mine.json"),), {}),
    (["bases", "pull"], "layerlab.course.base_images.pull", ((),), {}),
    (["bench", "--", "--quick"], "layerlab.course.bench.bench", (("--quick",),), {}),
    (["verify", "--engine", "private"], "layerlab.grading.verbs.verify", ((),), {"engine": "private"}),
]


@pytest.mark.parametrize(
    ("line", "target", "arguments", "options"), FORWARDS, ids=[" ".join(one[0]) for one in FORWARDS]
)
def test_a_verb_forwards_and_ends_with_the_status_it_got(
    monkeypatch: pytest.MonkeyPatch, line: list[str], target: str, arguments: object, options: object
) -> None:
    calls: list[tuple[object, object]] = []

    def stand_in(*given: object, **named: object) -> int:
        calls.append((given, named))
        return 7

    monkeypatch.setattr(target, stand_in)

    assert CliRunner().invoke(main, line).exit_code == 7
    assert calls == [(arguments, options)]


@pytest.mark.parametrize(
    ("line", "typed", "answer"), [(["clean"], "y\n", True), (["clean"], "n\n", False), (["clean", "--yes"], "", True)]
)
def test_clean_asks_unless_told(monkeypatch: pytest.MonkeyPatch, line: list[str], typed: str, answer: bool) -> None:
    answers: list[bool] = []

    def ask(*, confirm: object) -> int:
        assert callable(confirm)
        answers.append(confirm("Remove these 2?"))
        return 0

    monkeypatch.setattr("layerlab.course.clean.clean", ask)

    assert CliRunner().invoke(main, line, input=typed).exit_code == 0
    assert answers == [answer]


def test_an_error_of_ours_is_one_message_and_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise EngineUnreachable("No engine answers at tcp://10.0.0.1:1. Start it.") from OSError("refused")

    monkeypatch.setattr("layerlab.course.doctor.doctor", fail)

    done = CliRunner().invoke(main, ["doctor"])

    assert done.exit_code == 2
    assert done.stderr == "No engine answers at tcp://10.0.0.1:1. Start it.\n"
    assert done.stdout == ""


def test_an_error_of_a_verb_below_a_group_is_shown_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise EngineUnreachable("No engine. Start it.")

    monkeypatch.setattr("layerlab.engine.private.status", fail, raising=False)

    done = CliRunner().invoke(main, ["engine", "status"])

    assert (done.exit_code, done.stderr) == (2, "No engine. Start it.\n")


def test_a_bug_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("layerlab.course.doctor.doctor", fail)

    assert isinstance(CliRunner().invoke(main, ["doctor"]).exception, ZeroDivisionError)


def test_help_lists_the_verbs_in_the_order_of_use() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    listed = re.findall(r"^  (\w+)  ", text.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == VERBS
    assert all(re.search(rf"^  {verb} +[A-Z].*[^.]\.$", text, re.MULTILINE) for verb in VERBS), "a sentence for each"


def test_purge_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def purge(*, earlier_only: bool) -> None:
        raise AssertionError("purged without being asked to")

    monkeypatch.setattr("layerlab.engine.private.purge", purge, raising=False)

    assert CliRunner().invoke(main, ["engine", "purge"], input="n\n").exit_code == 1


def test_python_m_layerlab_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "layerlab", "--version"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"layerlab, version {__version__}\n"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"engine", "bases", "progress"}])
def test_make_only_forwards(verb: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", verb, "ARGS=--some option", "PYTHON=py"],
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"py -m layerlab {verb} --some option\n"


def test_ci_runs_make_test() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("exec make test")
    assert (CHECKOUT / ".ci" / "run").stat().st_mode & 0o111
