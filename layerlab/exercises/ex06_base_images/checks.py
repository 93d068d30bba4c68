"""The checks of exercise 06: a base by what it answers about itself, and a service that moves to distroless."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.checks import Check, judge
from layerlab.dockerfile import Stage
from layerlab.exercises.ex06_base_images.services import BASES, QUESTIONS, Answers, Service
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

_BASE = re.compile(r"^\$(?:\{DISTROLESS\}|DISTROLESS)$")
_TYPED_MINOR = re.compile(r"python:(\d+\.\d+)")


def base_fits(bases: Answers, service: Service, base: str) -> Check:
    """Check that a base has all that a service needs, and that no smaller one has."""
    if lacking := bases.lacking(service, base):
        return judge(
            "base fits",
            False,
            found=f"{base}; asked whether {lacking[0].says}, it says no",
            wanted="a base that meets every need",
            not_yet=f"{service.folder} {service.says}.",
            look="Which line of its files asks for something, and who has it?",
        )
    right = bases.right(service)
    return judge(
        "base fits",
        base == right,
        found=f"{base}, {size(bases.size(base))}",
        wanted="the smallest base that meets every need",
        because=f"of the bases that meet every need of {service.folder}, {base} is the smallest on disk",
        not_yet="a smaller base has all that this service needs; the rest would be carried for nothing.",
        look="What does the service ask for that the smaller bases lack?",
    )


def evidence_decides(bases: Answers, service: Service, evidence: str) -> Check:
    """Check that the evidence is a need of the service that some base does not meet."""
    need = next((one for one in service.needs if one.says == evidence), None)
    out = [base for base in BASES if need and not bases.holds(need, base)]
    return judge(
        "evidence decides",
        bool(out),
        found=evidence,
        wanted="a need of the service that some base does not meet",
        because=f"asked whether {evidence}: no on {', '.join(out)}",
        not_yet="" if out else _why_not(bases, service, evidence),
        look=f"Which line of {service.folder}'s files would fail on the wrong base?",
    )


def _why_not(bases: Answers, service: Service, evidence: str) -> str:
    question = next((one for one in QUESTIONS if one.says == evidence), None)
    if question is None:
        return "it says nothing about what this service does; the next base of that kind may differ."
    if all(bases.holds(question, base) for base in BASES):
        return "every base says yes to that, so it tells none from another."
    return f"{service.folder} does not need it, whichever base says yes."


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the edited file, those first that need no engine."""
    yield file_checks.reads(trial)
    last = trial.dockerfile.stages[-1]
    for check in (_base(trial), _no_shell(last)):
        yield check
        if check.status != "PASS":
            return
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield file_checks.no_installer_added(trial)


def _base(trial: Trial) -> Check:
    """Check that the last stage stands on distroless, and that the builder has the Python that lies in it."""
    last, minor = trial.dockerfile.stages[-1], trial.bench.arguments({"PY_MINOR", "DISTROLESS"})["PY_MINOR"]
    if not _BASE.fullmatch(last.raw_base):
        return judge(
            "base",
            False,
            found=f"{last.raw_base} on line {last.line}",
            wanted="${DISTROLESS} in the last FROM",
            not_yet="whoever gets in still finds what the old base has.",
            look="Which FROM decides on what is shipped?",
        )
    typed = ((stage.line, _TYPED_MINOR.search(stage.raw_base)) for stage in trial.dockerfile.stages)
    line, other = next(((line, found[1]) for line, found in typed if found and found[1] != minor), (0, ""))
    return judge(
        "base",
        not other,
        found=f"Python {other} on line {line}",
        wanted="${PY_MINOR}, the Python that lies in the base",
        because=f"line {last.line} names it by its argument, and the builder has Python {minor} too",
        not_yet=f"compiled packages for {other} are not found by {minor}, which lies in the base.",
        look="Which Python will import what the builder installs?",
    )


def _no_shell(last: Stage) -> Check:
    shell = [one for one in last.instructions if one.form == "shell"]
    first = shell[0] if shell else None
    return judge(
        "shell-free",
        first is None,
        found=f"line {first.line}: {first.keyword} as a line for a shell" if first else "",
        wanted="a start command as a list in brackets, and no RUN",
        because="nothing in the last stage asks for a shell",
        not_yet="there is no shell in this base that could read that line.",
        look="Who would run that line, and does the base have it?",
    )
