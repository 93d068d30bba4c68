"""Proves of every exercise that it is what its solution gives, can be solved, can be missed, and tells why.

Knows how the answer to each of these reads as a check. Cells are run by `kernels`; what is right is for the
exercises to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from layerlab import exercises
from layerlab.checks import Check, judge
from layerlab.checks.verdict import MARKS, WORDS
from layerlab.errors import ReleaseError, SetupError
from layerlab.exercises.kit.file_checks import SHARED
from layerlab.exercises.kit.texts import shared_hints
from layerlab.grading import cells
from layerlab.grading import judge as judging
from layerlab.grading.kernels import CELL_SECONDS, CellRun, execute
from layerlab.grading.release import exercise_of, solutions_in

EXIT_STATUS = {"PASS": 0, "FAIL": 1, "SKIP": 2}
# A check that passed, below the headline: its name, and what explains it.
_PASSED = re.compile(rf"{MARKS['PASS']} (?!{WORDS['PASS']}: )([^:]+)")
_NOT_PASSED = tuple(f"{MARKS[status]} {WORDS[status]}" for status in ("FAIL", "SKIP"))


def verify(
    solution_folder: Path,
    exercise_folder: Path,
    *,
    names: Sequence[str] = (),
    engine: str | None = None,
    cell_seconds: float = CELL_SECONDS,
) -> Iterator[Check]:
    """Verify exercises one by one, yielding each check as soon as it is decided.

    Parameters
    ----------
    names
        Beginnings of the names wanted, such as ``01``; all where empty. Only with all of them is it checked that
        no solution and no exercise stands alone.
    engine
        What ``LAYERLAB_ENGINE`` is for the kernels; what it is here where None.

    Raises
    ------
    ReleaseError
        There are no solutions, or none of a name that was asked for.
    """
    solutions = solutions_in(solution_folder, names=names)
    for solution in solutions:
        yield from verify_one(solution, exercise_folder / solution.name, engine=engine, cell_seconds=cell_seconds)
    if not names:
        yield from _alone({path.stem for path in solutions}, {path.stem for path in exercise_folder.glob("*.ipynb")})


def verify_one(
    solution: Path,
    exercise: Path,
    *,
    engine: str | None = None,
    cell_seconds: float = CELL_SECONDS,
    with_neighbours: bool = False,
) -> Iterator[Check]:
    """Verify one exercise: its bytes, its solution, itself unsolved, and the mistakes that are documented.

    ``with_neighbours`` also tries what differs from the solution by one edit, which takes a build for each.
    """
    name = solution.stem
    try:
        generated = exercise_of(solution)
        kind = exercises.kind(name) if name in exercises.NAMES else None
    except (ReleaseError, SetupError) as error:
        yield Check(name=f"{name} can be released", status="FAIL", found=str(error), wanted="an exercise")
        return
    if kind:
        yield has_its_headings(name, kind.titles.values(), generated)
    yield drift(name, cells.to_bytes(generated), exercise)
    solved = execute(cells.read(solution), folder=solution.parent, engine=engine, cell_seconds=cell_seconds)
    yield full_marks(name, solved)
    unsolved = execute(generated, folder=solution.parent, engine=engine, cell_seconds=cell_seconds)
    yield refused(name, unsolved)
    if kind:
        yield every_task_is_checked(name, tuple(kind.tasks), solved)
        yield from _mistakes(name, solution.parent.parent, solved, engine=engine, with_neighbours=with_neighbours)


def _mistakes(
    name: str, root: Path, solved: Sequence[CellRun], *, engine: str | None, with_neighbours: bool
) -> Iterator[Check]:
    judged: list[judging.Judged] = []
    with judging.opened(name, engine=engine, root=root) as exercise:
        for one in judging.mistakes(exercise):
            judged.append(one)
            yield documented(name, one)
        yield every_check_can_fail(name, passed_checks(solved), judged)
        yield hints_fit(name, exercise.texts.own_hints, passed_checks(solved), judged)
        if with_neighbours and (beside := judging.neighbours(exercise)).tried:
            yield every_neighbour_is_decided(name, beside)


def drift(name: str, generated: bytes, exercise: Path) -> Check:
    """Check that the released file holds the bytes that its solution gives now."""
    there = exercise.exists()
    same = there and exercise.read_bytes() == generated
    return judge(
        f"{name} is released as its solution gives it",
        same,
        found="the same bytes" if same else "other bytes" if there else "no file",
        wanted="the same bytes; run `layerlab release`",
    )


def has_its_headings(name: str, titles: Iterable[str], notebook: NotebookNode) -> Check:
    """Check that the notebook has a heading for each task, letter for letter as the exercise's texts have it."""
    there = {line.lstrip("# ") for cell in notebook.cells for line in cell.source.split("\n") if line.startswith("#")}
    wanted = list(titles)
    missing = [title for title in wanted if title not in there]
    return judge(
        f"{name} has its tasks' headings",
        not missing,
        found=f"no heading “{missing[0]}”" if missing else f"all {len(wanted)}",
        wanted="those of texts.toml",
    )


