"""What people make of the four Dockerfiles of exercise 05: fixes that hold, and mistakes with the check they meet.

Each is an edit of what the learner begins with, so a changed starter leaves none of them stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

# A name, a text, and the check that must fail on it.
_Wrong = tuple[str, str, str]

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


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks, each with the check that must fail on it.

    Parameters
    ----------
    starters
        Question → the Dockerfile that a learner begins with.
    """
    return tuple(
        Mistake.in_file(task, name, text, failing)
        for task, texts in _WRONG.items()
        for name, text, failing in texts(starters[f"{task}-file"])
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return, by question, the starter, fixes that hold, and what people change on the way to one."""
    return {f"{task}-file": tuple(_neighbours(task, starters[f"{task}-file"])) for task in _WRONG}


def solution(task: str, starter: str) -> str:
    """Return a text that passes every check: what the solution notebook arrives at."""
    return _with_body(starter, _BUILDER + _TABLE_COPIED if task == "q4-all" else _FROM + _ONE_STAGE)


def _neighbours(task: str, starter: str) -> Iterator[str]:
    yield starter
    bodies = (_FROM + _ONE_STAGE, _BUILDER + _TABLE_COPIED, _BUILDER + _VENV_COPIED)
    yield from (_with_body(starter, body) for body in bodies)
    one_stage = _with_body(starter, bodies[0])
    edits = ((_JOINED, _PIPED), (" --no-cache-dir", ""), ("EXPOSE 8000\n", ""), *_ON_THE_WAY[task])
    yield from (edited(one_stage, old, new) for old, new in edits)


def _with_body(starter: str, body: str) -> str:
    """Return the starter with everything between its first FROM and its last two lines replaced."""
    head, from_, _ = starter.partition("FROM ")
    if not from_ or not starter.endswith(_END):
        raise ValueError("the starter does not have the form that these edits are made for")
    return f"{head}{body}{_END}"


def _heavy(starter: str) -> tuple[_Wrong, ...]:
    tabulated = f"RUN {_TABULATE}\nRUN {_RM}\n"
    second = "FROM builder\n"
    named = edited(starter, _FROM, _BUILDER)
    return (
        ("removes one line earlier", edited(starter, tabulated, f"RUN {_TABULATE} && {_RM}\n"), "luggage"),
        ("empties the file instead", edited(starter, _RM, "truncate -s 0 /tmp/levels.txt"), "luggage"),
        ("removes it last of all", edited(edited(starter, f"RUN {_RM}\n", ""), _END, f"RUN {_RM}\n{_END}"), "luggage"),
        ("removes nothing any more", edited(starter, f"RUN {_RM}\n", ""), "luggage"),
        ("a second stage that continues the first", edited(named, _SOURCE, second + _SOURCE), "luggage"),
        (
            "a second stage that takes everything",
            edited(named, _SOURCE, f"{_FROM}COPY --from=builder / /\n{_SOURCE}"),
            "luggage",
        ),
        ("removes before it is read", edited(starter, _THREE_LINES, _too_early()), "builds"),
        ("leaves the table in the builder", _with_body(starter, _BUILDER + _without_table()), "serves"),
        ("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _slow(starter: str) -> tuple[_Wrong, ...]:
    return (
        (
            "copies the list first, and all the rest as well",
            edited(starter, "COPY . .\n", _LIST + "COPY . .\n"),
            "rebuild",
        ),
        (
            "names the files, in the same place",
            edited(starter, "COPY . .\n", f"{_LIST}{_SCRIPTS}{_SOURCE}"),
            "rebuild",
        ),
        (
            "all Python files before the installation",
            edited(starter, "COPY . .\n", f"{_LIST}COPY *.py ./\n"),
            "rebuild",
        ),
        ("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
        (
            "installs before the list is there",
            edited(edited(starter, "COPY . .\n", ""), _PIP, f"{_PIP}COPY . .\n"),
            "builds",
        ),
        ("forgets the source", _with_body(starter, _FROM + _ONE_STAGE.replace(_SOURCE, "")), "serves"),
        (
            "takes the joined lines apart",
            _with_body(starter, _FROM + _ONE_STAGE.replace(_JOINED, _THREE_LINES)),
            "luggage",
        ),
    )


def _green(starter: str) -> tuple[_Wrong, ...]:
    at_home = edited(starter, "COPY requirements.txt /tmp/\n", _LIST)
    find = "find /usr/local -name __pycache__ -prune -exec rm -rf {} +"
    chain = f"-r requirements.txt && \\\n    {find} || true\n"
    return (
        ("finds the list, keeps the sign", at_home, "failures count"),
        ("another sign for the same", edited(at_home, chain, f"-r requirements.txt; {find}\n"), "failures count"),
        (
            "forgives the installation alone",
            edited(at_home, chain, f"-r requirements.txt || true\nRUN {find}\n"),
            "failures count",
        ),
        ("says that it failed, and goes on", edited(at_home, "|| true", '|| echo "cannot install"'), "failures count"),
        ("takes the sign away, and no more", edited(starter, " || true", ""), "builds"),
        ("forgives only the cleaning", edited(starter, f"{find} || true", f"({find} || true)"), "builds"),
        ("drops the line that fails", edited(starter, f"RUN pip install --no-cache-dir {chain}", ""), "serves"),
        ("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _all(starter: str) -> tuple[_Wrong, ...]:
    said = 'RUN python tabulate.py /tmp/level.txt tides.json; \\\n    echo "the table is written"\n'
    ordered = edited(edited(starter, "COPY . .\n", _LIST), _PIP, _PIP + _SCRIPTS)
    ordered = edited(ordered, f"RUN {_RM}\n", f"RUN {_RM}\n{_SOURCE}")
    named = edited(starter, "/tmp/level.txt", "/tmp/levels.txt")
    last_word = f"RUN {_OBSERVE} && {_TABULATE}; {_RM}\n"
    return (
        ("finds the file, keeps the sign", named, "failures count"),
        (
            "joins, and the cleaning has the last word",
            edited(_with_body(starter, _FROM + _ONE_STAGE), _JOINED, last_word),
            "failures count",
        ),
        (
            "lets it fail, and no more",
            edited(starter, said, "RUN python tabulate.py /tmp/level.txt tides.json\n"),
            "builds",
        ),
        ("orders, and no more", ordered, "serves"),
        ("fixes what is green and the order", edited(ordered, said, f"RUN {_TABULATE}\n"), "luggage"),
        ("everything in one RUN", _with_body(starter, _FROM + _ONE_RUN), "rebuild"),
    )


def _too_early() -> str:
    return f"RUN {_OBSERVE} && {_RM}\nRUN {_TABULATE}\n"


def _without_table() -> str:
    return _TABLE_COPIED.replace("COPY --from=builder /app/tides.json .\n", "")


_WRONG = {"q1-heavy": _heavy, "q2-slow": _slow, "q3-green": _green, "q4-all": _all}
# Edits of the fix in one stage that the other tasks' mistakes do not have already.
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
