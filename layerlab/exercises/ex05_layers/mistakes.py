"""What people make of the four Dockerfiles of exercise 05: mends that hold, and slips with the check they meet.

Knows texts only. Each is an edit of what the learner begins with, so a changed starter leaves none of them stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlab.exercises.kit.file_task import edited

_PIP = "RUN pip install --no-cache-dir -r requirements.txt\n"
_LIST = "COPY requirements.txt .\n"
_SCRIPTS = "COPY observe.py tabulate.py ./\n"
_SOURCE = "COPY service.py .\n"
_FROM = "FROM python:${PY_MINOR}-slim\nWORKDIR /app\n"
_BUILDER = "FROM python:${PY_MINOR}-slim AS builder\nWORKDIR /app\n"
_END = 'EXPOSE 8000\nCMD ["python", "service.py"]\n'

_OBSERVE = "python observe.py /tmp/levels.txt"
_TABULATE = "python tabulate.py /tmp/levels.txt tides.json"
_RM = "rm /tmp/levels.txt"
_THREE_LINES = f"RUN {_OBSERVE}\nRUN {_TABULATE}\nRUN {_RM}\n"
_JOINED = f"RUN {_OBSERVE} && \\\n    {_TABULATE} && \\\n    {_RM}\n"
_PIPED = "RUN python observe.py /dev/stdout | python tabulate.py /dev/stdin tides.json\n"
_DRAWN = f"RUN {_OBSERVE} && {_TABULATE}\n"  # cleaned by nobody: for a stage that is not shipped

_ONE_STAGE = _LIST + _PIP + _SCRIPTS + _JOINED + _SOURCE
_TABLE_COPIED = (
    f"{_SCRIPTS}{_DRAWN}\n{_FROM}{_LIST}{_PIP}COPY --from=builder /app/tides.json .\n{_SOURCE}"  # after _BUILDER
)
_VENV_COPIED = (
    f"RUN python -m venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n{_LIST}{_PIP}{_SCRIPTS}{_DRAWN}\n"
    f"{_FROM}COPY --from=builder /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"
    f"COPY --from=builder /app/tides.json .\n{_SOURCE}"
)
_ONE_RUN = f"COPY . .\n{_PIP[:-1]} && \\\n    {_OBSERVE} && \\\n    {_TABULATE} && \\\n    {_RM}\n"


@dataclass(frozen=True)
class Slip:
    """A wrong text, and the check that must fail on it."""

    name: str
    text: str
    failing: str


def solution(task: str, starter: str) -> str:
    """Return a text that passes every check: what the solution notebook arrives at."""
    return _with_body(starter, _BUILDER + _TABLE_COPIED if task == "q4-all" else _FROM + _ONE_STAGE)


def slips(task: str, starter: str) -> tuple[Slip, ...]:
    """Return the documented slips of a task."""
    return _SLIPS[task](starter)


def neighbours(task: str, starter: str) -> tuple[str, ...]:
    """Return the solution, the other mends that hold, and what people change on the way to one."""
    bodies = (_FROM + _ONE_STAGE, _BUILDER + _TABLE_COPIED, _BUILDER + _VENV_COPIED)
    held = [_with_body(starter, body) for body in bodies]
    one_stage = held[0]
    edits = ((_JOINED, _PIPED), (" --no-cache-dir", ""), ("EXPOSE 8000\n", ""), *_ON_THE_WAY[task])
    return (starter, *held, *(edited(one_stage, old, new) for old, new in edits))


def _with_body(starter: str, body: str) -> str:
    """Return the starter with everything between its first FROM and its last two lines replaced."""
    head, from_, _ = starter.partition("FROM ")
    if not from_ or not starter.endswith(_END):
        raise ValueError("the starter does not have the form that these edits are made for")
    return f"{head}{body}{_END}"


def _heavy(starter: str) -> tuple[Slip, ...]:
    tabulated = f"RUN {_TABULATE}\nRUN {_RM}\n"
    second = "FROM builder\n"
    named = edited(starter, _FROM, _BUILDER)
    return (
        Slip("removes one line earlier", edited(starter, tabulated, f"RUN {_TABULATE} && {_RM}\n"), "luggage"),
        Slip("empties the file instead", edited(starter, _RM, "truncate -s 0 /tmp/levels.txt"), "luggage"),
        Slip(
            "removes it last of all", edited(edited(starter, f"RUN {_RM}\n", ""), _END, f"RUN {_RM}\n{_END}"), "luggage"
        ),
        Slip("removes nothing any more", edited(starter, f"RUN {_RM}\n", ""), "luggage"),
        Slip("a second stage that continues the first", edited(named, _SOURCE, second + _SOURCE), "luggage"),
        Slip(
            "a second stage that takes everything",
            edited(named, _SOURCE, f"{_FROM}COPY --from=builder / /\n{_SOURCE}"),
            "luggage",
        ),
        Slip("removes before it is read", edited(starter, _THREE_LINES, _too_early()), "builds"),
        Slip("leaves the table in the builder", _with_body(starter, _BUILDER + _without_table()), "serves"),
        Slip("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _slow(starter: str) -> tuple[Slip, ...]:
    return (
        Slip(
            "copies the list first, and all the rest as well",
            edited(starter, "COPY . .\n", _LIST + "COPY . .\n"),
            "rebuild",
        ),
        Slip(
            "names the files, in the same place",
            edited(starter, "COPY . .\n", f"{_LIST}{_SCRIPTS}{_SOURCE}"),
            "rebuild",
        ),
        Slip(
            "all Python files before the installation",
            edited(starter, "COPY . .\n", f"{_LIST}COPY *.py ./\n"),
            "rebuild",
        ),
        Slip("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
        Slip(
            "installs before the list is there",
            edited(edited(starter, "COPY . .\n", ""), _PIP, f"{_PIP}COPY . .\n"),
            "builds",
        ),
        Slip("forgets the source", _with_body(starter, _FROM + _ONE_STAGE.replace(_SOURCE, "")), "serves"),
        Slip(
            "takes the joined lines apart",
            _with_body(starter, _FROM + _ONE_STAGE.replace(_JOINED, _THREE_LINES)),
            "luggage",
        ),
    )


def _green(starter: str) -> tuple[Slip, ...]:
    at_home = edited(starter, "COPY requirements.txt /tmp/\n", _LIST)
    find = "find /usr/local -name __pycache__ -prune -exec rm -rf {} +"
    chain = f"-r requirements.txt && \\\n    {find} || true\n"
    return (
        Slip("finds the list, keeps the sign", at_home, "failures count"),
        Slip("another sign for the same", edited(at_home, chain, f"-r requirements.txt; {find}\n"), "failures count"),
        Slip(
            "forgives the installation alone",
            edited(at_home, chain, f"-r requirements.txt || true\nRUN {find}\n"),
            "failures count",
        ),
        Slip(
            "says that it failed, and goes on", edited(at_home, "|| true", '|| echo "cannot install"'), "failures count"
        ),
        Slip("takes the sign away, and no more", edited(starter, " || true", ""), "builds"),
        Slip("forgives only the cleaning", edited(starter, f"{find} || true", f"({find} || true)"), "builds"),
        Slip("drops the line that fails", edited(starter, f"RUN pip install --no-cache-dir {chain}", ""), "serves"),
        Slip("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _all(starter: str) -> tuple[Slip, ...]:
    said = 'RUN python tabulate.py /tmp/level.txt tides.json; \\\n    echo "the table is written"\n'
    ordered = edited(edited(starter, "COPY . .\n", _LIST), _PIP, _PIP + _SCRIPTS)
    ordered = edited(ordered, f"RUN {_RM}\n", f"RUN {_RM}\n{_SOURCE}")
    named = edited(starter, "/tmp/level.txt", "/tmp/levels.txt")
    last_word = f"RUN {_OBSERVE} && {_TABULATE}; {_RM}\n"
    return (
        Slip("finds the file, keeps the sign", named, "failures count"),
        Slip(
            "joins, and the cleaning has the last word",
            edited(_with_body(starter, _FROM + _ONE_STAGE), _JOINED, last_word),
            "failures count",
        ),
        Slip(
            "lets it fail, and no more",
            edited(starter, said, "RUN python tabulate.py /tmp/level.txt tides.json\n"),
            "builds",
        ),
        Slip("orders, and no more", ordered, "serves"),
        Slip("mends what is green and the order", edited(ordered, said, f"RUN {_TABULATE}\n"), "luggage"),
        Slip("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _too_early() -> str:
    return f"RUN {_OBSERVE} && {_RM}\nRUN {_TABULATE}\n"


def _without_table() -> str:
    return _TABLE_COPIED.replace("COPY --from=builder /app/tides.json .\n", "")


_SLIPS = {"q1-heavy": _heavy, "q2-slow": _slow, "q3-green": _green, "q4-all": _all}
# Edits of the mend in one stage that the other tasks' slips do not have already.
_ON_THE_WAY: dict[str, Sequence[tuple[str, str]]] = {
    "q1-heavy": ((f"{_TABULATE} && \\\n    {_RM}", _TABULATE), ("rm /", "rm -f /")),
    "q2-slow": (
        (f"{_SCRIPTS}{_JOINED}{_SOURCE}", f"COPY . .\n{_JOINED}"),
        (f"{_LIST}{_PIP}{_SCRIPTS}{_JOINED}", f"{_SCRIPTS}{_JOINED}{_LIST}{_PIP}"),
        (_SOURCE, "COPY . .\n"),
    ),
    "q3-green": ((_LIST, "COPY requirements.txt /tmp/\n"), ("-r requirements.txt", "bottle waitress")),
    "q4-all": ((f" && \\\n    {_RM}", ""), (_SCRIPTS, "COPY *.py ./\n")),
}
