"""The folders of solutions and exercises: what is released where, and the care not to overwrite a learner.

Knows files. What an exercise looks like is the business of `pipeline`. Never looks into ``exercises/work``, except
to lay a backup there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode

from layerlab.errors import ReleaseError
from layerlab.grading import cells
from layerlab.grading.pipeline import exercise

Change = Literal["written", "replaced", "unchanged"]


@dataclass(frozen=True)
class Released:
    """What became of one exercise: its name, its file, and the backup of a learner's edits where there were any."""

    name: str
    path: Path
    change: Change
    backup: Path | None = None


def solutions_in(folder: Path, *, names: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the solution notebooks of a folder in order; with ``names``, only those whose name starts so.

    Raises
    ------
    ReleaseError
        The folder holds no solution, or none of a name that was asked for.
    """
    found = tuple(sorted(folder.glob("*.ipynb")))
    if not found:
        raise ReleaseError(f"There is no solution notebook in `{folder}`. Run this in a checkout of the course.")
    for name in names:
        if not any(path.stem.startswith(name) for path in found):
            known = ", ".join(path.stem for path in found)
            raise ReleaseError(f"No solution is called `{name}`. There are {known}.")
    return tuple(path for path in found if not names or path.stem.startswith(tuple(names)))


def release(
    solutions: Path, exercises: Path, *, names: Sequence[str] = (), force: bool = False
) -> tuple[Released, ...]:
    """Write the exercise of every solution; all of them, or none where one is refused.

    Parameters
    ----------
    solutions, exercises
        Folders. ``exercises/work`` belongs to the learner; it is neither read nor changed.
    names
        Beginnings of the names wanted, such as ``01``; all where empty.
    force
        Overwrite exercises that somebody edited, after copying them to ``exercises/work``.

    Raises
    ------
    ReleaseError
        A solution cannot be released, or an exercise was edited in place and ``force`` is off.
    """
    planned = tuple(
        (exercises / path.name, cells.to_bytes(exercise_of(path))) for path in solutions_in(solutions, names=names)
    )
    edited = tuple(path for path, content in planned if _is_edited(path, content))
    if edited and not force:
        raise ReleaseError(
            f"Somebody edited {', '.join(f'`{path}`' for path in edited)}, and releasing would overwrite that. "
            "Move the edits to the solution or rename the file; "
            "or run `layerlab release --force`, which keeps a copy in exercises/work."
        )
    backups = {path: _backup(path) for path in edited}
    return tuple(_written(path, content, backups.get(path)) for path, content in planned)


def exercise_of(path: Path) -> NotebookNode:
    """Read and release one solution, and let its errors say which file they are about."""
    try:
        return exercise(cells.read(path), name=path.stem)
    except ReleaseError as error:
        raise ReleaseError(f"{path.name}: {error}") from error


def _is_edited(path: Path, content: bytes) -> bool:
    """Say whether a file holds what no release wrote. Outputs of a run are no edit: another run brings them back."""
    if not path.exists() or path.read_bytes() == content:
        return False
    try:
        on_disk = cells.read(path)
        return cells.settings(on_disk).get("release_digest") != cells.digest(on_disk)
    except (ReleaseError, AttributeError):
        return True


def _backup(path: Path) -> Path:
    """Copy a file to the learner's folder, under a name that says what it holds, so that twice gives one copy."""
    content = path.read_bytes()
    marked = hashlib.sha256(content).hexdigest()[:8]
    kept = path.parent / "work" / f"{path.stem}.edited-{marked}.ipynb"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return kept


def _written(path: Path, content: bytes, backup: Path | None) -> Released:
    change: Change = "replaced" if path.exists() else "written"
    if change == "replaced" and path.read_bytes() == content:
        return Released(path.stem, path, "unchanged")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".ipynb.half")  # a killed release leaves the old exercise whole
    half.write_bytes(content)
    half.replace(path)
    return Released(path.stem, path, change, backup)
