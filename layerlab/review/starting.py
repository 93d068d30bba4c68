"""Faults after which a container does not start, or answers nobody. Each rule yields findings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from layerlab.review.commands import SERVERS, install, option, server
from layerlab.review.finding import Finding, quoted
from layerlab.review.python import carries_packages, environments, on_path, start_command
from layerlab.review.subject import Step, Subject, taken_paths, within

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOPBACK_BY_DEFAULT = {"uvicorn": "UVICORN_HOST", "flask": "FLASK_RUN_HOST"}


def command_not_found(subject: Subject) -> Iterator[Finding]:
    """A start command that no line brings to a folder of PATH."""
    line, command = start_command(subject)
    if line is None or command is None or subject.base.starts_python or not subject.base.is_known:
        return
    program = command.words[0] if command.words else ""
    if program not in SERVERS or any(_installs_packages(step) for step in subject.of("RUN", shipped=True)):
        return
    copies = [step for step in subject.of("COPY", shipped=True) if carries_packages(subject, step)]
    if copies and not on_path(subject, program, copies):
        yield Finding(
            "command-not-found", "breaks", (line, *(step.line for step in copies)),
            f"CMD starts {quoted(program)}, and no line puts that program into a folder of PATH.",
            "The packages are there, their commands are not: the container ends before it listens.",
            "Copy a whole virtual environment to the path it was made at, and put its bin folder first in PATH.",
        )  # fmt: skip


def moved_environment(subject: Subject) -> Iterator[Finding]:
    """A virtual environment that is copied to another path than it was made at."""
    _, command = start_command(subject)
    if command is None or re.match(r"python|-", command.program or "-"):
        return
    for step in subject.of("COPY", shipped=True):
        source = subject.source(step)
        if not isinstance(source, int):
            continue
        for made in environments(subject, source):
            for taken in (one for one in taken_paths(step) if within(made, one)):
                lands = posixpath.normpath(posixpath.join(step.target, posixpath.relpath(made, taken)))
                if lands != made:
                    yield Finding(
                        "moved-environment", "breaks", (step.line,),
                        f"The environment made at {quoted(made)} is put at {quoted(lands)}.",
                        "Each program in it begins with the full path of its Python, and there is none at that path.",
                        "Make it in the builder at the path where it will be used, and copy it to that path.",
                    )  # fmt: skip


def interpreter_entrypoint(subject: Subject) -> Iterator[Finding]:
    """A CMD that repeats, or ignores, the entry point of a distroless Python."""
    config = subject.config
    cmd = next((step for step in subject.of("CMD", shipped=True)), None)
    if not subject.base.starts_python or config.entrypoint or not config.cmd or cmd is None or cmd.one.form != "exec":
        return
    first = config.cmd[0].rpartition("/")[2]
    if first in SERVERS or re.fullmatch(r"python[\d.]*", first):
        yield Finding(
            "interpreter-entrypoint", "breaks", (cmd.line,),
            f"CMD begins with {quoted(first)}, but this base starts Python already.",
            f"Python gets {quoted(first)} as the name of a script and ends, because there is no such file.",
            'Give Python its arguments: CMD ["-m", "uvicorn", …].',
        )  # fmt: skip


def no_shell(subject: Subject) -> Iterator[Finding]:
    """A command for a shell on a base that has none."""
    for stage in sorted(subject.needed):
        if subject.base_of(stage).has_shell:
            continue
        for step in (one for one in subject.steps if one.stage == stage):
            # Whoever copies programs in may have copied a shell.
            if step.one.keyword == "COPY" and step.target in ("/", "/bin", "/bin/sh"):
                break
            if step.one.keyword in ("RUN", "CMD", "ENTRYPOINT") and step.one.form == "shell":
                yield Finding(
                    "no-shell", "breaks", (step.line,),
                    f"{step.one.keyword} is written for a shell, and this base has none.",
                    "The build, or the container, stops at once: /bin/sh is not there.",
                    "Run it in the builder, or write the words in brackets: CMD [\"program\", \"argument\"].",
                )  # fmt: skip


def loopback(subject: Subject) -> Iterator[Finding]:
    """A server that listens to its own container only."""
    line, command = start_command(subject)
    name, arguments = server(command)
    if line is None or not name:
        return
    env = dict(subject.config.env)
    address = option(arguments, "--host", "-h", "--bind", "-b")
    if address is None and name in _LOOPBACK_BY_DEFAULT and not {"--uds", "--fd"} & set(arguments):
        address = env.get(_LOOPBACK_BY_DEFAULT[name], "127.0.0.1 by default")
    if name == "fastapi" and address is None and arguments[:1] == ("dev",):
        address = "127.0.0.1 by default"
    host = (address or "").removeprefix("[").partition("]")[0] if (address or "").startswith("[") else (address or "")
    if any(host == one or host.startswith((f"{one}:", f"{one} ")) for one in _LOOPBACK):
        yield Finding(
            "loopback", "breaks", (line,),
            f"{name} listens on {quoted(host)}.",
            "A container has a loopback of its own: from outside nothing answers, though the log looks well.",
            "Listen on all addresses: --host 0.0.0.0.",
        )  # fmt: skip


def closed_home(subject: Subject) -> Iterator[Finding]:
    """Packages below /root for a service that does not run as root."""
    user = (subject.config.user or "").partition(":")[0]
    if user in ("", "0", "root") or "{" in user:
        return
    opened = any("/root" in command.words and command.program == "chmod"
                 for step in subject.of("RUN", shipped=True) for command in step.commands)  # fmt: skip
    lines = [step.line for step in subject.of("COPY", shipped=True)
             if within(step.target, "/root") and carries_packages(subject, step)]  # fmt: skip
    for step in subject.of("RUN", shipped=True):
        found = next((one for one in map(install, step.commands) if one and one.has("--user")), None)
        if found and (step.user or "root").partition(":")[0] in ("0", "root"):
            lines.append(step.line)
    if lines and not opened:
        at = next((step.line for step in reversed(list(subject.of("USER", shipped=True)))), lines[-1])
        yield Finding(
            "closed-home", "breaks", (*lines, at),
            f"The packages lie below /root, and the service runs as {quoted(user)}.",
            "/root is closed to everybody else: the start command is not found, or permission is denied.",
            "Install into a virtual environment outside /root, such as /opt/venv.",
        )  # fmt: skip


def _installs_packages(step: Step) -> bool:
    found = (install(command) for command in step.commands)
    return any(one is not None and one.is_python and not one.only_installers for one in found)


RULES = (command_not_found, moved_environment, interpreter_entrypoint, no_shell, loopback, closed_home)