def full_marks(name: str, runs: Iterable[CellRun]) -> Check:
    """Check that every cell of a solution ran, and that every check in it passed: neither FAIL nor SKIP."""
    ran = tuple(runs)
    checks = [run for run in ran if run.role == "check"]
    faults = [f"`{run.id}` raised {run.error}" for run in ran if run.error]
    faults += [f"`{run.id}` says {line}" for run in checks if not run.error for line in _not_passed(run)]
    faults += [] if checks else ["no check cell"]
    passed = sum(1 for run in checks if not run.error and not any(_not_passed(run)))
    return judge(
        f"{name} solved gets full marks",
        not faults,
        found=_first(faults) or f"{passed} of {len(checks)} check cells passed",
        wanted="every check cell passed",
    )


def refused(name: str, runs: Iterable[CellRun]) -> Check:
    """Check that every check cell of the unsolved exercise raises CheckFailed, and no other cell raises anything."""
    ran = tuple(runs)
    faults = [
        f"`{run.id}` raised {run.error}" for run in ran if run.error and (run.role != "check" or not _is_refusal(run))
    ]
    checks = [run for run in ran if run.role == "check"]
    faults += [f"`{run.id}` passed" for run in checks if run.error is None]
    faults += [] if checks else ["no check cell"]
    return judge(
        f"{name} unsolved is refused",
        not faults,
        found=_first(faults) or f"{len(checks)} of {len(checks)} check cells raised CheckFailed",
        wanted="CheckFailed from every check cell, and no other error",
    )


def every_task_is_checked(name: str, tasks: Sequence[str], solved: Iterable[CellRun]) -> Check:
    """Check that the notebook has a check cell for each task that the exercise declares, paired by id."""
    wanted = [f"{task}-check" for task in tasks]
    missing = sorted(set(wanted) - {run.id for run in solved if run.role == "check"})
    return judge(
        f"{name} has a check cell for every task",
        not missing,
        found=f"none called {', '.join(missing)}" if missing else ", ".join(wanted),
        wanted="one for each",
    )


def documented(name: str, judged: judging.Judged) -> Check:
    """Check that a documented mistake fails at the check that it is documented to fail at.

    A verdict that this engine cannot give proves nothing either way, so it is a SKIP here as well.
    """
    mistake, verdict = judged.mistake, judged.verdict
    wanted = f"FAIL {mistake.failing}"
    if mistake.failing not in (names := [check.name for check in judged.verdicts]):
        wanted += f", and there is no such check: {', '.join(names)}"
    title = f"{name} {mistake.task} mistake “{mistake.name}”"
    if verdict.startswith("SKIP"):
        return Check(name=title, status="SKIP", found=verdict, wanted=wanted)
    return judge(title, verdict == f"FAIL {mistake.failing}", found=verdict, wanted=wanted)


