"""Mounts as values: read, refused, and named by what is in them, so that no path gets into a recording."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from layerlab.engine.mounts import Missing, mounted, require_sources
from layerlab.engine.protocol import StartRequest
from layerlab.engine.recorded.operations import start_arguments, start_key
from layerlab.engine.recorder.redact import PATH, Redactor
from layerlab.errors import EngineRefused

TARGET = "/app/models"


def arguments(folder: Path, *, mode: str = ":ro", missing: Missing = "refuse"):
    return start_arguments(StartRequest(image="any", mounts={str(folder): TARGET + mode}, missing=missing))


def folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_equal_folders_at_two_places_have_one_name_and_none_names_its_place(tmp_path: Path) -> None:
    here, there = folder(tmp_path / "here", model="1"), folder(tmp_path / "there", model="1")
    assert arguments(here) == arguments(there)
    assert str(tmp_path) not in json.dumps(arguments(here))
    assert start_key("chain", arguments(here)) == start_key("chain", arguments(there))


@pytest.mark.parametrize("other", [{"model": "2"}, {"modle": "1"}, {"model": "1", "more": ""}, {}])
def test_another_content_has_another_name(tmp_path: Path, other: dict[str, str]) -> None:
    assert arguments(folder(tmp_path / "a", model="1")) != arguments(folder(tmp_path / "b", **other))


def test_a_folder_in_the_place_of_a_file_is_another_content(tmp_path: Path) -> None:
    odd = folder(tmp_path / "odd")
    (odd / "model").mkdir()
    assert arguments(odd) != arguments(folder(tmp_path / "empty"))


def test_read_only_and_writable_are_two_starts(tmp_path: Path) -> None:
    here = folder(tmp_path / "here", model="1")
    assert arguments(here) != arguments(here, mode="")
    assert arguments(here, mode=":rw") == arguments(here, mode="")


def test_without_mounts_a_start_is_named_as_ever() -> None:
    found = start_arguments(StartRequest(image="any"))
    assert found == start_arguments(StartRequest(image="any", missing="create"))
    assert list(found) == ["command", "env", "user", "read_only", "ports", "mounts", "cap_drop", "network"]


def test_a_folder_that_is_not_there_is_refused_or_named_as_an_empty_one(tmp_path: Path) -> None:
    gone = tmp_path / "modles"
    with pytest.raises(EngineRefused, match=r"modles is not there.*spelled right"):
        arguments(gone)
    assert arguments(gone, missing="create") == arguments(folder(tmp_path / "empty"))
    assert not gone.exists()


def test_a_volume_is_named_by_its_name() -> None:
    (mount,) = mounted({"data": "/data"})
    assert (mount.is_local, mount.content, mount.read_only) == (False, "data", False)
    require_sources({"data": "/data"})


@pytest.mark.parametrize(
    ("mounts", "words"),
    [({"./models": "/app"}, "full path"), ({"/tmp": "app"}, "full path"), ({"/tmp": "/app:always"}, "/app:always")],
)
def test_what_cannot_be_mounted_is_told(mounts: dict[str, str], words: str) -> None:
    with pytest.raises(EngineRefused, match=words):
        list(mounted(mounts))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (folder(tmp_path / "here", model="1") / "model").chmod(0)
    with pytest.raises(EngineRefused, match="cannot be read"):
        arguments(tmp_path / "here")


def test_a_redactor_takes_a_mounted_path_out_of_what_is_written_down(tmp_path: Path) -> None:
    text = f"error: {tmp_path}/model.bin is damaged, {tmp_path}s is not"
    assert Redactor().also(str(tmp_path)).text(text) == f"error: {PATH}/model.bin is damaged, {tmp_path}s is not"
