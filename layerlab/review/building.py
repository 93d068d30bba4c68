"""Faults after which a build fails, or gives an image that lacks what the file says. Each rule yields findings."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator

from layerlab.dockerfile.shell import forgiven, script
from layerlab.review.bases import read
from layerlab.review.commands import install
from layerlab.review.finding import Finding, quoted
from layerlab.review.python import carries_packages
from layerlab.review.subject import Step, Subject

_STAGE_WORDS = ("builder", "build", "build-stage", "base", "deps", "dependencies", "compile", "compiler", "install")
_SETS_E = re.compile(r"\bset\s+(?:-\w*e|-o\s+errexit)|#!\S+\s+-\w*e")
_ONLY_COMFORT = re.compile(r"PYTHON(?:UNBUFFERED|DONTWRITEBYTECODE|OPTIMIZE|HASHSEED)$")
_SETTING = re.compile(r"""(?:export\s+|["'\s]|^)([A-Za-z_]\w*)=""")


def hidden_failure(subject: Subject) -> Iterator[Finding]:
    """A RUN that ends well although an installation in it failed."""
    for step in subject.of("RUN"):
        part = forgiven(step.one) or _passed_over(step)
        if part:
            yield Finding(
                "hidden-failure", "breaks", (step.line,),
                f"A failure in this RUN is passed over: {quoted(part)}",
                "The build is green whatever fails, and the service breaks at its start, on somebody else's machine.",
                "Join commands with && alone; what may fail gets brackets of its own: a && (b || true).",
            )  # fmt: skip


def no_such_base(subject: Subject) -> Iterator[Finding]:
    """A base, or an image that is copied from, that cannot exist."""
    for line, reference in images(subject):
        if missing := read(reference).missing:
            yield Finding(
                "no-such-base", "breaks", (line,),
                f"{quoted(reference)} cannot be pulled: {missing}.",
                "The build stops at this line on every machine that has no image of that name by chance.",
                "Use a tag that its publisher lists, and look it up before you merge.",
            )  # fmt: skip


def unknown_stage(subject: Subject) -> Iterator[Finding]:
    """A COPY --from that names a stage which the file does not have above it."""
    names = [stage.name for stage in subject.dockerfile.stages if stage.name]
    for step in subject.of("COPY"):
        source = subject.source(step)
        if not isinstance(source, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", source):
            continue
        near = difflib.get_close_matches(source.lower(), names, n=1, cutoff=0.7)
        if source.lower() in names or near or source.lower() in _STAGE_WORDS:
            there = f"The stages above it are {', '.join(names)}." if names else "No stage above it has a name."
            yield Finding(
                "unknown-stage", "breaks", (step.line,),
                f"It copies from {quoted(source)}, and no stage above has that name.",
                f"A builder then looks for an image called {quoted(source)} in a registry. {quoted(there, 120)}",
                f"Write --from={near[0]}." if near else "Name the stage with AS, and copy from that name.",
            )  # fmt: skip


def environment_file(subject: Subject) -> Iterator[Finding]:
    """A variable that is set where no process of a container will see it."""
    for step in subject.of("RUN", shipped=True):
        for command in step.commands:
            into_file = "/etc/environment" in (
                *command.written_to,
                *(command.words if command.program == "tee" else ()),
            )
            in_shell = command.program == "export" and command is step.commands[-1]
            if not into_file and not in_shell:
                continue
            names = _SETTING.findall(script(step.one)) or ["a variable"]
            is_comfort = all(_ONLY_COMFORT.match(name) for name in names)
            yield Finding(
                "environment-file", "style" if is_comfort else "breaks", (step.line,),
                f"{quoted(', '.join(dict.fromkeys(names)))} is set "
                + ("in /etc/environment." if into_file else "for the shell of this one RUN."),
                "A login reads that file, and nobody logs in to a container: its process never sees the variable."
                if into_file
                else "The variable is gone when the RUN ends: no later line and no container sees it.",
                "Use ENV: it changes the configuration and adds no layer.",
            )  # fmt: skip
            break


def mismatched_stages(subject: Subject) -> Iterator[Finding]:
    """Packages that were installed for another libc, or another Python, than they are shipped with."""
    here = subject.base
    for step in subject.of("COPY", shipped=True):
        source = subject.source(step)
        if not isinstance(source, int) or not carries_packages(subject, step):
            continue
        there = subject.base_of(source)
        differs = _difference(there.libc, here.libc) or _difference(there.python, here.python)
        if differs:
            old, new = (".".join(map(str, one)) if isinstance(one, tuple) else one for one in differs)
            what = "Python" if differs[0] == there.python else "libc"
            yield Finding(
                "mismatched-stages", "breaks", (step.line, subject.dockerfile.stages[source].line),
                f"The packages were installed for {what} {old} and are shipped with {what} {new}.",
                "A Python looks for packages in a folder of its own version, and compiled packages fit one libc only: "
                "what is imported first is not found.",
                "Let both stages begin with the same base.",
            )  # fmt: skip


def missing_source(subject: Subject) -> Iterator[Finding]:
    """A file that a COPY asks for and the build context has not."""
    for one in subject.missing_sources:
        yield Finding(
            "missing-source", "breaks", (one.line,),
            quoted(one.message, 200),
            "The build stops at this line.",
            "Copy what is there, or create what is missing.",
        )  # fmt: skip


def images(subject: Subject) -> Iterator[tuple[int, str]]:
    """Yield the images that the needed stages stand on or take from, with their lines."""
    for stage in subject.resolved.stages:
        if stage.stage.index in subject.needed:
            if stage.stage.base_stage is None:
                yield stage.stage.line, stage.base
            yield from ((one.line, one.image) for one in stage.stage.depends_on if one.how != "FROM" and one.image)


def _passed_over(step: Step) -> str | None:
    """The part of a script whose failure the next command makes forgotten."""
    if _SETS_E.search(script(step.one)) or any("e" in word for word in (step.one.shell or ())[1:] if word[:1] == "-"):
        return None
    told = [one for one in step.commands if one.program not in ("fi", "done", "esac")]
    for command, _ in itertools.pairwise(told):
        if command.joint in (";", "\n") and install(command):
            return f"{command.text} {command.joint.strip() or '(next line)'} …"
    return None


def _difference(one: object, other: object) -> tuple[object, object] | None:
    return (one, other) if one and other and one != other else None


RULES = (hidden_failure, no_such_base, unknown_stage, environment_file, mismatched_stages, missing_source)
