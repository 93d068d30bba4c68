"""A question whose answer is a file: what is given, and the texts that differ from it by one edit. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BLANK = "____"


@dataclass(frozen=True)
class FileTask:
    """A Dockerfile that a learner edits in the panel.

    Attributes
    ----------
    file
        Its name in the learner's folder, ``exercises/work/<exercise>/<file>``.
    app
        The build context: a folder below ``apps``, or the path of one of the exercise's own. It stays as it is: the
        file is sent along as text.
    starter
        Name of the file in ``app`` that the learner begins with.
    parts
        What the panel shows: "editor", "diff", "gauge", "attempts".
    before
        Name of the file in ``app`` that builds the service as it was, for what must stay the same; the
        starter where that builds.
    paths
        What the service is asked, in this order.
    builder
        "buildkit" where the engine's own builder will not do.
    source
        The file that whoever works on the service edits.
    weighs_running
        Take for needed what the running service uses, system libraries and bytecode of its packages included.
        By default it is what lies there: packages and the application.
    stopping
        The checks judge how the service ends on SIGTERM, so a probe sends it; it takes 10 s where it is ignored.
    counts
        Name of the check whose finding is the headline of a right answer; by default it is what the image takes,
        before and now.
    """

    file: str
    app: str | Path
    starter: str
    parts: frozenset[str] = frozenset({"editor"})
    before: str | None = None
    paths: tuple[str, ...] = ("/health", "/")
    builder: Literal["buildkit"] | None = None
    source: str = "main.py"
    weighs_running: bool = False
    stopping: bool = False
    counts: str = ""


def filled(text: str, *words: str) -> str:
    """Return a text with its blanks filled from top to bottom. Raises ValueError where the numbers differ."""
    blanks = text.count(BLANK)
    if blanks != len(words):
        raise ValueError(f"the text has {blanks} blanks and {len(words)} fillings were given")
    for word in words:
        text = text.replace(BLANK, word, 1)
    return text


def edited(text: str, old: str, new: str) -> str:
    """Return a text with one edit; ValueError unless ``old`` is there once, so that no wrong answer goes stale."""
    if text.count(old) != 1:
        raise ValueError(f"{old!r} is there {text.count(old)} times, and an edit needs one place")
    return text.replace(old, new)


def one_filling_changed(text: str, solution: Sequence[str], plausible: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield every text that fills one blank otherwise than the solution does.

    Parameters
    ----------
    solution
        The filling of each blank.
    plausible
        For each blank what people write there, the solution's own filling left out.
    """
    for place, words in enumerate(plausible):
        for word in words:
            yield filled(text, *solution[:place], word, *solution[place + 1 :])
