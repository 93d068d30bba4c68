"""Every exercise can be solved, every documented wrong answer gets its documented verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from recorded_bench import APPS, Watched, recorded

from layerlab import exercises
from layerlab.checks import Verdicts
from layerlab.errors import BaseUnavailable, CheckFailed, NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex01_naive.checks import LINES, READ
from layerlab.exercises.ex02_slim.services import GIT, STANDARD_LIBRARY, ZLIB_HEADER
from layerlab.exercises.ex03_multistage.failing_build import COMPILER
from layerlab.exercises.ex03_multistage.mistakes import SOLUTION as FILLINGS
from layerlab.exercises.ex04_alpine_uv import mistakes as ex04
from layerlab.exercises.ex04_alpine_uv.square import COPIED
from layerlab.exercises.ex05_layers import mistakes as ex05
from layerlab.exercises.ex06_base_images import mistakes as ex06
from layerlab.exercises.ex06_base_images.services import GIT as CALLS_GIT
from layerlab.exercises.ex06_base_images.services import GLIBC, NO_SHELL, SHELL
from layerlab.exercises.ex07_model_files import mistakes as ex07
from layerlab.exercises.ex07_model_files.recipes import named
from layerlab.exercises.ex08_measuring import mistakes as ex08
from layerlab.exercises.ex08_measuring.checks import SEEN
from layerlab.exercises.ex09_buildkit import mistakes as ex09
from layerlab.exercises.ex10_practice import mistakes as ex10
from layerlab.exercises.ex10_practice import record
from layerlab.exercises.ex10_practice.checks import BANDS
from layerlab.exercises.ex10_practice.services import BRONZE
from layerlab.exercises.ex11_with_ai import mistakes as ex11
from layerlab.exercises.ex11_with_ai.faults import FAULTS
from layerlab.exercises.kit.file_task import filled
from layerlab.lab import progress_page as logbook
from layerlab.work.answers import Answers

ON_SLIM = (APPS / "exercise02/notes/Dockerfile").read_text().replace("${PY_MINOR}", "${PY_MINOR}-slim")
BLANKS = (APPS / "exercise03/tickets/Dockerfile.blanks").read_text()
TWO_STAGES = filled(BLANKS, *FILLINGS)
AS_VENV = ex04.solution((APPS / "exercise04/stations/Dockerfile.today").read_text())
SOLVED = [LINES[i] for i in (5, 6, 4, 2, 1, 3, 0)]
SOLUTIONS: Mapping[str, Mapping[str, Any]] = {
    "01_naive": {
        "q1-order": SOLVED,
        "q2-point": "RUN python make_table.py",
        "q3-how": READ,
    },
    "02_slim": {
        "q1-notes-base": "slim",
        "q1-notes-evidence": STANDARD_LIBRARY,
        "q2-fingerprint-base": "full",
        "q2-fingerprint-evidence": GIT,
        "q3-checksum-base": "full",
        "q3-checksum-evidence": ZLIB_HEADER,
        "q4-change-file": ON_SLIM,
    },
    "03_multistage": {
        "q1-line": "error: [Errno 2] No such file or directory: 'gcc'",
        "q2-missing": COMPILER,
        "q3-blanks-file": TWO_STAGES,
    },
    "04_alpine_uv": {
        "q1-audit": ["pydantic-core", "pydantic", "jellyfish", "fastapi"],
        "q2-mend-file": AS_VENV,
        "q3-claim": COPIED,
        "q3-evidence": "A and B",
    },
    "05_layers": {
        f"{task}-file": ex05.solution(task, (APPS / f"exercise05/tides/Dockerfile.{task[3:]}").read_text())
        for task in ("q1-heavy", "q2-slow", "q3-green", "q4-all")
    },
    "08_measuring": {
        "q1-writer": "RUN python sort.py scans.txt drawers",
        "q1-hider": "RUN python settle.py drawers",
        "q2-largest": SEEN,
        "q3-mend-file": ex08.solution((APPS / "exercise08/herbarium/Dockerfile.inherited").read_text()),
    },
    "07_model_files": {
        "q1-carry": [named(letter) for letter in "ABC"],
        "q2-out-file": ex07.without_model((APPS / "exercise07/birds/Dockerfile.today").read_text()),
        "q3-early-file": ex07.loads_first((APPS / "exercise07/birds/Dockerfile.mounted").read_text()),
    },
    "11_with_ai": {
        "q1-files": ["Dockerfile.b", "Dockerfile.c", "Dockerfile.a"],
        "q2-faults": [FAULTS[number].text for number in (3, 1, 2, 4, 0)],
        "q3-repair-file": ex11.solution((APPS / "exercise11/spaces/Dockerfile.b").read_text()),
    },
    "06_base_images": {
        "q1-changelog-base": "full",
        "q1-changelog-evidence": CALLS_GIT.says,
        "q2-survey-base": "slim",
        "q2-survey-evidence": SHELL.says,
        "q3-meter-base": "musl",
        "q3-meter-evidence": SHELL.says,
        "q4-ranking-base": "distroless",
        "q4-ranking-evidence": GLIBC.says,
        "q5-receipts-base": "distroless",
        "q5-receipts-evidence": NO_SHELL.says,
        "q6-port-file": ex06.solution((APPS / "exercise06/receipts/Dockerfile.today").read_text()),
    },
    "09_buildkit": {
        f"{task}-file": ex09.solution(task, (APPS / f"exercise09/ferries/Dockerfile.{task[3:]}").read_text())
        for task in ("q1-waits", "q2-fetches")
    },
    "10_practice": {
        **{
            f"{task}-file": ex10.reference(name, (APPS / f"exercise10/{name}/Dockerfile.naive").read_text())
            for task, name in BRONZE.items()
        },
        "q4-service": "kinds",
        "q4-prediction": BANDS[2][0],
        "q5-record": record.filled(
            (APPS / "exercise10" / record.FILE).read_text(), ("from 61.0 MB to 12.4 MB, on this engine",) * 6
        ),
    },
}

Opener = Callable[[str], Exercise]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    return lambda name: exercises.open(name, recorded(name), work=tmp_path)


def solve(exercise: Exercise) -> None:
    for id, value in SOLUTIONS[exercise.name].items():
        question = exercise.question(id)
        question.value = value
        question.keep()


# Where the recordings hold the solution only after builds that its notebook makes, its own test follows the notebook.
@pytest.mark.parametrize("name", [name for name in SOLUTIONS if name != "09_buildkit"])
def test_the_solution_gets_full_marks(opened: Opener, name: str) -> None:
    exercise = opened(name)
    solve(exercise)
    exercise.check()
    for task in exercise.tasks:
        assert exercise.verdicts(task).all_pass
        assert all(check.why for check in exercise.verdicts(task)), "a PASS says why"
    work = exercise.answers.folder.parent
    assert states(name, work) == ["passed"] * len(exercise.tasks)
    for path in exercise.answers.folder.iterdir():
        if path != exercise._results.path:
            path.unlink()
    assert set(states(name, work)) == {"earlier"}, "a result alone is about nothing that is saved"


def states(name: str, work: Path) -> list[str]:
    """Return the states of an exercise's tasks on the page of progress."""
    chapters = logbook.open_page(Path(__file__).parents[3], work=work).overview.chapters
    return [task.state for chapter in chapters if chapter.name == name for task in chapter.tasks]


