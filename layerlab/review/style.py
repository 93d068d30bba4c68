"""Faults that work today and cost somebody time one day. Each rule yields findings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.review.bases import read
from layerlab.review.building import images
from layerlab.review.commands import install, option, server
from layerlab.review.finding import Finding, quoted
from layerlab.review.python import start_command
from layerlab.review.subject import Subject

_PINNED = re.compile(r"==|~=|>=|<|@|\.whl$|://")
_PORT_OF = {"uvicorn": "8000", "gunicorn": "8000", "hypercorn": "8000", "fastapi": "8000", "flask": "5000"}
_PORT_ENV = {"uvicorn": "UVICORN_PORT", "flask": "FLASK_RUN_PORT"}
# Stages that are built by --target, and meant to lead nowhere.
_OWN_PURPOSE = re.compile(
    r"(?:^|[-_])(?:dev|develop(?:ment)?|tests?|testing|debug|lint|docs?|ci|check|export)(?:$|[-_])"
)


def unpinned(subject: Subject) -> Iterator[Finding]:
    """A name under which something else may come tomorrow."""
    for line, reference in images(subject):
        if moves := read(reference).moves:
            yield Finding(
                "unpinned", "style", (line,),
                f"{quoted(reference)} may be {moves} next time.",
                "Two builds of one file then give two images, and nobody changed anything.",
                "Name a version in the tag, and for a fixed content its digest.",
            )  # fmt: skip
    for step in subject.of("RUN"):
        for one in filter(None, map(install, step.commands)):
            loose = [name for name in one.packages if one.tool in ("pip", "uv") and _is_loose(name)]
            if loose:
                yield Finding(
                    "unpinned", "style", (step.line,),
                    f"It installs {quoted(', '.join(loose), 48)} without a version.",
                    "Next year's build takes next year's version, and nobody changed anything.",
                    "Write name==version, or put it into requirements.txt.",
                )  # fmt: skip
                break


def named_user(subject: Subject) -> Iterator[Finding]:
    """A user that is given by name."""
    user = subject.config.user or ""
    name = user.partition(":")[0]
    if name and not name.isdecimal() and name != "root" and "{" not in name:
        line = [step.line for step in subject.of("USER", shipped=True)][-1:]
        if line:
            yield Finding(
                "named-user", "style", (line[0],),
                f"USER {quoted(user)} is a name.",
                "An orchestrator that refuses root cannot tell from a name that it is not root, and refuses the image.",
                "Use the user's number: USER 10001.",
            )  # fmt: skip


def shell_form(subject: Subject) -> Iterator[Finding]:
    """A start command behind a shell, which does not pass signals on."""
    steps = list(subject.of("ENTRYPOINT", shipped=True)) or list(subject.of("CMD", shipped=True))
    last = steps[-1].one if steps else None
    if last and last.form == "shell" and not re.match(r"\s*exec\s", last.arguments[0]) and subject.base.has_shell:
        yield Finding(
            "shell-form", "style", (last.line,),
            f"{last.keyword} is written without brackets, so a shell stands before the program.",
            "The signal to stop goes to the shell, which keeps it: after ten seconds the service is killed.",
            'Write the words in brackets: CMD ["program", "argument"]. If variables are needed, begin with exec.',
        )  # fmt: skip


def reload(subject: Subject) -> Iterator[Finding]:
    """A server that watches its files."""
    line, command = start_command(subject)
    name, arguments = server(command)
    if line is not None and ("--reload" in arguments or (name == "fastapi" and arguments[:1] == ("dev",))):
        yield Finding(
            "reload", "style", (line,),
            f"{name} starts in development mode and watches its files.",
            "In an image no file changes: a second process and its memory are spent on nothing.",
            "Leave --reload to your own machine.",
        )  # fmt: skip


def port_mismatch(subject: Subject) -> Iterator[Finding]:
    """An EXPOSE that names another port than the server's."""
    line, command = start_command(subject)
    name, arguments = server(command)
    exposed = {port.partition("/")[0] for port in subject.config.exposed}
    if line is None or name not in _PORT_OF or not exposed or any(not port.isdecimal() for port in exposed):
        return
    env = dict(subject.config.env)
    bound = option(arguments, "--bind", "-b")
    port = bound.rpartition(":")[2] if bound and ":" in bound else option(arguments, "--port", "-p")
    port = port or env.get(_PORT_ENV.get(name, ""), _PORT_OF[name])
    if port.isdecimal() and port not in exposed and "--uds" not in arguments and "-c" not in arguments:
        at = [step.line for step in subject.of("EXPOSE", shipped=True)]
        yield Finding(
            "port-mismatch", "style", (*at[-1:], line),
            f"EXPOSE names {', '.join(sorted(exposed))}, and {name} listens on {port}.",
            "EXPOSE is a note for people and tools: who believes this one asks a port where nobody listens.",
            f"Write EXPOSE {port}.",
        )  # fmt: skip


def update_alone(subject: Subject) -> Iterator[Finding]:
    """A package list that is fetched in one RUN and used in another."""
    steps = list(subject.of("RUN"))
    for step in steps:
        updates = any(one.program in ("apt-get", "apt", "apk") and "update" in one.words[1:3] for one in step.commands)
        own = [one for one in map(install, step.commands) if one and not one.is_python]
        upgrades = any("upgrade" in word for one in step.commands for word in one.words[1:3])
        later = [one for one in steps if one.stage == step.stage and one.number > step.number
                 and any(each and not each.is_python for each in map(install, one.commands))]  # fmt: skip
        if updates and not own and not upgrades and later:
            yield Finding(
                "update-alone", "style", (step.line, later[0].line),
                f"The package list is fetched in line {step.line} and used in line {later[0].line}.",
                "The first line comes from the cache for months, and the second asks for packages that are gone.",
                "Join the two with &&.",
            )  # fmt: skip


def unused_stage(subject: Subject) -> Iterator[Finding]:
    """A stage that nothing is taken from."""
    for stage in subject.resolved.dockerfile.stages:
        if stage.index not in subject.needed and not _OWN_PURPOSE.search(stage.name or ""):
            yield Finding(
                "unused-stage", "style", (stage.line,),
                f"Nothing is taken from the stage {quoted(stage.name or str(stage.index))}.",
                "BuildKit passes it over, the classic builder builds it for nothing, and readers look for its use.",
                "Remove it, or copy from it what it was meant to make.",
            )  # fmt: skip


def _is_loose(requirement: str) -> bool:
    is_name = re.match(r"[A-Za-z0-9]", requirement) is not None and "/" not in requirement and "$" not in requirement
    return is_name and not _PINNED.search(requirement) and requirement not in ("pip", "setuptools", "wheel")


RULES = (unpinned, named_user, shell_form, reload, port_mismatch, update_alone, unused_stage)
