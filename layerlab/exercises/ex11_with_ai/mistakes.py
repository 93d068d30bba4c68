"""What people make of the worst file of exercise 11: mends that hold, and slips with the check they meet.

Knows texts only. Each is an edit of what the learner begins with, so a changed starter leaves none of them stale.
"""

from __future__ import annotations

from dataclasses import dataclass

from layerlab.exercises.kit.file_task import edited

_HOME = "/root/.local"
_INSTALL = "RUN pip install --user --no-cache-dir -r requirements.txt\n"
_INTO_VENV = (
    "RUN python -m venv /opt/venv\nRUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt\n"  # as in 03
)
_COPY = f"COPY --from=builder {_HOME} {_HOME}\n"
_PATH = f"PATH={_HOME}/bin:$PATH"
_CLOSED, _OPEN = '"127.0.0.1"', '"0.0.0.0"'


@dataclass(frozen=True)
class Slip:
    """A wrong text, and the check that must fail on it."""

    name: str
    text: str
    failing: str


def solution(starter: str) -> str:
    """Return a text that passes every check: an environment outside /root, and all addresses."""
    return edited(_with_venv(starter), _CLOSED, _OPEN)


def slips(starter: str) -> tuple[Slip, ...]:
    """Return the documented slips."""
    answering = edited(starter, _CLOSED, _OPEN)
    no_user = edited(answering, "USER 10001\n", "")
    moved = edited(
        edited(answering, _COPY, f"COPY --from=builder {_HOME} /opt/venv\n"), _PATH, "PATH=/opt/venv/bin:$PATH"
    )
    published = edited(solution(starter), "PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=1 SENSOR_API_KEY=tk-4c1d-9a77")
    return (
        Slip("mends the address, not the packages", answering, "serves"),
        Slip("mends the packages, not the address", _with_venv(starter), "serves"),
        Slip("lets it run as root", no_user, "not root"),
        Slip("says USER root", edited(answering, "USER 10001", "USER root"), "not root"),
        Slip("moves the folder and nothing else", moved, "serves"),
        Slip("brings the key along from Dockerfile.c", published, "review"),
    )


def neighbours(starter: str) -> tuple[str, ...]:
    """Return the starter, the mends that hold, and what people change on the way."""
    whole = solution(starter)
    home = edited(
        edited(starter, _COPY, f"COPY --from=builder --chown=10001 {_HOME} /home/app/.local\n"), _CLOSED, _OPEN
    )
    home = edited(edited(home, _PATH, "HOME=/home/app PATH=/home/app/.local/bin:$PATH"), "EXPOSE", "EXPOSE")
    return (starter, whole, home, edited(whole, "EXPOSE 8000\n", ""), edited(whole, "USER 10001\n", ""))


def _with_venv(starter: str) -> str:
    installed = edited(starter, _INSTALL, _INTO_VENV)
    copied = edited(installed, _COPY, "COPY --from=builder /opt/venv /opt/venv\n")
    return edited(copied, _PATH, "PATH=/opt/venv/bin:$PATH")
