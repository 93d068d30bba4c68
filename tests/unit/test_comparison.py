"""From one image to another: every difference is named once, and they add up."""

from __future__ import annotations

import json
from pathlib import Path

import made_up_archives as made
import pytest
from click.testing import CliRunner
from hypothesis import given
from made_up_archives import file, tar
from made_up_stacks import inspection, stacks

from layerlab.archive import LayerFiles
from layerlab.cli import main
from layerlab.comparison import Comparison, FileChange


@given(stacks(), stacks())
def test_the_differences_add_up(before: list[LayerFiles], after: list[LayerFiles]) -> None:
    found = Comparison(inspection(before), inspection(after))
    assert sum(step.difference_bytes for step in found.causes) == found.difference_bytes
    # A container's view: files of one path may share an inode, so only their paths are compared.
    old = {one.path: one.size_bytes for one in found.before.union.visible}
    new = {one.path: one.size_bytes for one in found.after.union.visible}
    assert sum(one.difference_bytes for one in found.files) == sum(new.values()) - sum(old.values())


@given(stacks())
def test_an_image_does_not_differ_from_itself(layers: list[LayerFiles]) -> None:
    found = Comparison(inspection(layers), inspection(layers))
    assert not found.files and not found.packages and found.difference_bytes == found.fetched_bytes == 0
    assert found.shared_layers == len(layers)


@pytest.fixture
def archives(tmp_path: Path) -> tuple[str, str]:
    site = "usr/lib/python3/site-packages"
    base = tar([file("bin/sh", b"s" * 100)])
    record = b"x.py,,\nx-1.dist-info/RECORD,,\n"
    first = tar([file(f"{site}/x.py", b"x" * 3000), file(f"{site}/x-1.dist-info/RECORD", record), file("old", b"1")])
    second = tar([file("new", b"2" * 50), file("grown", b"3" * 9)])
    paths = tmp_path / "before.tar", tmp_path / "after.tar"
    paths[0].write_bytes(made.docker_save([base, first]))
    paths[1].write_bytes(made.docker_save([base, second]))
    return str(paths[0]), str(paths[1])


def test_the_verb_prints_the_way_and_its_json_holds_it_all(archives: tuple[str, str]) -> None:
    text = CliRunner().invoke(main, ["compare", *archives]).stdout
    assert "1 layers in common" in text and "python:x 1" in text and "went" in text
    found = json.loads(CliRunner().invoke(main, ["compare", *archives, "--json"]).stdout)
    assert found["difference_bytes"] == found["after"]["size_bytes"] - found["before"]["size_bytes"]
    assert found["fetched_bytes"] == 59
    assert found["packages"] == [
        {"name": "python:x 1", "before_bytes": 3030, "after_bytes": 0, "difference_bytes": -3030}
    ]
    changed = {one["path"]: one["change"] for one in found["files"]}
    assert changed["new"] == "came" and changed["old"] == "went"


def test_a_file_change_knows_its_difference() -> None:
    assert FileChange("x", "shrank", 9, 4).difference_bytes == -5
