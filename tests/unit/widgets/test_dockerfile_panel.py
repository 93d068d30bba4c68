"""The exercise panel without a browser: no lost answer, no stuck panel, no verdict on another text than it says."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pretend_judge import SIZES, PretendJudge, PretendJudging, recorder

from layerlab import dockerfile, events
from layerlab.checks import Check, Outcome, Verdicts
from layerlab.errors import AnswerError, BuildCancelled, DiskFull, EngineGone, LayerLabError, SetupError
from layerlab.widgets import DockerfilePanel
from layerlab.widgets.dockerfile_panel.attempt import AttemptProgress
from layerlab.widgets.dockerfile_panel.text_twin import quoted_lines
from layerlab.work.answers import Answers
from layerlab.work.attempts import Attempts
from layerlab.work.text_file import WorkFile

STARTER = "FROM python:3.12-slim\nCOPY --from=builder _____ _____\n"
FAT = STARTER.replace("_____ _____", "/usr/local /usr/local")
GOOD = STARTER.replace("_____ _____", "/venv /venv")
ALL_PARTS = frozenset({"editor", "diff", "gauge", "attempts"})

Make = Callable[..., DockerfilePanel]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Dockerfile.native"


@pytest.fixture
def make(path: Path) -> Make:
    """Open a panel on the same file and attempts each time, as another kernel or notebook would."""

    def open_panel(judge: PretendJudge | None = None, **changes: Any) -> DockerfilePanel:
        given: dict[str, Any] = {
            "file": WorkFile(path, STARTER),
            "judge": judge or PretendJudge(),
            "record": recorder(path.parent),
            "parts": ALL_PARTS,
            "answers": Answers(path.parent),
            "attempts": partial(Attempts(path.parent).table, "native"),
        }
        return DockerfilePanel("native", "Fill `the blanks`.", **(given | changes))

    return open_panel


@pytest.fixture
def held() -> Any:
    """A judge that waits in its last step; let go at the end of the test."""
    judge = PretendJudge(waits=True)
    yield judge
    judge.go_on.set()


def start(panel: DockerfilePanel, judge: PretendJudge) -> None:
    panel.build()
    assert judge.reached.wait(5)


# --- the text and its file ---------------------------------------------------------------------------


def test_it_begins_with_the_starter_and_writes_nothing(make: Make, path: Path) -> None:
    panel = make()
    assert (panel.value, panel.answer, panel.kept, panel.state) == (STARTER, None, False, "idle")
    assert panel.saved_state == "Nothing changed yet: this is the starter."
    assert not path.exists()


def test_an_answer_is_the_text_of_the_file_and_survives_the_kernel(make: Make, path: Path) -> None:
    make().answer = FAT
    assert path.read_text() == FAT
    again = make()
    assert (again.value, again.answer, again.saved_state) == (FAT, FAT, "Saved in Dockerfile.native.")


def test_what_is_typed_counts_when_it_is_saved_and_until_then_it_is_said(make: Make) -> None:
    panel = make()
    panel.value = FAT
    assert panel.answer is None
    assert panel.saved_state.startswith("Not saved yet.")
    panel.keep()
    assert panel.answer == FAT
    assert panel.status == "Saved: Dockerfile.native, 2 lines."


def test_no_text_is_no_answer(make: Make) -> None:
    panel = make()
    with pytest.raises(AnswerError, match="it is no text"):
        panel.value = 3
    panel.value = GOOD
    panel.value = None
    assert panel.value == STARTER


def test_a_change_on_disk_is_noticed_and_loading_it_keeps_the_unsaved_text_aside(make: Make, path: Path) -> None:
    panel = make()
    panel.value = GOOD
    path.write_text(FAT)
    with pytest.raises(AnswerError, match="was changed on disk"):
        panel.keep()
    assert "was changed on disk" in panel.conflict
    assert (panel.value, path.read_text()) == (GOOD, FAT)
    panel.reload()
    assert (panel.value, panel.conflict) == (FAT, "")
    assert path.with_name("Dockerfile.native.backup-1").read_text() == GOOD
    assert "kept as Dockerfile.native.backup-1" in panel.status


def test_keeping_mine_makes_a_backup_of_theirs_and_says_its_name(make: Make, path: Path) -> None:
    panel = make()
    panel.value = GOOD
    path.write_text(FAT)
    panel.keep_mine()
    assert (panel.answer, panel.conflict) == (GOOD, "")
    assert path.with_name("Dockerfile.native.backup-1").read_text() == FAT
    assert "What was in the file is kept as Dockerfile.native.backup-1." in panel.status


def test_a_display_takes_up_what_another_editor_saved_unless_something_is_unsaved(make: Make, path: Path) -> None:
    panel = make()
    path.write_text(FAT)
    panel.restore()
    assert (panel.value, panel.conflict) == (FAT, "")
    panel.value = GOOD
    path.write_text(FAT + "USER 1\n")
    panel.restore()
    assert panel.value == GOOD
    assert "was changed on disk" in panel.conflict


def test_typing_notices_a_change_on_disk(make: Make, path: Path) -> None:
    panel = make()
    path.write_text(FAT)
    panel.value = GOOD
    assert panel.conflict
    assert panel.saved_state == "The editor and the file differ."


def test_a_deleted_file_leaves_the_text_in_the_editor_and_loading_keeps_a_copy(make: Make, path: Path) -> None:
    panel = make()
    panel.answer = GOOD
    path.unlink()
    panel.look()
    assert "was deleted" in panel.conflict
    panel.reload()
    assert panel.value == STARTER
    assert path.with_name("Dockerfile.native.backup-1").read_text() == GOOD


def test_reset_says_where_the_texts_are(make: Make, path: Path) -> None:
    panel = make()
    panel.answer = GOOD
    panel.value = FAT
    backup = panel.reset()
    assert backup is not None
    texts = {one.read_text() for one in path.parent.glob("*.backup-*")}
    assert (texts, backup.read_text(), panel.value, panel.answer) == ({GOOD, FAT}, GOOD, STARTER, None)
    assert panel.status.count(".backup-") == 2
    assert make().reset() is None


@pytest.mark.parametrize(("content", "words"), [(b"\x7fELF\0\0", "is no text"), (b"#" * 1_000_000, "at most 100 kB")])
def test_a_file_that_is_no_text_is_said_and_left_alone(make: Make, path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    panel = make()
    assert words in panel.status
    assert words in panel.conflict
    for act in (panel.keep, panel.build, panel.reload):
        with pytest.raises(AnswerError, match=words):
            act()
    assert path.read_bytes() == content
    assert panel.state == "idle"
    backup = panel.reset()
    assert backup is not None
    assert backup.read_bytes() == content
    assert panel.conflict == ""


def test_a_text_that_is_too_long_stays_in_the_editor(make: Make, path: Path) -> None:
    panel = make()
    panel.restore()
    panel.value = "#" * 1_000_000
    assert "too long" in panel.as_written
    with pytest.raises(AnswerError, match="a file here may have"):
        panel.build()
    assert (len(panel.value), panel.state, path.exists()) == (1_000_000, "idle", False)


def test_a_full_disk_leaves_the_text_in_the_editor(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make()
    panel.answer = FAT

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    panel.value = GOOD
    with pytest.raises(DiskFull, match="make room"):
        panel.build()
    assert (panel.value, panel.answer, panel.state) == (GOOD, FAT, "idle")
    assert panel.saved_state.startswith("Not saved yet.")
    monkeypatch.undo()
    panel.keep()
    assert panel.answer == GOOD


@pytest.mark.parametrize("text", ["", "\n\n", "\tRUN\tx\n\t\n", "FROM x # é 🐍\n"])
def test_odd_texts_are_saved_judged_and_given_back(make: Make, path: Path, text: str) -> None:
    panel = make()
    panel.answer = text
    panel.build()
    panel.wait(5)
    assert path.read_bytes() == text.encode()
    assert make().value == text


def test_a_crlf_file_keeps_its_endings_and_is_judged_with_them(make: Make, path: Path) -> None:
    judge = PretendJudge()
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    panel = make(judge)
    assert (panel.value, panel.saved_state) == (GOOD, "Saved in Dockerfile.native.")
    panel.value += "USER 1\n"
    panel.build()
    panel.wait(5)
    assert path.read_bytes() == (GOOD + "USER 1\n").replace("\n", "\r\n").encode()
    assert judge.judged == [path.read_bytes().decode()]
    assert panel.is_verdict_on_this_text


# --- build and check ------------------------------------------------------------------------------------


def test_build_saves_judges_and_says_which_text(make: Make, path: Path) -> None:
    judge = PretendJudge()
    panel = make(judge)
    panel.value = FAT
    panel.build()
    verdicts = panel.wait(5)
    assert path.read_text() == FAT
    assert judge.judged == [FAT]
    assert (panel.state, panel.sizes, panel.judged_text) == ("judged", SIZES, FAT)
    assert verdicts.shown is not None
    assert verdicts.shown.name == "luggage"
    assert verdicts.title.startswith("Verdict on Dockerfile.native as saved at ")
    assert panel.status == ""


def test_a_verdict_on_an_earlier_text_says_so_and_is_itself_again_when_the_text_is(make: Make, path: Path) -> None:
    panel = make()
    panel.answer = FAT
    panel.build()
    panel.wait(5)
    for change in (lambda: setattr(panel, "value", GOOD), lambda: path.write_text(GOOD), path.unlink):
        panel.value = FAT
        panel.keep_mine()
        panel.look()
        assert panel.label.startswith("Verdict on Dockerfile.native as saved")
        change()
        panel.look()
        assert panel.label.startswith("Verdict on an earlier text")
        assert panel.verdicts is not None
        assert panel.verdicts.title == panel.label
        assert "Of the earlier text" in panel.text


@pytest.mark.parametrize("change", ["edit", "delete", "type"])
def test_a_change_in_mid_build_gives_no_lying_verdict(make: Make, path: Path, held: PretendJudge, change: str) -> None:
    panel = make(held)
    panel.answer = FAT
    start(panel, held)
    if change == "edit":
        path.write_text(GOOD)
    elif change == "delete":
        path.unlink()
    else:
        panel.value = GOOD
    held.go_on.set()
    verdicts = panel.wait(5)
    assert held.judged == [FAT]
    assert verdicts.title.startswith("Verdict on an earlier text")
    assert bool(panel.conflict) == (change != "type")


def test_pressing_build_twice_builds_once(make: Make, held: PretendJudge) -> None:
    panel = make(held)
    clicks = [threading.Thread(target=panel.build) for _ in range(5)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert "is being built already" in panel.status
    held.go_on.set()
    panel.wait(5)
    assert held.runs == 1
    panel.build()
    panel.wait(5)
    assert held.runs == 2


def test_cancel_ends_the_build_at_once_and_judges_nothing(make: Make, held: PretendJudge) -> None:
    panel = make(held)
    panel.answer = FAT
    start(panel, held)
    began = time.monotonic()
    panel.cancel()
    with pytest.raises(BuildCancelled, match=r"Dockerfile\.native was cancelled"):
        panel.wait(5)
    assert time.monotonic() - began < 2
    assert (panel.state, panel.verdicts, panel.answer, held.cancels) == ("cancelled", None, FAT, 1)
    assert panel.attempts() == ()


def test_a_judge_that_hears_no_cancel_does_not_hold_the_panel(make: Make) -> None:
    deaf = PretendJudge(waits=True, deaf=True)
    panel = make(deaf)
    start(panel, deaf)
    began = time.monotonic()
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(5)
    assert time.monotonic() - began < 2
    panel.build()
    assert panel.state == "building"
    deaf.go_on.set()
    panel.wait(5)
    # What the first one came to in the end was not asked for any more.
    assert (panel.state, len(panel.attempts())) == ("judged", 1)


def test_a_new_build_begins_when_the_cancelled_one_is_cleared_away(make: Make) -> None:
    deaf = PretendJudge(waits=True, deaf=True)
    panel = make(deaf)
    start(panel, deaf)
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(5)
    for _ in range(2):  # a second one that is cancelled while it waits does not let the third in
        panel.build()
        assert panel.status == "Saved. It is built as soon as the cancelled build is cleared away."
        with pytest.raises(TimeoutError):
            panel.wait(0.3)
        assert deaf.runs == 1
        began = time.monotonic()
        panel.cancel()
        with pytest.raises(BuildCancelled):
            panel.wait(5)
        assert time.monotonic() - began < 1
    panel.build()
    deaf.go_on.set()
    assert panel.wait(5).checks
    assert deaf.runs == 2


def test_what_was_cancelled_while_its_image_was_checked_is_not_waited_for(make: Make) -> None:
    deaf = PretendJudge(waits=True, deaf=True)
    panel = make(deaf)
    start(panel, deaf)
    panel.progress._finished.add(3)
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(5)
    deaf.reached.clear()
    panel.build()
    assert panel.status == "Saved. Building and checking it now."
    assert deaf.reached.wait(5)
    deaf.go_on.set()


def test_a_cancelled_build_that_is_never_cleared_away_does_not_hold_the_next(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlab.widgets.dockerfile_panel.attempt._CLEARING_SECONDS", 0.2)
    deaf = PretendJudge(waits=True, deaf=True)
    panel = make(deaf)
    start(panel, deaf)
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(5)
    deaf.reached.clear()
    panel.build()
    assert deaf.reached.wait(5)
    assert deaf.runs == 2
    deaf.go_on.set()


def test_a_judge_whose_cancel_fails_does_not_hold_the_panel_either(make: Make) -> None:
    judge = PretendJudge(waits=True)
    panel = make(judge)
    start(panel, judge)
    attempt = panel._attempt
    assert attempt is not None
    assert attempt._judging is not None

    def broken() -> None:
        raise EngineGone("The engine stopped answering. Start it again.")

    attempt._judging.cancel = broken  # type: ignore[method-assign]
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(5)
    assert "Cancelling failed: The engine stopped answering" in panel.progress.error
    judge.go_on.set()


def test_a_cancel_that_comes_too_late_is_harmless(make: Make) -> None:
    panel = make()
    panel.cancel()
    panel.build()
    panel.wait(5)
    panel.cancel()
    assert panel.state == "judged"
    assert panel.wait(5).checks


def test_an_interrupt_while_waiting_cancels(make: Make, held: PretendJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make(held)
    start(panel, held)
    attempt = panel._attempt
    assert attempt is not None
    wait, calls = attempt.wait, []

    def interrupted(timeout: float | None = None) -> bool:
        calls.append(timeout)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return wait(timeout)

    monkeypatch.setattr(attempt, "wait", interrupted)
    with pytest.raises(BuildCancelled):
        panel.wait()
    assert panel.state == "cancelled"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (EngineGone("The engine stopped answering. Start it again."), "Not judged: The engine stopped answering."),
        (ZeroDivisionError("by zero"), "the check itself failed (ZeroDivisionError: by zero)"),
    ],
)
def test_a_judge_that_fails_is_no_verdict(make: Make, fault: Exception, words: str) -> None:
    panel = make(PretendJudge(fault=fault))
    panel.answer = GOOD
    panel.build()
    with pytest.raises(type(fault)):
        panel.wait(5)
    assert (panel.state, panel.verdicts, panel.answer) == ("failed", None, GOOD)
    assert words in panel.status


def test_a_judge_that_cannot_be_made_is_told_too(make: Make) -> None:
    def impossible(text: str) -> Any:
        raise EngineGone("The engine stopped answering. Start it again.")

    panel = make(impossible)
    panel.restore()
    assert panel.as_written.startswith("The engine stopped")
    panel.build()
    with pytest.raises(EngineGone):
        panel.wait(5)
    assert panel.state == "failed"


def test_a_thread_that_cannot_start_frees_the_panel_and_says_what_to_do(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    judge = PretendJudge()
    panel = make(judge)
    panel.answer = GOOD
    monkeypatch.setattr(threading.Thread, "start", refused)
    panel.build()
    with pytest.raises(SetupError, match="can't start new thread"):
        panel.wait(5)
    assert (panel.state, panel.progress.state, judge.runs, panel.attempts()) == ("failed", "failed", 0, ())
    assert panel.status.startswith("Not judged: Nothing was begun") and "Shut down kernels" in panel.status
    monkeypatch.undo()
    panel.build()
    assert panel.wait(5).all_pass


def test_in_a_python_without_threads_a_verdict_is_there_when_build_returns(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(thread: threading.Thread) -> None:
        raise AssertionError("there are no threads")

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(threading.Thread, "start", refused)
    panel = make()
    panel.answer = FAT
    panel.build()
    assert panel.state == "judged"
    assert panel.wait(0).check("luggage").status == "FAIL"
    assert panel.progress.status.startswith("Built and checked in ")
    panel.build()
    assert len(panel.attempts()) == 2


def test_waiting_has_an_end_and_the_build_goes_on(make: Make, held: PretendJudge) -> None:
    panel = make(held)
    with pytest.raises(LayerLabError, match="has not been built here"):
        panel.wait()
    start(panel, held)
    with pytest.raises(TimeoutError, match=r"not judged after 0\.05 s"):
        panel.wait(0.05)
    held.go_on.set()
    assert panel.wait(5).checks


def test_a_kernel_that_died_in_mid_build_leaves_nothing_stuck(make: Make, path: Path, held: PretendJudge) -> None:
    dead = make(held)
    dead.answer = FAT
    start(dead, held)
    panel = make()
    assert (panel.state, panel.value, panel.conflict) == ("idle", FAT, "")
    panel.build()
    assert panel.wait(5).check("luggage").status == "FAIL"


def test_two_panels_on_one_file_stay_honest(make: Make, held: PretendJudge) -> None:
    first, second = make(held), make()
    first.answer = FAT
    start(first, held)
    with pytest.raises(AnswerError, match="was changed on disk"):
        second.build()
    second.reload()
    second.value = GOOD
    second.build()
    assert second.wait(5).all_pass
    held.go_on.set()
    assert first.wait(5).title.startswith("Verdict on an earlier text")
    assert "was changed on disk" in first.conflict
    with pytest.raises(AnswerError):
        first.build()
    assert second.answer == GOOD


def test_what_a_build_prints_is_bounded(make: Make) -> None:
    judge = PretendJudge()
    judge.prints = 35_000  # of 1,000 characters, three times: 105 MB
    panel = make(judge)
    panel.build()
    panel.wait(60)
    assert panel.progress.lines_seen > 100_000
    assert len(panel.progress.log_text) < 100_000


def test_progress_says_when_the_image_is_built_and_being_checked(make: Make, held: PretendJudge) -> None:
    panel = make(held)
    start(panel, held)
    progress = panel.progress
    progress.refresh(1.0)
    assert progress.status == "Step 3 of 3: COPY main.py . · 0 from cache"
    progress._finished.add(3)
    progress.refresh(1.0)
    assert progress.status == "All 3 steps are done. Now checking the image."
    held.go_on.set()
    panel.wait(5)
    assert progress.state == "done"
    assert progress.status.startswith("Built and checked in ")


@pytest.mark.parametrize(
    ("finished", "total", "state", "said"),
    [
        (3, 3, "done", r"Built and checked in \S+ s\."),
        (1, 3, "failed", r"Checked in \S+ s\. Your build stopped at step 2 of 3\."),
        (0, 0, "done", r"Checked in \S+ s\. Nothing was built\."),
    ],
)
def test_the_last_line_claims_no_build_that_was_not_there(finished: int, total: int, state: str, said: str) -> None:
    progress = AttemptProgress("a text")
    for number in range(1, min(finished + 1, total) + 1):
        progress.receive(events.StepStarted(0.0, number, total, "RUN true"))
        if number <= finished:
            progress.receive(events.StepFinished(0.0, number, "abc"))
    progress.close(elapsed=2.0)
    assert progress.state == state
    assert re.fullmatch(said, progress.status)


def test_a_recording_that_ends_stopped_at_the_step_that_it_does_not_hold() -> None:
    progress = AttemptProgress("a text")
    progress.receive(events.StepStarted(0.0, 1, 3, "FROM x"))
    progress.receive(events.StepFinished(0.0, 1, "abc"))
    progress.close(elapsed=2.0)
    assert progress.summary.endswith("Your build stopped at step 2 of 3.")


def test_what_runs_besides_a_step_is_named_until_a_step_begins() -> None:
    progress = AttemptProgress("a text")
    progress.state = "running"
    progress.tell("waiting for the base python:3.12-slim")
    progress.refresh(1.0)
    assert progress.status == "Now waiting for the base python:3.12-slim."
    progress.receive(events.StepStarted(0.0, 1, 1, "FROM python:3.12-slim"))
    progress.refresh(2.0)
    assert progress.status.startswith("Step 1 of 1: FROM")
    progress.receive(events.StepFinished(0.0, 1, "abc"))
    progress.tell("asking /notes (1 of 2)")
    progress.refresh(3.0)
    assert progress.status == "All 1 steps are done. Now asking /notes (1 of 2)."
    progress.finish(BuildCancelled("x"), elapsed=4.0)
    assert progress.summary == "Cancelled after the last step (asking /notes (1 of 2)), after 4.0 s."


# --- as written, hints, attempts ---------------------------------------------------------------------------


def test_what_is_typed_is_judged_as_written_without_a_build(make: Make) -> None:
    judge = PretendJudge()
    panel = make(judge)
    assert judge.looked_at == []
    panel.restore()
    assert panel.as_written == "Not yet: no blank left (found a blank on line 2, wanted none)."
    panel.value = FAT
    assert panel.as_written.startswith("Passed so far: no blank left.")
    assert (judge.runs, judge.looked_at) == (0, [STARTER, FAT])


def test_the_static_verdict_follows_a_change_within_50_ms(make: Make) -> None:
    # The parser itself: what every judge of a Dockerfile needs at least.
    class Parsing(PretendJudge):
        def __call__(self, text: str) -> PretendJudging:
            dockerfile.parse(text)
            return super().__call__(text)

    panel = make(Parsing())
    panel.restore()
    seconds = []
    for number in range(5):
        began = time.perf_counter()
        panel.value = "FROM python\n" + "RUN echo hello\n" * 150 + f"USER {number}\n"
        seconds.append(time.perf_counter() - began)
        assert panel.as_written.startswith("Passed so far")
    assert min(seconds) < 0.05


def test_a_long_text_is_looked_at_when_it_is_saved(make: Make) -> None:
    judge = PretendJudge()
    panel = make(judge)
    panel.restore()
    panel.value = "RUN echo hello\n" * 5_000
    assert "too long to be looked at while you type" in panel.as_written
    assert judge.looked_at == [STARTER]
    panel.keep()
    assert panel.as_written.startswith("Passed so far")
    assert judge.looked_at == [STARTER, panel.value]
    panel.value = GOOD
    assert judge.looked_at[2:] == [GOOD]


def test_an_attempt_is_recorded_once_with_its_text_and_verdict_and_its_hints_are_shown(make: Make) -> None:
    seen: list[tuple[str, bool]] = []

    def record(text: str, outcome: Outcome, *, when: datetime, seconds: float) -> Sequence[tuple[str, str]]:
        seen.append((text, outcome.verdicts.all_pass))
        assert (datetime.now().astimezone() - when).total_seconds() < 60 and 0 <= seconds < 60
        return [(f"hint {len(seen)}", "Look.")]

    panel = make(record=record)
    for number, text in enumerate((FAT, FAT, GOOD), 1):
        panel.answer = text
        panel.build()
        panel.wait(5)
        assert panel.hints == ((f"hint {number}", "Look."),)
    assert seen == [(FAT, False), (FAT, False), (GOOD, True)]


def test_the_panel_itself_writes_nothing_but_its_file(make: Make, path: Path) -> None:
    panel = make(record=lambda text, outcome, **_: ())
    panel.answer = FAT
    panel.build()
    panel.wait(5)
    assert [one.name for one in path.parent.iterdir() if one.suffix == ".json"] == []
    assert panel.attempts() == ()


def test_attempts_survive_the_kernel_newest_first(make: Make) -> None:
    panel = make()
    for text in (STARTER, FAT, GOOD):
        panel.answer = text
        panel.build()
        panel.wait(5)
    rows = [tried.cells[1:3] for tried in make().attempts()]
    assert rows == [("no blank left", "17.5 MB"), ("luggage", "17.5 MB"), ("all pass", "17.5 MB")]
    lines = make().text.splitlines()
    start_of_list = next(number for number, line in enumerate(lines) if line.startswith("Attempts, newest first"))
    assert "all pass" in lines[start_of_list + 1]
    assert "no blank left" in lines[start_of_list + 3]


def test_damaged_attempts_lose_no_verdict(make: Make, path: Path) -> None:
    panel = make()
    (path.parent / "attempts.json").write_text("{")
    panel.answer = GOOD
    panel.build()
    assert panel.wait(5).all_pass
    assert "was damaged" in panel.status


def test_a_full_disk_loses_neither_the_verdict_nor_the_attempt(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = Attempts(path.parent)
    panel = make(record=recorder(kept), attempts=partial(kept.table, "native"))
    panel.answer = FAT
    monkeypatch.setattr(os, "fsync", full)
    panel.build()
    assert panel.wait(5).shown is not None
    assert panel.state == "judged"
    assert panel.status.startswith("No space is left")
    assert [tried.failing for tried in panel.attempts()] == ["luggage"]
    monkeypatch.undo()
    panel.answer = GOOD
    panel.build()
    panel.wait(5)
    assert [tried.failing for tried in make().attempts()] == ["luggage", ""]


def test_hints_that_fail_leave_the_verdict_and_free_the_panel(make: Make) -> None:
    def broken(text: str, outcome: Outcome, *, when: datetime, seconds: float) -> Sequence[tuple[str, str]]:
        raise KeyError("luggage")

    panel = make(record=broken)
    panel.answer = FAT
    panel.build()
    with pytest.raises(KeyError):
        panel.wait(5)
    assert panel.state == "failed"
    assert "KeyError" in panel.status
    assert panel.verdicts is not None


# --- text and parts ------------------------------------------------------------------------------------------


def test_the_text_twin_says_all_that_the_panel_shows(make: Make, path: Path) -> None:
    panel = make(record=recorder(path.parent, [("Where to look", "At line 2.")]))
    panel.answer = FAT
    panel.build()
    panel.wait(5)
    panel.restore()
    text = panel.text
    for words in (
        "Fill `the blanks`.",
        "Saved in Dockerfile.native.",
        "As written: Passed so far: no blank left.",
        "✗ Not yet: luggage (found 3.50 MB, from line 2, wanted at most 2 MB)",
        "Line 2: COPY --from=builder /usr/local /usr/local",
        "Where to look: At line 2.",
        "Base 119 MB, and on it needed 14.0 MB, luggage 3.50 MB (25 % of what is needed).",
        "-COPY --from=builder _____ _____",
        "+COPY --from=builder /usr/local /usr/local",
        "Attempts, newest first",
    ):
        assert words in text, words


def test_parts_appear_by_name_and_the_editor_always(make: Make) -> None:
    panel = make(parts=frozenset())
    assert panel.parts == {"editor"}
    for words in ("Nothing measured", "What you changed", "attempts"):
        assert words not in panel.text
    with pytest.raises(ValueError, match="no part"):
        make(parts=frozenset({"editor", "gague"}))


def test_headless_use_loads_no_widgets(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from pretend_judge import PretendJudge, recorder
from layerlab import dockerfile
from layerlab.work.answers import Answers
from layerlab.widgets import DockerfilePanel
from layerlab.work.text_file import WorkFile
work = Path(sys.argv[1])
panel = DockerfilePanel("native", "?", file=WorkFile(work / "Dockerfile", "x"), judge=PretendJudge(),
                        record=recorder(work), answers=Answers(work))
panel.answer = "FROM x"
panel.build()
assert panel.wait(10).all_pass
print(sorted({"ipywidgets", "plotly", "pandas", "docker"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2] / "fakes",
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_line_that_goes_on_is_quoted_to_its_end() -> None:
    text = "FROM python:3.12\nENV PATH=/opt/bin:$PATH \\\n    KEY=x \\\n    B=1\nCMD x\n"
    found = Verdicts((Check(name="review", status="FAIL", found="line 2: a key"),))
    panel: Any = SimpleNamespace(verdicts=found, judged_text=text)
    assert quoted_lines(panel) == ("Line 2: ENV PATH=/opt/bin:$PATH KEY=x B=1",)
