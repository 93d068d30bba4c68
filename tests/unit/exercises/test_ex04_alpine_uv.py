"""Exercise 04: every honest way passes, what was copied counts where it is hidden, pairs are read right."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS, Watched, recorded

from layerlab import exercises
from layerlab.errors import NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex04_alpine_uv import mistakes
from layerlab.exercises.ex04_alpine_uv.audit import PYTHONS_OWN, audit
from layerlab.exercises.ex04_alpine_uv.checks import SHARE
from layerlab.exercises.ex04_alpine_uv.exercise import APP, PAIRS, AlpineUv
from layerlab.exercises.ex04_alpine_uv.square import CLAIMS, COPIED, CORNERS, LARGE, SMALL, Square
from layerlab.probe import CopiedItem

AUDIT, FIX, FILE = "q1-audit", "q2-mend", "q2-mend-file"
MB = 1_000_000
STARTER = (APPS / APP / "Dockerfile.today").read_text()
HONEST = {
    "a venv by uv": mistakes.solution(STARTER),
    **dict(
        zip(
            ("a folder by --target", "pip --user", "pip --prefix", "a venv without pip", "one stage without traces"),
            mistakes.honest(STARTER),
            strict=True,
        )
    ),
}


@pytest.fixture
def exercise(tmp_path: Path) -> AlpineUv:
    opened = exercises.open("04_alpine_uv", recorded("04_alpine_uv"), work=tmp_path)
    assert isinstance(opened, AlpineUv)
    return opened


def judged(exercise: Exercise, text: str) -> Any:
    return exercise.verdicts(FIX, {FILE: text})


@pytest.mark.parametrize("way", HONEST)
def test_every_honest_way_passes(exercise: AlpineUv, way: str) -> None:
    verdicts = judged(exercise, HONEST[way])
    assert verdicts.all_pass, str(verdicts)
    names = [check.name for check in verdicts]
    assert names == ["reads", "builds", "serves", "same answers", "no installer added", "luggage"]


def test_the_file_as_it_is_serves_and_ships_an_installer(exercise: AlpineUv) -> None:
    verdicts = judged(exercise, f"{STARTER}\n")
    assert verdicts.check("same answers").status == "PASS"
    assert "copies /usr/local/bin/uv" in verdicts.check("no installer added").found


def mistake(exercise: Exercise, name: str) -> str:
    return next(wrong.answers[FILE] for wrong in exercise.mistakes if wrong.name == name)


def test_what_a_later_line_hides_still_counts(exercise: AlpineUv) -> None:
    hidden = mistake(exercise, "uninstalls in the last stage")
    shown = judged(exercise, hidden).shown
    assert (shown.name, shown.status) == ("no installer added", "FAIL")
    number = next(n for n, line in enumerate(hidden.splitlines(), 1) if line.startswith("COPY") and "/bin" in line)
    assert f"line {number} copies /usr/local/bin/uv" in shown.found, "it names what brings it, not what hides it"


def test_luggage_is_held_against_what_else_was_copied_before(exercise: AlpineUv) -> None:
    """Bytecode of the packages stays below the limit; with that of pip's own run it does not."""
    before = exercise._trial(FILE, STARTER).sizes_before
    compiled = exercise._trial(FILE, HONEST["pip --user"]).sizes
    assert 0 < compiled.luggage_bytes <= SHARE * before.luggage_bytes
    assert judged(exercise, HONEST["pip --user"]).check("luggage").status == "PASS"
    traces = mistakes.one_stage(STARTER, bytecode=True)
    assert exercise._trial(FILE, traces).sizes.luggage_bytes > SHARE * before.luggage_bytes
    assert judged(exercise, traces).check("luggage").status == "FAIL"


def test_a_text_alone_is_judged_without_an_engine_and_never_passes(tmp_path: Path) -> None:
    class NothingRecorded(Watched):
        def begin(self, *given: Any, **named: Any) -> Any:
            raise NotRecorded("The build is not recorded. A live engine can run it.")

    verdicts = judged(
        exercises.open("04_alpine_uv", NothingRecorded(recorded("04_alpine_uv")), work=tmp_path), HONEST["a venv by uv"]
    )
    assert [(check.name, check.status) for check in verdicts] == [("reads", "PASS"), ("builds", "SKIP")]
    assert not verdicts.all_pass


def test_what_was_copied_unrecorded_is_a_skip(tmp_path: Path) -> None:
    class NothingCopied(Watched):
        def copied(self, *given: Any, **named: Any) -> Any:
            raise NotRecorded("What was copied is not recorded. A live engine can tell.")

    opened = exercises.open("04_alpine_uv", NothingCopied(recorded("04_alpine_uv")), work=tmp_path)
    check = judged(opened, HONEST["a venv by uv"]).checks[-1]
    assert (check.name, check.status) == ("no installer added", "SKIP")
    assert [check.status for check in opened.verdicts(AUDIT, {AUDIT: ["uv"]})] == ["SKIP"]


def test_neighbours_are_different_files_that_get_a_verdict(exercise: AlpineUv) -> None:
    texts = exercise.neighbours[FILE]
    assert len(set(texts)) == len(texts) >= 12
    assert all(judged(exercise, text).shown is None or judged(exercise, text).shown.status == "FAIL" for text in texts)
    assert not {wrong.answers.get(FILE) for wrong in exercise.mistakes} & set(texts)


# --- 1. what of it is used --------------------------------------------------------------------


