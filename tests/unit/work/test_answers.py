"""Answers survive crashes, damage, a full disk and a second kernel."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.errors import AnswerError, DiskFull
from layerlab.work import answers as answers_module
from layerlab.work.answers import Answer, Answers, work_folder


@pytest.fixture
def kept(tmp_path: Path) -> Answers:
    return Answers.open("01_naive", work=tmp_path)


def test_an_answer_is_read_by_the_next_kernel(kept: Answers, tmp_path: Path) -> None:
    kept.keep("q1-order", ["FROM python", "WORKDIR /app"])
    again = Answers.open("01_naive", work=tmp_path)
    assert again.get("q1-order") == ["FROM python", "WORKDIR /app"]
    assert again.get("q2-point") is None
    assert again.all()["q1-order"].kept_at.endswith("+00:00")


def test_nothing_is_written_before_the_first_answer(kept: Answers) -> None:
    assert kept.get("q1") is None
    kept.clear("q1")
    assert not kept.folder.exists()


def test_clear_forgets_one_answer(kept: Answers) -> None:
    kept.keep("q1", "a")
    kept.keep("q2", "b")
    kept.clear("q1")
    assert (kept.get("q1"), kept.get("q2")) == (None, "b")


def test_kinds_do_not_mix(kept: Answers, tmp_path: Path) -> None:
    predictions = Answers.open("01_naive", kind="predictions", work=tmp_path)
    predictions.keep("size", "under 200 MB")
    assert kept.get("size") is None
    assert predictions.path == tmp_path / "01_naive" / "predictions.json"


@pytest.mark.parametrize("value", [None, object(), float("nan"), {"a", "b"}])
def test_what_is_no_answer_is_refused(kept: Answers, value: object) -> None:
    with pytest.raises(AnswerError):
        kept.keep("q1", value)
    assert not kept.path.exists()
    assert kept.get("q1") is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("na\u00efve \ud83d", r"after .na\u00efve .*U\+D83D"),
        ({"reason": "so\udc00"}, r"U\+DC00"),
        (["\ud800"], r"U\+D800"),
        ({"\ud800": 1}, r"U\+D800"),
    ],
)
def test_half_a_character_is_refused_and_blocks_no_later_answer(kept: Answers, value: object, words: str) -> None:
    """What a browser may hand on: one half of an emoji, which no file and no message can hold."""
    kept.keep("q1", "before")
    with pytest.raises(AnswerError, match=f"{words}.*Remove it, then save") as refused:
        kept.keep("q1", value)
    str(refused.value).encode()
    assert kept.get("q1") == "before"
    kept.keep("q2", "after")
    assert {id: one.value for id, one in Answers(kept.folder).all().items()} == {"q1": "before", "q2": "after"}


def test_half_a_character_that_a_file_brings_along_stays_in_it_and_blocks_nothing(kept: Answers) -> None:
    kept.folder.mkdir(parents=True)
    kept.path.write_text('{"answers": {"q1": {"value": "a\\ud83d", "kept_at": ""}}}')
    kept.keep("q2", "\U0001f40b")
    assert Answers(kept.folder).get("q1") == "a\ud83d"
    assert "\U0001f40b" in kept.path.read_text(encoding="utf-8"), "whole characters are written as they are"


def test_a_value_too_deep_for_a_file_is_refused(kept: Answers) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(AnswerError, match="cannot be"):
        kept.keep("q1", deep)


def test_a_text_with_half_a_character_is_no_file(kept: Answers) -> None:
    kept.keep_file("Dockerfile", "FROM x\n")
    for write in (kept.keep_file, kept.replace_file, kept.keep_beside):
        with pytest.raises(AnswerError, match="Character 1 "):
            write("Dockerfile", "\ud800")
    assert [path.name for path in kept.folder.iterdir() if path.name != ".lock"] == ["Dockerfile"]
    assert (kept.folder / "Dockerfile").read_text() == "FROM x\n"


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "Q1", "a/b", ".hidden"])
def test_ids_cannot_leave_the_folder(kept: Answers, tmp_path: Path, id: str) -> None:
    with pytest.raises(AnswerError, match="cannot be an id"):
        kept.keep(id, 1)
    with pytest.raises(AnswerError, match="cannot be an id"):
        Answers.open(id, work=tmp_path)
    with pytest.raises(AnswerError, match="cannot be a file name"):
        kept.keep_file(f"../{id}", "x")


@pytest.mark.parametrize(
    "damage", [b"{", b"", b"[]", b'{"answers": []}', b'{"answers": {"q1": 3}}', b"\xff\xfe", b'{"answers"']
)
def test_a_damaged_file_is_kept_aside(kept: Answers, damage: bytes) -> None:
    kept.folder.mkdir(parents=True)
    kept.path.write_bytes(damage)
    with pytest.raises(AnswerError, match=r"answers\.json\.damaged-1.*[Rr]un the cell again"):
        kept.get("q1")
    assert kept.path.with_name("answers.json.damaged-1").read_bytes() == damage
    assert kept.get("q1") is None
    kept.keep("q1", 1)
    kept.path.write_bytes(damage)
    with pytest.raises(AnswerError, match="damaged-2"):
        kept.keep("q2", 2)
    # What was to be kept waits in memory and goes into the new file.
    kept.keep("q3", 3)
    assert Answers(kept.folder).get("q2") == 2


def test_a_full_disk_keeps_the_answer_in_memory(kept: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep("q1", "first")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="kept in memory"):
            kept.keep("q2", "second")
    assert kept.get("q2") == "second"
    assert json.loads(kept.path.read_text())["answers"].keys() == {"q1"}
    assert [file.name for file in kept.folder.iterdir() if file.name.startswith(".answers")] == []
    kept.keep("q3", "third")
    assert Answers(kept.folder).get("q2") == "second"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AnswerError, match="LAYERLAB_WORK"):
        Answers.open("01_naive", work=tmp_path / "file").keep("q1", 1)
    kept = Answers.open("02_slim", work=tmp_path)
    kept.keep("q1", 1)

    def read_only(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(answers_module.tempfile, "mkstemp", read_only)
    with pytest.raises(AnswerError, match=r"Permission denied.*LAYERLAB_WORK"):
        kept.keep("q1", 2)
    assert Answers(kept.folder).get("q1") == 1


@pytest.mark.slow
def test_two_kernels_lose_no_update(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from layerlab.work.answers import Answers\n"
        "kept = Answers.open('01_naive', work=Path(sys.argv[1]))\n"
        "for n in range(40): kept.keep(f'{sys.argv[2]}{n}', n)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), who]) for who in ("a", "b")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert len(Answers.open("01_naive", work=tmp_path).all()) == 80


def test_a_kernel_that_hangs_with_the_lock_is_said(kept: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep("q1", 1)
    monkeypatch.setattr(answers_module, "_LOCK_SECONDS", 0.05)
    with answers_module.FileLock(kept.folder / ".lock"), pytest.raises(AnswerError, match="Another notebook"):
        Answers(kept.folder).keep("q1", 2)


def test_files_stand_beside_the_answers(kept: Answers) -> None:
    path = kept.keep_file("Dockerfile", "FROM python\n")
    assert path == kept.folder / "Dockerfile"
    assert path.read_text() == "FROM python\n"


def test_the_work_folder_is_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "layerlab").mkdir(parents=True)
    (checkout / "layerlab" / "__init__.py").touch()
    (checkout / "pyproject.toml").touch()
    (checkout / "notebooks").mkdir()
    monkeypatch.delenv("LAYERLAB_WORK", raising=False)
    monkeypatch.chdir(checkout / "notebooks")
    assert work_folder() == checkout / "exercises" / "work"
    monkeypatch.chdir(tmp_path)
    assert work_folder() == tmp_path / "layerlab-work"
    monkeypatch.setenv("LAYERLAB_WORK", str(tmp_path / "mine"))
    assert work_folder() == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()


OWN = """
import sys, time
from layerlab.work.answers import Answers, own_folder
assert own_folder() == own_folder()
Answers.open("01_naive", work=own_folder()).keep("q1", 1)
print(own_folder(), flush=True)
sys.stdin.read()
"""


def test_a_folder_of_a_process_s_own_is_nobody_s_and_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "learner").mkdir()
    (tmp_path / "layerlab-solution-of-nobody").write_text("a file")
    outside = tmp_path / "learner" / "work"
    outside.mkdir()
    (tmp_path / "layerlab-solution-link").symlink_to(tmp_path / "learner")
    environment = {**os.environ, "TMPDIR": str(tmp_path), "LAYERLAB_WORK": str(tmp_path / "learner")}

    def begun() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    def ended(process: subprocess.Popen[str]) -> None:
        process.communicate(timeout=60)

    killed, left = begun()
    living, theirs = begun()
    assert left != theirs and (left / "01_naive" / "answers.json").is_file(), "one that runs is left alone"
    killed.kill()
    ended(killed)
    assert left.is_dir()
    third, ours = begun()
    assert not left.parent.exists(), "what a killed one left goes with the next"
    assert theirs.is_dir() and ours.is_dir()
    for process in (living, third):
        ended(process)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "layerlab-solution-link",
        "layerlab-solution-of-nobody",
        "learner",
    ]
    assert list((tmp_path / "learner").iterdir()) == [outside]


def test_the_first_answer_is_kept_once(kept: Answers) -> None:
    first = kept.keep_first("q1", "a")
    assert kept.keep_first("q1", "b") == first
    assert kept.get("q1") == "a"


def test_a_change_takes_times_over_and_one_without_effect_writes_nothing(kept: Answers) -> None:
    kept.keep("q1", "a")
    moved = Answer("b", "2026-01-02T03:04:05+00:00")
    kept.change(lambda all_kept: {**all_kept, "q2": moved})
    assert kept.all()["q2"] == moved
    assert kept.get("q1") == "a"
    before = kept.path.stat().st_mtime_ns
    kept.change(lambda all_kept: all_kept)
    assert kept.path.stat().st_mtime_ns == before
