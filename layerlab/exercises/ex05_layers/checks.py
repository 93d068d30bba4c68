"""The checks of exercise 05: what an image carries besides its need, what an edit runs again, what a failure stops.

Every limit is measured on the file that the service was given with; nothing here is a number of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from layerlab.checks import Check, decided, judge, static
from layerlab.context import BuildContext, reruns
from layerlab.dockerfile import Dockerfile, Instruction
from layerlab.dockerfile.shell import runs, script
from layerlab.errors import BuildFailed, ContextError, DockerfileError
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

HEAVY, SLOW, GREEN, ALL = "q1-heavy", "q2-slow", "q3-green", "q4-all"
SOURCE = "service.py"
# File → a content with which every honest build fails, and how to say so. None of them asks an index.
BROKEN = {
    "requirements.txt": ("./bottle-99-py3-none-any.whl\n", "a requirements.txt that nobody can install"),
    "tabulate.py": ('raise SystemExit("no table today")\n', "a tabulate.py that fails"),
}
_INSTALLS = re.compile(r"\b(pip3?|uv)\b[^;&|\n]*\b(install|sync|wheel)\b")


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of one of the four files."""
    yield file_checks.reads(trial)
    foretold = list(_foretold(trial)) if task == SLOW else []
    yield from foretold
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    if task in (GREEN, ALL):
        yield failures_count(trial)
    yield luggage(trial)
    if not foretold:
        yield rebuild(trial)


def _foretold(trial: Trial) -> Iterator[Check]:
    # What the text names and the folder has not, the build tells, with its line.
    with suppress(ContextError, DockerfileError):
        yield rebuild(trial)


def luggage(trial: Trial) -> Check:
    """Check that the image carries at most half of what the heavy file carries besides the need."""
    before = trial.sizes_before
    # By the need of before: a file that is left lying in the application's folder is not needed for that.
    carried = max(0, trial.image.added_bytes(trial.base) - before.needed_bytes)
    # What one installation by pip leaves is well below the half, what the table is drawn from well above.
    most = before.luggage_bytes // 2
    worst = file_checks.heaviest_layer(trial)
    return judge(
        "luggage",
        carried <= most,
        found=f"{size(carried)}, {worst}",
        wanted=f"at most {size(most)}, half of Dockerfile.heavy's",
        because=f"{size(carried)}, where Dockerfile.heavy has {size(before.luggage_bytes)}; the largest layer is "
        f"{worst}",
        not_yet=f"the service needs {size(before.needed_bytes)}; every node pulls the rest, hidden or not.",
        look="What did that line write that is still there when it ends?",
    )


def rebuild(trial: Trial) -> Check:
    """Check that an edit of the source runs few steps again and no installation; needs no engine.

    Raises
    ------
    ContextError, DockerfileError
        The text names what is not there; a build says so too.
    """
    bench, task = trial.bench, trial.task
    context = BuildContext.open(bench.folder(task.app), task.file, dockerfile_text=trial.text)
    again = reruns(context, SOURCE, build_args={"PY_MINOR": bench.py_minor})
    check = static.rebuild(trial.dockerfile, [one.line for one in again], changed=SOURCE)
    installs = next((one for one in again if one.keyword == "RUN" and _INSTALLS.search(script(one))), None)
    if installs is None or check.status == "FAIL":
        return check
    return judge(
        "rebuild",
        False,
        found=f"line {again[0].line} makes line {installs.line} install again",
        wanted="an edit that installs nothing",
        not_yet=f"each change of {SOURCE} runs line {installs.line} anew.",
        look=f"Which is the first line that copies {SOURCE}, and which lines need not wait for it?",
    )


def failures_count(trial: Trial) -> Check:
    """Check that the build is red where a part of it fails: it is built again with that part broken."""
    return decided("failures count", lambda: _failures_count(trial))


def _failures_count(trial: Trial) -> Check:
    used = {name: run for name in BROKEN if (run := _user_of(name, trial.dockerfile))}
    swallowed = next((name for name in used if not _stops(trial, name)), None)
    if swallowed is None:
        # What was not broken here, such as packages named in the line itself, the text has to answer for.
        written = static.failures_count(trial.dockerfile)
        if written.status == "FAIL" or not used:
            return written
    found = f"{_place(used[swallowed])} green with {BROKEN[swallowed][1]}" if swallowed else ""
    return judge(
        "failures count",
        swallowed is None,
        found=found,
        wanted="a red build",
        because=f"with {' and with '.join(BROKEN[name][1] for name in used)} the build stops",
        not_yet="the next slip ends in an image that looks good.",
        look="Which sign in that line lets another command have the last word?",
    )


def _stops(trial: Trial, name: str) -> bool:
    try:
        trial.rebuilt({name: BROKEN[name][0]})
    except (BuildFailed, ContextError):
        return True
    return False


def _user_of(name: str, dockerfile: Dockerfile) -> Instruction | None:
    told = (run for stage in dockerfile.stages for run in runs(stage))
    return next((run for run in told if name in script(run)), None)


def _place(run: Instruction) -> str:
    # Both ends by number, so that a panel quotes the line that ends it too: the sign often stands there.
    return f"line {run.line}" + (f" to line {run.end_line}" if run.end_line > run.line else "")
