"""The three services of the capstone: their tasks, their folders, and what each is asked. Judges nothing."""

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
BRONZE: Mapping[str, str] = {"q1-almanac": ALMANAC, "q2-labels": LABELS, "q3-kinds": KINDS}
SILVER, GOLD = "q4-silver", "q5-gold"
SERVICE, PREDICTION, RECORD = "q4-service", "q4-prediction", "q5-record"


def task_of(service: str) -> str:
    """Return the task of a service. Raises KeyError where there is none."""
    found = next((task for task, name in BRONZE.items() if name == service), None)
    if found is None:
        raise KeyError(f"There is no service {service!r}. There are: {', '.join(BRONZE.values())}.")
    return found


def given(name: str) -> FileTask:
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
