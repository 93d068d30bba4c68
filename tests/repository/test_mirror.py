"""Tests lie where what they test lies: a folder of `tests/unit` for each package, a file beside them for a module."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT, PACKAGE = ROOT / "tests" / "unit", ROOT / "layerlab"


def test_every_folder_of_unit_tests_is_a_package() -> None:
    folders = {path.name for path in UNIT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name for name in folders if not (PACKAGE / name / "__init__.py").is_file()} == set()


def test_every_file_beside_them_is_a_module() -> None:
    files = {path.stem.removeprefix("test_") for path in UNIT.glob("test_*.py")}
    assert files
    assert {name for name in files if not (PACKAGE / f"{name}.py").is_file()} == set()


def test_every_package_has_unit_tests() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {name for name in packages if not [*(UNIT / name).glob("test_*.py")]} == set()


def test_what_tests_make_up_lies_in_one_place() -> None:
    strays = [path for path in UNIT.rglob("*.py") if not path.name.startswith("test_")]
    assert [path.relative_to(ROOT).as_posix() for path in strays if path.name != "conftest.py"] == []
