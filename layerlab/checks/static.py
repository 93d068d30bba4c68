"""Checks on the text of a Dockerfile: what can be said before anything is built. Knows the model, no engine."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerlab.checks.verdict import Check, judge
from layerlab.dockerfile import Dockerfile, parse
from layerlab.dockerfile.shell import forgiven, runs
from layerlab.errors import DockerfileError

BLANK = "____"
# What makes files, so takes time: configuration that is looked up again costs nothing.
_WORK = ("RUN", "COPY", "ADD")
_NAMES_A_LINE = re.compile(r"\b[Ll]ine \d")


def reads(text: str) -> Check:
    """Check that the text can be read as a Dockerfile at all."""
    try:
        found = parse(text)
    except DockerfileError as error:
        return judge(
            "reads",
            False,
            found=_short(str(error)),
            wanted="a Dockerfile that can be read",
            not_yet="a builder stops at the first line that it cannot read.",
            look=(
                "What does that line begin with, and what should it?"
                if _NAMES_A_LINE.search(str(error))
                else "With which instruction does every Dockerfile begin?"
            ),
        )
    return judge(
        "reads",
        True,
        because=f"{_count(len(found.stages), 'stage')} in {_count(len(found.instructions), 'instruction')}",
    )


def no_blank_left(text: str) -> Check:
    """Check that every ``____`` outside comments is filled in; a text, because blanks may keep it from being read."""
    lines = [n for n, line in enumerate(text.splitlines(), 1) if BLANK in line and not line.lstrip().startswith("#")]
    return judge(
        "no blank left",
        not lines,
        found=f"{BLANK} on {_lines(lines)}" if lines else "",
        wanted="something in every blank",
        because="every blank is filled",
        not_yet="a builder takes a blank by its letters and looks for something of that name.",
        look="What does the line with the first blank have to bring in?",
    )


def stages(dockerfile: Dockerfile, *, at_least: int = 2) -> Check:
    """Check the number of stages."""
    count = len(dockerfile.stages)
    return judge(
        "stages",
        count >= at_least,
        found=_count(count, "stage"),
        wanted=f"at least {at_least}",
        because=f"{count} stages, and only the one from line {dockerfile.stages[-1].line} is shipped",
        not_yet="whatever makes the packages is shipped along with them.",
        look="Where would a second FROM have to stand, so that the tools stay above it?",
    )


def failures_count(dockerfile: Dockerfile) -> Check:
    """Check that no RUN swallows the failure of more than a lone clean-up."""
    hidden = [(run.line, part) for stage in dockerfile.stages for run in runs(stage) if (part := forgiven(run))]
    return judge(
        "failures count",
        not hidden,
        found="; ".join(f"line {line}: {_short(part, 50)}" for line, part in hidden),
        wanted="a build that stops at a failure",
        because="no line hides that a command failed",
        not_yet="the build is green whatever fails, and the service breaks at its start.",
        look="Which commands stand left of that sign, and which of them may fail?",
    )


def rebuild(
    dockerfile: Dockerfile, lines: Sequence[int | None], *, changed: str = "main.py", at_most: int = 2
) -> Check:
    """Check how many steps that make files run again after an edit.

    Parameters
    ----------
    lines
        Lines of the instructions that ran again: foretold by `layerlab.context.reruns`, or those of a
        build's steps that were not cached. Configuration among them costs nothing and is not counted.
    """
    work = [one for one in dockerfile.instructions if one.line in set(lines) and one.keyword in _WORK]
    told = [one.line for one in work]
    installs = next((one for one in work if one.keyword == "RUN"), None)
    return judge(
        "rebuild",
        len(work) <= at_most,
        found=f"{_count(len(work), 'step')}, {_lines(told)}" if work else "no step",
        wanted=f"at most {at_most}",
        because=f"after a change of {changed} {_count(len(work), 'step')} {'runs' if len(work) == 1 else 'run'} again",
        not_yet=(
            f"each change of {changed} runs line {installs.line} anew."
            if installs
            else f"each change of {changed} makes them all anew."
        ),
        look=f"Which is the first line that copies {changed}, and which lines need not wait for it?",
    )


def _lines(numbers: Sequence[int]) -> str:
    words = [str(number) for number in numbers[:6]] + (["…"] if len(numbers) > 6 else [])
    return f"{'line' if len(numbers) == 1 else 'lines'} {', '.join(words)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _short(text: str, letters: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"
