"""What a running service uses: told by the script inside, and set against its base outside."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from layerlab import probe
from layerlab.engine.protocol import ExecResult, StartRequest
from layerlab.errors import EngineRefused


@pytest.fixture
def inside() -> ModuleType:
    path = Path(probe.__file__).with_name("inside_running.py")
    spec = importlib.util.spec_from_file_location("inside_running", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_process_has_its_c_library_mapped(inside: ModuleType) -> None:
    names = [Path(path).name for path in inside.mapped(os.getpid())]
    assert any(name.startswith(("libc.", "ld-")) for name in names)
    assert "python" in inside.words_of(os.getpid())[0]


def test_a_package_counts_whole_and_an_unclaimed_file_by_itself(
    inside: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib, info = tmp_path / "lib", tmp_path / "info"
    for folder in (lib, info):
        folder.mkdir()
    for name, size in (("libqr.so.4", 100), ("qr.table", 50), ("libown.so", 7)):
        (lib / name).write_bytes(b"x" * size)
    (info / "libqr4:amd64.list").write_text(f"/.\n{lib}/libqr.so.4\n{lib}/qr.table\n{lib}/gone\n")
    monkeypatch.setattr(inside, "DPKG", f"{info}/*.list")
    told = inside.libraries([f"{lib}/libown.so", f"{lib}/libqr.so.4"])
    assert told == [
        {"name": f"{lib}/libown.so", "files": [f"{lib}/libown.so"], "size": 7},
        {"name": "libqr4", "files": [f"{lib}/libqr.so.4"], "size": 150},
    ]


def test_apk_says_which_package_holds_a_file(
    inside: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "installed"
    database.write_text(
        "P:libmagic\nV:5\nF:usr/lib\nR:libmagic.so.1\nF:usr/share/misc\nR:magic.mgc\n\nP:zlib\nF:lib\nR:z\n"
    )
    monkeypatch.setattr(inside, "APK", str(database))
    assert list(inside.of_apk()) == [
        ("libmagic", ["/usr/lib/libmagic.so.1", "/usr/share/misc/magic.mgc"]),
        ("zlib", ["/lib/z"]),
    ]


def test_bytecode_is_told_apart_from_the_package(
    inside: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)  # an image keeps it beside its source, whatever the tests do
    info = tmp_path / "thing-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
    (info / "RECORD").write_text("thing.py,,\n")
    (tmp_path / "thing.py").write_text("x = 1\n")
    cached = Path(importlib.util.cache_from_source(str(tmp_path / "thing.py")))
    cached.parent.mkdir()
    cached.write_bytes(b"y" * 30)
    (told,) = inside.packages([str(tmp_path)])
    assert (told["name"], told["size"], told["bytecode"]) == ("thing", 6, 30)


PIP = {"name": "pip", "version": "1", "folder": "/usr", "size": 9, "bytecode": 0}
OWN = {"name": "bottle", "version": "1", "folder": "/opt", "size": 5, "bytecode": 2}
USES = {
    "packages": [OWN, {**PIP, "size": 11}],
    "libraries": [
        {"name": "libmagic1", "files": ["/lib/m"], "size": 100},
        {"name": "libc6", "files": ["/lib/c"], "size": 900},
    ],
}


class Told:
    """An engine and a container in one: what runs beside the service says one thing, what runs in the base another."""

    def __init__(self, ended: ExecResult) -> None:
        self.ended, self.asked = ended, [""]

    def start(self, request: StartRequest) -> Told:
        return self

    def request(self, path: str, **_: Any) -> None:
        self.asked.append(path)

    def exec(self, command: Sequence[str]) -> ExecResult:
        return self.ended

    def run(self, image: str, command: Sequence[str]) -> ExecResult:
        assert list(command[-2:]) == ["/lib/m", "/lib/c"]
        return ExecResult(0, "a warning\n" + json.dumps({"packages": [PIP], "files": ["/lib/c"]}))

    def __enter__(self) -> Told:
        return self

    def __exit__(self, *_: object) -> None:
        self.asked.append("gone")


def test_what_the_base_has_is_left_out() -> None:
    engine = Told(ExecResult(0, json.dumps(USES)))
    found = probe.running(engine, "image", base="base", paths=("/health", "/own"))  # type: ignore[arg-type]
    assert [one.name for one in found.packages] == ["bottle"]
    assert [one.name for one in found.libraries] == ["libmagic1"]
    assert found.needed_bytes == 107
    assert engine.asked[1:] == ["/health", "/own", "gone"]


def test_a_python_that_cannot_say_is_told_in_words() -> None:
    with pytest.raises(EngineRefused, match=r"exit code 1\): no process here is a Python\. Put the folder"):
        probe.running(Told(ExecResult(1, "no process here is a Python\n")), "image", base="base")  # type: ignore[arg-type]
