"""Exercise 05: three Dockerfiles with one fault each, mended; then one that has all three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from layerlab.checks import Check
from layerlab.errors import ContextError, DockerfileError
from layerlab.exercises.ex05_layers import checks
from layerlab.exercises.ex05_layers import mistakes as slips
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial

APP = "exercise05/tides"
HEAVY, SLOW, GREEN, ALL = "q1-heavy", "q2-slow", "q3-green", "q4-all"
_SAYS: Mapping[str, str] = {
    HEAVY: "The service is right; what its image carries is not. Mend the recipe, so that it carries at most half as "
    "much besides what the service needs.",
    SLOW: "Whoever edits service.py waits for every line. Mend the recipe, so that an edit installs nothing and runs "
    "two steps at most.",
    GREEN: "The build says that all is well, and the container ends at once. Mend the recipe, so that the service "
    "serves, and so that such a build is red the next time.",
    ALL: "Heavy, slow, and green without a service. Mend all three.",
}

# Where it is not the image's size that a right answer changes, or not its own file's.
_COUNTS: Mapping[str, str] = {HEAVY: "", SLOW: "rebuild", GREEN: "failures count", ALL: "luggage"}


def _given(task: str) -> FileTask:
    name = task.partition("-")[2]
    return FileTask(
        file=f"Dockerfile.{name}",
        app=APP,
        starter=f"Dockerfile.{name}",
        parts=frozenset({"editor", "diff", "gauge", "attempts"}),
        # Of the four, this one serves; it is also what the size limits are measured on.
        before="Dockerfile.heavy",
        paths=("/health", "/tides/2026-03-01"),
        counts=_COUNTS[task],
    )


class Layers(Exercise):
    """Take it out before the layer closes, put first what rarely changes, let a failure be one."""

    texts = Texts.beside(__file__)
    tasks = {task: (f"{task}-file",) for task in _SAYS}  # noqa: RUF012
    files = {f"{task}-file": _given(task) for task in _SAYS}  # noqa: RUF012

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.reads(trial)
        foretold = list(_foretold(trial)) if task == SLOW else []
        yield from foretold
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        if task in (GREEN, ALL):
            yield checks.failures_count(trial)
        yield checks.luggage(trial)
        if not foretold:
            yield checks.rebuild(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people try when they have read the fault, and not yet what makes it one."""
        return tuple(
            Mistake(slip.name, task, {f"{task}-file": slip.text}, slip.failing)
            for task in self.tasks
            for slip in slips.slips(task, self.starter(f"{task}-file"))
        )

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """Mends that are as good as the solution's, and what differs from it by one edit."""
        return {id: slips.neighbours(task, self.starter(id)) for task, (id,) in self.tasks.items()}


def _foretold(trial: Trial) -> Iterator[Check]:
    # What the text names and the folder has not, the build tells, with its line.
    with suppress(ContextError, DockerfileError):
        yield checks.rebuild(trial)


EXERCISE = Layers
