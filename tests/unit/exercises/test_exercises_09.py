"""Exercise 09: every mend passes, every slip meets its check, and what an installer says is read rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_bench import APPS
from fake_pier import Pier

from layerlab.build import Step
from layerlab.exercises.ex09_buildkit import checks
from layerlab.exercises.ex09_buildkit import mistakes as slips
from layerlab.exercises.ex09_buildkit.exercise import EXERCISE, FETCHES, WAITS, Remembering
from layerlab.exercises.kit.file_task import edited


@pytest.fixture
def exercise(tmp_path: Path) -> Remembering:
    return Remembering(Pier(), work=tmp_path)


def starter(task: str) -> str:
    return Remembering(Pier()).starter(f"{task}-file")


def failing(exercise: Remembering, task: str, text: str) -> list[str]:
    return [check.name for check in exercise.verdicts(task, {f"{task}-file": text}) if check.status != "PASS"]


@pytest.mark.parametrize("task", EXERCISE.tasks)
def test_the_solution_passes_and_the_starter_does_not(exercise: Remembering, task: str) -> None:
    assert failing(exercise, task, slips.solution(task, starter(task))) == []
    assert failing(exercise, task, starter(task)) == ["rebuild" if task == WAITS else "second install"]


@pytest.mark.parametrize(
    ("task", "text"),
    [(task, text) for task in EXERCISE.tasks for text in slips.neighbours(task, starter(task))],
    ids=lambda value: "mend" if "\n" in value else value,
)
def test_other_mends_pass_too(exercise: Remembering, task: str, text: str) -> None:
    assert failing(exercise, task, text) == []


@pytest.mark.parametrize(
    ("task", "slip"),
    [(task, slip) for task in EXERCISE.tasks for slip in slips.slips(task, starter(task))],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_slip_meets_its_check(exercise: Remembering, task: str, slip: slips.Slip) -> None:
    assert slip.failing in failing(exercise, task, slip.text)


def test_a_second_attempt_measures_anew(exercise: Remembering) -> None:
    text = slips.solution(FETCHES, starter(FETCHES))
    for packages in (1, 0):  # the package that was new is in the mount now
        check = exercise.judging(FETCHES, text).run().verdicts.check("second install")
        assert check.why.endswith(f"fetched {packages}")


def test_where_every_edit_is_the_same_it_is_measured_once(
    exercise: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        exercise.bench, "edited", lambda app, name: {name: f"{(APPS / app / name).read_text()}# edit\n"}
    )
    text = slips.solution(FETCHES, starter(FETCHES))
    told = [exercise.verdicts(FETCHES, {f"{FETCHES}-file": text}).check("second install") for _ in range(2)]
    assert told[0] == told[1] and told[0].why.endswith("fetched 1")


def test_an_emptied_mount_is_filled_before_it_is_measured(exercise: Remembering) -> None:
    text = slips.solution(FETCHES, starter(FETCHES))
    assert failing(exercise, FETCHES, text) == []
    exercise.bench.mounts.clear()  # type: ignore[attr-defined]
    assert failing(exercise, FETCHES, text) == []


def test_a_silent_installation_is_undecided(exercise: Remembering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pier, "_run", lambda *_: ())
    text = slips.solution(FETCHES, starter(FETCHES))
    check = exercise.verdicts(FETCHES, {f"{FETCHES}-file": text}).check("second install")
    assert check.status == "SKIP" and "-q" in check.why


def ran(*log: str, instruction: str = "RUN uv pip install -r requirements.txt") -> tuple[Step, ...]:
    return (Step(3, instruction, 7, False, 1.0, None, log),)


@pytest.mark.parametrize(
    ("log", "packages"),
    [
        (("Prepared 12 packages in 3s", "Installed 12 packages in 9ms"), 12),
        (("Prepared 1 package in 3ms", "Installed 12 packages in 9ms"), 1),
        (("Installed 12 packages in 9ms",), 0),
        (("  Downloading a-1-py3-none-any.whl (3 kB)", "Using cached b-1.whl", "Successfully installed a b"), 1),
        (("Using cached b-1.whl", "Successfully installed a b"), 0),
    ],
)
def test_what_an_installer_says_it_fetched(log: tuple[str, ...], packages: int) -> None:
    found = checks.fetched(ran(*log))
    assert found is not None and (found.packages, found.line) == (packages, 7)


def test_a_step_that_installs_nothing_says_nothing() -> None:
    assert checks.fetched(ran("Installed 3 packages", instruction="RUN echo pip")) is None


def test_pip_on_a_network_that_forbids_its_cache_is_undecided(
    exercise: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (*(f"  Downloading {name}-1-py3-none-any.whl (3 kB)" for name in "abc"), "Successfully installed a b c")
    monkeypatch.setattr(Pier, "_run", lambda *_: said)
    install = "RUN uv pip install --system --no-cache -r requirements.txt"
    mounted = "RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt"
    for new, status in ((mounted, "SKIP"), (mounted.replace("pip install", "pip install --no-cache-dir"), "FAIL")):
        text = edited(starter(FETCHES), install, new)
        check = exercise.judging(FETCHES, text).run().verdicts.check("second install")
        assert check.status == status
