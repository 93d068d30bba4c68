"""What `layerlab progress show|export|import` do and print."""

from __future__ import annotations

from pathlib import Path

from layerlab.lab.progress_page import open_page
from layerlab.work import document, transfer
from layerlab.work.answers import work_folder


def show(root: Path) -> int:
    """Print where the learner stands, and what the predictions came to. Returns 0."""
    page = open_page(root, work=work_folder())
    print(page)
    print(f"\n{page.calibration}")
    return 0


def export(file: Path | None) -> int:
    """Write everything kept to one file and say so; returns 0. Raises AnswerError, DiskFull."""
    print(transfer.export(file or Path(document.FILE_NAME), work=work_folder()).text)
    return 0


def import_file(file: Path) -> int:
    """Merge a progress file and say what came of it; returns 0. Raises AnswerError, DiskFull."""
    print(transfer.import_file(file, work=work_folder()).text)
    return 0
