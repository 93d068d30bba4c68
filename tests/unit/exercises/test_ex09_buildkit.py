"""Exercise 09: every fix passes, every mistake fails its check, and what an installer says is read rightly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS, recorded

from layerlab.build import Step
from layerlab.checks import Verdicts
from layerlab.dockerfile import parse
from layerlab.exercises import Exercise, Mistake
from layerlab.exercises.ex09_buildkit import checks, mistakes
from layerlab.exercises.ex09_buildkit.exercise import EXERCISE, Remembering
from layerlab.exercises.ex09_buildkit.mistakes import FETCHES, WAITS
from layerlab.exercises.ex09_buildkit.trial import Measured, OnceTrial
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.trial import Trial
from layerlab.grading import judge

FERRIES = APPS / "exercise09/ferries"
STARTERS = {f"{task}-file": (FERRIES / f"Dockerfile.{task[3:]}").read_text() for task in EXERCISE.tasks}
FETCHES_FIXED = mistakes.solution(FETCHES, STARTERS[f"{FETCHES}-file"])


# Of builds by BuildKit the recordings hold those that `layerlab record` made, in the same order: what such a build does
# depends on what was in the caches when it began. So the documented texts are judged in one pass, as `verify` does.


@pytest.fixture
def exercise() -> Iterator[Exercise]:
    with judge.opened("09_buildkit", engine="recorded") as exercise:
        yield exercise


@pytest.fixture(scope="module")
def judged() -> Mapping[str, Verdicts]:
    """Text → the verdicts on it."""
    with judge.opened("09_buildkit", engine="recorded") as exercise:
        told = {text: one.verdicts for one in judge.mistakes(exercise) for text in one.mistake.answers.values()}
        for id, texts in exercise.neighbours.items():
            told |= {text: exercise.verdicts(id.removesuffix("-file"), {id: text}) for text in texts}
        return told


def solved(exercise: Exercise) -> Mapping[str, Verdicts]:
    """Return the verdicts on the solutions: task → verdicts, with what the notebook builds between them."""
    texts = {task: mistakes.solution(task, STARTERS[f"{task}-file"]) for task in (WAITS, FETCHES)}
    waits = exercise.verdicts(WAITS, {f"{WAITS}-file": texts[WAITS]})
    first = exercise.bench.edited("exercise09/ferries", checks.LIST)
    for change in (first, {checks.LIST: f"{first[checks.LIST]}{checks.NEW}\n"}):
        exercise.bench.begin(
            "exercise09/ferries", dockerfile="Dockerfile.fetches", changed=change, builder="buildkit"
        ).run()
    return {WAITS: waits, FETCHES: exercise.verdicts(FETCHES, {f"{FETCHES}-file": texts[FETCHES]})}


@pytest.mark.parametrize("task", EXERCISE.tasks)
def test_the_solution_passes_and_says_why(exercise: Exercise, task: str) -> None:
    verdicts = solved(exercise)[task]
    assert verdicts.all_pass, str(verdicts)
    assert all(check.why for check in verdicts)


def test_the_starter_has_its_fault_and_no_other(exercise: Exercise) -> None:
    verdicts = exercise.verdicts(FETCHES, {f"{FETCHES}-file": STARTERS[f"{FETCHES}-file"]})
    assert [check.name for check in verdicts.not_passed] == ["second install"]


@pytest.mark.parametrize(
    "text", [text for texts in mistakes.neighbours(STARTERS).values() for text in texts], ids=range(8)
)
def test_other_fixes_pass_too(judged: Mapping[str, Verdicts], text: str) -> None:
    assert judged[text].all_pass, str(judged[text])


@pytest.mark.parametrize("mistake", mistakes.mistakes(STARTERS), ids=lambda one: f"{one.task}: {one.name}")
def test_a_mistake_fails_its_check(judged: Mapping[str, Verdicts], mistake: Mistake) -> None:
    shown = judged[mistake.answers[f"{mistake.task}-file"]].shown
    assert shown is not None and (shown.name, shown.status) == (mistake.failing, "FAIL")


def test_mistakes_go_stale_with_the_starter() -> None:
    with pytest.raises(ValueError, match="an edit needs one place"):
        mistakes.mistakes({id: text.replace("--no-cache -r", "-r") for id, text in STARTERS.items()})


def test_a_cache_that_is_copied_is_told_while_one_types(exercise: Exercise) -> None:
    (copied,) = [one for one in mistakes.mistakes(STARTERS) if one.failing == "no cache carried"]
    check = exercise.judging(FETCHES, copied.answers[f"{FETCHES}-file"]).static().check("no cache carried")
    assert (check.status, check.found) == ("FAIL", "line 16 copies /root/.cache/uv")


@pytest.mark.parametrize(("now", "status"), [(100_900_000, "PASS"), (101_100_000, "FAIL")])
def test_a_cache_that_an_installer_left_is_weighed(now: int, status: str) -> None:
    trial: Any = SimpleNamespace(
        image=SimpleNamespace(size_bytes=now), image_before=SimpleNamespace(size_bytes=100_000_000)
    )
    assert checks.no_cache_carried(trial).status == status


def test_where_every_edit_is_the_same_it_is_measured_once(tmp_path: Path) -> None:
    bench = Counted()
    exercise = Remembering(bench, work=tmp_path)
    first = solved(exercise)[FETCHES].check("second install")
    again = exercise.judging(FETCHES, FETCHES_FIXED).run().verdicts.check("second install")
    assert first == again and first.why.endswith("fetched 1")
    edits = [str(change) for text, change in bench.edits if text == FETCHES_FIXED]
    assert len(edits) == len(set(edits)) == 3


def test_another_edit_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Mapping[str, str]] = []
    monkeypatch.setattr(Trial, "rebuilt", lambda self, changed: built.append(changed))
    measured: Measured = {}
    for edit in ("# edit 1", "# edit 1", "# edit 2"):
        trial = OnceTrial(recorded("09_buildkit"), EXERCISE.files[f"{WAITS}-file"], "FROM x", measured=measured)
        trial.rebuilt({checks.SOURCE: edit})
    assert built == [{checks.SOURCE: "# edit 1"}, {checks.SOURCE: "# edit 2"}], "a live engine's edits are always new"


class Counted:
    """The recorded bench, with the edits seen that it builds after."""

    def __init__(self) -> None:
        self._bench = recorded("09_buildkit")
        self.edits: list[tuple[str | None, Mapping[str, str]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def begin(self, app: str, **given: Any) -> Any:
        self.edits += [(given.get("text"), given["changed"])] if given.get("changed") else []
        return self._bench.begin(app, **given)


# --- a second installation -----------------------------------------------------------------------


class Installing:
    """A trial whose rebuilds install, and say what they are told to say."""

    def __init__(self, text: str, *log: str) -> None:
        self.dockerfile, self._log = parse(text), log
        self.task = SimpleNamespace(app="exercise09/ferries")
        self.bench = SimpleNamespace(edited=lambda app, name: {name: f"{(FERRIES / name).read_text()}# edit\n"})
        self.edits: list[Mapping[str, str]] = []

    def rebuilt(self, edit: Mapping[str, str]) -> Any:
        self.edits.append(edit)
        installs = next(one for one in self.dockerfile.instructions if "-r requirements.txt" in one.logical)
        return SimpleNamespace(ran=ran(*self._log, instruction=installs.logical, line=installs.line))


def test_a_mount_is_filled_before_a_second_installation_is_measured() -> None:
    trial: Any = Installing(FETCHES_FIXED, "Prepared 1 package in 3ms", "Installed 7 packages in 9ms")
    assert checks.second_install(trial).status == "PASS"
    first, second = (edit["requirements.txt"] for edit in trial.edits)
    assert second == f"{first}{checks.NEW}\n", "the first fills it, whatever had emptied it, and the second is new"


def test_a_silent_installation_is_undecided() -> None:
    trial: Any = Installing(FETCHES_FIXED)
    check = checks.second_install(trial)
    assert check.status == "SKIP" and "-q" in check.why


def ran(*log: str, instruction: str = "RUN uv pip install -r requirements.txt", line: int = 7) -> tuple[Step, ...]:
    return (Step(3, instruction, line, False, 1.0, None, log),)


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


def test_pip_on_a_network_that_forbids_its_cache_is_undecided() -> None:
    said = (*(f"  Downloading {name}-1-py3-none-any.whl (3 kB)" for name in "abc"), "Successfully installed a b c")
    install = "RUN uv pip install --system --no-cache -r requirements.txt"
    mounted = "RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt"
    for new, status in ((mounted, "SKIP"), (mounted.replace("pip install", "pip install --no-cache-dir"), "FAIL")):
        trial: Any = Installing(edited(STARTERS[f"{FETCHES}-file"], install, new), *said)
        assert checks.second_install(trial).status == status
