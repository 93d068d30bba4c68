"""The one store of attempts: nothing lost on a full disk, nothing counted twice, the format of all editions."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pretend_judge import outcome_of

from layerlab.checks import Outcome, Verdicts
from layerlab.errors import AnswerError, DiskFull
from layerlab.work.answers import Answers
from layerlab.work.attempts import Attempts
from layerlab.work.text_file import fingerprint

FAT, BLANK, GOOD = "FROM x\nCOPY /usr/local /x\n", "FROM x\nCOPY ____\n", "FROM x\n"
WHEN = datetime(2026, 3, 1, 12, 30, 5, 999, tzinfo=timezone(timedelta(hours=2)))
EARLIER = Path(__file__).parents[2] / "data" / "work_of_edition_1" / "03_multistage"


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts.open("03_multistage", work=tmp_path)


def again(tmp_path: Path) -> Attempts:
    """The same attempts, as another kernel opens them."""
    return Attempts.open("03_multistage", work=tmp_path)


def add(attempts: Attempts, text: str, outcome: Outcome | None = None, **changes: Any) -> None:
    attempts.add(
        "file", text, outcome or outcome_of(text), **({"when": WHEN, "seconds": 1.26, "task": "task"} | changes)
    )


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_one_attempt_is_a_row_and_an_obstacle_in_one_file(attempts: Attempts, tmp_path: Path) -> None:
    add(attempts, FAT)
    kept = json.loads((tmp_path / "03_multistage" / "attempts.json").read_text())["answers"]
    assert {id: entry["value"] for id, entry in kept.items()} == {
        "file-attempts": [
            {
                "when": "2026-03-01T12:30:05+02:00",
                "failing": "luggage",
                "added_bytes": 17_500_000,
                "seconds": 1.3,
                "text": fingerprint(FAT),
            }
        ],
        "task": {"luggage": [[fingerprint(FAT)]]},
    }
    assert all(datetime.fromisoformat(entry["kept_at"]).tzinfo == UTC for entry in kept.values())


def test_rows_come_oldest_first_and_say_what_they_say(attempts: Attempts, tmp_path: Path) -> None:
    for text in (BLANK, FAT, GOOD):
        add(attempts, text)
    add(attempts, GOOD, Outcome(Verdicts(())))
    rows = again(tmp_path).table("file")
    assert [row.cells[1:] for row in rows] == [
        ("no blank left", "17.5 MB", "1.3 s"),
        ("luggage", "17.5 MB", "1.3 s"),
        ("all pass", "17.5 MB", "1.3 s"),
        ("all pass", "no image", "1.3 s"),
    ]
    assert again(tmp_path).table("other") == ()


def test_a_passing_attempt_and_one_without_a_task_meet_no_obstacle(attempts: Attempts) -> None:
    add(attempts, GOOD)
    add(attempts, FAT, task=None)
    assert attempts.tried("task") == {}
    assert len(attempts.table("file")) == 2


def test_the_same_answer_counts_once_as_an_obstacle_and_each_time_as_a_row(attempts: Attempts, tmp_path: Path) -> None:
    for text in (FAT, FAT, f"{FAT}USER 1\n"):
        add(attempts, text)
    assert attempts.tried("task") == {"luggage": [[fingerprint(FAT)], [fingerprint(f"{FAT}USER 1\n")]]}
    assert len(attempts.table("file")) == 3
    attempts.meet("task", "luggage", [fingerprint(FAT)])
    attempts.meet("order", "begins", ["b", None])
    before = (tmp_path / "03_multistage" / "attempts.json").read_bytes()
    attempts.meet("order", "begins", ["b", None])
    assert (tmp_path / "03_multistage" / "attempts.json").read_bytes() == before, "checked again, nothing is written"
    assert len(attempts.tried("task")["luggage"]) == 2
    assert again(tmp_path).tried("order") == {"begins": [["b", None]]}


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_no_answer_is_no_attempt(attempts: Attempts, tmp_path: Path, values: list[Any]) -> None:
    attempts.meet("order", "begins", values)
    assert attempts.tried("order") == {}
    assert not (tmp_path / "03_multistage").exists()


def test_a_table_keeps_its_newest_rows(attempts: Attempts) -> None:
    for number in range(203):
        add(attempts, f"{GOOD}# {number}\n")
    rows = attempts.table("file")
    assert len(rows) == 200
    assert (rows[0].text, rows[-1].text) == (fingerprint(f"{GOOD}# 3\n"), fingerprint(f"{GOOD}# 202\n"))


def test_a_full_disk_loses_nothing(attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch)
    with pytest.raises(DiskFull):
        add(attempts, FAT)
    with pytest.raises(DiskFull):
        attempts.meet("order", "begins", ["b"])
    assert [row.failing for row in attempts.table("file")] == ["luggage"], "it counts all the same"
    assert attempts.tried("task") == {"luggage": [[fingerprint(FAT)]]}
    assert again(tmp_path).table("file") == ()
    monkeypatch.undo()
    add(attempts, GOOD)
    assert [row.failing for row in again(tmp_path).table("file")] == ["luggage", ""]
    assert again(tmp_path).tried("order") == {"begins": [["b"]]}
    add(attempts, GOOD)
    assert len(again(tmp_path).table("file")) == 3, "what was written late is written once"


def test_a_damaged_file_is_set_aside_and_the_attempt_is_written_with_the_next(
    attempts: Attempts, tmp_path: Path
) -> None:
    path = tmp_path / "03_multistage" / "attempts.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(AnswerError, match="was damaged"):
        add(attempts, FAT)
    assert path.with_name("attempts.json.damaged-1").read_text() == "{"
    add(attempts, GOOD)
    assert [row.failing for row in again(tmp_path).table("file")] == ["luggage", ""]


@pytest.mark.parametrize(
    "garbage", [3, "x", {"a": 1}, [3, None, {"when": "yesterday"}, {"when": "2026-01-01", "failing": 3}]]
)
def test_what_is_no_attempt_counts_as_none_and_stops_nothing(attempts: Attempts, tmp_path: Path, garbage: Any) -> None:
    file = Answers(tmp_path / "03_multistage", "attempts")
    file.keep("file-attempts", garbage)
    file.keep("task", garbage)
    assert (attempts.table("file"), attempts.tried("task")) == ((), {})
    add(attempts, FAT)
    assert len(attempts.table("file")) == 1
    assert attempts.tried("task") == {"luggage": [[fingerprint(FAT)]]}


def test_attempts_of_two_panels_that_end_together_are_all_written_down(attempts: Attempts, tmp_path: Path) -> None:
    def many(store: Attempts, name: str) -> None:
        for number in range(20):
            add(store, f"{FAT}# {name}{number}")

    # Two panels of one exercise share a store; those of two kernels share the file only.
    writers = [
        threading.Thread(target=many, args=(store, name))
        for store, name in ((attempts, "a"), (attempts, "b"), (again(tmp_path), "c"))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(again(tmp_path).table("file")) == 60
    assert len(again(tmp_path).tried("task")["luggage"]) == 60


def test_what_an_earlier_edition_wrote_is_read_and_gone_on_with(tmp_path: Path) -> None:
    shutil.copytree(EARLIER, tmp_path / "03_multistage")
    before = Answers(EARLIER, "attempts").all()
    attempts = again(tmp_path)
    assert [row.failing for row in attempts.table("q3-blanks-file")] == ["builds", "serves", "builds"]
    assert {check: len(tried) for check, tried in attempts.tried("q3-blanks").items()} == {"builds": 2, "serves": 1}
    attempts.add("q3-blanks-file", FAT, outcome_of(FAT), when=WHEN, seconds=1.0, task="q3-blanks")
    after = Answers(tmp_path / "03_multistage", "attempts").all()
    assert after.keys() == before.keys()
    rows, earlier = after["q3-blanks-file-attempts"].value, before["q3-blanks-file-attempts"].value
    assert rows[:-1] == earlier and rows[-1].keys() == earlier[0].keys()
    assert after["q3-blanks"].value == {**before["q3-blanks"].value, "luggage": [[fingerprint(FAT)]]}
