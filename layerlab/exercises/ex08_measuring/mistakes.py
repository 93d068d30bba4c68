"""What people answer in exercise 08, and make of the recipe: fixes that hold, and mistakes with the check they fail.

Judges nothing. Each Dockerfile is an edit of what the learner begins with, so a changed starter leaves none stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex08_measuring.checks import DATA, EARLY, NO_RM
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

FILE = "q3-mend-file"

_FROM = "FROM python:${PY_MINOR}-slim\nWORKDIR /srv\n"
_BUILDER = "FROM python:${PY_MINOR}-slim AS builder\nWORKDIR /srv\n"
_SCRIPTS = "COPY scan.py sort.py catalogue.py settle.py ./\n"
_SCAN, _SORT = "python scan.py scans.txt", "python sort.py scans.txt drawers"
_CATALOGUE, _SETTLE = "python catalogue.py drawers catalogue.json", "python settle.py drawers"
_RM = "RUN rm -rf /tmp/* /var/tmp/* /root/.cache\n"
_SORTED = f"RUN {_SORT}\nRUN {_CATALOGUE}\n{_RM}RUN {_SETTLE}\n"
_JOINED = f"RUN {_SORT} && \\\n    {_CATALOGUE} && \\\n    {_SETTLE}\n"
_SERVE = "COPY serve.py .\n"
_TAKEN = "COPY --from=builder /srv/scans.txt /srv/catalogue.json ./\nCOPY scan.py serve.py ./\n"


def solution(starter: str) -> str:
    """Return what the solution notebook arrives at."""
    return edited(starter, _SORTED, _JOINED)


def two_stages(starter: str) -> str:
    """Return the other fix: a builder that keeps its drawers, and a stage that is shipped without them."""
    return edited(edited(_in_builder(starter), f"RUN {_SETTLE}\n", ""), _SERVE, f"\n{_FROM}{_TAKEN}")


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the wrong answers, and the fixes that move the gap elsewhere."""
    return (*_CHOICES, *_in_recipe(starters[FILE]))


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the starter, the fixes that hold, and what people change on the way to one."""
    fixed = solution(starter := starters[FILE])
    edits = (
        (_SETTLE, "rm -r drawers"),
        (_SETTLE, "rm -rf drawers"),
        (f"RUN {_SCAN}\nRUN {_SORT}", f"RUN {_SCAN} && \\\n    {_SORT}"),
        (" && \\\n    ", " && "),
        (_SCRIPTS, "COPY *.py ./\n"),
        ("EXPOSE 8000\n", ""),
    )
    changed = [fixed.replace(old, new) for old, new in edits]
    return {FILE: (starter, fixed, two_stages(starter), edited(fixed, _JOINED, _JOINED + _RM), *changed)}


def _pointed(name: str, writer: str | int, hider: str, failing: str) -> Mistake:
    return Mistake(name, "q1-find", {"q1-writer": writer, "q1-hider": hider}, failing)


def _reasoned(name: str, reason: str) -> Mistake:
    return Mistake(name, "q2-largest", {"q2-largest": reason}, "evidence decides")


_SCANS, _SORTS, _READS, _SETTLES = (f"RUN {program}" for program in (_SCAN, _SORT, _CATALOGUE, _SETTLE))
_CHOICES = (
    _pointed("the biggest layer is the waste", _SCANS, _SETTLES, "wrote it"),
    _pointed("the base is the waste", 1, _SETTLES, "wrote it"),
    _pointed("whoever hides it wrote it", _SETTLES, _SETTLES, "wrote it"),
    _pointed("the line with an rm hides it", _SORTS, _RM.rstrip(), "hid it"),
    _pointed("whoever reads it last hides it", _SORTS, _READS, "hid it"),
    _pointed("whoever wrote it hid it", _SORTS, _SORTS, "hid it"),
    _reasoned("old is needed", EARLY),
    _reasoned("data is needed", DATA),
    _reasoned("no rm, no waste", NO_RM),
)


def _in_recipe(starter: str) -> tuple[Mistake, ...]:
    settled = f"RUN {_SETTLE}\n"
    without = edited(starter, settled, "")
    texts = (
        ("removes one line earlier", edited(without, _CATALOGUE, f"{_CATALOGUE} && {_SETTLE}"), "waste"),
        ("removes it last of all", edited(without, _SERVE, _SERVE + settled), "waste"),
        ("removes it by rm", edited(starter, f"{settled}", "RUN rm -r drawers\n"), "waste"),
        (
            "a second stage that continues the first",
            edited(_in_builder(starter), _SERVE, f"FROM builder\n{_SERVE}"),
            "waste",
        ),
        (
            "a second stage that takes everything",
            edited(_in_builder(starter), _SERVE, f"\n{_FROM}COPY --from=builder / /\n{_SERVE}"),
            "waste",
        ),
        ("removes nothing any more", without, "nothing left lying"),
        (
            "removes before it is read",
            edited(starter, _SORTED, f"RUN {_SORT} && {_SETTLE}\nRUN {_CATALOGUE}\n"),
            "builds",
        ),
        ("sorts nothing any more", edited(starter, _SORTED, ""), "serves"),
        (
            "removes the largest layer's file as well",
            edited(starter, _SORTED, _JOINED.replace(_SETTLE, f"{_SETTLE} && rm scans.txt")),
            "serves",
        ),
    )
    return tuple(Mistake.in_file("q3-mend", name, text, failing) for name, text, failing in texts)


def _in_builder(starter: str) -> str:
    return edited(starter, _FROM, _BUILDER)