@pytest.fixture
def checked(opened: Opener) -> Exercise:
    """Exercise 02, solved and checked."""
    exercise = opened("02_slim")
    solve(exercise)
    exercise.check()
    return exercise


def test_a_pass_is_of_the_answer_that_was_judged(checked: Exercise) -> None:
    name, work = checked.name, checked.answers.folder.parent
    mark = checked._results.path.stat().st_mtime_ns
    checked.check()
    assert checked._results.path.stat().st_mtime_ns == mark, "the same verdict is written once"
    file = checked._file("q4-change-file")
    right = file.text
    checked.answers.keep("q1-notes-base", "full")
    file.save(right + "# and a line\n")
    assert states(name, work) == ["earlier", "passed", "passed", "earlier"]
    checked.answers.keep("q1-notes-base", "slim")
    file.save(right)
    assert states(name, work) == ["passed"] * 4, "the answer that passed is back"


def test_a_text_that_changed_while_it_was_built_is_not_the_one_that_passed(tmp_path: Path) -> None:
    watched = Watched(recorded("03_multistage"))
    exercise = exercises.open("03_multistage", watched, work=tmp_path)
    solve(exercise)
    path = exercise._file("q3-blanks-file").path
    watched.during = lambda: path.write_text("FROM scratch\n")
    exercise.check("q3-blanks")
    assert states("03_multistage", tmp_path)[2] == "earlier"


