"""Exercise 06: for five services the smallest base that has what each needs, with evidence; one moves to distroless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check, judge
from layerlab.exercises.ex06_base_images import checks as port
from layerlab.exercises.ex06_base_images.services import (
    BASES,
    BY_NAME,
    BY_SIZE,
    EVIDENCE,
    GIT,
    GLIBC,
    MODULES,
    NO_SETUID,
    NO_SHELL,
    QUESTIONS,
    SERVICES,
    SHELL,
    Answers,
    Service,
)
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size
from layerlab.widgets.questions import Choice, Question


class BaseImages(Exercise):
    """A base is right because of what a service needs, and one question that tells it from a smaller base says so."""

    texts = Texts.beside(__file__)
    tasks = {**{task: (f"{task}-base", f"{task}-evidence") for task in SERVICES}, port.TASK: (port.FILE,)}  # noqa: RUF012
    files = {port.FILE: port.PORT}  # noqa: RUF012

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.bases = Answers(self.bench)

    def table(self) -> str:
        """Ask every base every question, and return the answers as a table: what there is to choose by."""
        width = max(len(one.says) for one in QUESTIONS) + 2
        rows = [f"{'':<{width}}" + "".join(f"{base:>12}" for base in BASES)]
        for one in QUESTIONS:
            told = ("yes" if self.bases.holds(one, base) else "no" for base in BASES)
            rows.append(f"{one.says:<{width}}" + "".join(f"{word:>12}" for word in told))
        rows.append(f"{'size on disk':<{width}}" + "".join(f"{size(self.bases.size(base)):>12}" for base in BASES))
        return "\n".join(rows)

    def _make(self, id: str) -> Question:
        service = SERVICES[id.rpartition("-")[0]]
        if id.endswith("-base"):
            asked = f"You have read the files of {service.folder}. On which base should it stand?"
            return Choice(id, asked, BASES, answers=self.answers)
        return Choice(id, "Which evidence decides it?", EVIDENCE, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        base, evidence = (values[id] for id in self.tasks[task])
        return self._base_check(SERVICES[task], base), self._evidence_check(SERVICES[task], evidence)

    def _base_check(self, service: Service, base: str) -> Check:
        if lacking := self.bases.lacking(service, base):
            return judge(
                "base fits",
                False,
                found=f"{base}; asked whether {lacking[0].says}, it says no",
                wanted="a base that meets every need",
                not_yet=f"{service.folder} {service.says}.",
                look="Which line of its files asks for something, and who has it?",
            )
        right = self.bases.right(service)
        return judge(
            "base fits",
            base == right,
            found=f"{base}, {size(self.bases.size(base))}",
            wanted="the smallest base that meets every need",
            because=f"of the bases that meet every need of {service.folder}, {base} is the smallest on disk",
            not_yet="a smaller base has all that this service needs; the rest would be carried for nothing.",
            look="What does the service ask for that the smaller bases lack?",
        )

    def _evidence_check(self, service: Service, evidence: str) -> Check:
        decides = {one.says: one for one in service.needs if self._rules_out_a_smaller(service, one.says)}
        if one := decides.get(evidence):
            out = [base for base in BASES if not self.bases.holds(one, base)]
            because = f"asked whether {evidence}: no on {', '.join(out)}"
            return judge("evidence decides", True, found=evidence, because=because)
        return judge(
            "evidence decides",
            False,
            found=evidence,
            wanted="a need of the service that some base does not meet",
            not_yet=self._why_not(service, evidence),
            look=f"Which line of {service.folder}'s files would fail on the wrong base?",
        )

    def _rules_out_a_smaller(self, service: Service, says: str) -> bool:
        question = next(one for one in service.needs if one.says == says)
        return any(not self.bases.holds(question, base) for base in BASES)

    def _why_not(self, service: Service, evidence: str) -> str:
        asked = {one.says for one in QUESTIONS}
        if evidence not in asked:
            return "it says nothing about what this service does; the next base of that kind may differ."
        question = next(one for one in QUESTIONS if one.says == evidence)
        if all(self.bases.holds(question, base) for base in BASES):
            return "every base says yes to that, so it tells none from another."
        return f"{service.folder} does not need it, whichever base says yes."

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return port.checks(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong decisions, and the slips in the file."""
        return (*_WRONG_DECISIONS, *port.slips(self.starter(port.FILE)))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """What else people change in the file."""
        return {port.FILE: port.neighbours(self.starter(port.FILE))}


def _wrong(name: str, task: str, base: str, evidence: str, failing: str) -> Mistake:
    return Mistake(name, task, {f"{task}-base": base, f"{task}-evidence": evidence}, failing)


_WRONG_DECISIONS = (
    _wrong("slim is always enough", "q1-changelog", "slim", GIT.says, "base fits"),
    _wrong("right base, because of its name", "q1-changelog", "full", BY_NAME, "evidence decides"),
    _wrong("the smallest everywhere", "q2-survey", "musl", SHELL.says, "base fits"),
    _wrong("distroless although a script starts it", "q2-survey", "distroless", GLIBC.says, "base fits"),
    _wrong("the usual base", "q3-meter", "slim", SHELL.says, "base fits"),
    _wrong("distroless for its size", "q3-meter", "distroless", BY_SIZE, "base fits"),
    _wrong("right base, a row that is true everywhere", "q3-meter", "musl", MODULES.says, "evidence decides"),
    _wrong("musl although there is no wheel", "q4-ranking", "musl", GLIBC.says, "base fits"),
    _wrong("slim, though no shell is called", "q4-ranking", "slim", GLIBC.says, "base fits"),
    _wrong("right base, somebody else's need", "q4-ranking", "distroless", NO_SHELL.says, "evidence decides"),
    _wrong("no setuid program, yet a shell", "q5-receipts", "musl", NO_SETUID.says, "base fits"),
    _wrong("right base, because it is small", "q5-receipts", "distroless", BY_SIZE, "evidence decides"),
)


EXERCISE = BaseImages
