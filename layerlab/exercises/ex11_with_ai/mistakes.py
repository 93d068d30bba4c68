"""How people rank in exercise 11, and what they make of the worst file: fixes that hold, mistakes that fail a check.

Judges nothing. Each Dockerfile is an edit of what the learner begins with, so a changed starter leaves none stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from layerlab.exercises.ex11_with_ai.faults import FAULTS, NAMES, finding, reviewed
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

FILE = "q3-repair-file"

_HOME = "/root/.local"
_INSTALL = "RUN pip install --user --no-cache-dir -r requirements.txt\n"
_INTO_VENV = (
    "RUN python -m venv /opt/venv\nRUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt\n"  # as in 03
)
_COPY = f"COPY --from=builder {_HOME} {_HOME}\n"
_PATH = f"PATH={_HOME}/bin:$PATH"
_CLOSED, _OPEN = '"127.0.0.1"', '"0.0.0.0"'


def solution(starter: str) -> str:
    """Return a text that passes every check: an environment outside /root, and all addresses."""
    return edited(_with_venv(starter), _CLOSED, _OPEN)


def mistakes(starters: Mapping[str, str], folder: Path) -> tuple[Mistake, ...]:
    """Return the orders of those who count and who weigh, and what goes wrong in the file."""
    by_number = sorted(NAMES, key=lambda name: -len(reviewed(folder, name)))
    by_file = sorted(FAULTS, key=lambda one: one.file)
    by_price = sorted(FAULTS, key=lambda one: -(finding(folder, one).price.size_bytes or 0))
    key_first = ["Dockerfile.c", "Dockerfile.b", "Dockerfile.a"]
    return (
        _ranked("by the number of findings", "q1-files", by_number),
        _ranked("a key in the image is worse than no answer", "q1-files", key_first),
        _ranked("the faults in the order of the files", "q2-faults", [one.text for one in by_file]),
        _ranked("the faults by their price", "q2-faults", [one.text for one in by_price]),
        *_in_file(starters[FILE]),
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the starter, the fixes that hold, and what people change on the way."""
    whole = solution(starter := starters[FILE])
    home = edited(
        edited(starter, _COPY, f"COPY --from=builder --chown=10001 {_HOME} /home/app/.local\n"), _CLOSED, _OPEN
    )
    home = edited(home, _PATH, "HOME=/home/app PATH=/home/app/.local/bin:$PATH")
    return {FILE: (starter, whole, home, edited(whole, "EXPOSE 8000\n", ""), edited(whole, "USER 10001\n", ""))}


def _ranked(name: str, task: str, order: list[str]) -> Mistake:
    return Mistake(name, task, {task: order}, "harm")


def _in_file(starter: str) -> tuple[Mistake, ...]:
    answering = edited(starter, _CLOSED, _OPEN)
    no_user = edited(answering, "USER 10001\n", "")
    moved = edited(
        edited(answering, _COPY, f"COPY --from=builder {_HOME} /opt/venv\n"), _PATH, "PATH=/opt/venv/bin:$PATH"
    )
    published = edited(solution(starter), "PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=1 SENSOR_API_KEY=tk-4c1d-9a77")
    texts = (
        ("fixes the address, not the packages", answering, "serves"),
        ("fixes the packages, not the address", _with_venv(starter), "serves"),
        ("lets it run as root", no_user, "not root"),
        ("says USER root", edited(answering, "USER 10001", "USER root"), "not root"),
        ("moves the folder and nothing else", moved, "serves"),
        ("brings the key along from Dockerfile.c", published, "review"),
    )
    return tuple(Mistake.in_file("q3-repair", name, text, failing) for name, text, failing in texts)


def _with_venv(starter: str) -> str:
    installed = edited(starter, _INSTALL, _INTO_VENV)
    copied = edited(installed, _COPY, "COPY --from=builder /opt/venv /opt/venv\n")
    return edited(copied, _PATH, "PATH=/opt/venv/bin:$PATH")
