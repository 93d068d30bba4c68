"""The way down to scratch: what is kept of a service, how it is packed, and that its recipes differ in no more."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from layerlab.dockerfile import Instruction, parse

APPS = Path(__file__).parents[2] / "apps"
SMALLEST = APPS / "smallest"
MODULE = '''\
"""Says something."""


def half(number):
    """Halve it."""
    assert number % 2 == 0
    return number // 2
'''


def script(name: str) -> dict[str, Any]:
    return runpy.run_path(str(SMALLEST / name))


def last_stage(folder: str, name: str) -> tuple[Instruction, ...]:
    return parse((APPS / folder / name).read_text(encoding="utf-8")).stages[-1].instructions


def test_it_is_the_service_of_the_lesson() -> None:
    assert (SMALLEST / "main.py").read_bytes() == (APPS / "service/main.py").read_bytes()


def test_packed_ships_as_opened_does_from_another_stage() -> None:
    opened, packed = (
        [one.logical for one in last_stage("smallest", f"Dockerfile.{name}")] for name in ("opened", "packed")
    )
    assert [one.replace("stripper", "builder") for one in packed] == opened
    assert opened != packed


def test_a_library_that_is_copied_or_installed_is_one_line_beside_none() -> None:
    told = {}
    for name in ("forgotten", "installed", "copied"):
        told[name] = [one.logical for one in last_stage("libraries", f"Dockerfile.{name}")]
    for name in ("installed", "copied"):
        more = [line for line in told[name] if line not in told["forgotten"]]
        assert len(more) == 1 and "qrencode" in more[0]
        assert [line for line in told[name] if line not in more] == told["forgotten"]


def test_a_file_is_kept_with_the_other_names_that_lead_to_it(tmp_path: Path) -> None:
    keep = script("keep.py")
    library = tmp_path / "lib" / "libz.so.1.2.13"
    library.parent.mkdir()
    library.write_bytes(b"\x7fELF")
    (library.parent / "libz.so.1").symlink_to(library.name)
    (library.parent / "libc.so.6").symlink_to("elsewhere")
    keep["copy"](str(library), str(tmp_path / "kept"))
    kept = tmp_path / "kept" / str(library.parent).lstrip("/")
    assert sorted(one.name for one in kept.iterdir()) == ["libz.so.1", "libz.so.1.2.13"]
    assert (kept / "libz.so.1").readlink() == library


@pytest.mark.skipif(sys.platform != "linux", reason="the loader is Linux's")
def test_the_loader_is_read_from_the_program() -> None:
    loader = script("keep.py")["loader"](os.path.realpath(sys.executable))
    assert Path(loader).exists()


def test_packed_modules_work_without_source_asserts_and_docstrings(tmp_path: Path) -> None:
    minor = sys.version_info.minor
    for name in (
        "packages/plain/__init__.py",
        "packages/native/__init__.py",
        f"usr/local/lib/python3.{minor}/half.py",
        "app/main.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(MODULE, encoding="utf-8")
    (tmp_path / "packages/native/core.so").write_bytes(b"\x7fELF")
    subprocess.run([sys.executable, "-B", str(SMALLEST / "pack.py"), str(tmp_path)], check=True, capture_output=True)
    archive = tmp_path / f"usr/local/lib/python3{minor}.zip"
    assert sorted(zipfile.ZipFile(archive).namelist()) == ["half.pyc", "main.pyc", "plain/__init__.pyc"]
    left = sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file() and one != archive)
    assert left == ["packages/native/__init__.pyc", "packages/native/core.so"]
    asked = "import half, main, plain, native; print(half.half(3), main.__doc__, plain.half.__doc__, native.half(5))"
    path = os.pathsep.join((str(archive), str(tmp_path / "packages")))
    told = subprocess.run(
        [sys.executable, "-B", "-c", asked], check=True, capture_output=True, text=True, env={"PYTHONPATH": path}
    )
    assert told.stdout.split() == ["1", "None", "None", "2"]
