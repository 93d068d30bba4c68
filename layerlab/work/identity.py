"""Whose work it is: an id of the folder of a learner's files, and names for images that carry it. Shows nothing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from layerlab.errors import LayerLabError
from layerlab.work.answers import Answer, Answers

# No id of an exercise begins with a dot, so neither the page of progress nor an export looks into this folder.
_FOLDER, _FILE, _ID = ".layerlab", "work", "id"
_FORM = re.compile(r"[0-9a-f]{8}")


def work_id(work: Path) -> str:
    """Return the id of a folder of learners' files: 8 hex digits, drawn when it is first asked for.

    It is kept in a hidden file of that folder, so that the next session has the same one. Where it can't be kept
    there (no right to write, no room), it holds for this process.
    """
    kept = Answers(work / _FOLDER, _FILE)
    try:
        if (found := _valid(kept.all())) is None:
            # Looked at again under the lock: another kernel may have drawn one since.
            kept.change(lambda now: now if _valid(now) else {**now, _ID: _drawn()})
            found = _valid(kept.all())
    except LayerLabError:
        found = None
    return found or _of_this_process(work.absolute())


def own_tag(name: str, work: Path, *, namespace: str) -> str:
    """Return a name for an image of a learner's own, which no other learner on the same engine gives.

    ``ex02:q4-change-file`` becomes ``layerlab/ex02:q4-change-file-3f9a1c07``.
    """
    return f"{namespace}{name}-{work_id(work)}"


def _valid(kept: Mapping[str, Answer]) -> str | None:
    value = kept[_ID].value if _ID in kept else None
    return value if isinstance(value, str) and _FORM.fullmatch(value) else None


def _drawn() -> Answer:
    return Answer(secrets.token_hex(4), datetime.now(UTC).isoformat(timespec="seconds"))


@cache
def _of_this_process(work: Path) -> str:
    return secrets.token_hex(4)
