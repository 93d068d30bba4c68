"""Where a Dockerfile puts Python packages and what starts them. Reads steps; judges nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from layerlab.dockerfile.shell import Command
from layerlab.review.commands import install, started
from layerlab.review.subject import Step, Subject, taken_paths, within

_PACKAGES = re.compile(r"(?:site|dist)-packages|/\.local(?:/|$)|/\.?venv(?:/|$)|/virtualenvs?(?:/|$)")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_command(subject: Subject) -> tuple[int | None, Command | None]:
    """Return the line that says how a container starts, and the program that it ends up in."""
    config = subject.config
    steps = [*subject.of("ENTRYPOINT", "CMD", shipped=True)]
    if not steps:
        return None, None
    words = (*(config.entrypoint or ()), *(config.cmd or ()))
    cmd = [step for step in steps if step.one.keyword == "CMD"]
    return (cmd or steps)[-1].line, started(words)


def environments(subject: Subject, stage: int) -> tuple[str, ...]:
    """Return the folders of the virtual environments that a stage, or one below it, makes and that cannot be moved."""
    found: list[str] = []
    for step in (one for one in subject.steps if one.stage == stage and one.one.keyword == "RUN"):
        for command in step.commands:
            if "--relocatable" not in command.words and "UV_VENV_RELOCATABLE" not in step.env:
                made = _made(command, step)
                found += [posixpath.normpath(posixpath.join("/", step.workdir, made))] if made else []
    below = subject.resolved.stages[stage].stage.base_stage
    return tuple(dict.fromkeys([*(environments(subject, below) if below is not None else ()), *found]))


def carries_packages(subject: Subject, step: Step) -> bool:
    """True for a COPY from another stage that brings installed packages."""
    source = subject.source(step)
    if not isinstance(source, int):
        return False
    places = (*environments(subject, source), *_targets(subject, source))
    return any(
        _PACKAGES.search(taken) or any(within(place, taken) or within(taken, place) for place in places)
        for taken in taken_paths(step)
    )


def on_path(subject: Subject, program: str, copies: Sequence[Step]) -> bool:
    """True where a folder of PATH is one that packages, or the whole bin folder, were copied to."""
    path = dict(subject.config.env).get("PATH", _PATH)
    if "{" in path:
        return True
    folders = [posixpath.normpath(one) for one in path.split(":") if one.startswith("/")]
    landed = [step.target for step in (*copies, *subject.of("COPY", "ADD", shipped=True))
              if subject.source(step) is not None or step.one.keyword == "ADD"]  # fmt: skip
    brought = [
        folder for folder in folders if any(within(folder, one) or one == f"{folder}/{program}" for one in landed)
    ]
    # A program that is copied by its name into a folder of PATH.
    named = [step for step in copies if any(taken.endswith(f"/{program}") for taken in taken_paths(step))]
    return bool(brought) or any(step.target in folders for step in named) or _copies_program(subject, program, folders)


def _copies_program(subject: Subject, program: str, folders: Sequence[str]) -> bool:
    return any(
        posixpath.basename(taken) in (program, "*") and (step.target in folders or step.target.endswith(f"/{program}"))
        for step in subject.of("COPY", shipped=True)
        for taken in taken_paths(step)
    )


def _made(command: Command, step: Step) -> str | None:
    words = list(command.words)
    if command.program == "uv" and words[1:2] == ["venv"]:
        return next((word for word in words[2:] if not word.startswith("-")), ".venv")
    if command.program == "uv" and words[1:2] == ["sync"]:
        return step.env.get("UV_PROJECT_ENVIRONMENT", ".venv")
    if command.program.startswith("python") and words[1:3] == ["-m", "venv"]:
        return next((word for word in words[3:] if not word.startswith("-")), None)
    if command.program == "virtualenv":
        return next((word for word in words[1:] if not word.startswith("-")), None)
    return None


def _targets(subject: Subject, stage: int) -> list[str]:
    found = []
    for step in (one for one in subject.steps if one.stage == stage):
        for one in filter(None, map(install, step.commands)):
            place = next(
                (one.options[key] for key in ("--target", "-t", "--prefix", "--root") if key in one.options), ""
            )
            if one.is_python and place:
                found.append(posixpath.normpath(posixpath.join("/", step.workdir, place)))
    return found
