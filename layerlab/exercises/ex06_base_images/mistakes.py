"""What people decide wrongly in exercise 06, and what they write on the way to distroless. Judges nothing.

Each Dockerfile is an edit of what the learner begins with, so a changed starter leaves none of them stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex06_base_images.services import (
    BY_NAME,
    BY_SIZE,
    GIT,
    GLIBC,
    MODULES,
    NO_SETUID,
    NO_SHELL,
    SHELL,
)
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

TASK, FILE = "q6-port", "q6-port-file"

_INSTALL_VENV = "RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r requirements.txt\n"
_INSTALL = "RUN pip install --no-cache-dir --target /packages -r requirements.txt\n"
_COPY_VENV = "COPY --from=builder /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"
_COPY = "COPY --from=builder /packages /packages\nENV PYTHONPATH=/packages\n"
_FROM = "FROM python:${PY_MINOR}-slim\n"
_USER = "USER 10001\n"
_SHELL_FORM = "CMD uvicorn service:app --host 0.0.0.0 --port 8000\n"
_REST = '"service:app", "--host", "0.0.0.0", "--port", "8000"]\n'
_MODULE = f'CMD ["-m", "uvicorn", {_REST}'
_PROGRAM = f'CMD ["uvicorn", {_REST}'


def solution(starter: str) -> str:
    """Return the port: packages in a plain folder, and arguments for the Python that is there."""
    text = edited(edited(starter, _INSTALL_VENV, _INSTALL), _COPY_VENV, _COPY)
    return edited(edited(edited(text, _FROM, "FROM ${DISTROLESS}\n"), _USER, ""), _SHELL_FORM, _MODULE)


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the wrong decisions, and the Dockerfiles that people write on the way."""
    return (*_DECISIONS, *_ported(starters[FILE]))


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the solution, and what else people change on the way."""
    right = solution(starters[FILE])
    edits = (
        ("${DISTROLESS}\n", "$DISTROLESS\n"),
        ("EXPOSE 8000\n", ""),
        ("/packages -r", "/packages --no-compile -r"),
        ("WORKDIR /app\nCOPY --from", "WORKDIR /srv\nCOPY --from"),
        ("EXPOSE 8000\n", "USER 10001\nEXPOSE 8000\n"),
        ("ENV PYTHONPATH=/packages\n", "ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1\n"),
        ("COPY service.py .", "COPY . ."),
    )
    return {FILE: (right, *(edited(right, old, new) for old, new in edits))}


def _decided(name: str, task: str, base: str, evidence: str, failing: str) -> Mistake:
    return Mistake(name, task, {f"{task}-base": base, f"{task}-evidence": evidence}, failing)


_DECISIONS = (
    _decided("slim is always enough", "q1-changelog", "slim", GIT.says, "base fits"),
    _decided("right base, because of its name", "q1-changelog", "full", BY_NAME, "evidence decides"),
    _decided("the smallest everywhere", "q2-survey", "musl", SHELL.says, "base fits"),
    _decided("distroless although a script starts it", "q2-survey", "distroless", GLIBC.says, "base fits"),
    _decided("the usual base", "q3-meter", "slim", SHELL.says, "base fits"),
    _decided("distroless for its size", "q3-meter", "distroless", BY_SIZE, "base fits"),
    _decided("right base, a row that is true everywhere", "q3-meter", "musl", MODULES.says, "evidence decides"),
    _decided("musl although there is no wheel", "q4-ranking", "musl", GLIBC.says, "base fits"),
    _decided("slim, though no shell is called", "q4-ranking", "slim", GLIBC.says, "base fits"),
    _decided("right base, somebody else's need", "q4-ranking", "distroless", NO_SHELL.says, "evidence decides"),
    _decided("no setuid program, yet a shell", "q5-receipts", "musl", NO_SETUID.says, "base fits"),
    _decided("right base, because it is small", "q5-receipts", "distroless", BY_SIZE, "evidence decides"),
)


def _ported(starter: str) -> tuple[Mistake, ...]:
    right = solution(starter)
    venv = edited(edited(right, _INSTALL, _INSTALL_VENV), _COPY, _COPY_VENV)
    own = edited(edited(right, _COPY, f"COPY --from=builder /usr/local /usr/local\n{_COPY}"), _MODULE, "")
    own += f'ENV LD_LIBRARY_PATH=/usr/local/lib\nENTRYPOINT ["/usr/local/bin/python3"]\n{_MODULE}'
    texts = (
        ("changes the start command only", edited(starter, _SHELL_FORM, _MODULE), "base"),
        ("another Python in the builder", edited(right, "python:${PY_MINOR}-slim", "python:3.10-slim"), "base"),
        ("keeps the shell form", edited(right, _MODULE, _SHELL_FORM), "shell-free"),
        ("makes a folder with RUN", edited(right, "EXPOSE", "RUN mkdir /data\nEXPOSE"), "shell-free"),
        ("starts uvicorn as a program", edited(right, _MODULE, _PROGRAM), "serves"),
        ("copies the venv", venv, "serves"),
        ("copies the venv and starts its Python", f'{venv}ENTRYPOINT ["/opt/venv/bin/python"]\n', "serves"),
        ("tells nobody where the packages are", edited(right, "ENV PYTHONPATH=/packages\n", ""), "serves"),
        ("brings slim's Python along", own, "no installer added"),
    )
    return tuple(Mistake.in_file(TASK, name, text, failing) for name, text, failing in texts)
