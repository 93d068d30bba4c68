"""Exercise 10: three unseen services, and an image for each that somebody would defend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerlab.checks import Check, Verdicts, judge, skipped
from layerlab.errors import AnswerError, BuildCancelled, LayerLabError
from layerlab.exercises.ex10_practice import checks, record, services
from layerlab.exercises.ex10_practice import mistakes as files
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.judging import judged
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.result import FILE
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial, given
from layerlab.widgets.questions import Choice, Question, TextFile
from layerlab.widgets.waiting import waiting
from layerlab.work.text_file import WorkFile

BRONZE: Mapping[str, str] = {
    "q1-almanac": services.ALMANAC,
    "q2-labels": services.LABELS,
    "q3-kinds": services.KINDS,
}
SILVER, GOLD = "q4-silver", "q5-gold"
SERVICE, PREDICTION, RECORD = "q4-service", "q4-prediction", "q5-record"
FOLDER = "exercise10"


class Practice(Exercise):
    """An image for a service that nobody has explained, and the reasons for it."""

    texts = Texts.beside(__file__)
    tasks = {  # noqa: RUF012
        **{task: (f"{task}-file",) for task in BRONZE},
        SILVER: (SERVICE, PREDICTION),
        GOLD: (RECORD,),
    }
    files = {f"{task}-file": services.task(name) for task, name in BRONZE.items()}  # noqa: RUF012

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._given_files: dict[str, str] = {}

    def behaves(self, name: str) -> Verdicts:
        """Try what a service does today, on the image that it has today, before anything is changed."""
        trial = self._trial(f"{_task_of(name)}-file", self.starter(f"{_task_of(name)}-file"))
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
        where = Path(folder).expanduser().resolve()
        if not where.is_dir():
            what = "is a file" if where.exists() else "is not there"
            raise AnswerError(f"{where} {what}. Name the folder of your service: what `docker build` is given last.")
        inside = {one: (where / one).resolve() for one in (dockerfile, before, source)}
        if missing := next((one for one, at in inside.items() if not (at.is_file() and where in at.parents)), None):
            raise AnswerError(
                f"There is no {missing} in {where.name}. Name the folder of your service, its Dockerfile of today as "
                "before=, its Dockerfile of tomorrow as dockerfile=, and the file that you edit as source=."
            )
        task = FileTask(
            file=dockerfile,
            app=str(where),
            starter=before,
            paths=tuple(paths),
            source=source,
            weighs_running=True,
            stopping=True,
        )
        try:
            with waiting(f"building {dockerfile}"):
                return judged(Trial(self.bench, task, given(self.bench, task.app, dockerfile)), _all_checks)
        except BuildCancelled:
            raise
        except LayerLabError as fault:
            # What the new file does wrong is a verdict. This is the old one, which verdicts are measured by.
            raise AnswerError(f"{before} gives no answers to compare with, so mend that one first. {fault}") from fault

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
        template = (self.bench.folder(FOLDER) / record.FILE).read_text(encoding="utf-8")
        file = WorkFile(self.answers.folder / record.FILE, template)
        return TextFile(id, "Six lines, a sentence or two in each.", file, answers=self.answers)

    def _kept(self, id: str) -> Any:
        return self.question(id).answer if id == RECORD else super()._kept(id)

    def _place(self, id: str) -> str:
        return FILE.format(record.FILE) if id == RECORD else super()._place(id)

    def _rests_on(self, task: str) -> dict[str, Any]:
        found = super()._rests_on(task)
        if task == SILVER and (service := self.answers.get(SERVICE)) in BRONZE.values():
            id = f"{_task_of(str(service))}-file"
            found[self._place(id)] = self._file(id).text
        return found

    def _told(self, id: str, value: Any) -> Any:
        return record.FILE if id == RECORD and value is not None else super()._told(id, value)

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return checks.bronze(trial)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        if task == GOLD:
            return tuple(record.checks(values[RECORD]))
        return self._silver(values[SERVICE], values[PREDICTION])

    def _silver(self, service: str, said: str) -> Sequence[Check]:
        id = f"{_task_of(service)}-file"
        trial = self._trial(id, text := self._given_files.get(id) or self._file(id).text)
        reached = _bronze_reached(service, self.judged(_task_of(service), text).verdicts)
        if reached.status != "PASS":
            return (reached,)
        return (reached, *checks.silver(trial), checks.prediction(trial, said))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people ship first, what they foresee wrongly, and records that say nothing."""
        slips = (
            Mistake(slip.name, task, {f"{task}-file": slip.text}, slip.failing)
            for task, name in BRONZE.items()
            for slip in files.slips(name, self.starter(f"{task}-file"))
        )
        return (*slips, *self._slips_of_silver(), *self._slips_of_gold())

    def _slips_of_silver(self) -> Iterator[Mistake]:
        starter = self.starter("q3-kinds-file")
        right, least, most = files.reference(services.KINDS, starter), checks.BANDS[0][0], checks.BANDS[2][0]
        early = right.replace("COPY requirements.txt .", "COPY . .", 1)
        texts = (
            ("is not at bronze yet", starter, most, "bronze"),
            ("installs the library in the last stage", files.installed(starter), most, "luggage"),
            ("copies the source before the packages", early, most, "rebuild"),
            ("takes the compiler for most of it", right, least, "prediction"),
        )
        for name, text, said, failing in texts:
            yield Mistake(name, SILVER, {SERVICE: services.KINDS, PREDICTION: said, "q3-kinds-file": text}, failing)

    def _slips_of_gold(self) -> Iterator[Mistake]:
        template = (self.bench.folder(FOLDER) / record.FILE).read_text(encoding="utf-8")
        told = tuple(f"some words about {label.lower()}" for label in record.LABELS)
        full = record.filled(template, told)
        yield Mistake("leaves a line out", GOLD, {RECORD: full.replace("- What I gave up", "- Cost")}, "six lines")
        yield Mistake("one word a line", GOLD, {RECORD: record.filled(template, ("pip",) * 6)}, "filled")
        yield Mistake("a saving without a figure", GOLD, {RECORD: full}, "measured")

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Other good ways, and what people change on the way to one."""
        return {f"{task}-file": files.neighbours(name, self.starter(f"{task}-file")) for task, name in BRONZE.items()}


def _task_of(service: str) -> str:
    found = next((task for task, name in BRONZE.items() if name == service), None)
    if found is None:
        raise KeyError(f"There is no service {service!r}. There are: {', '.join(BRONZE.values())}.")
    return found


def _bronze_reached(service: str, told: Verdicts) -> Check:
    shown = told.shown
    if shown and shown.status == "SKIP":
        return skipped("bronze", shown.why)
    return judge(
        "bronze",
        told.all_pass,
        found=f"{service}: {shown.status} {shown.name}" if shown else "",
        wanted="every check of bronze",
        because=f"{service} passes all {len(told.checks)} checks of bronze",
        not_yet="silver stands on it.",
        look=f"What does the panel of {service} ask you?",
    )


def _all_checks(trial: Trial) -> Iterator[Check]:
    yield from checks.bronze(trial)
    yield from checks.silver(trial)


EXERCISE = Practice
