"""Part 4 of exercise 02: a Dockerfile in which one word changes, and what else people change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.file_task import FileTask, edited
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

TASK = "q4-change"
FILE = "q4-change-file"
CHANGE = FileTask(
    file="Dockerfile",
    app="exercise02/notes",
    starter="Dockerfile",
    paths=("/notes",),
)
_FROM = "FROM python:${PY_MINOR}\n"
_ON_SLIM = "FROM python:${PY_MINOR}-slim\n"
_EITHER_BASE = re.compile(r"(docker\.io/(library/)?)?python:\d+\.\d+(-slim)?")
_TYPED_MINOR = re.compile(r"python:(\d+\.\d+)")
_INSTALL_GIT = "RUN apt-get update && apt-get install -y --no-install-recommends git"

LADDERS = {
    "base named": (
        "Compare the FROM line with the tags of the two bases, letter by letter. Which letter differs?",
        "A parcel goes to the address as it is written, not as it was meant. What is the address of slim?",
        "Another file: `FROM node:22-slm` finds no image, `FROM node:22-slim` does. What comes after the dash "
        "in yours?",
    ),
    "smaller": (
        "Look at the FROM line: it alone decides on the base. What does it say now?",
        "Who moves to a smaller flat has to give up the large one. Which word still pays for the large one?",
        "Another file: `FROM node:22` became `FROM node:22-slim`, one word, and the rest stayed as it was. "
        "Which word is it in yours?",
    ),
    "nothing more added": (
        "Compare your file with the one in part 1, line by line. Which instruction is new?",
        "“Perhaps I need it one day” is how a small flat fills up. Who asks for the new thing today?",
        "Another file gained `RUN apt-get install -y curl`, and no line of its code calls curl. "
        "What in your service calls what you added?",
    ),
}


def checks(trial: Trial) -> Iterator[Check]:
    """Yield the checks of the edited file."""
    yield file_checks.reads(trial)
    yield (named := _base_named(trial))
    if named.status != "PASS":
        return
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield _smaller(trial)
    yield _nothing_more_added(trial)


def _smaller(trial: Trial) -> Check:
    now, before = trial.image.size_bytes, trial.image_before.size_bytes
    return judge(
        "smaller",
        now < before / 2,
        found=size(now),
        wanted=f"less than half of {size(before)}",
        because=f"{size(before)} became {size(now)} by the base alone",
        not_yet="each machine that runs notes still pulls what notes never calls.",
        look="Which base did you choose in part 1, and which does FROM name?",
    )


def _nothing_more_added(trial: Trial) -> Check:
    now = trial.image.added_bytes(trial.base)
    before = trial.image_before.added_bytes(trial.bench.base("full"))
    return judge(
        "nothing more added",
        now <= 2 * before,
        found=f"{size(now)} above the base",
        wanted=f"about the {size(before)} of before",
        because=f"above its base it adds {size(now)}, as before: its own file",
        not_yet="the image carries something that notes never calls.",
        look="Which line was not there before, and which import needs it?",
    )


def _base_named(trial: Trial) -> Check:
    stage = trial.dockerfile.stages[-1]
    if (typed := _TYPED_MINOR.search(stage.raw_base)) and typed[1] != trial.bench.py_minor:
        return judge(
            "base named",
            False,
            found=f"{stage.raw_base} on line {stage.line}",
            wanted="${PY_MINOR} where it stood",
            not_yet=f"the bases here carry Python {trial.bench.py_minor}, and by that word one file fits them all.",
            look="Which part of the name was to change?",
        )
    return judge(
        "base named",
        _EITHER_BASE.fullmatch(stage.base) is not None,
        found=f"{stage.raw_base} on line {stage.line}",
        wanted="the name of the full or the slim base",
        because=f"line {stage.line} names a base of this exercise",
        not_yet="it is neither of the two that you weighed in part 1; a misspelt name is no image at all.",
        look="How is the tag of the base written in notebook 02?",
    )


def slips(starter: str) -> tuple[Mistake, ...]:
    """Return Dockerfiles that differ from the solution by one slip, and from the starter by one."""
    right = edited(starter, _FROM, _ON_SLIM)
    texts = (
        ("misspells the base", edited(right, "-slim\n", "-slimm\n"), "base named"),
        ("names a file that is not there", edited(right, "COPY notes.py", "COPY note.py"), "builds"),
        ("starts a file that is not there", edited(right, '"notes.py"]', '"note.py"]'), "serves"),
        ("changes another line only", edited(starter, "EXPOSE 8000\n", ""), "smaller"),
        ("adds git that nobody calls", edited(right, "WORKDIR", f"{_INSTALL_GIT}\nWORKDIR"), "nothing more added"),
    )
    return tuple(Mistake(name, TASK, {FILE: text}, fails) for name, text, fails in texts)


def neighbours(starter: str) -> tuple[str, ...]:
    """Return the solution, and what else people change on the way."""
    right = edited(starter, _FROM, _ON_SLIM)
    edits = (
        ("WORKDIR /srv", "WORKDIR /app"),
        ("EXPOSE 8000\n", ""),
        ("EXPOSE 8000", "EXPOSE 80"),
        ('"python"', '"python3"'),
        ('["python", "notes.py"]', "python notes.py"),
        ("COPY notes.py ./", "COPY . ."),
        ("WORKDIR /srv\n", ""),
    )
    return (right, *(edited(right, old, new) for old, new in edits))
