"""Wrong answers of exercise 09 that people really give, and mends that differ from the solution's."""

from __future__ import annotations

from dataclasses import dataclass

from layerlab.exercises.kit.file_task import edited

_COPY_ALL, _LIST, _SOURCE = "COPY . .\n", "COPY requirements.txt .\n", "COPY service.py .\n"
_UV = "RUN pip install --no-cache-dir uv==0.13.9\n"
_INSTALL = "RUN uv pip install --system --no-cache -r requirements.txt\n"
_MOUNT = "--mount=type=cache,target=/root/.cache/uv"
_LENT = "--mount=type=bind,source=requirements.txt,target=requirements.txt"
_KEEPING = "uv pip install --system -r requirements.txt\n"


@dataclass(frozen=True)
class Slip:
    """One wrong answer: its name, its text, and the check that must fail."""

    name: str
    text: str
    failing: str


def solution(task: str, starter: str) -> str:
    """Return the mend that the solution notebook makes."""
    if task == "q1-waits":
        return _ordered(starter, _UV + _LIST + _INSTALL + _SOURCE)
    return edited(starter, _INSTALL, f"RUN {_MOUNT} {_KEEPING}")


def slips(task: str, starter: str) -> tuple[Slip, ...]:
    """Return the wrong answers to a task."""
    return _waits(starter) if task == "q1-waits" else _fetches(starter)


def neighbours(task: str, starter: str) -> tuple[str, ...]:
    """Return other mends, as good as the solution's."""
    if task == "q1-waits":
        return (
            _ordered(starter, _LIST + _UV + _INSTALL + _SOURCE),
            _ordered(starter, _UV + _LIST + _INSTALL + _COPY_ALL),
            _ordered(starter, _LIST + _UV + _INSTALL + _COPY_ALL),
            _ordered(starter, _UV + _LIST.replace(" .\n", " ./\n") + _INSTALL + _SOURCE.replace(" .\n", " ./\n")),
        )
    return (
        edited(starter, _INSTALL, f"RUN {_MOUNT},sharing=locked UV_LINK_MODE=copy {_KEEPING}"),
        edited(
            edited(starter, _LIST, ""),
            _INSTALL,
            f"RUN {_MOUNT} {_LENT} \\\n    {_KEEPING}",
        ),
        edited(starter, _INSTALL, f"RUN {_MOUNT},id=ferries {_KEEPING}"),
        edited(starter, _INSTALL, f"RUN {_MOUNT} UV_LINK_MODE=copy {_KEEPING}"),
    )


def _waits(starter: str) -> tuple[Slip, ...]:
    return (
        Slip(
            "copies the list first, and all the rest as well", edited(starter, _COPY_ALL, _LIST + _COPY_ALL), "rebuild"
        ),
        Slip("names the files, in the same place", edited(starter, _COPY_ALL, _LIST + _SOURCE), "rebuild"),
        Slip("takes only uv out of it", _ordered(starter, _UV + _COPY_ALL + _INSTALL), "rebuild"),
        Slip("forgets the source", _ordered(starter, _UV + _LIST + _INSTALL), "serves"),
    )


def _fetches(starter: str) -> tuple[Slip, ...]:
    elsewhere = f"RUN {_MOUNT.replace('/uv', '/pip')} {_KEEPING}"
    return (
        Slip("a mount where another installer looks", edited(starter, _INSTALL, elsewhere), "second install"),
        Slip("a mount for uv, which may not use it", _told_not_to(starter), "second install"),
        Slip("a mount on the line above", edited(starter, _UV, _UV.replace("RUN", f"RUN {_MOUNT}")), "second install"),
        Slip("keeps the cache in the layer", edited(starter, _INSTALL, f"RUN {_KEEPING}"), "second install"),
        Slip(
            "a mount, below a copy of everything",
            edited(edited(starter, _LIST, _COPY_ALL), _INSTALL, f"RUN {_MOUNT} {_KEEPING}"),
            "rebuild",
        ),
    )


def _told_not_to(starter: str) -> str:
    return edited(starter, _INSTALL, _INSTALL.replace("RUN", f"RUN {_MOUNT}"))


def _ordered(starter: str, body: str) -> str:
    return edited(starter, _COPY_ALL + _UV + _INSTALL, body)
