"""Faults that ship what builds and installs: bytes that nothing calls. What stays behind in a builder is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.dockerfile.shell import compilers
from layerlab.review import pricing
from layerlab.review.commands import install, package_name
from layerlab.review.finding import UNKNOWN, Finding, Price, quoted
from layerlab.review.subject import Step, Subject, taken_paths, within

_SITE = re.compile(r"/(?:site|dist)-packages(?:/\*)?$")
_BIN = re.compile(r"^/usr(?:/local)?/bin(?:/\*)?$")
_PURGES = re.compile(r"\bapk\s+(?:\S+\s+)*?del\b|\bapt(?:-get)?\s+(?:\S+\s+)*?(?:purge|remove|autoremove)\b")


def installer_shipped(subject: Subject) -> Iterator[Finding]:
    """Uv, a second pip or another installer in an image where nothing installs any more."""
    lines: list[int] = []
    told: list[str] = []
    total = 0
    for step in subject.of("RUN", "COPY", shipped=True):
        for what, price in _installers(subject, step):
            if what not in told:
                told.append(what)
                total += price.size_bytes or 0
            lines += [step.line] if step.line not in lines else []
    if lines:
        yield Finding(
            "installer-shipped", "bloats", tuple(lines),
            f"It ships {' and '.join(told)}.",
            "The service calls no installer: every node pulls it, and whoever breaks in finds it ready.",
            "Install into a virtual environment in a builder, and copy that one folder.",
            Price("estimated", total, pricing.packed_share()) if total else UNKNOWN,
        )  # fmt: skip


def compiler_shipped(subject: Subject) -> Iterator[Finding]:
    """Compilers and headers in a stage that ships."""
    for index in subject.shipped:
        stage = subject.dockerfile.stages[index]
        runs = {step.line: step for step in subject.steps if step.stage == index}
        for one in compilers(stage):
            if any(_PURGES.search(command.text) for command in runs[one.line].commands):
                continue
            key = "build-essential" if "build-essential" in one.packages else "compiler"
            is_debian = any(command.program.startswith("apt") for command in runs[one.line].commands)
            is_compiler = any(not name.endswith("-dev") for name in one.packages)
            yield Finding(
                "compiler-shipped", "bloats", (one.line,),
                f"It installs {quoted(', '.join(one.packages))} in the stage that is shipped.",
                "These tools run once, during the build, and every node pulls them.",
                "Install and compile in a builder, and copy what was made. What runs needs the library, not its -dev.",
                pricing.estimated(key) if is_debian and is_compiler else UNKNOWN,
            )  # fmt: skip


def full_base(subject: Subject) -> Iterator[Finding]:
    """The base with compilers and headers as the one that ships."""
    if subject.base.is_full_python:
        yield Finding(
            "full-base", "bloats", (subject.dockerfile.stages[subject.shipped[0]].line,),
            f"The image that is shipped stands on {quoted(subject.base.written)}, with compilers and headers.",
            "More than half of what every node pulls are tools for building.",
            "Ship on the same tag with -slim. If something must be compiled, do it in a builder on this base.",
            pricing.full_over_slim(),
        )  # fmt: skip


def whole_stage(subject: Subject) -> Iterator[Finding]:
    """A COPY that takes everything a builder has."""
    for step in subject.of("COPY", shipped=True):
        if isinstance(subject.source(step), int) and subject.base.written != "scratch":
            taken = [one for one in taken_paths(step) if one in ("/", "/usr", "/usr/local")]
            if taken and subject.base_of(int(subject.source(step) or 0)).written != "scratch":
                yield Finding(
                    "whole-stage", "bloats", (step.line,),
                    f"It copies all of {taken[0]} from the builder.",
                    "Every tool that was to stay behind comes along, and what the base has comes a second time.",
                    "Name the one folder that the service needs.",
                    UNKNOWN,
                )  # fmt: skip


def _installers(subject: Subject, step: Step) -> Iterator[tuple[str, Price]]:
    for command in step.commands:
        one = install(command)
        if one and one.is_python and one.tool != "uv" and not one.has("--target", "-t", "--prefix"):
            names = {package_name(each) for each in one.packages}
            for name in sorted(names & {"uv", "poetry", "pipenv", "pdm"}):
                yield name, pricing.estimated("uv") if name == "uv" else UNKNOWN
            if "pip" in names and one.has("--upgrade", "-U"):
                yield "pip a second time", pricing.estimated("pip")
        elif one and one.tool == "apk" and "uv" in one.packages:
            yield "uv", pricing.estimated("uv")
        if "astral.sh/uv" in command.text and command.program in ("curl", "wget"):
            yield "uv", pricing.estimated("uv")
    source = subject.source(step)
    if isinstance(source, str) and "astral-sh/uv" in source:
        yield "uv", pricing.estimated("uv")
    elif isinstance(source, int):
        for taken in taken_paths(step):
            yield from _carried(subject, source, taken)


def _carried(subject: Subject, source: int, taken: str) -> Iterator[tuple[str, Price]]:
    lies_in_bin = bool(_BIN.match(taken)) or within("/usr/local/bin", taken)
    by_name = re.match(r"^(?:/usr/local/bin|/bin|/root/\.local/bin)/(uvx?)$", taken)
    if by_name or (lies_in_bin and _has_uv(subject, source)):
        yield "uv", pricing.estimated("uv")
    if _SITE.search(taken) and taken.startswith("/usr") and subject.base_of(source).is_python:
        yield "pip a second time", pricing.estimated("pip")


def _has_uv(subject: Subject, stage: int) -> bool:
    """True where a stage, or one below it, puts uv beside the programs of its Python."""
    for step in (one for one in subject.steps if one.stage == stage):
        installs = (one for one in map(install, step.commands) if one and one.tool == "pip")
        if any(
            "uv" in map(package_name, one.packages) and not one.has("--target", "-t", "--prefix") for one in installs
        ):
            return True
        source = subject.source(step)
        if isinstance(source, str) and "astral-sh/uv" in source and within(step.target, "/usr/local/bin"):
            return True
    below = subject.resolved.stages[stage].stage.base_stage
    return below is not None and _has_uv(subject, below)


RULES = (installer_shipped, compiler_shipped, full_base, whole_stage)