def test_the_audit_asks_for_what_is_loaded_and_not_in_the_base(exercise: AlpineUv) -> None:
    carried = exercise.carried
    missed = {row.name for row in carried.rows if carried.missed(row.name)}
    assert missed == {"fastapi", "jellyfish", "pydantic", "pydantic-core"}
    assert carried.row("pip").in_base and carried.row(PYTHONS_OWN).in_base
    assert not carried.row("uv").in_base
    assert "/usr/local/bin/uv" in repr(carried) and "<th" in carried._repr_html_()
    with pytest.raises(KeyError, match="npm"):
        carried.row("npm")


def test_an_audit_sums_by_owner_and_keeps_the_heaviest() -> None:
    copied_files = [
        CopiedItem(1, f"/bin/{name}", size, name, False, name == "b") for name, size in (("a", 3), ("b", 9), ("c", 5))
    ]
    copied_files += [CopiedItem(1, "/lib/a", 4, "a", False, True), CopiedItem(1, "/bin/python", 1, None, True, True)]
    found = audit(copied_files, frozenset({"a", "b"}), most=2)
    assert [(row.name, row.size_bytes, row.in_base) for row in found.rows] == [
        ("b", 9, True),
        ("a", 7, False),
        (PYTHONS_OWN, 1, True),
    ]
    assert found.row("a").largest == "/lib/a"
    assert found.total_bytes == 22, "also what is not among the heaviest"
    assert found.missed("a") and not found.missed("b"), "the base has b"


@pytest.mark.parametrize(
    ("picked", "why"),
    [
        (["uv"], "without loading uv"),
        (["pip"], "the base has pip already"),
        (["setuptools"], "the base has setuptools already"),
        ([PYTHONS_OWN], "a second copy of"),
    ],
)
def test_a_spare_name_is_told_why(exercise: AlpineUv, picked: list[str], why: str) -> None:
    shown = exercise.verdicts(AUDIT, {AUDIT: picked}).shown
    assert shown is not None
    assert shown.name == "nothing spare"
    assert why in shown.why


def test_a_service_that_cannot_be_asked_is_no_verdict(tmp_path: Path) -> None:
    class Silent(Watched):
        def run(self, *given: Any, **named: Any) -> Any:
            return SimpleNamespace(exit_code=1, output="Traceback\nModuleNotFoundError: No module named 'uvicorn'\n")

    opened = exercises.open("04_alpine_uv", Silent(recorded("04_alpine_uv")), work=tmp_path)
    (check,) = opened.verdicts(AUDIT, {AUDIT: ["uv"]})
    assert check.status == "SKIP"
    assert "No module named 'uvicorn'" in check.why


@pytest.mark.slow
def test_what_a_service_loads_is_asked_of_the_running_service() -> None:
    """The script serves the lesson's service here and names the packages behind it, and none of a bare Python."""
    script = resources.files("layerlab.exercises.ex04_alpine_uv").joinpath("called.py").read_text(encoding="utf-8")
    command = [sys.executable, "-B", "-c", script, "/health"]
    done = subprocess.run(command, cwd=APPS / "service", capture_output=True, text=True, timeout=120, check=True)
    loaded = json.loads(done.stdout.strip().splitlines()[-1])
    assert {"fastapi", "uvicorn", "pydantic-core"} <= set(loaded)
    assert not {"pip", "setuptools", "uv"} & set(loaded)


# --- 3. what a pair shows ---------------------------------------------------------------------


def square(**added_megabytes: float) -> Square:
    return Square(
        {letter: replace(CORNERS[letter], added_bytes=int(size * MB)) for letter, size in added_megabytes.items()}
    )


@pytest.mark.parametrize(
    ("sizes", "true"),
    [
        ({"A": 30, "B": 70, "C": 15, "D": 10}, [COPIED]),
        ({"A": 30, "B": 70, "C": 10, "D": 10}, [COPIED]),
        ({"A": 30, "B": 20, "C": 15, "D": 10}, [SMALL, COPIED]),
        ({"A": 30, "B": 70, "C": 10, "D": 40}, [LARGE]),
        ({"A": 10, "B": 10, "C": 10, "D": 10}, []),
    ],
)
def test_a_sentence_is_measured_and_not_listed(sizes: dict[str, float], true: list[str]) -> None:
    assert [claim for claim in CLAIMS if square(**sizes).against(claim) is None] == true


def test_a_pair_says_what_changed(exercise: AlpineUv) -> None:
    measured = exercise.square
    assert {name: measured.changes(name) for name in PAIRS} == {
        "A and B": ("the installer",),
        "A and C": ("what is copied",),
        "A and D": ("the installer", "what is copied"),
        "B and C": ("the installer", "what is copied"),
        "B and D": ("what is copied",),
        "C and D": ("the installer",),
    }
    assert measured.grows("A and B") and not measured.grows("C and D")
    assert "A adds" in measured.told("A and B")
    assert "<table>" in measured._repr_html_() and repr(measured).count("\n") == 4


def test_one_pair_shows_it(exercise: AlpineUv) -> None:
    def passes(shown: str) -> bool:
        return exercise.verdicts("q3-transfer", {"q3-claim": COPIED, "q3-evidence": shown}).all_pass

    assert [shown for shown in PAIRS if passes(shown)] == ["A and B"]


def test_the_four_files_differ_where_the_table_says() -> None:
    def lines(letter: str) -> list[str]:
        text = (APPS / APP / CORNERS[letter].dockerfile).read_text()
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    for one, other in (("A", "B"), ("C", "D")):
        only = [line for line in lines(other) if line not in lines(one)]
        assert len(only) == 2, "uv is fetched, and it installs"
        assert all("uv" in line for line in only)
    for letter, corner in CORNERS.items():
        has_uv = any("uv pip install" in line for line in lines(letter))
        assert has_uv is (corner.installer == "uv")
        copies = [line.split()[-1] for line in lines(letter) if line.startswith("COPY --from")]
        assert len(copies) == (1 if "one folder" in corner.copied else 2)
