"""Exercises whose answer is a Dockerfile: what is kept, when it is built, what a verdict rests on."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_bench import APPS, Watched, recorded

from layerlab import exercises
from layerlab.checks import Check
from layerlab.checks.behaviour import telling_line
from layerlab.context import BuildContext
from layerlab.errors import BuildCancelled, BuildFailed, CheckFailed, DoesNotServe, ImageNotFound, NotRecorded
from layerlab.events import StepStarted
from layerlab.exercises import Exercise
from layerlab.exercises.ex03_multistage.mistakes import SOLUTION as FILLINGS
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.file_task import edited, filled, one_filling_changed
from layerlab.exercises.kit.judging import judged
from layerlab.exercises.kit.trial import NeedsEngine, Trial
from layerlab.grading.judge import Neighbours
from layerlab.grading.verify import every_neighbour_is_decided
from layerlab.image import Image
from layerlab.narration import heard
from layerlab.units import size
from layerlab.widgets.dockerfile_panel import DockerfilePanel
from layerlab.work.identity import own_tag

TASK, FILE = "q3-blanks", "q3-blanks-file"
BLANKS = (APPS / "exercise03/tickets/Dockerfile.blanks").read_text()
RIGHT = filled(BLANKS, *FILLINGS)
NO_HEADER = filled(BLANKS, "gcc libc6-dev", *FILLINGS[1:])
NO_LIBRARY = filled(BLANKS, FILLINGS[0], "ca-certificates", FILLINGS[2])


@pytest.fixture
def bench() -> Watched:
    return Watched(recorded("03_multistage"))


@pytest.fixture
def exercise(bench: Watched, tmp_path: Path) -> Exercise:
    return exercises.open("03_multistage", bench, work=tmp_path)


def panel_of(exercise: Exercise) -> DockerfilePanel:
    panel = exercise.question(FILE)
    assert isinstance(panel, DockerfilePanel)
    return panel


def trial(bench: Watched, exercise: Exercise, text: str) -> Trial:
    return Trial(bench, exercise.files[FILE], text)


# --- the file and the panel ------------------------------------------------------------------


def test_nothing_is_kept_and_nothing_written_before_the_learner_edits(exercise: Exercise) -> None:
    panel = panel_of(exercise)
    assert panel.answer is None
    assert panel.value == BLANKS
    assert not exercise.answers.folder.exists()
    (check,) = exercise.verdicts(TASK)
    assert (check.name, check.status) == ("answered", "FAIL")


def test_the_panel_works_without_a_view(exercise: Exercise, bench: Watched) -> None:
    panel = panel_of(exercise)
    panel.answer = RIGHT
    panel.build()
    verdicts = panel.wait(timeout=30)
    assert verdicts.all_pass
    assert panel.state == "judged"
    assert (exercise.answers.folder / "Dockerfile").read_text() == RIGHT
    assert panel.sizes is not None
    image, base = bench.image(own_tag("ex03:q3-blanks-file", exercise.work, namespace="layerlab/")), bench.base("slim")
    assert panel.sizes.base_bytes == base.size_bytes
    assert panel.sizes.added_bytes == image.added_bytes(base)
    assert panel.sizes.needed_bytes == bench.contents(image).needed_bytes(bench.contents(base)) > 0
    exercise.check(TASK)


def test_typing_builds_nothing(exercise: Exercise, bench: Watched) -> None:
    panel = panel_of(exercise)
    panel.value = RIGHT
    assert panel.is_unsaved
    assert exercise.judging(TASK, f"{RIGHT}\nNONSENSE").static().check("reads").status == "FAIL"
    assert [check.name for check in exercise.judging(TASK, BLANKS).static()] == ["no blank left"]
    assert [check.name for check in exercise.judging(TASK, RIGHT).static()] == ["no blank left", "reads", "stages"]
    assert bench.texts == []


def test_each_new_text_that_meets_the_same_obstacle_opens_one_more_hint(exercise: Exercise) -> None:
    panel = panel_of(exercise)

    def attempt(text: str) -> list[str]:
        panel.answer = text
        panel.build()
        panel.wait(timeout=30)
        return [title for title, _ in panel.hints]

    assert attempt(NO_HEADER) == ["Where to look"]
    assert attempt(NO_HEADER) == ["Where to look"], "the same text again is no new attempt"
    with pytest.raises(CheckFailed):
        exercise.check(TASK)
    assert attempt(f"{NO_HEADER}# again\n") == ["Where to look", "The principle"], "the check cell counted nothing"
    assert attempt(NO_LIBRARY) == ["Where to look"], "another obstacle has a ladder of its own"
    assert attempt(RIGHT) == [], "no last hint was needed"
    attempt(f"{NO_HEADER}# once more\n")
    assert attempt(RIGHT) == ["A small variant, to solve alone", "What it comes to"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", b"x" * 200_000])
def test_a_file_that_is_no_text_is_said_and_left_alone(exercise: Exercise, content: bytes, bench: Watched) -> None:
    path = exercise.answers.folder / "Dockerfile"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (check,) = exercise.verdicts(TASK)
    assert (check.name, check.status) == ("answered", "FAIL")
    assert check.hint.endswith("?")
    assert path.read_bytes() == content
    assert bench.texts == []
    with pytest.raises(CheckFailed):
        exercise.check(TASK)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "\tRUN x", "FROM\r\n"])
def test_a_text_that_is_no_dockerfile_is_judged_and_not_built(exercise: Exercise, bench: Watched, text: str) -> None:
    verdicts = exercise.verdicts(TASK, {FILE: text})
    assert verdicts.shown is not None
    assert (verdicts.shown.name, verdicts.shown.status) == ("reads", "FAIL")
    assert bench.texts == []


def test_line_endings_of_windows_are_no_fault(exercise: Exercise) -> None:
    assert exercise.verdicts(TASK, {FILE: RIGHT.replace("\n", "\r\n")}).all_pass


# --- one trial -------------------------------------------------------------------------------


def test_a_trial_asks_for_each_thing_once(exercise: Exercise, bench: Watched) -> None:
    assert exercise.verdicts(TASK, {FILE: RIGHT}).all_pass
    assert bench.texts.count(RIGHT) == 2, "the image, and the builder's stage that it is held against"
    assert len(bench.probed) == len(set(bench.probed)) == 2, "now and before"


def test_a_fault_is_asked_for_once_as_well(exercise: Exercise, bench: Watched) -> None:
    tried = trial(bench, exercise, NO_HEADER)
    for _ in range(2):
        with pytest.raises(BuildFailed):
            tried.built  # noqa: B018
    assert bench.texts == [NO_HEADER]
    assert tried.final_sizes is None
    assert bench.texts == [NO_HEADER], "what failed is not built again to be weighed"


def test_without_an_engine_a_trial_still_reads(exercise: Exercise, bench: Watched) -> None:
    looked = trial(bench, exercise, RIGHT).unbuilt()
    assert len(looked.dockerfile.stages) == 2
    with pytest.raises(NeedsEngine):
        looked.image  # noqa: B018


def test_what_comes_after_a_failing_need_is_not_judged(exercise: Exercise) -> None:
    names = [check.name for check in exercise.verdicts(TASK, {FILE: NO_HEADER})]
    assert names == ["no blank left", "reads", "stages", "builds"]


def test_of_what_does_not_serve_the_other_faults_are_found_too(exercise: Exercise) -> None:
    names = [check.name for check in exercise.verdicts(TASK, {FILE: NO_LIBRARY})]
    assert names == ["no blank left", "reads", "stages", "builds", "serves", "no compiler added", "luggage"]


def test_a_cancelled_trial_stops_before_its_next_question(exercise: Exercise, bench: Watched) -> None:
    judging = exercise.judging(TASK, RIGHT)
    bench.during = judging.cancel
    with pytest.raises(BuildCancelled):
        judging.run()
    assert bench.texts == [RIGHT]
    assert bench.probed == []


def test_a_cancel_before_the_start_is_heard(exercise: Exercise, bench: Watched) -> None:
    judging = exercise.judging(TASK, RIGHT)
    judging.cancel()
    with pytest.raises(BuildCancelled):
        judging.run()
    assert bench.texts == []


def test_a_cancel_reaches_the_build(bench: Watched, exercise: Exercise) -> None:
    judging = exercise.judging(TASK, RIGHT)
    bench.during = judging.cancel
    with pytest.raises(BuildCancelled):
        judging.run()
    assert bench.begun[0].cancels == 1


def test_what_is_not_recorded_is_skipped_under_the_name_of_what_waited(
    exercise: Exercise, bench: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contents(image: object) -> None:
        raise NotRecorded("What lies in that image is not recorded. A live engine can say.")

    monkeypatch.setattr(bench, "contents", contents)
    verdicts = exercise.verdicts(TASK, {FILE: RIGHT})
    assert verdicts.check("same answers").status == "PASS"
    assert verdicts.shown is not None
    assert (verdicts.shown.name, verdicts.shown.status) == ("luggage", "SKIP")
    assert "live engine" in verdicts.shown.why


def test_progress_reaches_whoever_asked_for_it(exercise: Exercise) -> None:
    seen: list[object] = []
    exercise.judging(TASK, RIGHT).run(seen.append)
    assert seen


# --- texts made from the starter -------------------------------------------------------------


def test_texts_are_made_by_code_that_notices_when_the_starter_changes() -> None:
    assert filled("a ____ c ____", "b", "d") == "a b c d"
    with pytest.raises(ValueError, match="2 blanks and 1 filling"):
        filled("____ ____", "one")
    assert edited("one two", "two", "three") == "one three"
    for text in ("one", "two two"):
        with pytest.raises(ValueError, match="an edit needs one place"):
            edited(text, "two", "three")
    assert [*one_filling_changed("____+____", ("a", "b"), (("x", "y"), ("z",)))] == ["x+b", "y+b", "a+z"]


@pytest.mark.parametrize("name", [name for name in exercises.NAMES if exercises.kind(name).files])
def test_neighbours_are_several_different_texts_for_each_file(name: str) -> None:
    exercise = exercises.open(name, recorded(name))
    assert set(exercise.neighbours) == set(exercise.files)
    for texts in exercise.neighbours.values():
        assert len(set(texts)) == len(texts) > 3


@pytest.mark.parametrize("name", [name for name in exercises.NAMES if exercises.kind(name).files])
def test_a_file_question_has_a_task_of_its_own_under_another_id(name: str) -> None:
    kind = exercises.kind(name)
    for id, task in kind.files.items():
        assert [name for name, ids in kind.tasks.items() if ids == (id,)], "its task has this one question"
        assert id not in kind.tasks, "attempts at the task and the panel's history are kept apart"
        assert (APPS / task.app / task.starter).is_file()
        assert (APPS / task.app / (task.before or task.starter)).is_file()
        assert task.parts >= {"editor"}


def test_neighbours_that_an_engine_could_not_decide_are_said() -> None:
    assert every_neighbour_is_decided("03", Neighbours(9)).status == "PASS"
    check = every_neighbour_is_decided("03", Neighbours(9, ("q 1: not recorded", "q 2: not recorded")))
    assert (check.status, check.found) == ("FAIL", "q 1: not recorded, and 1 more")


def test_the_panels_counter_is_the_learners_build_whatever_the_checks_build(exercise: Exercise, bench: Watched) -> None:
    seen: list[object] = []
    told: list[str] = []
    with heard(told.append):
        exercise.judging(TASK, RIGHT).run(seen.append)
    assert len(bench.texts) == 3, "the text, the service as it was, and the builder alone"
    steps = [event.number for event in seen if isinstance(event, StepStarted)]
    assert steps == list(range(1, len(steps) + 1)), "events of one build"
    builds = [words for words in told if words.startswith("building") and ": step" not in words]
    assert builds == ["building the service as it was, to compare with", "building stage builder alone"]


def test_a_check_cell_tells_the_learners_build_as_a_panel_would_show_it(exercise: Exercise) -> None:
    told: list[str] = []
    with heard(told.append):
        exercise.verdicts(TASK, {FILE: RIGHT})
    assert "building Dockerfile" in told


def test_a_right_answer_is_told_with_the_number_that_counts(exercise: Exercise, bench: Watched) -> None:
    headline = exercise.verdicts(TASK, {FILE: RIGHT}).headline
    tried = trial(bench, exercise, RIGHT)
    assert headline == f"Passed: {size(tried.image_before.size_bytes)} → {size(tried.image.size_bytes)}"


def test_the_service_as_it_was_is_built_and_asked_once_a_session(exercise: Exercise, bench: Watched) -> None:
    for number in range(3):
        exercise.verdicts(TASK, {FILE: f"{RIGHT}# {number}\n"})
    today = (bench.folder(exercise.files[FILE].app) / "Dockerfile.today").read_text()
    assert bench.texts.count(today) == 1
    assert len(bench.probed) == 3 + 1


def test_it_is_built_again_once_its_image_is_gone_or_its_files_are_others(
    exercise: Exercise, bench: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "app"
    shutil.copytree(bench.folder(exercise.files[FILE].app), app)
    monkeypatch.setattr(bench, "folder", lambda name: app)
    today = (app / "Dockerfile.today").read_text()
    exercise.verdicts(TASK, {FILE: RIGHT})
    (app / "main.py").write_text((app / "main.py").read_text() + "# edited\n")
    exercise.verdicts(TASK, {FILE: RIGHT})
    assert bench.texts.count(today) == 2

    def gone(reference: str) -> Image:
        raise ImageNotFound(reference)

    monkeypatch.setattr(bench, "image", gone)
    exercise.verdicts(TASK, {FILE: f"{RIGHT}# another\n"})
    assert bench.texts.count(today) == 3


def test_what_the_panel_judged_is_not_built_again_for_the_same_text(exercise: Exercise, bench: Watched) -> None:
    panel = panel_of(exercise)
    panel.answer = RIGHT
    panel.build()
    assert panel.wait(timeout=30).all_pass
    texts, probed = len(bench.texts), len(bench.probed)
    exercise.check(TASK)
    exercise.check(TASK)
    assert (len(bench.texts), len(bench.probed)) == (texts, probed)
    panel.build()
    panel.wait(timeout=30)
    assert len(bench.texts) > texts, "Build & check is the way to ask again"
    panel.answer = f"{RIGHT}USER 1\n"
    texts = len(bench.texts)
    exercise.verdicts(TASK)
    assert len(bench.texts) > texts, "another text"


def test_typing_reads_no_file_of_the_service(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(*given: object) -> str:
        raise AssertionError("a static verdict is to follow a keystroke within 50 ms")

    monkeypatch.setattr(BuildContext, "digest", digest)
    assert exercise.judging(TASK, RIGHT).static().checks


def test_a_verdict_holds_for_the_files_that_it_was_built_with(
    exercise: Exercise, bench: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "app"
    shutil.copytree(bench.folder(exercise.files[FILE].app), app)
    monkeypatch.setattr(bench, "folder", lambda name: app)
    first = exercise.judged(TASK, RIGHT)
    assert exercise.judged(TASK, RIGHT) is first
    (app / "main.py").write_text("import fastapi\n")
    assert exercise.judged(TASK, RIGHT) is not first


def test_what_could_not_be_checked_is_tried_again_counts_as_a_try_and_opens_hints(
    exercise: Exercise, bench: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contents(image: object) -> None:
        raise NotRecorded("What lies in that image is not recorded. A live engine can say.")

    panel = panel_of(exercise)
    with monkeypatch.context() as patch:
        patch.setattr(bench, "contents", contents)
        for number in (1, 2):
            panel.answer = f"{RIGHT}# {number}\n"
            panel.build()
            shown = panel.wait(timeout=30).shown
            assert shown is not None and (shown.name, shown.status) == ("luggage", "SKIP")
            assert [text for _, text in panel.hints] == list(exercise.hints["luggage"][:number])
    exercise.check(TASK)


def test_a_check_without_hints_of_its_own_opens_those_of_what_people_fail_first(
    exercise: Exercise, bench: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(*given: object, **named: object) -> None:
        raise NotRecorded("A container started this way is not recorded.")

    monkeypatch.setattr(type(exercise), "hints", {**exercise.hints, "serves": ()})
    monkeypatch.setattr(bench, "probe", probe)
    panel = panel_of(exercise)
    panel.answer = RIGHT
    panel.build()
    panel.wait(timeout=30)
    first = next(wrong.failing for wrong in exercise.mistakes if wrong.task == TASK)
    assert [text for _, text in panel.hints] == [exercise.hints[first][0]]


def test_the_telling_line_of_an_output_is_the_one_that_names_something() -> None:
    log = (
        "  error: subprocess-exited-with-error",
        "  qr.c:3:10: fatal error: qrencode.h: No such file or directory",
        "  ERROR: Failed building wheel for qr",
        "[notice] To update, run: pip install --upgrade pip",
    )
    assert telling_line(log) == "qr.c:3:10: fatal error: qrencode.h: No such file or directory"
    assert telling_line((log[0], log[3])) == "error: subprocess-exited-with-error"
    assert telling_line(("one", "last")) == "last"
    assert telling_line(()) == ""


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (("error: command 'gcc' failed: No such file or directory", "[notice] A new release of pip is there"), 0),
        (("Traceback (most recent call last):", 'File "x.py", line 1, in <module>', "ValueError: no table"), 2),
        (("Traceback (most recent call last):", "json.decoder.JSONDecodeError: Expecting value", "one more line"), 1),
        (("something went on", "[notice] To update, run: pip install --upgrade pip"), 0),
        (("Traceback (most recent call last):", "ModuleNotFoundError: No module named 'x'", "exited: error 1"), 1),
    ],
)
def test_neither_advice_nor_the_head_of_a_traceback_is_a_cause(log: tuple[str, ...], cause: int) -> None:
    assert telling_line(log) == log[cause]


def test_a_check_cell_lets_the_panel_say_that_the_file_is_another(exercise: Exercise) -> None:
    panel = exercise.question(FILE)
    panel.keep()
    panel.file.path.write_text(RIGHT)
    assert not panel.conflict
    with contextlib.suppress(CheckFailed):
        exercise.check(TASK)
    assert panel.conflict


def test_an_image_that_does_not_serve_is_looked_into_all_the_same() -> None:
    def checks(trial: Any) -> Iterator[Check]:
        yield Check(name="builds", status="PASS")
        yield Check(name="serves", status="FAIL")
        yield Check(name="same answers", status="FAIL")
        yield Check(name="not root", status="SKIP")
        yield Check(name="no compiler added", status="FAIL")
        raise DoesNotServe("Nothing runs that could be looked at.")

    trial: Any = SimpleNamespace(asking="luggage")
    assert [check.name for check in judged(trial, checks)] == ["builds", "serves", "no compiler added"]


@pytest.mark.parametrize("failing", ["no blank left", "reads", "builds"])
def test_without_an_image_nothing_more_is_judged(failing: str) -> None:
    def checks(trial: Any) -> Iterator[Check]:
        yield Check(name=failing, status="FAIL")
        raise AssertionError("there is nothing to look at")

    trial: Any = SimpleNamespace(asking="")
    assert [check.name for check in judged(trial, checks)] == [failing]


def test_a_cancel_is_heard_after_a_service_that_does_not_serve() -> None:
    def checks(trial: Any) -> Iterator[Check]:
        yield Check(name="serves", status="FAIL")
        raise BuildCancelled("cancelled")

    trial: Any = SimpleNamespace(asking="")
    with pytest.raises(BuildCancelled):
        judged(trial, checks)


def test_what_does_not_answer_is_compared_with_nothing() -> None:
    class Silent:
        dockerfile = None

        @property
        def probe(self) -> Any:
            raise DoesNotServe("It ended with exit code 1.")

        @property
        def before(self) -> Any:
            raise AssertionError("it takes a build and a start")

    trial: Any = Silent()
    assert file_checks.same_answers(trial).status == "FAIL"
    assert file_checks.not_root(trial).status == "SKIP"


def test_what_writes_into_its_image_fails_at_read_only(
    exercise: Exercise, bench: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves = bench.probe

    def probe(image: Any, *paths: str, read_only: bool = False, **named: Any) -> Any:
        if read_only:
            raise DoesNotServe("It ended with exit code 1: OSError: [Errno 30] Read-only file system: 'visits.txt'")
        return serves(image, *paths, **named)

    monkeypatch.setattr(bench, "probe", probe)
    tried = trial(bench, exercise, RIGHT)
    assert file_checks.serves(tried).status == "PASS"
    check = file_checks.read_only(tried)
    assert (check.name, check.status) == ("read-only", "FAIL")
    assert check.why and check.hint.endswith("?")
