"""What people make of the two recipes of exercise 09: fixes that hold, and mistakes with the check they fail.

Judges nothing. Each Dockerfile is an edit of what the learner begins with, so a changed starter leaves none stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

WAITS, FETCHES = "q1-waits", "q2-fetches"

_COPY_ALL, _LIST, _SOURCE = "COPY . .\n", "COPY requirements.txt .\n", "COPY service.py .\n"
_UV = "RUN pip install --no-cache-dir uv==0.13.9\n"
_INSTALL = "RUN uv pip install --system --no-cache -r requirements.txt\n"
_MOUNT = "--mount=type=cache,target=/root/.cache/uv"
_LENT = "--mount=type=bind,source=requirements.txt,target=requirements.txt"
_KEEPING = "uv pip install --system -r requirements.txt\n"


def solution(task: str, starter: str) -> str:
    """Return the fix that the solution notebook makes."""
    if task == WAITS:
        return _ordered(starter, _UV + _LIST + _INSTALL + _SOURCE)
    return edited(starter, _INSTALL, f"RUN {_MOUNT} {_KEEPING}")


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return what people try in both recipes."""
    return (
        *(Mistake.in_file(WAITS, *one) for one in _waits(starters[f"{WAITS}-file"])),
        *(Mistake.in_file(FETCHES, *one) for one in _fetches(starters[f"{FETCHES}-file"])),
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return other fixes, as good as the solution's."""
    waits, fetches = starters[f"{WAITS}-file"], starters[f"{FETCHES}-file"]
    bound = f"RUN {_MOUNT} {_LENT} \\\n    {_KEEPING}"
    return {
        f"{WAITS}-file": (
            _ordered(waits, _LIST + _UV + _INSTALL + _SOURCE),
            _ordered(waits, _UV + _LIST + _INSTALL + _COPY_ALL),
            _ordered(waits, _LIST + _UV + _INSTALL + _COPY_ALL),
            _ordered(waits, _UV + _LIST.replace(" .\n", " ./\n") + _INSTALL + _SOURCE.replace(" .\n", " ./\n")),
        ),
        f"{FETCHES}-file": (
            edited(fetches, _INSTALL, f"RUN {_MOUNT},sharing=locked UV_LINK_MODE=copy {_KEEPING}"),
            edited(edited(fetches, _LIST, ""), _INSTALL, bound),
            edited(fetches, _INSTALL, f"RUN {_MOUNT},id=ferries {_KEEPING}"),
            edited(fetches, _INSTALL, f"RUN {_MOUNT} UV_LINK_MODE=copy {_KEEPING}"),
        ),
    }


def _waits(starter: str) -> tuple[tuple[str, str, str], ...]:
    """Name, text and failing check of what people do where an edit installs again."""
    return (
        ("copies the list first, and all the rest as well", edited(starter, _COPY_ALL, _LIST + _COPY_ALL), "rebuild"),
        ("names the files, in the same place", edited(starter, _COPY_ALL, _LIST + _SOURCE), "rebuild"),
        ("takes only uv out of it", _ordered(starter, _UV + _COPY_ALL + _INSTALL), "rebuild"),
        ("forgets the source", _ordered(starter, _UV + _LIST + _INSTALL), "serves"),
    )


def _fetches(starter: str) -> tuple[tuple[str, str, str], ...]:
    """Name, text and failing check of what people do where a new package fetches all others."""
    elsewhere = f"RUN {_MOUNT.replace('/uv', '/pip')} {_KEEPING}"
    return (
        ("a mount where another installer looks", edited(starter, _INSTALL, elsewhere), "second install"),
        ("a mount for uv, which may not use it", _told_not_to(starter), "second install"),
        ("a mount on the line above", edited(starter, _UV, _UV.replace("RUN", f"RUN {_MOUNT}")), "second install"),
        ("keeps the cache in the layer", edited(starter, _INSTALL, f"RUN {_KEEPING}"), "second install"),
        (
            "a mount, below a copy of everything",
            edited(edited(starter, _LIST, _COPY_ALL), _INSTALL, f"RUN {_MOUNT} {_KEEPING}"),
            "rebuild",
        ),
        ("copies the cache from a stage of its own", _copied(starter), "no cache carried"),
    )


def _copied(starter: str) -> str:
    """Fill the cache in a stage that is not shipped, and copy it to where the installer looks."""
    head, _, last = starter.partition("FROM ")
    filling = f"FROM python:${{PY_MINOR}}-slim AS filling\nWORKDIR /srv\n{_UV}{_LIST}RUN {_KEEPING}\n"
    brought = "COPY --from=filling /root/.cache/uv /root/.cache/uv\n"
    return f"{head}{filling}FROM {edited(last, _INSTALL, f'{brought}RUN {_KEEPING}')}"


def _told_not_to(starter: str) -> str:
    return edited(starter, _INSTALL, _INSTALL.replace("RUN", f"RUN {_MOUNT}"))


def _ordered(starter: str, body: str) -> str:
    return edited(starter, _COPY_ALL + _UV + _INSTALL, body)
