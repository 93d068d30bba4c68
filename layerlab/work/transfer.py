"""Everything kept into one file, and such a file into what is kept here. Shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerlab.errors import AnswerError, DiskFull
from layerlab.work import document, folder
from layerlab.work.answers import write_whole


@dataclass(frozen=True)
class Exported:
    """Where everything was written, how many entries, and what could not be taken along."""

    path: Path
    entries: int
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """What happened, a line for each note."""
        return "\n".join([f"{self.entries} entries are in {self.path}.", *self.notes])


def export(path: Path, *, work: Path) -> Exported:
    """Write everything kept to one file, whole or not at all.

    A progress file under this name is brought up to date: what only it holds stays in it.

    Raises
    ------
    AnswerError
        Nothing is kept yet; or something else than a whole progress file has this name, and is left alone.
    DiskFull
        No room.
    """
    kept = folder.read(work)
    if not kept.record.versions:
        raise AnswerError(f"Nothing is kept in {work} yet. Keep a prediction or an answer first.")
    target = path / document.FILE_NAME if path.is_dir() else path
    whole = kept.record | document.load(target) if target.exists() else kept.record
    try:
        write_whole(target, document.dumps(whole))
    except DiskFull as error:
        raise DiskFull(
            f"No space is left to write {target}. Nothing was lost: make room, then export again."
        ) from error
    return Exported(target, len(whole.versions), kept.notes)


def import_file(path: Path, *, work: Path) -> folder.Merged:
    """Merge a progress file into what is kept here; see `layerlab.work.folder.merge`.

    Raises AnswerError for anything but a whole progress file, before anything is changed; or DiskFull.
    """
    incoming = document.load(path)
    try:
        return folder.merge(work, incoming)
    except DiskFull as error:
        raise DiskFull(
            f"No space is left to take in all of {path}. Nothing is lost: make room, then import it again."
        ) from error
