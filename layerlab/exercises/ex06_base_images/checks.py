"""Part 6 of exercise 06: a service moves to distroless, and what people trip over on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.dockerfile import Stage
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.file_task import FileTask, edited
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.trial import Trial

TASK = "q6-port"
FILE = "q6-port-file"
PORT = FileTask(
    file="Dockerfile",
    app="exercise06/receipts",
    starter="Dockerfile.today",
    parts=frozenset({"editor", "diff", "gauge"}),
    paths=("/health", "/receipts/1001"),
)

_BASE = re.compile(r"^\$(?:\{DISTROLESS\}|DISTROLESS)$")
_TYPED_MINOR = re.compile(r"python:(\d+\.\d+)")
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

LADDERS = {
    "base": (
        "Look at the FROM lines: which base is shipped, and which Python does each of them bring?",
        "Compiled packages are keys, cut for the lock of one minor version. Which base holds the lock?",
        "Another file ends in a second `FROM node:slim`; to stand on distroless it says `FROM ${BASE}`, with an "
        "`ARG BASE=…` at the top. What do your first lines offer?",
    ),
    "shell-free": (
        "Which form has the start command: words in brackets, or one line as in a terminal?",
        "A line of text needs somebody who reads it. Who would read yours in an image without a shell?",
        'Another file: `CMD node app.js` is run as `/bin/sh -c "node app.js"`; `CMD ["node", "app.js"]` is run as it '
        "stands. Which one is yours?",
    ),
    "serves": (
        "Read the container's last words. Did Python look for a script, for a module, or did nobody find Python?",
        "The base has a doorman already, ENTRYPOINT, and CMD is what you tell him. What does he need to hear, and "
        "where does he find the packages?",
        'Another base has `ENTRYPOINT ["node"]`; there `CMD ["app.js"]` starts, and `CMD ["npm", "start"]` '
        "looks for a script called npm. Which word of yours is too much, or missing?",
    ),
    "no installer added": (
        "Which COPY brings pip along, and what else lies in that folder?",
        "Whoever moves only the furniture leaves the tools behind. Which folder is the furniture?",
        "Another file copies `/usr/local` for the sake of one folder in it, npm included; `COPY --from=builder "
        "/site /site` brings that folder. Which folder holds only packages in yours?",
    ),
}


def checks(trial: Trial) -> Iterator[Check]:
    """Yield the checks of the edited file."""
    yield file_checks.reads(trial)
    last = trial.dockerfile.stages[-1]
    for check in (_base(trial), _no_shell(last)):
        yield check
        if check.status != "PASS":
            return
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield file_checks.no_installer_added(trial)


def _base(trial: Trial) -> Check:
    """Check that the last stage stands on distroless, and that the builder has the Python that lies in it."""
    last, minor = trial.dockerfile.stages[-1], trial.bench.arguments({"PY_MINOR", "DISTROLESS"})["PY_MINOR"]
    if not _BASE.fullmatch(last.raw_base):
        return judge(
            "base",
            False,
            found=f"{last.raw_base} on line {last.line}",
            wanted="${DISTROLESS} in the last FROM",
            not_yet="whoever gets in still finds what the old base has.",
            look="Which FROM decides on what is shipped?",
        )
    typed = ((stage.line, _TYPED_MINOR.search(stage.raw_base)) for stage in trial.dockerfile.stages)
    line, other = next(((line, found[1]) for line, found in typed if found and found[1] != minor), (0, ""))
    return judge(
        "base",
        not other,
        found=f"Python {other} on line {line}",
        wanted="${PY_MINOR}, the Python that lies in the base",
        because=f"line {last.line} names it by its argument, and the builder has Python {minor} too",
        not_yet=f"compiled packages for {other} are not found by {minor}, which lies in the base.",
        look="Which Python will import what the builder installs?",
    )


def _no_shell(last: Stage) -> Check:
    shell = [one for one in last.instructions if one.form == "shell"]
    first = shell[0] if shell else None
    return judge(
        "shell-free",
        first is None,
        found=f"line {first.line}: {first.keyword} as a line for a shell" if first else "",
        wanted="a start command as a list in brackets, and no RUN",
        because="nothing in the last stage asks for a shell",
        not_yet="there is no shell in this base that could read that line.",
        look="Who would run that line, and does the base have it?",
    )


def solution(starter: str) -> str:
    """Return the port: packages in a plain folder, and arguments for the Python that is there."""
    text = edited(edited(starter, _INSTALL_VENV, _INSTALL), _COPY_VENV, _COPY)
    return edited(edited(edited(text, _FROM, "FROM ${DISTROLESS}\n"), _USER, ""), _SHELL_FORM, _MODULE)


def slips(starter: str) -> tuple[Mistake, ...]:
    """Return Dockerfiles that people write on the way."""
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
    return tuple(Mistake(name, TASK, {FILE: text}, fails) for name, text, fails in texts)


def neighbours(starter: str) -> tuple[str, ...]:
    """Return the solution, and what else people change on the way."""
    right = solution(starter)
    edits = (
        ("${DISTROLESS}\n", "$DISTROLESS\n"),
        ("EXPOSE 8000\n", ""),
        ("/packages -r", "/packages --no-compile -r"),
        ("WORKDIR /app\nCOPY --from", "WORKDIR /srv\nCOPY --from"),
        ("EXPOSE 8000\n", "USER 10001\nEXPOSE 8000\n"),
        ("ENV PYTHONPATH=/packages\n", "ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1\n"),
        ("COPY service.py .", "COPY . ."),
    )
    return (right, *(edited(right, old, new) for old, new in edits))
