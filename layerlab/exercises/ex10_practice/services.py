"""The three services of the capstone: their folders, and what each is asked. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.kit.file_task import FileTask

NAIVE = "Dockerfile.naive"
PARTS = frozenset({"editor", "diff", "gauge", "attempts"})

ALMANAC, LABELS, KINDS = "almanac", "labels", "kinds"
_ASKED: Mapping[str, tuple[str, str]] = {
    ALMANAC: ("/sun/2026-06-21", "main.py"),
    LABELS: ("/labels/Z%C3%BCrich", "service.py"),
    KINDS: ("/kinds/letter.txt", "service.py"),
}
_SAYS = (
    "Write the file that you would defend: every answer as today, not as root, no compiler in the image, no installer "
    "added, and besides what {name} needs at most a quarter of that."
)


def task(name: str) -> FileTask:
    """Return what is given for one of the three services."""
    own, source = _ASKED[name]
    return FileTask(
        file=f"Dockerfile.{name}",
        app=f"exercise10/{name}",
        starter=NAIVE,
        parts=PARTS,
        paths=("/health", own),
        source=source,
        weighs_running=True,
        stopping=True,
    )
