"""The decision record of the capstone: six lines in a file. Whether they argue well, a person judges.

What is checked is that there is something to judge: every line filled, and the saving a measured one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.exercises.kit.bench import Bench

FILE = "decision-record.md"
LABELS = (
    "What I removed",
    "What it saved (measured)",
    "What I gave up",
    "What I refused to remove, and why",
    "When I would choose otherwise",
    "What I would check in CI",
)
_WORDS = 4  # "pip and the compiler" is an answer, "pip" is none yet
_FIGURE = re.compile(r"\d[\d.,]*\s*(?:B|[kKMG]B|bytes|%|s|seconds)(?!\w)")
_LINE = re.compile(r"^[\s*_-]*(?P<label>[^:]+?)[\s*_]*:[\s*_]*(?P<said>.*)$")


def template(bench: Bench) -> str:
    """Return the record as it is given: six labels, and nothing said."""
    return (bench.folder("exercise10") / FILE).read_text(encoding="utf-8")


def filled(text: str, said: tuple[str, ...]) -> str:
    """Return the record with its six lines filled, in their order."""
    for label, words in zip(LABELS, said, strict=True):
        text = text.replace(f"- {label}:", f"- {label}: {words}")
    return text


def lines(text: str) -> dict[str, str]:
    """Return what each line of the record says, by its label; of a label that is there twice, the first."""
    found: dict[str, str] = {}
    for match in filter(None, map(_LINE.match, text.splitlines())):
        found.setdefault(match["label"], match["said"].strip())
    return {label: found[label] for label in LABELS if label in found}


def checks(text: str) -> Iterator[Check]:
    """Yield the checks of a record."""
    said = lines(text)
    missing = [label for label in LABELS if label not in said]
    yield judge(
        "six lines",
        not missing,
        found=f"no line “{missing[0]}”" if missing else "",
        wanted="the six lines of the record",
        because="all six lines are there",
        not_yet="whoever grades it looks for that line.",
        look="Which line went, and what did it ask?",
    )
    short = [label for label, words in said.items() if len(words.split()) < _WORDS]
    yield judge(
        "filled",
        bool(said) and not short,
        found=f"“{short[0]}” says {said[short[0]] or 'nothing'!r}" if short else "" if said else "nothing",
        wanted="a sentence in every line",
        because="each line says something that a person can judge",
        not_yet="a decision that nobody can read is a habit.",
        look="What would a colleague ask you first about that line?",
    )
    saved = said.get(LABELS[1], "")
    yield judge(
        "measured",
        bool(_FIGURE.search(saved)),
        found=f"“{saved}”" if saved else "no figure",
        wanted="a figure with its unit",
        because="it names what was measured; a person and the rubric take it from here",
        not_yet="a saving without a figure may be none.",
        look="What does the gauge show before your change, and what after it?",
    )
