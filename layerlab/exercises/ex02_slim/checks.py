"""How exercise 02 is judged: a base by what a service calls, evidence by what it tries, a file by one changed word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.exercises.ex02_slim.services import BASES, COMMANDS, TRIES, Probes, Service
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

_EITHER_BASE = re.compile(r"(docker\.io/(library/)?)?python:\d+\.\d+(-slim)?")
_TYPED_MINOR = re.compile(r"python:(\d+\.\d+)")


def base_fits(probes: Probes, service: Service, base: str) -> Check:
    """Judge a base: it must have what the service calls, and a smaller one must not."""
    lacking = {one: [need for need in service.needs if not probes.outcome(need).works_on(one)] for one in BASES}
    if lacking[base]:
        need = probes.outcome(lacking[base][0])
        return judge(
            "base fits",
            False,
            found=f"{base}: {need.command} ends with exit code {need.exit_codes[base]}",
            wanted="a base that has what the service calls",
            not_yet=f"{service.folder} {service.says}, and {base} cannot do that.",
            look="Which command from its files did you try on both bases?",
        )
    smaller = base == "full" and not lacking["slim"]
    saved = size(probes.saved_bytes)
    return judge(
        "base fits",
        not smaller,
        found=base,
        wanted="the smaller of the bases that have what it calls",
        because=f"{base} has everything that {service.folder} calls"
        + (f", and is {saved} smaller on disk" if base == "slim" else "; slim lacks part of it"),
        not_yet=f"it takes {saved} more on disk on every machine that runs {service.folder}, "
        "for things that it never calls.",
        look="What does the service call that slim lacks?",
    )


def evidence_decides(probes: Probes, service: Service, evidence: str) -> Check:
    """Judge evidence: only a command that tries what the service calls decides its base."""
    is_about_it = evidence in service.needs
    if is_about_it:
        seen = probes.outcome(evidence)
        shown = ", ".join(f"exit {seen.exit_codes[base]} on {base}" for base in BASES)
        return judge("evidence decides", True, found=evidence, because=f"{evidence}: {shown}")
    return judge(
        "evidence decides",
        False,
        found=evidence,
        wanted="a command that tries what the service calls",
        not_yet=_why_not(probes, service, evidence),
        look=f"Which line of {service.folder}'s files needs something from the base?",
    )


def _why_not(probes: Probes, service: Service, evidence: str) -> str:
    if evidence not in COMMANDS:
        return "it says nothing about what this service calls; the next image with that name may differ."
    seen = probes.outcome(evidence)
    if evidence in service.partly:
        passed = ", and both bases pass what it tries" if seen.works_everywhere else ""
        return f"{service.folder} uses more than it tries{passed}."
    tried, works = TRIES[evidence]
    told = f"a {tried} that {works}" if seen.works_everywhere else f"a missing {tried}"
    return f"{service.folder} never uses {tried}, so {told} says nothing about {service.folder}."


def checks(task: str, trial: Trial) -> Iterator[Check]:
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