def passed_checks(solved: Iterable[CellRun]) -> tuple[str, ...]:
    """Name the checks that a solution passes, as its check cells told them; of a task with one check none is told."""
    told = (_PASSED.match(line) for run in solved if run.role == "check" for line in run.text.splitlines())
    return tuple(dict.fromkeys(found[1] for found in told if found))


def every_check_can_fail(name: str, passed: Iterable[str], judged: Sequence[judging.Judged]) -> Check:
    """Check that a documented mistake fails each check of an exercise: one that nothing fails may check nothing.

    Those that all exercises share (`file_checks.SHARED`) are held by tests of their own.

    Parameters
    ----------
    passed
        Names of the checks that its solution passes; those that its mistakes met are added.
    """
    verdicts = [check for one in judged for check in one.verdicts]
    there = {*passed, *(check.name for check in verdicts)} - SHARED
    failed = {check.name for check in verdicts if check.status == "FAIL"}
    left = sorted(there - failed)
    title = f"{name} fails at each of its checks for a documented mistake"
    if left and any(check.status == "SKIP" for check in verdicts):
        return Check(name=title, status="SKIP", found=f"not seen: {', '.join(left)}", wanted="a mistake for each")
    return judge(
        title,
        not left,
        found=f"no mistake fails {', '.join(f'“{one}”' for one in left)}" if left else f"all {len(there)}",
        wanted="a mistake for each",
    )


def hints_fit(
    name: str, hints: Mapping[str, Sequence[str]], passed: Iterable[str], judged: Sequence[judging.Judged]
) -> Check:
    """Check that each check that a mistake fails has hints, and that an exercise has none for a check it does not make.

    Parameters
    ----------
    hints
        The exercise's own; "task: check" or "check" → texts.
    passed
        Names of the checks that its solution passes.
    """
    shared = shared_hints().keys()
    seen = {*passed, *(check.name for one in judged for check in one.verdicts)} | shared
    has_hints = {key.rpartition(": ")[2] for key in hints} | shared
    faults = [f"none for “{one}”" for one in sorted({one.mistake.failing for one in judged} - has_hints)]
    faults += [f"some for “{key}”, which is no check" for key in hints if key.rpartition(": ")[2] not in seen]
    title = f"{name} has hints for its checks"
    if faults and any(check.status == "SKIP" for one in judged for check in one.verdicts):
        return Check(name=title, status="SKIP", found=_first(faults), wanted="hints for what learners fail")
    return judge(title, not faults, found=_first(faults) or f"{len(has_hints)} checks", wanted="hints for each")


def every_neighbour_is_decided(name: str, neighbours: judging.Neighbours) -> Check:
    """Check that each text beside the solution gets a verdict, whichever: neither PASS nor FAIL is a SKIP."""
    undecided = neighbours.undecided
    return judge(
        f"{name} one edit beside the solution is decided",
        not undecided,
        found=_first(undecided) or f"{neighbours.tried} texts decided",
        wanted="no SKIP",
    )


def exit_status(checks: Iterable[Check]) -> int:
    """Return 0 where all passed, 1 where one failed, 2 where none failed and something could not be decided."""
    statuses = {check.status for check in checks}
    return next((EXIT_STATUS[status] for status in ("FAIL", "SKIP") if status in statuses), 0)


def _alone(solved: set[str], released: set[str]) -> Iterator[Check]:
    """Yield a check that no solution, released exercise or declared exercise lacks its partners."""
    for what, there in (("solution", solved), ("exercise", released), ("declared exercise", set(exercises.NAMES))):
        missing = sorted((solved | released | set(exercises.NAMES)) - there)
        yield judge(
            f"every notebook has its {what}",
            not missing,
            found=f"none called {', '.join(missing)}" if missing else f"all {len(there)}",
            wanted="the same names everywhere",
        )


def _not_passed(run: CellRun) -> list[str]:
    return [line for line in run.text.splitlines() if line.startswith(_NOT_PASSED)]


def _is_refusal(run: CellRun) -> bool:
    return run.error is not None and run.error.name == "CheckFailed"


def _first(faults: Sequence[str]) -> str:
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"{faults[0]}{more}" if faults else ""
