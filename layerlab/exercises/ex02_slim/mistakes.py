"""What people answer in exercise 02: a base by its name, evidence that tries something else, other words changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex02_slim.services import BY_NAME, BY_SIZE, GCC, GIT, PYTHON_HEADER, STANDARD_LIBRARY
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

_FILE = "q4-change-file"
_FROM = "FROM python:${PY_MINOR}\n"
_ON_SLIM = "FROM python:${PY_MINOR}-slim\n"
_INSTALL_GIT = "RUN apt-get update && apt-get install -y --no-install-recommends git"


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks; those in the file differ from the solution, or the starter, by one.

    Parameters
    ----------
    starters
        Question → the Dockerfile that a learner begins with.
    """
    return (*_DECISIONS, *_in_the_file(starters[_FILE]))


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return, by question, the solution, and what else people change on the way."""
    right = edited(starters[_FILE], _FROM, _ON_SLIM)
    edits = (
        ("WORKDIR /srv", "WORKDIR /app"),
        ("EXPOSE 8000\n", ""),
        ("EXPOSE 8000", "EXPOSE 80"),
        ('"python"', '"python3"'),
        ('["python", "notes.py"]', "python notes.py"),
        ("COPY notes.py ./", "COPY . ."),
        ("WORKDIR /srv\n", ""),
    )
    return {_FILE: (right, *(edited(right, old, new) for old, new in edits))}


def _in_the_file(starter: str) -> tuple[Mistake, ...]:
    right = edited(starter, _FROM, _ON_SLIM)
    texts = (
        ("misspells the base", edited(right, "-slim\n", "-slimm\n"), "base named"),
        ("names a file that is not there", edited(right, "COPY notes.py", "COPY note.py"), "builds"),
        ("starts a file that is not there", edited(right, '"notes.py"]', '"note.py"]'), "serves"),
        ("changes another line only", edited(starter, "EXPOSE 8000\n", ""), "smaller"),
        ("adds git that nobody calls", edited(right, "WORKDIR", f"{_INSTALL_GIT}\nWORKDIR"), "nothing more added"),
    )
    return tuple(Mistake.in_file("q4-change", *each) for each in texts)


def _decision(name: str, task: str, base: str, evidence: str, failing: str) -> Mistake:
    return Mistake(name, task, {f"{task}-base": base, f"{task}-evidence": evidence}, failing)


_DECISIONS = (
    _decision("slim everywhere", "q2-fingerprint", "slim", GIT, "base fits"),
    _decision("slim everywhere", "q3-checksum", "slim", GCC, "base fits"),
    _decision("full everywhere", "q1-notes", "full", STANDARD_LIBRARY, "base fits"),
    _decision("right base, a header that both bases have", "q3-checksum", "full", PYTHON_HEADER, "evidence decides"),
    _decision("right base, because of the name", "q2-fingerprint", "full", BY_NAME, "evidence decides"),
    _decision("right base, because it is smaller", "q1-notes", "slim", BY_SIZE, "evidence decides"),
    _decision("right base, another service's evidence", "q2-fingerprint", "full", GCC, "evidence decides"),
)
