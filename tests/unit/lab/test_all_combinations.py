"""All combinations measured one after the other: what is said meanwhile, and what a failure does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from layerlab.course.record import play_matrix
from layerlab.design_space import COMBINATIONS, Combination, Measured
from layerlab.errors import BuildFailed
from layerlab.lab import matrix


def made(one: Combination) -> Measured:
    serves = one.user == "root"
    return Measured(one, 60_000_000, 50_000_000, serves, 0, (1.5, 1.25) if serves else (), 3.0, 9, 0, True)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An engine that measures all at once; ``fails_at`` is the number of one that it cannot build."""
    found = SimpleNamespace(asked=[], fails_at=None, closed=False)
    found.close = lambda: setattr(found, "closed", True)

    def measured(engine: Any, folder: Path, **options: Any) -> Iterator[Measured]:
        found.asked.append(folder)
        for number, one in enumerate(COMBINATIONS, 1):
            if number == found.fails_at:
                raise BuildFailed("Step 4 failed.")
            yield made(one)

    monkeypatch.setattr("layerlab.design_space.matrix", measured)
    monkeypatch.setattr("layerlab.course.record.connect", lambda *_, **__: found)
    monkeypatch.setattr(matrix, "connect", lambda *_, **__: found)
    monkeypatch.setattr(matrix, "_source", lambda _: "Live on Docker 20")
    return found


def play(tmp_path: Path) -> tuple[bool, str]:
    told = io.StringIO()
    return play_matrix(tmp_path, Console(file=told, width=120)), told.getvalue()


def test_playing_says_each_one_and_what_is_left(engine: SimpleNamespace, tmp_path: Path) -> None:
    passed, told = play(tmp_path)
    assert passed and engine.closed and engine.asked == [tmp_path / "apps" / "service"]
    lines = [line for line in told.splitlines() if " MB " in line]
    assert len(lines) == len(COMBINATIONS)
    assert COMBINATIONS[0].name in lines[0] and "1.25 s of work to start; about" in lines[0]
    assert "does not serve" in lines[1]
    assert f"PASS 05b_design_space, {len(COMBINATIONS)} combinations" in told


def test_one_that_fails_ends_it_and_is_told(engine: SimpleNamespace, tmp_path: Path) -> None:
    engine.fails_at = 3
    passed, told = play(tmp_path)
    assert not passed and engine.closed and "Step 4 failed." in told and "FAIL 05b_design_space" in told


def test_measuring_all_on_ones_own_engine_counts_them(
    engine: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = matrix.measured(engine, tmp_path)  # type: ignore[arg-type]
    assert len(found.measured) == len(COMBINATIONS) and found.source == "Live on Docker 20"
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"{len(COMBINATIONS)} of {len(COMBINATIONS)}") and COMBINATIONS[-1].name in last
