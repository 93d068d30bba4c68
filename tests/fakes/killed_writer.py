"""Saves a learner's file in one child after another, each killed a line of ours later than the one before.

``python killed_writer.py FOLDER save|reset STARTER OLD NEW`` leaves one folder for each child, and prints how many
were killed before one came to its end. Holds no test.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from layerlab.work.text_file import WorkFile

_MOST = 2_000  # lines; a writer that needs more hangs
# Where the calls are made that change a folder; all that happens in between changes none.
_WATCHED = {"layerlab.work.answers", "layerlab.work.text_file", "shutil", "tempfile"}


def main(folder: Path, action: str, starter: str, old: str, new: str) -> None:
    """Kill children until one of them ends by itself."""
    for number in itertools.count(1):
        path = folder / f"{number:04}" / "Dockerfile"
        path.parent.mkdir(parents=True)
        file = WorkFile(path, starter)
        path.write_text(old)  # by another hand, so that only `over` may replace it
        child = os.fork()
        if not child:
            _die_after(number)
            file.save(new, over=True) if action == "save" else file.reset()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, "the writer failed"
            print(number - 1)
            return
        assert number < _MOST, "the writer comes to no end"


def _die_after(lines: int) -> None:
    left = itertools.count(lines - 1, -1)

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_globals.get("__name__") not in _WATCHED:
            return None
        if event == "line" and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
