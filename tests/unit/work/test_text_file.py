"""A learner's file: saved whole, never overwritten unseen, its line endings its own."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlab.errors import AnswerError, DiskFull
from layerlab.work import answers as answers_module
from layerlab.work.answers import Answers
from layerlab.work.text_file import MOST_BYTES, WorkFile, plain, same_lines

STARTER = "FROM _____\nCMD x\n"
MINE, THEIRS = "FROM python\nCMD x\n", "FROM alpine\n"

# What can be a text file here: anything UTF-8 can write, the character 0 apart.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
lines = st.lists(st.text("ab \t#", max_size=4), max_size=12)


@pytest.fixture
def file(tmp_path: Path) -> WorkFile:
    return WorkFile(tmp_path / "03_multi" / "Dockerfile", STARTER)


def saved(file: WorkFile, content: bytes) -> WorkFile:
    """Put bytes on the disk as another program would, and open the file anew."""
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_bytes(content)
    return WorkFile(file.path, STARTER)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_reading_creates_nothing(file: WorkFile) -> None:
    assert (file.text, file.load(), file.is_untouched, file.exists) == (STARTER, STARTER, True, False)
    assert file.complaint == ""
    assert not file.path.parent.exists()


def test_what_is_saved_is_read_by_the_next_kernel(file: WorkFile) -> None:
    assert file.save(MINE) is None
    again = WorkFile(file.path, STARTER)
    assert (again.text, again.is_untouched, again.changed_on_disk) == (MINE, False, False)


def test_the_starter_with_other_line_endings_is_untouched(file: WorkFile) -> None:
    assert saved(file, STARTER.replace("\n", "\r\n").encode()).is_untouched


def test_a_file_changed_by_another_hand_is_not_overwritten(file: WorkFile) -> None:
    file.save(MINE)
    other = WorkFile(file.path, STARTER)
    other.save(THEIRS)
    assert file.changed_on_disk
    assert not other.changed_on_disk
    with pytest.raises(AnswerError, match=r"was changed on disk .* Load it, or keep"):
        file.save(MINE + "USER 1\n")
    assert file.text == THEIRS
    backup = file.save(MINE + "USER 1\n", over=True)
    assert backup is not None
    assert backup.read_text() == THEIRS
    assert file.text == MINE + "USER 1\n"
    assert not file.changed_on_disk


def test_loading_takes_up_what_another_hand_wrote(file: WorkFile) -> None:
    file.save(MINE)
    file.path.write_text(THEIRS)
    assert file.load() == THEIRS
    assert not file.changed_on_disk
    file.save(MINE)
    assert file.text == MINE


def test_two_that_save_the_same_do_not_quarrel(file: WorkFile) -> None:
    other = WorkFile(file.path, STARTER)
    other.save(MINE)
    assert file.changed_on_disk
    assert file.save(MINE) is None
    assert not file.changed_on_disk


def test_a_deleted_file_has_changed_and_comes_back_only_when_that_is_meant(file: WorkFile) -> None:
    file.save(MINE)
    file.path.unlink()
    assert file.changed_on_disk
    with pytest.raises(AnswerError, match="was deleted or renamed"):
        file.save(MINE)
    assert not file.exists
    assert file.save(MINE, over=True) is None
    assert file.text == MINE


def test_reset_keeps_what_was_there_under_a_name_of_its_own(file: WorkFile) -> None:
    assert file.reset() is None
    names = []
    for text in (MINE, THEIRS):
        file.save(text)
        backup = file.reset()
        assert backup is not None
        assert backup.read_text() == text
        names.append(backup.name)
        assert file.text == STARTER
    assert names == ["Dockerfile.backup-1", "Dockerfile.backup-2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"FROM x\0y", "byte 7 is zero"),
        (b"FROM caf\xe9\n", "byte 9 is no UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00", "is no text"),
        (b"#" * 1_000_000, "1.00 MB; at most 100 kB"),
    ],
)
def test_what_is_no_text_is_said_left_alone_and_kept_by_a_reset(file: WorkFile, content: bytes, words: str) -> None:
    strange = saved(file, content)
    for read in (lambda: strange.text, strange.load, lambda: strange.save(MINE)):
        with pytest.raises(AnswerError, match=words):
            read()
    assert strange.path.read_bytes() == content
    assert not strange.is_untouched
    backup = strange.reset()
    assert backup is not None
    assert backup.read_bytes() == content
    assert strange.text == STARTER


@pytest.mark.parametrize(
    ("text", "words"), [("a\0b", "number 0"), ("a\ud800", "Character 2"), ("#" * (MOST_BYTES + 1), "100 kB")]
)
def test_what_cannot_be_a_file_is_refused_before_anything_is_written(file: WorkFile, text: str, words: str) -> None:
    file.save(MINE)
    with pytest.raises(AnswerError, match=words):
        file.save(text, over=True)
    assert file.text == MINE
    assert [path.name for path in file.path.parent.iterdir() if path.name != ".lock"] == ["Dockerfile"]


def test_a_full_disk_harms_no_file(file: WorkFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.save(MINE)
    fill_disk(monkeypatch)
    for write in (lambda: file.save(THEIRS), lambda: file.save(THEIRS, over=True), file.reset):
        with pytest.raises(DiskFull):
            write()
        assert (file.text, file.changed_on_disk) == (MINE, False)
    assert [path.name for path in file.path.parent.iterdir() if path.name != ".lock"] == ["Dockerfile"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked for every kill")
@pytest.mark.parametrize(("action", "after"), [("save", MINE), ("reset", STARTER)])
@pytest.mark.slow
def test_a_writer_killed_at_any_line_leaves_the_old_text_or_the_new_one(
    tmp_path: Path, action: str, after: str
) -> None:
    """SIGKILL before every line that a save or a reset runs of ours, of `shutil` and of `tempfile`."""
    killer = Path(__file__).parents[2] / "fakes" / "killed_writer.py"
    done = subprocess.run(
        [sys.executable, str(killer), str(tmp_path), action, STARTER, THEIRS, MINE],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == int(done.stdout) + 1 > 20
    texts = [(folder / "Dockerfile").read_text() if (folder / "Dockerfile").exists() else None for folder in folders]
    assert set(texts) == {THEIRS, after}, f"{texts.count(None)} of {len(texts)} kills left no file"
    for folder, text in zip(folders, texts, strict=True):
        backups = [path.read_text() for path in folder.glob("Dockerfile.backup-*")]
        assert set(backups) <= {THEIRS}, "a backup is whole or not there"
        assert text == THEIRS or backups == [THEIRS], "what was replaced is in a backup"


def test_two_that_make_a_backup_at_once_take_two_names(file: WorkFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.save(MINE)
    other = WorkFile(file.path, STARTER)
    write = answers_module.write_whole

    def slow(path: Path, text: str) -> None:
        # The other kernel asks for its backup between the choice of our name and our writing under it.
        monkeypatch.setattr(answers_module, "write_whole", write)
        thread = threading.Thread(target=other.keep_aside, args=["theirs\n"])
        threads.append(thread)
        thread.start()
        thread.join(timeout=0.2)
        write(path, text)

    threads: list[threading.Thread] = []
    monkeypatch.setattr(answers_module, "write_whole", slow)
    file.keep_aside("mine\n")
    threads[0].join()
    assert sorted(path.read_text() for path in file.path.parent.glob("*.backup-*")) == ["mine\n", "theirs\n"]


def saves_first(monkeypatch: pytest.MonkeyPatch, other: WorkFile, text: str) -> None:
    """Let another kernel save while the next one that writes waits for its turn."""
    locked = Answers._locked

    def waiting(self: Answers) -> contextlib.AbstractContextManager[None]:
        monkeypatch.setattr(Answers, "_locked", locked)
        other.save(text)
        return locked(self)

    monkeypatch.setattr(Answers, "_locked", waiting)


def test_what_another_kernel_saves_while_a_save_waits_is_not_overwritten(
    file: WorkFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.save(MINE)
    saves_first(monkeypatch, WorkFile(file.path, STARTER), THEIRS)
    with pytest.raises(AnswerError, match="was changed on disk"):
        file.save(MINE + "USER 1\n")
    assert file.text == THEIRS


def test_what_another_kernel_saves_while_a_reset_waits_is_kept(file: WorkFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.reset()
    saves_first(monkeypatch, WorkFile(file.path, STARTER), THEIRS)
    backup = file.reset()
    assert backup is not None
    assert (backup.read_text(), file.text) == (THEIRS, STARTER)


def test_a_folder_in_the_file_s_place_is_said(file: WorkFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(AnswerError, match="cannot be read"):
        file.load()
    assert "cannot be read" in file.complaint


def test_a_text_beside_the_file_gets_a_free_name(file: WorkFile) -> None:
    file.save(MINE)
    assert [file.keep_aside(text).name for text in "ab"] == ["Dockerfile.backup-1", "Dockerfile.backup-2"]
    assert file.text == MINE


# --- line endings ------------------------------------------------------------------------------------


@given(texts)
@settings(max_examples=examples(60))
def test_any_text_comes_back_as_it_was_saved(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = WorkFile(tmp_path_factory.mktemp("work") / "Dockerfile", STARTER)
    file.save(text)
    assert WorkFile(file.path, STARTER).load() == text


@given(texts)
@settings(max_examples=examples(60))
def test_saving_what_a_browser_hands_back_changes_no_byte(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("work") / "Dockerfile"
    path.write_bytes(text.encode())
    WorkFile(path, STARTER).save(plain(text))
    assert path.read_bytes() == text.encode()


@given(st.lists(st.tuples(st.text("ab\t", max_size=3), st.sampled_from(["\n", "\r\n", "\r"])), max_size=8), lines)
@settings(max_examples=examples(300))
def test_an_edit_arrives_whole_whatever_the_endings_were(
    tmp_path_factory: pytest.TempPathFactory, old: list[tuple[str, str]], new: list[str]
) -> None:
    path = tmp_path_factory.mktemp("work") / "Dockerfile"
    path.write_bytes("".join(line + ending for line, ending in old).encode())
    edited = "\n".join(new)
    file = WorkFile(path, STARTER)
    file.save(edited)
    assert same_lines(file.text, edited)


def test_only_edited_lines_of_a_crlf_file_change(file: WorkFile) -> None:
    crlf = saved(file, b"FROM x\r\nRUN\ty\r\nCMD z\n")
    crlf.save("FROM x\nRUN\ty\nUSER 1\nCMD z\n")
    assert crlf.path.read_bytes() == b"FROM x\r\nRUN\ty\r\nUSER 1\r\nCMD z\n"


def test_an_emptied_line_between_two_kinds_of_endings_stays_a_line(file: WorkFile) -> None:
    mixed = saved(file, b"\ra\n\n")
    mixed.save("\n\n")
    assert plain(mixed.text) == "\n\n"


def test_endings_that_the_learner_brings_are_kept(file: WorkFile) -> None:
    crlf = saved(file, b"FROM x\n")
    crlf.save("FROM y\r\n")
    assert crlf.path.read_bytes() == b"FROM y\r\n"


def test_the_largest_file_is_saved_at_typing_speed(file: WorkFile) -> None:
    large = saved(file, b"RUN x\r\n" * (MOST_BYTES // 8))
    text = plain(large.text) + "RUN y\n"
    began = time.perf_counter()
    whole = large.as_saved(text)
    assert time.perf_counter() - began < 0.5
    assert whole.endswith("RUN x\r\nRUN y\r\n")
