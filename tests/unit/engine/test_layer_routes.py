"""Which route leads to an image's layers: folders that can be read as they lie, else the archive; each read once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_up_archives as made
import pytest
from made_up_archives import file, tar

from layerlab.archive import FileEntry
from layerlab.archive.cache import LayerCache
from layerlab.engine.live import layers

BOTTOM, TOP = tar([file("lib/x", b"1" * 90), file("own", b"2")]), tar([file("lib/x", b"1" * 90, mode=0o755)])


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An engine's answer for an image of two layers, whose folders lie here; read as root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(layers, "_OVERLAY", tmp_path / "parameters")
    for name, mode in (("bottom", 0o644), ("top", 0o755)):
        (tmp_path / name / "lib").mkdir(parents=True)
        (tmp_path / name / "lib" / "x").write_bytes(b"1" * 90)
        (tmp_path / name / "lib" / "x").chmod(mode)
    data = {"UpperDir": str(tmp_path / "top"), "LowerDir": str(tmp_path / "bottom")}
    ids = ["sha256:bottom", "sha256:top"]
    return {"Id": "sha256:i", "RootFS": {"Layers": ids}, "GraphDriver": {"Name": "overlay2", "Data": data}}


def refuse(image: str) -> Iterator[bytes]:
    raise AssertionError(f"{image} was streamed")


def test_folders_are_walked_base_first_and_a_chmod_is_told_by_checksums(
    described: dict[str, Any], tmp_path: Path
) -> None:
    cache = LayerCache(tmp_path / "cache")
    walked = layers.layer_files(described, save=refuse, cache=cache)
    files = [next(one for one in layer.entries if one.kind == "file") for layer in walked]
    assert [one.mode for one in files] == [0o644, 0o755]
    assert files[0].checksum == files[1].checksum is not None
    (tmp_path / "top" / "lib" / "x").unlink()  # what was kept is not read again, its checksum neither
    assert layers.layer_files(described, save=refuse, cache=cache) == walked


@pytest.mark.parametrize("setting", ["redirect_dir", "metacopy"])
def test_folders_in_which_the_kernel_abridges_are_not_walked(
    described: dict[str, Any], tmp_path: Path, setting: str
) -> None:
    assert layers.overlay_folders(described) == (tmp_path / "bottom", tmp_path / "top")
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / setting).write_text("N\n")
    assert layers.overlay_folders(described) is not None
    (tmp_path / "parameters" / setting).write_text("Y\n")
    assert layers.overlay_folders(described) is None


def test_folders_of_somebody_else_are_not_walked(described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert layers.overlay_folders(described) is None


@pytest.mark.parametrize("driver", [{}, {"Name": "btrfs", "Data": None}, {"Name": "overlayfs"}])
def test_another_store_is_streamed_once(described: dict[str, Any], tmp_path: Path, driver: dict[str, Any]) -> None:
    archive = made.docker_save([BOTTOM, TOP])
    image_id = made.image_id([BOTTOM, TOP])
    described |= {"Id": image_id, "GraphDriver": driver, "RootFS": {"Layers": made.diff_ids([BOTTOM, TOP])}}
    cache = LayerCache(tmp_path / "cache")
    streamed = layers.layer_files(described, save=lambda _: iter([archive]), cache=cache)
    assert streamed[1].entries == (FileEntry("lib/x", "file", 90, 0o755, checksum=streamed[0].entries[0].checksum),)
    assert layers.layer_files(described, save=refuse, cache=cache) == streamed
