"""What repeats is written once, and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from layerlab.archive import FileEntry, LayerFiles, columns
from layerlab.engine.recorded import pack
from layerlab.engine.recorded.lines import Lines
from layerlab.engine.recorded.store import Store, layer_key
from layerlab.engine.recorder.sealing import seal

LONG = "a text that is longer than a reference to it, by which it is worth being shared"
DIFF_ID = f"sha256:{'1' * 64}"


def layer(mtime: int, diff_id: str = DIFF_ID) -> dict[str, Any]:
    paths = ["etc", "etc/passwd", "etc/passwd-", "höhe\nzwei", "höhe\nzwei/3:4"]
    names = {"path": "", "kind": "file", "size_bytes": 7, "mode": 0o644, "uid": 0, "gid": 0, "mtime": mtime}
    entries = tuple(
        FileEntry(**{**dict.fromkeys(FileEntry._fields), **names, "path": path, "size_bytes": number})
        for number, path in enumerate(paths)
    )
    return {"layer": columns.encode(LayerFiles(diff_id, entries, None, {"etc/passwd": "base", "elsewhere": "other"}))}


def test_columns_become_short_and_long_again() -> None:
    found = layer(5)["layer"]
    short = json.loads(json.dumps(pack.columns(found)))
    assert short["path"]["$paths"][:3] == ["0:etc", "3:/passwd", "10:-"]
    assert short["mtime"] == {"$runs": [5, 5]}
    back = json.loads(json.dumps(short), object_hook=lambda one: pack.unpacked(one, at=str, like=str))
    assert pack.whole_columns(back) == found


def test_runs_keep_apart_what_python_calls_equal() -> None:
    short = pack.columns({"path": [], "elsewhere": {}, "x": [1, 1, 1, True, True, True, 1.0, 1.0, 1.0]})
    assert json.dumps(short["x"]) == '{"$runs": [1, 3, true, 3, 1.0, 3]}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 1, "b": {"c": [1], "d": {"e": None}}}, {"a": 1, "b": {"c": [2], "d": {}}, "f": {}}),
        ({"a": {"b": 1}}, {"a": None}),
        ({"a": None, "gone": 1}, {"a": {"b": 1}}),
        ({"set": {"in": 1}, "gone": {"x": 2}}, {"set": {"in": 2}, "gone": {}}),
        ({}, {}),
    ],
)
def test_a_difference_gives_back_what_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    written = json.loads(json.dumps(pack.difference(new, old, "steps/x")))
    assert pack.unpacked(written, at=str, like=lambda link: old if link == "steps/x" else None) == new


def recorded(folder: Path, name: str, **payloads: object) -> Path:
    store = Store(folder / f"{name}.jsonl")
    for key, payload in payloads.items():
        store.write("layers" if "layer" in dict(payload) else "steps", key, dict(payload))  # type: ignore[call-overload]
    return store.path


def test_what_several_files_hold_stands_in_none_of_them(tmp_path: Path) -> None:
    said = {"outer": [LONG, {"inner": 1}]}
    recorded(tmp_path / "fresh", "01", a=said, b=said)
    recorded(tmp_path / "fresh", "02", c=said)
    seal(tmp_path / "fresh", tmp_path / "out")
    assert [path.read_text().count(LONG) for path in sorted((tmp_path / "out").iterdir())] == [0, 0, 1]
    assert Store(tmp_path / "out/01.jsonl").read("steps", "a") == said
    assert Store(tmp_path / "out/01.jsonl").read("steps", "b") == said
    assert Store(tmp_path / "out/02.jsonl").read("steps", "c") == said


def test_identical_layers_are_there_once_and_go_with_the_last_that_needs_them(tmp_path: Path) -> None:
    key, step = layer_key(DIFF_ID), {"diff_ids": [DIFF_ID]}
    for name in ("01", "02"):
        recorded(tmp_path / "fresh", name, **{key: layer(5), "a": step})
    seal(tmp_path / "fresh", tmp_path / "out")
    out = tmp_path / "out"
    assert [list(Lines(path).keys("layers")) for path in sorted(out.iterdir())] == [[], [], [key]]
    assert Store(out / "02.jsonl").read("layers", key) == layer(5)
    for name, left in (("01", [key]), ("02", [])):
        recorded(tmp_path / name, name, a={"diff_ids": []})
        seal(tmp_path / name, out)
        assert list(Lines(out / "shared.jsonl").keys("layers")) == left


def test_a_file_recorded_anew_leaves_the_others_and_what_they_share(tmp_path: Path) -> None:
    for name in ("01", "02", "03"):
        recorded(tmp_path / "fresh", name, a={"said": LONG, "name": name})
    out = tmp_path / "out"
    seal(tmp_path / "fresh", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    recorded(tmp_path / "anew", "02", a={"said": LONG, "name": "anew"})
    assert seal(tmp_path / "anew", out) == (1, 0)
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"02.jsonl"}
    assert Store(out / "02.jsonl").read("steps", "a") == {"said": LONG, "name": "anew"}


def test_only_what_is_wanted_is_kept_and_images_say_what_differs(tmp_path: Path) -> None:
    described = {"Id": "1", "Config": {"Env": ["PATH=/usr/bin"], "Cmd": None}, "Parent": ""}
    first = {"parent": "scratch", "inspect": described}
    second = {"parent": "a", "inspect": {**described, "Id": "2", "Config": {"Env": ["PATH=/usr/bin"], "Cmd": ["x"]}}}
    recorded(tmp_path / "fresh", "01", a=first, b=second, c={"parent": "b", "inspect": None}, d=first)
    wanted = {("steps", key) for key in "abc"}
    assert seal(tmp_path / "fresh", tmp_path / "out", wanted={"01": wanted}) == (3, 1)
    found = Store(tmp_path / "out/01.jsonl")
    assert [found.read("steps", key) for key in "abcd"] == [first, second, {"parent": "b", "inspect": None}, None]
    assert '"$like":"steps/a"' in found.path.read_text()
