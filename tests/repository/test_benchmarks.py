"""How benchmarks sum up and report what they measured. Measures nothing: a time is no test."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import BENCHMARKS, BY_NAME_ONLY, ORDER
from benchmarks.figure import of_pairs, of_runs


def test_pairs_are_summed_up_by_their_ratios_not_by_their_medians() -> None:
    # Each pair is 0.5, 1.0 or 2.0; the medians alone would say 3 to 2.
    figure = of_pairs("k", "w", [1.0, 3.0, 8.0], [2.0, 1.5, 8.0], target=1.0, peer="the CLI")
    assert figure.value == 1.0 and figure.runs == 3
    assert figure.verdict == "PASS"
    assert figure.note == "ours 3.000 s, the CLI 2.000 s"


@pytest.mark.parametrize(
    ("value", "target", "verdict"), [(1.004, 1.0, "PASS"), (1.006, 1.0, "FAIL"), (9.0, None, ""), (0.15, 0.15, "PASS")]
)
def test_a_verdict_is_as_precise_as_what_is_printed(value: float, target: float | None, verdict: str) -> None:
    assert of_runs("k", "w", [value], target=target).verdict == verdict


def test_new_results_replace_their_own_and_keep_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    report.README.write_text(f"Before\n{report.BEGIN}\nold\n{report.END}\nAfter\n")
    order = ("first", "second")
    report.write([of_runs("second", "the second", [2.0]), of_runs("first", "the first", [1.0, 3.0])], "M", order=order)
    report.write([of_runs("second", "the second", [120.0], target=60.0)], "M", order=order)
    assert [one.value for one in report.read().values()] == [2.0, 120.0]
    lines = report.README.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("Before", "After") and "old" not in lines
    rows = [line.split(" | ") for line in lines if line.startswith("| the ")]
    assert [row[:5] for row in rows] == [
        ["| the first", "2.00 s", "0.50 s – 3.50 s", "", ""],
        ["| the second", "120 s", "", "≤ 60.0 s", "FAIL"],
    ]


def test_the_kept_results_are_of_benchmarks_that_exist_and_stand_in_the_readme() -> None:
    assert set(BY_NAME_ONLY) <= set(BENCHMARKS)
    kept = report.read()
    assert kept and set(kept) <= set(ORDER)
    assert report.table(kept.values()) in report.README.read_text()
