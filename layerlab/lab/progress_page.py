"""The page of progress: what is done, the sizes reached, what the predictions came to; as HTML and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab import figures
from layerlab.figures.table import Table
from layerlab.lab import hosted
from layerlab.lab.catalogue import catalogue
from layerlab.lab.overview import Chapter, Overview, overview
from layerlab.units import size
from layerlab.work import document, folder, transfer

if TYPE_CHECKING:
    from layerlab.widgets.export_button import ExportButton

_COLUMNS = ("notebook", "predictions saved", "exercise: tasks passed", "tried, not passed yet")


@dataclass(frozen=True)
class ProgressPage:
    """Where a learner stood when the page was opened. `open_page` makes one.

    Attributes
    ----------
    overview
        The values behind the page.
    notes
        What could not be read, a sentence or two each.
    """

    overview: Overview
    notes: tuple[str, ...]
    root: Path
    work: Path

    @property
    def calibration(self) -> figures.Figure:
        """How often predictions came true, by how sure the learner was."""
        source = f"Your predictions, as first read off. No points for closeness.{_left_out(self.overview)}"
        return figures.calibration(self.overview.counts(), source=source)

    @property
    def export_button(self) -> ExportButton:
        """A button that exports and then shows a link to the file."""
        from layerlab.widgets.export_button import ExportButton

        return ExportButton(self.export, reminder=hosted.REMINDER if hosted.is_passing() else "")

    def export(self) -> transfer.Exported:
        """Write everything kept to ``layerlab-progress.json`` in the course's folder.

        Raises
        ------
        AnswerError, DiskFull
            See `layerlab.work.transfer.export`.
        """
        return transfer.export(self.root / document.FILE_NAME, work=self.work)

    def import_file(self, file: str | Path = document.FILE_NAME) -> folder.Merged:
        """Merge a progress file into what is kept here; a relative name counts from the course's folder.

        Raises
        ------
        AnswerError, DiskFull
            See `layerlab.work.transfer.import_file`.
        """
        return transfer.import_file(self.root / Path(file).expanduser(), work=self.work)

    def __repr__(self) -> str:
        return "\n".join([_table(self.overview).text(_next(self.overview)), "", *self._lines()])

    def _repr_html_(self) -> str:
        # As far from the edge as the table: browsers give a figure 40 pixels.
        lines = "".join(f'<p style="margin-left:40px">{escape(line)}</p>' for line in self._lines())
        return f"{_table(self.overview).html(_next(self.overview))}{lines}"

    def _lines(self) -> Iterator[str]:
        for one in self.overview.images:
            builds = f"{one.builds} {'build' if one.builds == 1 else 'builds'}"
            added = f"{size(one.added_bytes)} added to the base"
            yield f"Reached in exercise {one.exercise}, {one.task}: {added}, in {builds}."
        if not self.overview.images:
            yield "No image of your own has passed a check yet; the sizes you reach will stand here."
        for chapter in self.overview.chapters:
            if titles := "; ".join(task.title for task in chapter.tasks if task.state == "earlier"):
                yield (
                    f"Passed earlier in exercise {chapter.name}, not checked again since: {titles}. "
                    "Run their check cells to count them."
                )
        if self.overview.strange:
            yield f"From another edition of the course, kept for it: {'; '.join(self.overview.strange)}."
        yield from self.notes


def open_page(root: Path, *, work: Path) -> ProgressPage:
    """Read where a learner stands in the course at ``root``; what is damaged is said on the page.

    Parameters
    ----------
    work
        The folder of the learner's files.
    """
    kept = folder.read(work)
    return ProgressPage(overview(kept.record, catalogue(root)), kept.notes, root, work)


def _table(seen: Overview) -> Table:
    rows = tuple(_row(chapter) for chapter in seen.chapters)
    source = (
        "From the files of answers on this machine; nobody else sees them. "
        "Passed: a saved verdict passes and is about the answer that is saved now."
    )
    return Table("Where you stand", source, _COLUMNS, rows)


def _row(chapter: Chapter) -> tuple[str, ...]:
    late = f", {chapter.late} of them late" if chapter.late else ""
    kept = f"{chapter.kept} of {chapter.asked}{late}" if chapter.asked else "–"
    passed = f"{chapter.count('passed')} of {len(chapter.tasks)}" if chapter.tasks else "no exercise"
    tried = "; ".join(task.title for task in chapter.tasks if task.state == "tried")
    return chapter.name, kept, passed, tried or "–"


def _left_out(seen: Overview) -> str:
    late, unsure = f"{seen.late} made after the result was shown", f"{seen.unsure} without how sure you were"
    parts = [late] * bool(seen.late) + [unsure] * bool(seen.unsure)
    return f" Not counted: {', '.join(parts)}." if parts else ""


def _next(seen: Overview) -> str:
    chapter = seen.next
    if chapter is None:
        unchecked = sum(one.count("earlier") for one in seen.chapters)
        but = f" But {unchecked} passed earlier and {'waits' if unchecked == 1 else 'wait'} for another check."
        return f"Every prediction is saved and every task is passed.{but if unchecked else ''}"
    left = chapter.asked - chapter.kept
    predictions = f"{left} {'prediction' if left == 1 else 'predictions'} to make in notebook {chapter.name}"
    open_tasks = chapter.count("tried") + chapter.count("open")
    tasks = f"{open_tasks} {'task' if open_tasks == 1 else 'tasks'} to pass in exercise {chapter.name}"
    return f"Next: {' and '.join([predictions] * bool(left) + [tasks] * bool(open_tasks))}."
