"""Exercise 09: what an edit runs again, and what a second installation fetches again; both are measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check
from layerlab.exercises.ex09_buildkit import checks
from layerlab.exercises.ex09_buildkit import mistakes as slips
from layerlab.exercises.ex09_buildkit.trial import Measured, OnceTrial
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial

APP = "exercise09/ferries"
WAITS, FETCHES = "q1-waits", "q2-fetches"
_SAYS: Mapping[str, str] = {
    WAITS: "Whoever edits service.py waits for the installation. Mend the recipe, so that an edit runs two steps at "
    "most.",
    FETCHES: "Whoever adds a package waits for all the others. Mend the recipe, so that the next installation fetches "
    "what is new, and nothing else. The image must carry no cache.",
}


def _given(task: str) -> FileTask:
    name = f"Dockerfile.{task.partition('-')[2]}"
    return FileTask(
        file=name,
        app=APP,
        starter=name,
        parts=frozenset({"editor", "diff", "attempts"}),
        paths=("/health", "/after/2026-03-01T08:00"),
        builder="buildkit",
        counts="rebuild" if task == WAITS else "second install",
    )


class Remembering(Exercise):
    """Order what rarely changes first; lend the installer a cache that outlives the build."""

    texts = Texts.beside(__file__)
    tasks = {task: (f"{task}-file",) for task in _SAYS}  # noqa: RUF012
    files = {f"{task}-file": _given(task) for task in _SAYS}  # noqa: RUF012

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield checks.rebuild(trial)
        if task == FETCHES:
            yield checks.second_install(trial)
            yield checks.no_cache_carried(trial)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._measured: Measured = {}

    def _trial(self, id: str, text: str) -> Trial:
        return OnceTrial(
            self.bench, self.files[id], text, tag=self._tag(id), measured=self._measured, remembered=self._remembered
        )

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people try when they know the word, and not yet what it does."""
        return tuple(
            Mistake(slip.name, task, {f"{task}-file": slip.text}, slip.failing)
            for task in self.tasks
            for slip in slips.slips(task, self.starter(f"{task}-file"))
        )

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Mends that are as good as the solution's."""
        return {id: slips.neighbours(task, self.starter(id)) for task, (id,) in self.tasks.items()}


EXERCISE = Remembering
