"""Exercise 10: three unseen services, and an image for each that somebody would defend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerlab.checks import Check, Verdicts
from layerlab.exercises.ex10_practice import checks, mistakes, own, record, services
from layerlab.exercises.ex10_practice.services import BRONZE, PREDICTION, RECORD, SERVICE, SILVER, task_of
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.result import FILE
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import Choice, Question, TextFile
from layerlab.widgets.waiting import waiting
from layerlab.work.text_file import WorkFile


class Practice(Exercise):
    """An image for a service that nobody has explained, and the reasons for it."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        **{task: (f"{task}-file",) for task in BRONZE},
        SILVER: (SERVICE, PREDICTION),
        "q5-gold": (RECORD,),
    }
    files = {f"{task}-file": services.given(name) for task, name in BRONZE.items()}  # noqa: RUF012

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._given_files: dict[str, str] = {}

    def behaves(self, name: str) -> Verdicts:
        """Try what a service does today, on the image that it has today, before anything is changed."""
        id = f"{task_of(name)}-file"
        trial = self._trial(id, self.starter(id))
        with waiting(f"trying {name}"):
            told = checks.behaves(trial, trial.image_before)
        return Verdicts(tuple(told), title=name)

    def own(
        self,
        folder: Path | str,
        *,
        dockerfile: str = "Dockerfile",
        before: str = services.NAIVE,
        paths: Sequence[str] = ("/health",),
        source: str = "main.py",
    ) -> Verdicts:
        """Judge a service of your own by the same checks, prediction and record apart.

        Parameters
        ----------
        folder
            Its build context, with both Dockerfiles in it.
        before
            The Dockerfile that it has today: whose answers must stay the same.
        paths
            What it is asked on port 8000.
        source
            The file that you edit most.

        Raises
        ------
        AnswerError
            There is no such folder, it is a file, or one of the named files is not in it; or the service of today
            does not serve.
        """
        return own.verdicts(self.bench, folder, dockerfile=dockerfile, before=before, paths=paths, source=source)

    def verdicts(self, task: str, given: Mapping[str, Any] | None = None) -> Verdicts:
        """Judge as every exercise does; for silver, a Dockerfile may be given beside the two answers."""
        self._given_files = {id: text for id, text in (given or {}).items() if id in self.files}
        try:
            return super().verdicts(task, given)
        finally:
            self._given_files = {}

    def _make(self, id: str) -> Question:
        if id == SERVICE:
            asked = "Which of the three will you take to silver?"
            return Choice(id, asked, tuple(BRONZE.values()), answers=self.answers)
        if id == PREDICTION:
            asked = "Its image of today adds something to its base. Yours will add to its own base …"
            return Choice(id, asked, tuple(name for name, _ in checks.BANDS), answers=self.answers)
        file = WorkFile(self.answers.folder / record.FILE, record.template(self.bench))
        return TextFile(id, "Six lines, a sentence or two in each.", file, answers=self.answers)

    def _kept(self, id: str) -> Any:
        return self.question(id).answer if id == RECORD else super()._kept(id)

    def _place(self, id: str) -> str:
        return FILE.format(record.FILE) if id == RECORD else super()._place(id)

    def _rests_on(self, task: str) -> dict[str, Any]:
        found = super()._rests_on(task)
        if task == SILVER and (service := self.answers.get(SERVICE)) in BRONZE.values():
            id = f"{task_of(str(service))}-file"
            found[self._place(id)] = self._file(id).text
        return found

    def _told(self, id: str, value: Any) -> Any:
        return record.FILE if id == RECORD and value is not None else super()._told(id, value)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.checks(task, trial)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task != SILVER:
            return tuple(record.checks(values[RECORD]))
        service, said = values[SERVICE], values[PREDICTION]
        task = task_of(service)
        text = self._given_files.get(f"{task}-file") or self._file(f"{task}-file").text
        trial = self._trial(f"{task}-file", text)
        return tuple(checks.reached(service, trial, said, bronze=lambda: self.judged(task, text).verdicts))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people ship first, what they foresee wrongly, and records that say nothing."""
        return mistakes.mistakes(self.starters, record.template(self.bench))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Other good ways, and what people change on the way to one."""
        return mistakes.neighbours(self.starters)


EXERCISE = Practice
