"""How exercise 03 is judged: the line and the cause of a failed build, and two stages with their blanks filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlab.checks import Check, behaviour, judge
from layerlab.exercises.ex03_multistage.failing_build import COMMANDS, FailingBuild
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import cut

# The solution brings an eighth: a venv carries an installer of its own, which is what exercise 04 is about.
SHARE = 0.25


def names_the_cause(log: Sequence[str], line: str) -> Check:
    """Judge a line that was picked from what the failing step printed."""
    return judge(
        "names the cause",
        line == behaviour.telling_line(log),
        found=f"“{cut(line, 70)}”",
        wanted="the line that names what was not there",
        because="it names what the step looked for; the lines around it only say that it failed",
        not_yet="nobody who reads it alone would know what to bring.",
        look="Which line says that something was not there?",
    )


def is_missing(build: FailingBuild, picked: str) -> Check:
    """Judge a cause by a command that fails where the build stopped, if that cause is the one."""
    code = build.ends_with(COMMANDS[picked])
    return judge(
        "is missing",
        code != 0,
        found=f"{COMMANDS[picked]} ends with exit code {code}",
        wanted="a command that fails there",
        because="at the point where the build stopped, that command fails as well",
        not_yet="what you named is there, right before the step that fails.",
        look="Which word of the line from part 1 would you look for?",
    )


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of the two stages."""
    yield file_checks.no_blank_left(trial)
    yield file_checks.reads(trial)
    yield (staged := file_checks.stages(trial))
    if staged.status != "PASS":
        return
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield file_checks.no_compiler_added(trial)
    yield file_checks.little_came_along(trial, stage=trial.dockerfile.stages[0].name or "0", share=SHARE)
