"""Checks on the text of a Dockerfile: what can be said before anything is built. Knows the model, no engine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from layerlab.checks.verdict import Check, judge
from layerlab.dockerfile import Dockerfile, Instruction, parse, resolve
from layerlab.dockerfile.shell import compilers, forgiven, line_of, only_removes, runs, shipped, venvs
from layerlab.errors import DockerfileError

BLANK = "____"
# What makes files, so takes time: configuration that is looked up again costs nothing.
_WORK = ("RUN", "COPY", "ADD")
_NAMES_A_LINE = re.compile(r"\b[Ll]ine \d")
_EMPTY: Mapping[str, str] = {}


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


def no_compiler_installed(dockerfile: Dockerfile) -> Check:
    """Check that no compiler or header is installed in a stage whose layers are shipped."""
    found = [one for stage in shipped(dockerfile) for one in compilers(stage)]
    return judge(
        "no compiler added",
        not found,
        found="; ".join(f"line {one.line} installs {', '.join(one.packages)}" for one in found),
        wanted="compilers in a builder only",
        because=f"nothing from line {shipped(dockerfile)[0].line} on installs a compiler",
        not_yet="every node would pull tools that run once, during the build.",
        look="Which of the stages is thrown away once the image is made?",
    )


def copies_a_part(dockerfile: Dockerfile) -> Check:
    """Check that no ``COPY --from`` takes a whole root folder, and that a stage is copied from at all."""
    copies = _copies_from(dockerfile)
    whole = [
        one.line
        for one in copies
        if any(posixpath.normpath("/" + source.lstrip("/")) == "/" for source in one.arguments[:-1])
    ]
    if not copies:
        return judge(
            "copies a part",
            False,
            found="no COPY --from",
            wanted="one that takes what the service needs",
            not_yet="nothing of what the builder made reaches the image.",
            look="Which folder of the builder holds the packages?",
        )
    return judge(
        "copies a part",
        not whole,
        found=f"{_lines(whole)}: the whole root folder" if whole else "",
        wanted="only what the service needs",
        because=f"what is taken is named on {_lines([one.line for one in copies])}",
        not_yet="a copied root brings everything that the builder was to leave behind.",
        look="In which one folder did the builder put what the service imports?",
    )


def same_path(dockerfile: Dockerfile, *, build_args: Mapping[str, str] = _EMPTY) -> Check:
    """Check that virtual environments are copied to the path they were made at.

    Notes
    -----
    The programs of an environment begin with the full path of its Python (docs.python.org, venv, "How venvs
    work"): elsewhere they name one that is not there.
    """
    made = venvs(dockerfile.stages)
    stage = resolve(dockerfile, build_args=build_args).stages[-1]
    moved = []
    for one in (each.expanded for each in stage.instructions):
        if one.keyword == "COPY" and one.flag("from") is not None and len(one.arguments) == 2:
            source, target = (posixpath.normpath(path) for path in one.arguments)
            moved += [(one.line, source, target)] if source in made and source != target else []
    return judge(
        "same path",
        not moved,
        found="; ".join(f"line {line} puts {source} at {target}" for line, source, target in moved),
        wanted="the path it was made at",
        because="environments stay at the path they were made at",
        not_yet="each program in it begins with the full path of its Python, and there is none.",
        look="What is written in the first line of the program that CMD starts?",
    )


def exec_form(dockerfile: Dockerfile) -> Check:
    """Check that the image starts its program directly, not through a shell."""
    commands = [
        one for stage in shipped(dockerfile) for one in stage.instructions if one.keyword in ("CMD", "ENTRYPOINT")
    ]
    # An ENTRYPOINT decides: with one, CMD only gives its arguments.
    deciding = [one for one in commands if one.keyword == "ENTRYPOINT"] or commands
    last = deciding[-1] if deciding else None
    return judge(
        "exec form",
        last is not None and last.form == "exec",
        found=f"line {last.line}: {_short(last.logical)}" if last else "no CMD",
        wanted="a list of words in brackets",
        because=f"line {last.line} starts the program itself" if last else "",
        not_yet="a shell in between may keep the signal to stop from the service.",
        look="Which process has number 1 in the container, and does it pass signals on?",
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


def cleaned_in_place(dockerfile: Dockerfile) -> Check:
    """Check that no layer of the shipped image only removes what an earlier one wrote."""
    late = [one.line for stage in shipped(dockerfile) for one in runs(stage) if only_removes(one)]
    return judge(
        "cleaned in place",
        not late,
        found=f"nothing but removing on {_lines(late)}" if late else "",
        wanted="cleaning in the instruction that made the mess",
        because="no shipped layer only removes",
        not_yet="a later layer can hide a file, and the image still carries it.",
        look="Which line wrote what this one takes away?",
    )


def numeric_user(dockerfile: Dockerfile, *, build_args: Mapping[str, str] = _EMPTY) -> Check:
    """Check that the image names its user by a number, other than root's."""
    user = resolve(dockerfile, build_args=build_args).stages[-1].config.user
    name = (user or "").partition(":")[0]
    at = line_of(dockerfile, "USER")
    return judge(
        "numeric user",
        name.isdecimal() and int(name) != 0,
        found=f"line {at}: USER {user}" if user else "no USER",
        wanted="a number other than 0",
        because=f"line {at} says USER {user}",
        not_yet="whoever runs the image cannot tell from a missing user or a name that it is not root.",
        look="Which number may a user have that owns nothing in this image?",
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


def _copies_from(dockerfile: Dockerfile) -> list[Instruction]:
    return [
        one
        for stage in shipped(dockerfile)
        for one in stage.instructions
        if one.keyword == "COPY" and one.flag("from") is not None
    ]


def _lines(numbers: Sequence[int]) -> str:
    words = [str(number) for number in numbers[:6]] + (["…"] if len(numbers) > 6 else [])
    return f"{'line' if len(numbers) == 1 else 'lines'} {', '.join(words)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _short(text: str, letters: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"