def test_silver_is_passed_by_the_dockerfile_that_it_was_judged_with(opened: Opener) -> None:
    exercise = opened("10_practice")
    solve(exercise)
    exercise.check("q4-silver")
    work = exercise.answers.folder.parent
    assert states("10_practice", work)[3] == "passed"
    chosen = next(task for task, name in BRONZE.items() if name == exercise.answers.get("q4-service"))
    file = exercise._file(f"{chosen}-file")
    file.save(file.text + "# and a line\n")
    assert states("10_practice", work)[3] == "earlier"


def test_another_answer_that_passes_takes_the_place_of_the_first(opened: Opener) -> None:
    exercise = opened("01_naive")
    solve(exercise)
    exercise.check("q1-order")
    first = exercise._results.get("q1-order")
    lines = list(exercise.answers.get("q1-order"))
    moved = next(line for line in lines if line.startswith("EXPOSE"))
    exercise.answers.keep("q1-order", [lines[0], moved, *(line for line in lines[1:] if line != moved)])
    assert states("01_naive", exercise.answers.folder.parent)[0] == "earlier"
    exercise.check("q1-order")
    assert exercise._results.get("q1-order") != first
    assert states("01_naive", exercise.answers.folder.parent)[0] == "passed"


@pytest.mark.parametrize(
    "forged",
    [
        {"passed": True},
        {"passed": True, "checks": [["base fits", "PASS"]]},
        {"judged": {}, "checks": [["base fits", "PASS"]], "edition": "0.1.0"},
        {"judged": {"answers/q1-notes-base": "0123456789abcdef"}, "checks": [["base fits", "PASS"]], "edition": "9"},
        {"judged": {"answers/none": "0123456789abcdef"}, "checks": [["base fits", "PASS"]], "edition": "9"},
        {"judged": "all of it", "checks": "all pass", "edition": 3},
        {"judged": {"answers/q1-notes-base": 5}, "checks": [["base fits"]], "edition": "0.1.0"},
    ],
)
def test_what_is_typed_into_the_results_passes_nothing(checked: Exercise, forged: dict[str, Any]) -> None:
    checked._results.keep("q1-notes", forged)
    assert states(checked.name, checked.answers.folder.parent) in (
        ["earlier", "passed", "passed", "passed"],
        ["tried", "passed", "passed", "passed"],
    )


@pytest.mark.parametrize("statuses", [[], ["FAIL"], ["PASS", "SKIP"]])
def test_verdicts_that_do_not_pass_are_no_pass(checked: Exercise, statuses: list[str]) -> None:
    result = checked._results.get("q1-notes")
    checked._results.keep("q1-notes", {**result, "checks": [["base fits", status] for status in statuses]})
    assert states(checked.name, checked.answers.folder.parent)[0] == "tried"


