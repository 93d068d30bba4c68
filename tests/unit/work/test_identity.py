"""The id of a learner's work: the same for every session and process, another one for another folder, not exported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.errors import AnswerError, DiskFull
from layerlab.work import folder, transfer
from layerlab.work.answers import Answers
from layerlab.work.identity import own_tag, work_id

ASK = """
import sys
from pathlib import Path
from layerlab.work.identity import work_id
print(work_id(Path(sys.argv[1])))
"""


def asked_in_processes(work: Path, count: int) -> list[str]:
    command = [sys.executable, "-c", ASK, str(work)]
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [one.communicate(timeout=60)[0].strip() for one in begun]


@pytest.mark.slow
def test_processes_that_start_at_once_agree_and_later_sessions_too(tmp_path: Path) -> None:
    (drawn,) = set(asked_in_processes(tmp_path / "work", 6))
    assert re.fullmatch("[0-9a-f]{8}", drawn)
    assert asked_in_processes(tmp_path / "work", 1) == [drawn] == [work_id(tmp_path / "work")]


def test_each_folder_has_its_own_however_it_is_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ada, grace = tmp_path / "ada", tmp_path / "grace"
    assert work_id(ada) == work_id(Path("ada")) != work_id(grace)
    assert own_tag("ex02:q4", ada, namespace="layerlab/") == f"layerlab/ex02:q4-{work_id(ada)}"


def test_it_does_not_travel_with_progress(tmp_path: Path) -> None:
    ada, grace = tmp_path / "ada", tmp_path / "grace"
    ids = work_id(ada), work_id(grace)
    Answers.open("01_naive", work=ada).keep("q1", "slim")
    assert folder.read(ada).notes == ()
    transfer.export(tmp_path / "p.json", work=ada)
    assert ids[0] not in (tmp_path / "p.json").read_text()
    transfer.import_file(tmp_path / "p.json", work=grace)
    assert (work_id(ada), work_id(grace)) == ids


@pytest.mark.parametrize("fault", [DiskFull("no room"), AnswerError("no right")])
def test_where_it_cannot_be_kept_it_holds_for_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def refuse(path: Path, text: str) -> None:
        raise fault

    monkeypatch.setattr("layerlab.work.answers.write_whole", refuse)
    ada, grace = tmp_path / "ada", tmp_path / "grace"
    assert work_id(ada) == work_id(ada) != work_id(grace)
    assert not list(tmp_path.rglob("*.json"))


def test_a_folder_that_is_a_file_has_an_id_for_this_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert work_id(tmp_path / "file") == work_id(tmp_path / "file")
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("edited", ['"../x:y"', "7", '"ABCDEF01"', "[]"])
def test_what_is_no_id_is_replaced_and_never_part_of_a_name(tmp_path: Path, edited: str) -> None:
    first = work_id(tmp_path)
    (file,) = (path for path in tmp_path.rglob("*.json"))
    file.write_text(file.read_text().replace(f'"{first}"', edited))
    second = work_id(tmp_path)
    assert re.fullmatch("[0-9a-f]{8}", second) and second == work_id(tmp_path)
