"""Answers as a learner kept them, at a time of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerlab.work import folder, transfer
from layerlab.work.answers import Answer, Answers

EARLY, LATE = "2026-01-01T10:00:00+00:00", "2026-03-01T10:00:00+00:00"


def keep(work: Path, name: str, kind: str, id: str, value: Any, kept_at: str) -> None:
    Answers.open(name, kind=kind, work=work).change(lambda now: {**now, id: Answer(value, kept_at)})


def carried(source: Path, target: Path, file: Path) -> folder.Merged:
    transfer.export(file, work=source)
    return transfer.import_file(file, work=target)
