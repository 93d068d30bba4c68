"""A service of somebody's own, judged by the checks of the capstone. Asks no question and saves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from layerlab.checks import Check, Verdicts
from layerlab.errors import AnswerError, BuildCancelled, LayerLabError
from layerlab.exercises.ex10_practice import checks
from layerlab.exercises.kit.bench import Bench
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.judging import judged
from layerlab.exercises.kit.trial import Trial, given
from layerlab.widgets.waiting import waiting


def verdicts(
    bench: Bench, folder: Path | str, *, dockerfile: str, before: str, paths: Sequence[str], source: str
) -> Verdicts:
    """Judge it by bronze and silver, prediction and record apart: see `Practice.own`."""
    task = FileTask(
        file=dockerfile,
        app=str(_folder(folder, dockerfile, before, source)),
        starter=before,
        paths=tuple(paths),
        source=source,
        weighs_running=True,
        stopping=True,
    )
    try:
        with waiting(f"building {dockerfile}"):
            return judged(Trial(bench, task, given(bench, task.app, dockerfile)), _all_checks)
    except BuildCancelled:
        raise
    except LayerLabError as fault:
        # What the new file does wrong is a verdict. This is the old one, which verdicts are measured by.
        raise AnswerError(f"{before} gives no answers to compare with, so mend that one first. {fault}") from fault


def _folder(folder: Path | str, dockerfile: str, before: str, source: str) -> Path:
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
    return where


def _all_checks(trial: Trial) -> Iterator[Check]:
    yield from checks.bronze(trial)
    yield from checks.silver(trial)
