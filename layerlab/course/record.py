"""`layerlab record`: plays the course against a live engine that is written down, then proves that it replays.

Knows which notebooks there are and in which order to play them; how things are recorded is the engine's business.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from layerlab import design_space
from layerlab.course import engines
from layerlab.course.run import environment, execute, read
from layerlab.course.run_progress import CourseProgress
from layerlab.design_space import COMBINATIONS
from layerlab.engine import connect
from layerlab.engine.protocol import EngineKind
from layerlab.engine.recorded.lines import SUFFIX
from layerlab.engine.recorder.sealing import seal
from layerlab.errors import LayerLabError, NoEngine, SetupError
from layerlab.lab import matrix
from layerlab.setup.bootstrap import CHECKOUT

_ENGINE = "LAYERLAB_ENGINE"
_RECORD = "LAYERLAB_RECORD"
_RECORDINGS = "LAYERLAB_RECORDINGS"
_REACHED = "LAYERLAB_RECORDINGS_REACHED"
_WORK = "LAYERLAB_WORK"


@dataclass(frozen=True)
class Plays:
    """What is played: notebooks, and solutions with the wrong answers documented for them."""

    notebooks: tuple[Path, ...]
    solutions: tuple[Path, ...]

    @classmethod
    def chosen(cls, checkout: Path, names: Sequence[str]) -> Plays:
        """Choose by the beginnings of file names; all of them where ``names`` is empty.

        Raises
        ------
        SetupError
            Nothing has such a name.
        """
        notebooks, solutions = (_named(checkout / folder, names) for folder in ("notebooks", "solutions"))
        if not notebooks and not solutions:
            wanted = " or ".join(names) or "a number"
            raise SetupError(f"No notebook or solution begins with {wanted}. Look at `ls notebooks solutions`.")
        return cls(notebooks, solutions)

    @property
    def has_matrix(self) -> bool:
        """True where the notebook is played that shows all combinations: they are measured before it."""
        return any(path.stem == matrix.NOTEBOOK for path in self.notebooks)

    def by_name(self) -> Iterator[tuple[str, Plays]]:
        """Yield what belongs together: a notebook and the solution that bears its name."""
        for name in sorted({path.stem for path in (*self.notebooks, *self.solutions)}):
            yield (
                name,
                Plays(*(tuple(one for one in each if one.stem == name) for each in (self.notebooks, self.solutions))),
            )


def record(names: Sequence[str] = (), *, checkout: Path = CHECKOUT, console: Console | None = None) -> int:
    """Record notebooks, solutions and wrong answers anew, and put what they need into ``recordings/``.

    Parameters
    ----------
    names
        Beginnings of file names (``00``, ``02_slim``). With none of them everything is recorded on the bases of
        today and replaces all that was there; else only the files of these notebooks are written anew.

    Returns
    -------
    int
        0; or 1 where something failed, live or replayed. Then ``recordings/`` is left as it was.

    Raises
    ------
    NoEngine
        There is no live engine.
    SetupError
        Nothing has such a name.
    """
    console = console or Console(stderr=True)
    plays = Plays.chosen(checkout, names)
    live = _require_live(console)
    with tempfile.TemporaryDirectory(prefix="layerlab-record-") as temporary:
        fresh, reached, sealed = (Path(temporary) / name for name in ("fresh", "reached", "sealed"))
        reached.mkdir()
        parts = {fresh / f"{name}{SUFFIX}": part for name, part in plays.by_name()}
        console.print("Recording on the live engine.", highlight=False, soft_wrap=True)
        for file, part in parts.items():
            recording = {**engines.variables(live), _ENGINE: live, _RECORD: "1", _RECORDINGS: str(file)}
            if not _play(part, checkout, console, recording):
                return 1
        console.print("Replaying what was recorded.", highlight=False, soft_wrap=True)
        for file, part in parts.items():
            replay = {_ENGINE: "recorded", _RECORDINGS: str(file), _REACHED: str(reached / file.stem)}
            if not _play(part, checkout, console, replay):
                return 1
        folder = checkout / "recordings"
        if names and folder.is_dir():
            shutil.copytree(folder, sealed)
        wanted = {file.stem: _reached(reached / file.stem) for file in parts}
        kept, dropped = seal(fresh, sealed, wanted=wanted)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sealed, folder)
    console.print(
        f"Wrote {kept} recordings; dropped {dropped} that no replay asked for.", highlight=False, soft_wrap=True
    )
    return 0


def _require_live(console: Console) -> EngineKind:
    engine = connect()
    info = engine.info
    engine.close()
    if not info.is_live:
        raise NoEngine(
            f"Recording needs a live engine, and none is there ({info.why}). Run `layerlab engine start` first."
        )
    console.print(
        f"{info.name} {info.version} on {info.platform}, {info.builder} builder.", highlight=False, soft_wrap=True
    )
    return info.kind


def _named(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    found = sorted(folder.glob("[0-9][0-9]*_*.ipynb"))
    return tuple(path for path in found if not names or path.name.startswith(tuple(names)))


def _play(plays: Plays, checkout: Path, console: Console, variables: Mapping[str, str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="layerlab-work-") as work, environment({**variables, _WORK: work}):
        return (
            (not plays.has_matrix or play_matrix(checkout, console))
            and _notebooks_pass(plays.notebooks, console)
            and _exercises_pass(plays.solutions, checkout, console)
        )


def _notebooks_pass(paths: Sequence[Path], console: Console) -> bool:
    notebooks = [(path, read(path)) for path in paths]
    failed = False
    with CourseProgress(console, [(path.name, _code_cells(notebook)) for path, notebook in notebooks]) as progress:
        for path, notebook in notebooks:
            progress.begin(path.name)
            failure = execute(notebook, path, on_cell=progress.advance)
            progress.end(path.name, passed=failure is None)
            if failure:
                failed = True
                console.print(str(failure), markup=False, highlight=False, soft_wrap=True)
    return not failed


def _code_cells(notebook: Any) -> int:
    return sum(cell.cell_type == "code" for cell in notebook.cells)


def _exercises_pass(paths: Sequence[Path], checkout: Path, console: Console) -> bool:
    """Play each solution, the exercise unsolved, its wrong answers and what differs from the solution by one edit."""
    from layerlab.grading.verify import verify_one

    passed = True
    for path in paths:
        for check in verify_one(path, checkout / "exercises" / path.name, with_neighbours=True):
            passed = passed and check.status == "PASS"
            console.print(check.line, markup=False, highlight=False, soft_wrap=True)
    return passed


def _reached(listed: Path) -> set[tuple[str, str]]:
    """Return kind and key of every recording that a replay asked for."""
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    return {(kind, key) for kind, _, key in (line.partition(" ") for line in lines)}


def play_matrix(checkout: Path, console: Console) -> bool:
    """Measure every combination on the engine that the environment names; False, and why on the console, if one fails.

    Whether that is a live engine being recorded, or the replay that proves it, is the environment's business.
    """
    name = f"{matrix.NOTEBOOK}, {len(COMBINATIONS)} combinations"
    engine = connect(notebook=matrix.NOTEBOOK)
    with CourseProgress(console, [(name, len(COMBINATIONS))]) as progress:
        progress.begin(name)
        try:
            for one in design_space.matrix(engine, checkout / "apps" / matrix.APP):
                progress.advance()
                console.print(
                    f"{matrix.line(one)}; {progress.remaining()}", markup=False, highlight=False, soft_wrap=True
                )
            failure = ""
        except LayerLabError as error:
            failure = str(error)
        progress.end(name, passed=not failure)
    engine.close()
    if failure:
        console.print(failure, markup=False, highlight=False, soft_wrap=True)
    return not failure
