"""`layerlab record`: play live, play again on what was recorded, keep what was needed; or leave all as it was."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from rich.console import Console

from layerlab.checks import Check
from layerlab.course import record as module
from layerlab.course.record import record
from layerlab.course.run import Failure
from layerlab.engine.recorded.store import Provenance, Store, digest, files
from layerlab.errors import NoEngine, SetupError

INFO = SimpleNamespace(
    kind="private", name="Docker", version="1", platform="p", builder="classic", why="x", is_live=True
)
SIGNED = Provenance(
    name="Docker", version="1", api_version="1", platform="p", storage="s", builder="classic",
    recorded_on=date(2026, 1, 2),
)  # fmt: skip


def key(name: str) -> str:
    return digest(name)


@dataclass
class Player:
    """Stands for kernels: records a step per notebook where they would, and asks for it on replay."""

    fails: Callable[[str, bool], bool] = lambda name, is_replay: False
    verdict: str = "PASS"
    played: list[tuple[str, bool]] = field(default_factory=list)
    works: list[str] = field(default_factory=list)

    def play(self, name: str) -> bool:
        is_replay = os.environ["LAYERLAB_ENGINE"] == "recorded"
        assert is_replay == ("LAYERLAB_RECORD" not in os.environ)
        self.played.append((name, is_replay))
        self.works.append(os.environ["LAYERLAB_WORK"])
        store = Store.open() if is_replay else Store.to_record()
        if is_replay:
            assert store.read("steps", key(name))
        else:
            store.provenance = SIGNED
            for made in (name, f"{name} unneeded"):
                store.write("steps", key(made), {"instruction": made})
        return not self.fails(name, is_replay)

    def execute(self, notebook: Any, path: Path, *, on_cell: Callable[[], None]) -> Failure | None:
        on_cell()
        return None if self.play(path.stem) else Failure(path.name, "cell", "NotRecorded: no")

    def verify_one(self, solution: Path, exercise: Path, *, with_neighbours: bool) -> Iterator[Check]:
        assert with_neighbours, "learners without an engine make one edit at a time"
        assert exercise == solution.parents[1] / "exercises" / solution.name
        self.play(f"{solution.stem} solved")
        yield Check(name=solution.stem, status=self.verdict, found="x", wanted="y")  # type: ignore[arg-type]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for path in ("notebooks/00_setup.ipynb", "notebooks/01_naive.ipynb", "solutions/01_naive.ipynb"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), tmp_path / path)
    for name in ("00_setup", "09_old"):
        old = Store(tmp_path / "recordings" / f"{name}.jsonl")
        old.write("steps", key("old"), {"instruction": "old"})
        old.provenance = SIGNED
    return tmp_path


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Player:
    found = Player()
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "data"))  # where the private engine's terminals are told from
    monkeypatch.setattr(module, "connect", lambda: SimpleNamespace(info=INFO, close=lambda: None))
    monkeypatch.setattr(module, "execute", found.execute)
    monkeypatch.setattr("layerlab.grading.verify.verify_one", found.verify_one)
    for name in ("LAYERLAB_ENGINE", "LAYERLAB_RECORD", "LAYERLAB_RECORDINGS"):
        monkeypatch.delenv(name, raising=False)
    return found


def run(checkout: Path, *names: str) -> tuple[int, str]:
    told = io.StringIO()
    return record(names, checkout=checkout, console=Console(file=told, width=40)), told.getvalue()


def steps(checkout: Path) -> set[str]:
    found = (Store(path) for path in files(checkout / "recordings"))
    return {link["instruction"] for one in found for _, link in one.all("steps")}


def test_everything_is_played_twice_and_replaces_what_was_there(checkout: Path, player: Player):
    before = dict(os.environ)
    status, told = run(checkout)
    everything = ["00_setup", "01_naive", "01_naive solved"]
    assert (status, player.played) == (0, [(name, again) for again in (False, True) for name in everything])
    assert steps(checkout) == set(everything)
    assert [path.stem for path in files(checkout / "recordings")] == ["00_setup", "01_naive"]
    assert "Wrote 3 recordings; dropped 3 that no replay asked for." in told
    assert dict(os.environ) == before
    assert not {*player.works[:3]} & {*player.works[3:]}, "what was answered live must not be there on replay"


def test_a_notebook_by_itself_writes_its_own_file_only(checkout: Path, player: Player):
    before = {path.name: path.read_bytes() for path in files(checkout / "recordings")}
    assert run(checkout, "01")[0] == 0
    assert own_steps(checkout, "01_naive") == {"01_naive", "01_naive solved"}
    assert {path.name: path.read_bytes() for path in files(checkout / "recordings")}.items() > before.items()
    assert run(checkout, "01", "00")[0] == 0
    assert own_steps(checkout, "00_setup") == {"00_setup"}
    assert own_steps(checkout, "09_old") == {"old"}
    own = [path.name for path in (checkout / "recordings").iterdir() if path.suffix != ".jsonl"]
    assert own == []


def own_steps(checkout: Path, name: str) -> set[str]:
    return {link["instruction"] for _, link in Store(checkout / "recordings" / f"{name}.jsonl").all("steps")}


@pytest.mark.parametrize("on_replay", [False, True], ids=["live", "replayed"])
def test_a_failure_leaves_everything_as_it_was(checkout: Path, player: Player, on_replay: bool):
    player.fails = lambda name, is_replay: name == "00_setup" and is_replay is on_replay
    status, told = run(checkout)
    assert (status, steps(checkout)) == (1, {"old"})
    assert "FAIL 00_setup.ipynb, cell cell: NotRecorded: no" in told


@pytest.mark.parametrize("verdict", ["FAIL", "SKIP"])
def test_an_exercise_without_its_documented_verdict_is_a_failure(checkout: Path, player: Player, verdict: str):
    player.verdict = verdict
    status, told = run(checkout)
    assert (status, steps(checkout)) == (1, {"old"}) and verdict in told


def test_names_that_nothing_has_and_engines_that_are_not_live(checkout: Path, player: Player, monkeypatch):
    with pytest.raises(SetupError, match="No notebook or solution begins with 77"):
        run(checkout, "77")
    recorded = SimpleNamespace(**{**vars(INFO), "is_live": False, "why": "no engine was found"})
    monkeypatch.setattr(module, "connect", lambda: SimpleNamespace(info=recorded, close=lambda: None))
    with pytest.raises(NoEngine, match=r"no engine was found.*layerlab engine start"):
        run(checkout)
    assert player.played == []


@pytest.fixture
def matrix_plays(checkout: Path, player: Player, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let the notebook of the matrix be there, and tell when all combinations are measured: True on replay."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    nbformat.write(notebook, checkout / "notebooks/05b_design_space.ipynb")
    plays: list[bool] = []

    def play(root: Path, console: Console) -> bool:
        assert root == checkout
        plays.append(os.environ["LAYERLAB_ENGINE"] == "recorded")
        return player.play("matrix")

    monkeypatch.setattr("layerlab.course.record.play_matrix", play)
    return plays


def test_the_matrix_is_measured_before_the_notebook_that_shows_it(
    checkout: Path, player: Player, matrix_plays: list[bool]
):
    assert run(checkout, "05b_design_space")[0] == 0
    assert player.played == [(name, again) for again in (False, True) for name in ("matrix", "05b_design_space")]
    assert own_steps(checkout, "05b_design_space") == {"matrix", "05b_design_space"}
    assert run(checkout, "05")[0] == 0, "a beginning that it shares is enough"


def test_without_that_notebook_there_is_no_matrix(checkout: Path, player: Player, matrix_plays: list[bool]):
    assert run(checkout, "01")[0] == 0
    assert matrix_plays == []


@pytest.mark.parametrize("on_replay", [False, True], ids=["live", "replayed"])
def test_a_matrix_that_fails_leaves_everything_as_it_was(
    checkout: Path, player: Player, matrix_plays: list[bool], on_replay: bool
):
    player.fails = lambda name, is_replay: name == "matrix" and is_replay is on_replay
    assert run(checkout, "05b")[0] == 1
    assert not (checkout / "recordings" / "05b_design_space.jsonl").exists()
    assert ("05b_design_space", on_replay) not in player.played
