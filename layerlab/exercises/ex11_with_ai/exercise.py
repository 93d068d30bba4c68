"""What exercise 11 asks: three files and five faults in the order of their harm; then the worst file, mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex11_with_ai import faults
from layerlab.exercises.ex11_with_ai import mistakes as mends
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Order, Question

FILES, FAULTS, REPAIR = "q1-files", "q2-faults", "q3-repair"


class WithAI(Exercise):
    """Rank by what happens if it is merged; a number of findings says nothing of that."""

    texts = Texts.beside(__file__)
    tasks = {FILES: (FILES,), FAULTS: (FAULTS,), REPAIR: (f"{REPAIR}-file",)}  # noqa: RUF012
    files = {  # noqa: RUF012
        f"{REPAIR}-file": FileTask(
            file="Dockerfile.worst",
            app=faults.APP,
            starter="Dockerfile.b",
            parts=frozenset({"editor", "diff", "attempts"}),
            before="Dockerfile.a",
            paths=("/health", "/spaces/main-square"),
            counts="same answers",
        )
    }

    def _make(self, id: str) -> Question:
        if id == FILES:
            return Order(
                id, "The most harmful file first, if it is merged as it is.", faults.NAMES, answers=self.answers
            )
        asked = "The most harmful fault first. Which of two equals comes first does not matter."
        return Order(id, asked, tuple(one.text for one in faults.FAULTS), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        folder = self.bench.folder(faults.APP)
        if task == FILES:
            return (faults.files_by_harm(folder, values[FILES]),)
        return (faults.faults_by_harm(folder, values[FAULTS]),)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield file_checks.not_root(trial)
        yield faults.nothing_harmful(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people give who count, who weigh, and who mend what they see first."""
        ranked = (
            Mistake("by the number of findings", FILES, {FILES: faults.by_number(self.bench)}, "harm"),
            Mistake(
                "a key in the image is worse than no answer",
                FILES,
                {FILES: ["Dockerfile.c", "Dockerfile.b", "Dockerfile.a"]},
                "harm",
            ),
            Mistake("the faults in the order of the files", FAULTS, {FAULTS: faults.by_file()}, "harm"),
            Mistake("the faults by their price", FAULTS, {FAULTS: faults.by_price(self.bench)}, "harm"),
        )
        starter = self.starter(f"{REPAIR}-file")
        repairs = (
            Mistake(slip.name, REPAIR, {f"{REPAIR}-file": slip.text}, slip.failing) for slip in mends.slips(starter)
        )
        return (*ranked, *repairs)

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The mends that hold, and what differs from them by one edit."""
        return {f"{REPAIR}-file": mends.neighbours(self.starter(f"{REPAIR}-file"))}


EXERCISE = WithAI
