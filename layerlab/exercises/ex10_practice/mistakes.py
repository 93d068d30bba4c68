"""What people write in the capstone: references, other good ways, and mistakes with the check they fail.

Judges nothing. Each Dockerfile is made from what the learner begins with, so a changed starter leaves none stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from layerlab.exercises.ex10_practice import record
from layerlab.exercises.ex10_practice.checks import BANDS
from layerlab.exercises.ex10_practice.services import (
    ALMANAC,
    BRONZE,
    GOLD,
    KINDS,
    LABELS,
    PREDICTION,
    RECORD,
    SERVICE,
    SILVER,
    task_of,
)
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

_GET_UV = "RUN pip install --no-cache-dir uv\n"
_LIST = "COPY requirements.txt .\n"
_INSTALL = "RUN uv venv /opt/venv && uv pip install --python /opt/venv --no-cache -r requirements.txt\n"
_PIP = "RUN pip install --no-cache-dir -r requirements.txt\n"
_VENV = "COPY --from=builder /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"
_USER = "USER 10001\nEXPOSE 8000\n"
_APT = "RUN apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n"
_LISTS_LEFT = "RUN apt-get update && apt-get install -y --no-install-recommends {}\n"
_COMPILER = "gcc libc6-dev"
_PLAIN = "COPY plain ./plain\nRUN uv pip install --python /opt/venv --no-cache ./plain\n"
_LIBRARY = "COPY --from=builder /usr/lib/*/libmagic.so.1 /usr/lib/\n"
_TABLE = "COPY --from=builder /usr/lib/file/magic.mgc /usr/share/misc/magic.mgc\n"
_KINDS = "COPY samples ./samples\nCOPY service.py .\n"
_SOURCE: Mapping[str, str] = {ALMANAC: "COPY main.py .\n", LABELS: "COPY service.py .\n", KINDS: _KINDS}
_BELOW = "\n# The image that is shipped.\n"
_FROM_ALPINE, _FROM_SLIM = "-alpine\nWORKDIR", "-slim\nWORKDIR"


def reference(name: str, starter: str) -> str:
    """Return a text that passes bronze and silver: what the solution notebook arrives at."""
    builder = _LIST + _INSTALL
    if name == ALMANAC:
        return _two_stages(name, starter, "alpine", _GET_UV + builder, "")
    if name == LABELS:
        return _two_stages(name, starter, "slim", _GET_UV + _APT.format(_COMPILER) + builder + _PLAIN, "")
    return _two_stages(name, starter, "slim", _GET_UV + _APT.format("libmagic1") + builder, _LIBRARY + _TABLE)


def installed(starter: str) -> str:
    """Return kinds with its library installed in the last stage: bronze, and what apt writes down comes along."""
    return _two_stages(KINDS, starter, "slim", _GET_UV + _LIST + _INSTALL, _APT.format("libmagic1"))


def mistakes(starters: Mapping[str, str], template: str) -> tuple[Mistake, ...]:
    """Return what people ship first, what they foresee wrongly, and what they make of the record's template."""
    shipped = (
        Mistake.in_file(task, *one) for task, name in BRONZE.items() for one in _shipped(name, starters[f"{task}-file"])
    )
    return (*shipped, *_at_silver(starters[f"{task_of(KINDS)}-file"]), *_at_gold(template))


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the references, other good ways, and what people change on the way to one."""
    return {f"{task}-file": _beside(name, starters[f"{task}-file"]) for task, name in BRONZE.items()}


def _shipped(name: str, starter: str) -> tuple[tuple[str, str, str], ...]:
    """Name, text and failing check of what people ship of a service."""
    right = reference(name, starter)
    return (*_common(name, starter, right), *{ALMANAC: _almanac, LABELS: _labels, KINDS: _kinds}[name](starter, right))


def _at_silver(starter: str) -> Iterator[Mistake]:
    right, least, most = reference(KINDS, starter), BANDS[0][0], BANDS[2][0]
    early = right.replace("COPY requirements.txt .", "COPY . .", 1)
    head, _, last = right.rpartition("FROM python:${PY_MINOR}-slim")
    texts = (
        ("is not at bronze yet", starter, most, "bronze"),
        ("installs the library in the last stage", installed(starter), most, "luggage"),
        ("copies the source before the packages", early, most, "rebuild"),
        ("takes the compiler for most of it", right, least, "prediction"),
        ("names a base without its version", f"{head}FROM python:slim{last}", most, "base pinned"),
    )
    for name, text, said, failing in texts:
        answers = {SERVICE: KINDS, PREDICTION: said, f"{task_of(KINDS)}-file": text}
        yield Mistake(name, SILVER, answers, failing)


def _at_gold(template: str) -> Iterator[Mistake]:
    full = record.filled(template, tuple(f"some words about {label.lower()}" for label in record.LABELS))
    yield Mistake("leaves a line out", GOLD, {RECORD: full.replace("- What I gave up", "- Cost")}, "six lines")
    yield Mistake("one word a line", GOLD, {RECORD: record.filled(template, ("pip",) * 6)}, "filled")
    yield Mistake("a saving without a figure", GOLD, {RECORD: full}, "measured")


def _beside(name: str, starter: str) -> tuple[str, ...]:
    right = reference(name, starter)
    compiled = edited(right, "--no-cache -r", "--no-cache --compile-bytecode -r")
    own: tuple[str, ...] = ()
    if name == ALMANAC:
        own = (right.replace("-alpine", "-slim"), _one_stage(name, starter))
    if name == KINDS:
        own = (installed(starter), _two_stages(name, starter, "slim", _GET_UV + _LIST + _INSTALL, _apt_cleaned()))
    return (starter, right, compiled, edited(right, _SOURCE[name], "COPY . .\n"), *own)


def _common(name: str, starter: str, right: str) -> tuple[tuple[str, str, str], ...]:
    venv = _two_stages(name, starter, "slim", "", "").partition("FROM")[0]
    one_venv = f"FROM python:${{PY_MINOR}}-slim\nWORKDIR /app\nENV PATH=/opt/venv/bin:$PATH\n{_LIST}"
    made = f"RUN python -m venv /opt/venv && {_PIP[4:]}RUN /opt/venv/bin/pip uninstall -y pip setuptools\n"
    if name != ALMANAC:
        return (("forgets the user", edited(right, _USER, "EXPOSE 8000\n"), "not root"),)
    return (
        ("takes slim, and leaves the rest", edited(starter, "${PY_MINOR}\n", "${PY_MINOR}-slim\n"), "not root"),
        ("stays on the full base", edited(starter, "EXPOSE 8000\n", _USER), "no compiler"),
        (
            "uninstalls pip in a line of its own",
            f"{venv}{one_venv}{made}{_SOURCE[name]}{_USER}{_command(starter)}",
            "luggage",
        ),
    )


def _almanac(starter: str, right: str) -> tuple[tuple[str, str, str], ...]:
    return (
        ("installs on slim, in one stage", _one_stage(ALMANAC, starter, quiet=False), "luggage"),
        ("makes the usual venv", edited(right, "uv venv", "python -m venv"), "no installer added"),
        (
            "copies the builder's programs as well",
            edited(right, _VENV, f"{_VENV}COPY --from=builder /usr/local/bin /usr/local/bin\n"),
            "no installer added",
        ),
        ("leaves main.py behind", edited(right, _SOURCE[ALMANAC], ""), "serves"),
        ("starts by way of a shell that waits", _by_shell(right), "stops"),
    )


def _labels(starter: str, right: str) -> tuple[tuple[str, str, str], ...]:
    head, _, last = right.partition(_BELOW)
    return (
        ("takes the smallest base below", f"{head}{_BELOW}{edited(last, _FROM_SLIM, _FROM_ALPINE)}", "serves"),
        ("compiles without a compiler", edited(right, _APT.format(_COMPILER), ""), "builds"),
        (
            "a compiler in the last stage as well",
            edited(right, _VENV, _APT.format(_COMPILER) + _VENV),
            "no compiler",
        ),
    )


def _kinds(starter: str, right: str) -> tuple[tuple[str, str, str], ...]:
    on_alpine = right.partition(_BELOW)
    bare = edited(right, _LIBRARY + _TABLE, "")
    return (
        ("takes slim, which lacks the library", bare, "serves"),
        ("copies the library without its table", edited(right, _TABLE, ""), "serves"),
        (
            "puts Debian's library on another C library",
            f"{on_alpine[0]}{_BELOW}{edited(on_alpine[2], _FROM_SLIM, _FROM_ALPINE)}",
            "serves",
        ),
        ("leaves apt's lists", edited(bare, _VENV, _LISTS_LEFT.format("libmagic1") + _VENV), "luggage"),
        (
            "clears apt's lists one line later",
            edited(bare, _VENV, f"{_LISTS_LEFT.format('libmagic1')}RUN rm -rf /var/lib/apt/lists/*\n{_VENV}"),
            "luggage",
        ),
        (
            "copies all libraries of the full base",
            edited(bare, _VENV, f"COPY --from=builder /usr/lib /usr/lib\n{_VENV}{_TABLE}").replace(
                "-slim AS builder", " AS builder"
            ),
            "luggage",
        ),
    )


def _two_stages(name: str, starter: str, base: str, builder: str, extra: str) -> str:
    head, _, _ = starter.partition("# How ")
    first = f"# The builder: whatever makes the packages.\nFROM python:${{PY_MINOR}}-{base} AS builder\nWORKDIR /app\n"
    last = f"FROM python:${{PY_MINOR}}-{base}\nWORKDIR /app\n{extra}{_VENV}{_SOURCE[name]}{_USER}{_command(starter)}"
    return f"{head}{first}{builder}{_BELOW}{last}"


def _one_stage(name: str, starter: str, *, quiet: bool = True) -> str:
    head, _, _ = starter.partition("# How ")
    pip = f"ENV PYTHONDONTWRITEBYTECODE=1\n{_LIST}{edited(_PIP, ' -r', ' --no-compile -r')}" if quiet else _LIST + _PIP
    return f"{head}FROM python:${{PY_MINOR}}-slim\nWORKDIR /app\n{pip}{_SOURCE[name]}{_USER}{_command(starter)}"


def _apt_cleaned() -> str:
    everything = "/var/lib/apt/lists/* /var/cache/debconf/* /var/log/*"
    return edited(_APT.format("libmagic1"), "/var/lib/apt/lists/*", everything)


def _by_shell(text: str) -> str:
    start = _command(text)
    words = start.removeprefix("CMD [").rstrip("]\n").replace('", "', " ").replace('"', "")
    return edited(text, start, f'CMD ["sh", "-c", "{words}; echo stopped"]\n')


def _command(text: str) -> str:
    return text[text.rindex("CMD ") :]
