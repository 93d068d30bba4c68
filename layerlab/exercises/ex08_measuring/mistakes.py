"""What people make of the inherited recipe: mends that hold, and slips with the check they meet. Knows texts only."""

from __future__ import annotations

from dataclasses import dataclass

from layerlab.exercises.kit.file_task import edited

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


@dataclass(frozen=True)
class Slip:
    """A wrong text, and the check that must fail on it."""

    name: str
    text: str
    failing: str


def solution(starter: str) -> str:
    """Return what the solution notebook arrives at."""
    return edited(starter, _SORTED, _JOINED)


def two_stages(starter: str) -> str:
    """Return the other mend: a builder that keeps its drawers, and a stage that is shipped without them."""
    return edited(edited(_in_builder(starter), f"RUN {_SETTLE}\n", ""), _SERVE, f"\n{_FROM}{_TAKEN}")


def slips(starter: str) -> tuple[Slip, ...]:
    """Return the documented slips."""
    settled = f"RUN {_SETTLE}\n"
    without = edited(starter, settled, "")
    return (
        Slip("removes one line earlier", edited(without, _CATALOGUE, f"{_CATALOGUE} && {_SETTLE}"), "waste"),
        Slip("removes it last of all", edited(without, _SERVE, _SERVE + settled), "waste"),
        Slip("removes it by rm", edited(starter, f"{settled}", "RUN rm -r drawers\n"), "waste"),
        Slip(
            "a second stage that continues the first",
            edited(_in_builder(starter), _SERVE, f"FROM builder\n{_SERVE}"),
            "waste",
        ),
        Slip(
            "a second stage that takes everything",
            edited(_in_builder(starter), _SERVE, f"\n{_FROM}COPY --from=builder / /\n{_SERVE}"),
            "waste",
        ),
        Slip("removes nothing any more", without, "nothing left lying"),
        Slip(
            "removes before it is read",
            edited(starter, _SORTED, f"RUN {_SORT} && {_SETTLE}\nRUN {_CATALOGUE}\n"),
            "builds",
        ),
        Slip("sorts nothing any more", edited(starter, _SORTED, ""), "serves"),
        Slip(
            "removes the largest layer's file as well",
            edited(starter, _SORTED, _JOINED.replace(_SETTLE, f"{_SETTLE} && rm scans.txt")),
            "serves",
        ),
    )


def neighbours(starter: str) -> tuple[str, ...]:
    """Return the starter, the mends that hold, and what people change on the way to one."""
    mended = solution(starter)
    edits = (
        (_SETTLE, "rm -r drawers"),
        (_SETTLE, "rm -rf drawers"),
        (f"RUN {_SCAN}\nRUN {_SORT}", f"RUN {_SCAN} && \\\n    {_SORT}"),
        (" && \\\n    ", " && "),
        (_SCRIPTS, "COPY *.py ./\n"),
        ("EXPOSE 8000\n", ""),
    )
    changed = [mended.replace(old, new) for old, new in edits]
    return (starter, mended, two_stages(starter), edited(mended, _JOINED, _JOINED + _RM), *changed)


def _in_builder(starter: str) -> str:
    return edited(starter, _FROM, _BUILDER)
