"""What people answer in exercise 03: lines and causes that only sound like one, and blanks filled as people do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex03_multistage.failing_build import LIBRARY_HEADER, NETWORK, PYTHON_HEADER
from layerlab.exercises.kit.file_task import edited, filled, one_filling_changed
from layerlab.exercises.kit.mistake import Mistake

_TASK, _FILE = "q3-blanks", "q3-blanks-file"
# The builder's tools; the library that the running service loads; the folder with the packages, at its own path.
SOLUTION = ("gcc libc6-dev libqrencode-dev", "libqrencode4", "/opt/venv /opt/venv")
_PLAUSIBLE = (
    ("libqrencode-dev", "gcc libqrencode-dev"),
    ("libqrencode-dev", "qrencode"),
    ("/opt /opt", "/opt/venv /opt/venv/", "/opt/venv .", "/opt/venv /usr/local", "/app /app"),
)


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks, each with the check that must fail on it.

    Parameters
    ----------
    starters
        Question → the Dockerfile that a learner begins with.
    """
    given = starters[_FILE]
    tools, library, folder = SOLUTION
    fillings = (
        ("leaves a blank", (tools, library, "____"), "no blank left"),
        ("forgets the library's header", ("gcc libc6-dev", library, folder), "builds"),
        ("names the library without its version", (tools, "libqrencode", folder), "builds"),
        ("ships no library", (tools, "ca-certificates", folder), "serves"),
        ("moves the venv", (tools, library, "/opt/venv /venv"), "serves"),
        ("compiles in the last stage too", (tools, f"gcc {library}", folder), "no compiler added"),
        ("copies everything", (tools, library, "/ /"), "no compiler added"),
        (
            "copies all libraries for one",
            (tools, "ca-certificates", f"{folder}\nCOPY --from=builder /usr/lib /usr/lib"),
            "luggage",
        ),
    )
    one_stage = edited(filled(given, *SOLUTION), " AS builder", "").partition("# The image that is shipped")[0]
    return (
        Mistake("the first line", "q1-line", {"q1-line": 1}, "names the cause"),
        Mistake("the line that says where pip stopped", "q1-line", {"q1-line": 3}, "names the cause"),
        Mistake("the network", "q2-missing", {"q2-missing": NETWORK}, "is missing"),
        Mistake("the library's header", "q2-missing", {"q2-missing": LIBRARY_HEADER}, "is missing"),
        Mistake("Python's header", "q2-missing", {"q2-missing": PYTHON_HEADER}, "is missing"),
        Mistake.in_file(_TASK, "keeps one stage", one_stage, "stages"),
        *(Mistake.in_file(_TASK, name, filled(given, *words), check) for name, words, check in fillings),
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return, by question, the solution, and one blank filled otherwise, as people do."""
    given = starters[_FILE]
    return {_FILE: (filled(given, *SOLUTION), *one_filling_changed(given, SOLUTION, _PLAUSIBLE))}
