"""Every exercise can be solved, every documented wrong answer gets its documented verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from layerlab import exercises
from layerlab.checks import Verdicts
from layerlab.errors import BaseUnavailable, CheckFailed, ImageNotFound, NotRecorded
from layerlab.exercises import Exercise
from layerlab.exercises.ex01_naive import LINES, READ, dockerfile, order_checks
from layerlab.exercises.ex02_slim import COMMANDS, GIT, STANDARD_LIBRARY, ZLIB_HEADER
from layerlab.image import HistoryEntry, Image

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
    },
}


def image(*history: tuple[str, int]) -> Image:
    entries = tuple(HistoryEntry(f"/bin/sh -c {text}", size_bytes) for text, size_bytes in history)
    return Image("sha256:made-up", (), "linux/amd64", "", entries, (), 0)


TIMETABLE = image(
    ("#(nop) ADD file:rootfs in / ", 75_000_000),
    ("set -eux; make install", 44_000_000),
    ('#(nop)  CMD ["python3"]', 0),
    ("#(nop) WORKDIR /srv", 0),
    ("#(nop) COPY file:a in ./ ", 13),
    ("pip install -r requirements.txt", 17_200_000),
    ("#(nop) COPY file:b in ./ ", 900),
    ("python make_table.py", 120_000_000),
    ("#(nop) COPY file:c in ./ ", 700),
    ('#(nop)  CMD ["python" "timetable.py"]', 0),
)


@dataclass(frozen=True)
class Made:
    image: Image


@dataclass(frozen=True)
class Ended:
    exit_code: int
    output: str


@dataclass
class FakeBench:
    """A bench with made-up images, which knows what the official bases have."""

    on_slim: tuple[str, ...] = ("import http", "Python.h", "pip")
    built: list[str] = field(default_factory=list)
    ran: list[tuple[str, str]] = field(default_factory=list)

    def base(self, key: str) -> Image:
        size_bytes = {"full": 1_110_000_000, "slim": 119_000_000}[key]
        return Image(f"sha256:{key}", (), "", "", (HistoryEntry("base", size_bytes),), (), 0)

    def build(self, app: str, dockerfile: str = "Dockerfile", *, tag: str | None = None) -> Made:
        self.built.append(app)
        return Made(TIMETABLE)

    def image(self, reference: str) -> Image:
        raise ImageNotFound(reference)

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> Ended:
        assert isinstance(image, Image)
        assert command is not None
        base, text = image.id.removeprefix("sha256:"), command[-1]
        self.ran.append((base, text))
        has = base == "full" or any(part in text for part in self.on_slim)
        return Ended(0, "found\nmore") if has else Ended(127, f"sh: 1: {text.split()[0]}: not found\n")


Opener = Callable[[str], Exercise]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    return lambda name: exercises.open(name, FakeBench(), work=tmp_path)


def solve(exercise: Exercise) -> None:
    for id, value in SOLUTIONS[exercise.name].items():
        question = exercise.question(id)
        question.value = value
        question.keep()


@pytest.mark.parametrize("name", exercises.NAMES)
def test_the_solution_gets_full_marks(opened: Opener, name: str) -> None:
    exercise = opened(name)
    solve(exercise)
    exercise.check()
    for task in exercise.tasks:
        assert exercise.verdicts(task).all_pass
        assert all(check.why for check in exercise.verdicts(task)), "a PASS says why"


@pytest.mark.parametrize("name", exercises.NAMES)
def test_the_unsolved_exercise_passes_no_check(opened: Opener, name: str) -> None:
    exercise = opened(name)
    for task in exercise.tasks:
        with pytest.raises(CheckFailed, match="no kept answer"):
            exercise.check(task)


WRONG = [(name, wrong) for name in exercises.NAMES for wrong in exercises.open(name, FakeBench()).wrong_answers]


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=[f"{name}: {wrong.name}" for name, wrong in WRONG])
def test_a_documented_wrong_answer_gets_its_documented_verdict(opened: Opener, name: str, wrong: Any) -> None:
    exercise = opened(name)
    verdicts = exercise.verdicts(wrong.task, wrong.answers)
    shown = verdicts.shown
    assert shown is not None
    assert (shown.name, shown.status) == (wrong.failing, "FAIL")
    assert shown.why
    assert shown.hint.endswith("?"), "a verdict ends in one question"
    assert len(exercise.hints[shown.name]) == 3
    assert word_count(verdicts) <= 60
    for id, value in wrong.answers.items():
        exercise.question(id).value = value  # every wrong answer can really be given
        exercise.question(id).keep()
    with pytest.raises(CheckFailed, match=f"FAIL {wrong.failing}"):
        exercise.check(wrong.task)


@pytest.mark.parametrize("name", exercises.NAMES)
def test_every_task_has_an_objective_and_a_wrong_answer(opened: Opener, name: str) -> None:
    exercise = opened(name)
    assert [objective.task for objective in exercise.rubric] == list(exercise.tasks)
    assert {wrong.task for wrong in exercise.wrong_answers} == set(exercise.tasks)
    for ladder in exercise.hints.values():
        for text in ladder:
            assert "?" in text
            assert not any(line in text for line in LINES), "a hint works on another file"


def test_texts_avoid_words_that_belittle(opened: Opener) -> None:
    for name in exercises.NAMES:
        exercise = opened(name)
        texts = [text for ladder in exercise.hints.values() for text in ladder]
        texts += [str(exercise.verdicts(wrong.task, wrong.answers)) for wrong in exercise.wrong_answers]
        for word in ("simply", " just ", "obviously", "easy", "well done", "sorry"):
            assert not [text for text in texts if word in text.lower()]


@pytest.mark.parametrize("name", exercises.NAMES)
def test_without_the_measurement_a_check_is_skipped_and_says_what_decides(tmp_path: Path, name: str) -> None:
    class NothingRecorded(FakeBench):
        def build(self, *given: Any, **named: Any) -> Made:
            raise NotRecorded("The build is not recorded. A live engine can run it.")

        def run(self, *given: Any, **named: Any) -> Ended:
            raise BaseUnavailable("No slim is here. Start an engine.")

    exercise = exercises.open(name, NothingRecorded(), work=tmp_path)
    task = {"01_naive": "q2-point", "02_slim": "q1-notes"}[name]
    (check,) = exercise.verdicts(task, SOLUTIONS[name])
    assert check.status == "SKIP"
    assert "engine" in check.why
    solved = {id: value for id, value in SOLUTIONS[name].items() if id in exercise.tasks[task]}
    for id, value in solved.items():
        exercise.answers.keep(id, value)
    with pytest.raises(CheckFailed, match="SKIP measured"):
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
    with pytest.raises(KeyError, match="There are: 01_naive, 02_slim"):
        opened("03_native")
    exercise = opened("01_naive")
    with pytest.raises(KeyError, match="has no question 'q9'"):
        exercise.question("q9")
    with pytest.raises(KeyError, match="has no task 'q9'"):
        exercise.verdicts("q9")


# --- 01 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(5, 6, 4, 2, 1, 3, 0), (5, 6, 3, 4, 2, 1, 0), (5, 3, 6, 4, 2, 1, 0)])
def test_every_order_that_works_is_right(order: tuple[int, ...]) -> None:
    assert Verdicts(order_checks([LINES[i] for i in order])).all_pass


def test_the_given_order_breaks_rules() -> None:
    failing = [check.name for check in order_checks(LINES) if check.status == "FAIL"]
    assert failing == [
        "begins with a base",
        "folder before files",
        "list before install",
        "source after install",
        "command last",
    ]


def test_a_kept_order_stands_as_a_file(opened: Opener) -> None:
    exercise = opened("01_naive")
    question = exercise.question("q1-order")
    question.value = SOLVED
    question.keep()
    assert (exercise.answers.folder / "Dockerfile").read_text() == dockerfile(SOLVED)
    assert dockerfile(SOLVED).splitlines()[:2] == ["ARG PY_MINOR=3.12", "FROM python:${PY_MINOR}"]


def test_the_largest_line_is_measured_and_not_remembered(opened: Opener) -> None:
    exercise = opened("01_naive")
    check = exercise.verdicts("q2-point", {"q2-point": LINES[2]}).check("most bytes")
    assert "17.2 MB" in check.found
    assert "7 times as many" in check.why
    assert "make_table" not in str(check), "a verdict gives no solution away"
    right = exercise.verdicts("q2-point", {"q2-point": "RUN python make_table.py"}).check("most bytes")
    assert right.why == "120 MB of 256 MB come from RUN python make_table.py"


# --- 02 -------------------------------------------------------------------------------------


def test_the_right_base_is_measured_and_not_listed(tmp_path: Path) -> None:
    """On a slim that has git, slim is right for the service that calls git."""
    bench = FakeBench(on_slim=("git",))
    exercise = exercises.open("02_slim", bench, work=tmp_path)
    given = {"q2-fingerprint-base": "slim", "q2-fingerprint-evidence": GIT}
    assert exercise.verdicts("q2-fingerprint", given).all_pass
    full = exercise.verdicts("q2-fingerprint", {**given, "q2-fingerprint-base": "full"})
    assert full.check("base fits").why == "every node would pull 991 MB that fingerprint never calls."
    assert bench.ran == [("full", GIT), ("slim", GIT)], "each command is run once on each base"


def test_a_probe_shows_both_bases(opened: Opener) -> None:
    exercise = opened("02_slim")
    outcome = exercise.probe(GIT)  # type: ignore[attr-defined]
    assert repr(outcome).splitlines() == [GIT, "  full: exit 0  found", "  slim: exit 127  sh: 1: git: not found"]
    assert '<th scope="row">slim</th><td>127</td>' in outcome._repr_html_()


def test_evidence_that_both_bases_share_is_named_as_such(opened: Opener) -> None:
    exercise = opened("02_slim")
    wrong = next(wrong for wrong in exercise.wrong_answers if "both bases have" in wrong.name)
    assert "both bases give the same answer" in str(exercise.verdicts(wrong.task, wrong.answers))


def test_every_probe_and_service_is_there() -> None:
    apps = Path(__file__).parents[2] / "apps" / "exercise02"
    for folder in ("notes", "fingerprint", "checksum"):
        assert "FROM python:${PY_MINOR}\n" in (apps / folder / "Dockerfile").read_text()
        compile((apps / folder / f"{folder}.py").read_text(), folder, "exec")
    assert len(set(COMMANDS)) == len(COMMANDS)


def word_count(verdicts: Verdicts) -> int:
    # Names, numbers and texts count; the tally line repeats no thought.
    return len(" ".join(verdicts.lines[:-1]).replace("·", " ").split())