@pytest.mark.parametrize("name", exercises.NAMES)
def test_the_unsolved_exercise_passes_no_check(opened: Opener, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = opened(name)
    for task in exercise.tasks:
        with pytest.raises(CheckFailed, match="1 of 1 checks failed"):
            exercise.check(task)
        told = capsys.readouterr().out
        assert "no kept answer" in told or "as it was given, without a change" in told


@pytest.mark.parametrize("name", exercises.NAMES)
def test_every_verdict_of_a_whole_exercise_has_its_own_heading(
    opened: Opener, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = opened(name)
    count = len(exercise.tasks)
    with pytest.raises(CheckFailed, match=f"{count} of {count} checks failed"):
        exercise.check()
    told = capsys.readouterr().out.splitlines()
    notebook = Path(__file__).parents[3] / "solutions" / f"{name}.ipynb"
    for task in exercise.tasks:
        assert told.count(exercise.titles[task]) == 1
        assert f'"## {exercise.titles[task]}' in notebook.read_text(), "the heading is the notebook's"


def test_an_order_is_asked_for_in_words_of_ordering(opened: Opener) -> None:
    hint = opened("01_naive").verdicts("q1-order").check("answered").hint
    assert "order" in hint
    assert "Choose it" not in hint


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_verdict_says_which_answer_it_judged(opened: Opener, name: str) -> None:
    exercise = opened(name)
    solve(exercise)
    kept = [exercise.verdicts(task).judged for task in exercise.tasks]
    assert (
        kept
        == {
            "01_naive": [
                "FROM python:${PY_MINOR} · WORKDIR /srv · COPY requirements.txt ./ · RUN pip install -r requ… · "
                'COPY quotes.py authors.… · EXPOSE 5000 · CMD ["python", "quotes.…',
                "RUN python make_table.py",
                READ,
            ],
            "02_slim": [
                f"slim; {STANDARD_LIBRARY}",
                f"full; {GIT}",
                f"full; {ZLIB_HEADER}",
                "Dockerfile, 7 lines",
            ],
            "03_multistage": [
                "error: [Errno 2] No such file or directory: 'gcc'",
                COMPILER,
                "Dockerfile, 24 lines",
            ],
            "04_alpine_uv": [
                "pydantic-core · pydantic · jellyfish · fastapi",
                "Dockerfile, 20 lines",
                f"{COPIED}; A and B",
            ],
            "05_layers": [
                "Dockerfile.heavy, 16 lines",
                "Dockerfile.slow, 16 lines",
                "Dockerfile.green, 16 lines",
                "Dockerfile.all, 18 lines",
            ],
            "10_practice": [
                "Dockerfile.almanac, 20 lines",
                "Dockerfile.labels, 23 lines",
                "Dockerfile.kinds, 24 lines",
                f"kinds; {BANDS[2][0]}",
                "decision-record.md",
            ],
            "08_measuring": [
                "RUN python sort.py scans.txt drawers; RUN python settle.py drawers",
                SEEN,
                "Dockerfile, 14 lines",
            ],
            "07_model_files": [
                "A: fetches the model · B: fetches it, and remo… · C: fetches it in a buil…",
                "Dockerfile, 12 lines",
                "Dockerfile.early, 12 lines",
            ],
            "11_with_ai": [
                "Dockerfile.b · Dockerfile.c · Dockerfile.a",
                "b: the service listens … · c: a key is written int… · a: the lists of all pac… · "
                "a: the cleaning comes o… · a: EXPOSE names a port …",
                "Dockerfile.worst, 21 lines",
            ],
            "06_base_images": [
                f"full; {CALLS_GIT.says}",
                f"slim; {SHELL.says}",
                f"musl; {SHELL.says}",
                f"distroless; {GLIBC.says}",
                f"distroless; {NO_SHELL.says}",
                "Dockerfile, 16 lines",
            ],
            "09_buildkit": ["Dockerfile.waits, 13 lines", "Dockerfile.fetches, 13 lines"],
        }[name]
    )
    assert exercise.verdicts(next(iter(exercise.tasks)), {}).judged == "", "given, not kept"


def test_half_an_answer_is_shown_as_half(opened: Opener) -> None:
    exercise = opened("02_slim")
    exercise.answers.keep("q1-notes-base", "slim")
    verdicts = exercise.verdicts("q1-notes")
    assert verdicts.judged == "slim; (nothing yet)"
    assert verdicts.check("answered").status == "FAIL"


@pytest.mark.parametrize("task", ["q1-order", "q2-point", "q3-how"])
@pytest.mark.parametrize("garbage", [["a", "b"], "nonsense", 170, True, {"a": 1}, [1, None], "x" * 20_000])
def test_a_kept_value_that_is_no_answer_is_not_judged(
    opened: Opener, task: str, garbage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = opened("01_naive")
    exercise.answers.keep(task, garbage)
    (check,) = exercise.verdicts(task)
    assert (check.name, check.status) == ("answered", "FAIL")
    assert "cannot be read" in check.why
    for _ in range(2):
        with pytest.raises(CheckFailed):
            exercise.check(task)
        told = capsys.readouterr().out
        assert "Where to look" not in told
        assert len(told) < 800
    assert exercise.answers.get(task) == garbage, "nothing is lost"


@pytest.mark.parametrize("garbage", [["a"], "nonsense", 17, {"begins with a base": 3}])
def test_attempts_that_cannot_be_read_stop_no_check(opened: Opener, garbage: Any) -> None:
    exercise = opened("01_naive")
    Answers(exercise.answers.folder, "attempts").keep("q1-order", garbage)
    exercise.answers.keep("q1-order", list(LINES))
    with pytest.raises(CheckFailed):
        exercise.check("q1-order")
    (hint,) = exercise.open_hints("q1-order", exercise.verdicts("q1-order").check("begins with a base"))
    assert hint[0] == "Where to look"


@pytest.mark.parametrize("name", exercises.NAMES)
def test_documented_mistakes_get_their_documented_verdicts(
    opened: Opener, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = opened(name)
    # In their order, for some are recorded in no other: what BuildKit runs again depends on what was built before.
    for mistake in exercise.mistakes:
        verdicts = exercise.verdicts(mistake.task, mistake.answers)
        shown, says = verdicts.shown, f"{mistake.task}, who {mistake.name}: {verdicts}"
        assert shown is not None, says
        assert (shown.name, shown.status) == (mistake.failing, "FAIL"), says
        assert shown.why, says
        assert shown.hint.endswith("?"), "a verdict ends in one question"
        assert exercise.hints[shown.name], says
        assert word_count(verdicts) <= most_words(verdicts), says
        assert not belittles(str(verdicts)), says
        for id, value in mistake.answers.items():
            exercise.question(id).value = value  # every mistake can really be made
            exercise.question(id).keep()
        capsys.readouterr()
        with pytest.raises(CheckFailed, match="Not yet"):
            exercise.check(mistake.task)
        assert f"Not yet: {mistake.failing}" in capsys.readouterr().out, says


@pytest.mark.parametrize("name", exercises.NAMES)
def test_every_task_has_an_objective_and_a_wrong_answer(opened: Opener, name: str) -> None:
    exercise = opened(name)
    assert list(exercise.texts.tasks) == list(exercise.tasks)
    assert {wrong.task for wrong in exercise.mistakes} == set(exercise.tasks)
    for ladder in exercise.hints.values():
        for text in ladder:
            assert "?" in text
            assert not any(line in text for line in LINES), "a hint works on another file"


def test_hints_avoid_words_that_belittle() -> None:
    for name in exercises.NAMES:
        for ladder in exercises.kind(name).hints.values():
            assert not [text for text in ladder if belittles(text)]


def belittles(text: str) -> bool:
    return any(word in text.lower() for word in ("simply", " just ", "obviously", "easy", "well done", "sorry"))


class NothingRecorded:
    """The bench of an exercise, on which nothing can be built or run."""

    def __init__(self, name: str) -> None:
        self._bench = recorded(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def build(self, *given: Any, **named: Any) -> Any:
        raise NotRecorded("The build is not recorded. A live engine can run it.")

    def run(self, *given: Any, **named: Any) -> Any:
        raise BaseUnavailable("No slim is here. Start an engine.")

    begin = build


# Exercise → a task whose right answer only an engine can tell.
MEASURED = {
    "01_naive": "q2-point",
    "02_slim": "q1-notes",
    "03_multistage": "q3-blanks",
    "04_alpine_uv": "q2-mend",
    "05_layers": "q2-slow",
    "06_base_images": "q6-port",
    "07_model_files": "q3-early",
    "08_measuring": "q3-mend",
    "09_buildkit": "q2-fetches",
    "10_practice": "q1-almanac",
    "11_with_ai": "q3-repair",
}


@pytest.mark.parametrize(("name", "task"), MEASURED.items())
def test_without_the_measurement_a_check_is_skipped_and_says_what_decides(tmp_path: Path, name: str, task: str) -> None:
    exercise = exercises.open(name, NothingRecorded(name), work=tmp_path)
    *before, check = exercise.verdicts(task, SOLUTIONS[name])
    assert all(one.status == "PASS" for one in before), "what the text shows is judged all the same"
    assert check.status == "SKIP"
    assert "engine" in check.why
    solved = {id: value for id, value in SOLUTIONS[name].items() if id in exercise.tasks[task]}
    for id, value in solved.items():
        if id in exercise.files:
            exercise.question(id).answer = value  # type: ignore[misc]
        else:
            exercise.answers.keep(id, value)
    with pytest.raises(CheckFailed, match="Not checked"):
        exercise.check(task)


def test_hints_open_one_by_one_with_new_attempts(opened: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = opened("01_naive")

    def attempt(order: Sequence[int]) -> list[str]:
        exercise.answers.keep("q1-order", [LINES[i] for i in order])
        with pytest.raises(CheckFailed):
            exercise.check("q1-order")
        told = capsys.readouterr().out
        return [title for title in ("Where to look", "The principle", "The same step in another file") if title in told]

    assert attempt((0, 5, 6, 4, 2, 1, 3)) == ["Where to look"]
    assert attempt((0, 5, 6, 4, 2, 1, 3)) == ["Where to look"], "the same answer again is no new attempt"
    assert attempt((1, 5, 6, 4, 2, 0, 3)) == ["Where to look", "The principle"]
    assert attempt((5, 6, 4, 1, 2, 3, 0)) == ["Where to look"], "another obstacle has a ladder of its own"
    assert len(attempt((2, 5, 6, 4, 1, 0, 3))) == 3
    assert len(attempt((3, 5, 6, 4, 1, 0, 2))) == 3


def test_whoever_needed_the_last_hint_gets_a_small_variant_once_the_task_is_solved(
    opened: Opener, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = opened("01_naive")
    solve(exercise)
    exercise.check("q1-order")
    question, answer = exercises.kind("01_naive").texts.tasks["q1-order"].variant
    assert question not in capsys.readouterr().out, "solved without hints"

    for order in ((0, 5, 6, 4, 2, 1, 3), (1, 5, 6, 4, 2, 0, 3), (2, 5, 6, 4, 1, 0, 3)):
        exercise.answers.keep("q1-order", [LINES[i] for i in order])
        with pytest.raises(CheckFailed):
            exercise.check("q1-order")
    assert question not in capsys.readouterr().out, "not solved yet"

    solve(exercise)
    exercise.check("q1-order")
    told = capsys.readouterr().out
    assert told.index(question) < told.index(answer)
    exercise.check("q2-point")
    assert exercises.kind("01_naive").texts.tasks["q2-point"].variant.question not in capsys.readouterr().out, (
        "each task for itself"
    )


@pytest.mark.parametrize("name", exercises.NAMES)
def test_every_task_has_a_variant_that_asks_and_answers(name: str) -> None:
    variants = {task: texts.variant for task, texts in exercises.kind(name).texts.tasks.items()}
    assert list(variants) == list(exercises.kind(name).tasks)
    for question, answer in variants.values():
        assert "?" in question or question.startswith("Bring"), question
        assert len(question.split()) <= 60 and len(answer.split()) <= 60


def test_an_attempt_without_an_answer_opens_nothing(opened: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = opened("01_naive")
    with pytest.raises(CheckFailed):
        exercise.check("q1-order")
    assert "Where to look" not in capsys.readouterr().out


def test_judging_given_answers_leaves_the_learners_files_alone(opened: Opener) -> None:
    exercise = opened("02_slim")
    exercise.verdicts("q1-notes", SOLUTIONS["02_slim"])
    assert not exercise.answers.folder.exists()


def test_names_that_do_not_exist_are_said(opened: Opener) -> None:
    with pytest.raises(KeyError, match="There are: 01_naive, 02_slim, 03"):
        opened("03_native")
    exercise = opened("01_naive")
    with pytest.raises(KeyError, match="has no question 'q9'"):
        exercise.question("q9")
    with pytest.raises(KeyError, match="has no task 'q9'"):
        exercise.verdicts("q9")


def most_words(verdicts: Verdicts) -> int:
    """How long a verdict may be: what is shown in full, and a line and a question for each further one."""
    return 35 + 30 * len(verdicts.not_passed)


def word_count(verdicts: Verdicts) -> int:
    # Names, numbers and texts count; the tally line repeats no thought.
    return len(" ".join(verdicts.lines[:-1]).replace("·", " ").split())
