"""Every exercise has one and the same shape: who knows one of them finds a check, a text or a mistake in all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

EXERCISES = Path(__file__).parents[2] / "layerlab" / "exercises"
# The skeleton as well, since every new exercise begins as its copy.
FOLDERS = [*sorted(EXERCISES.glob("ex[0-9][0-9]*_*/")), EXERCISES / "ex_skeleton"]
FILES = ("__init__.py", "checks.py", "exercise.py", "mistakes.py", "texts.toml")
# The class asks and delegates; what is judged, measured or got wrong has a file of its own.
MOST_LINES = 140

pytestmark = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called(path: Path) -> set[str]:
    """Return the names of all that a module calls: `Mistake` for ``Mistake(…)`` and for ``Mistake.in_file(…)``."""
    found = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    roots = (one.value if isinstance(one, ast.Attribute) else one for one in found)
    return {one.id for one in roots if isinstance(one, ast.Name)}


def functions(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def test_it_has_its_files(folder: Path) -> None:
    assert [name for name in FILES if not (folder / name).is_file()] == []


def test_its_package_holds_nothing_but_its_docstring(folder: Path) -> None:
    (only,) = tree(folder / "__init__.py").body
    assert isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant)


def test_its_class_is_short_and_judges_nothing(folder: Path) -> None:
    path = folder / "exercise.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert called(path) & {"judge", "Check", "Mistake"} == set()


def test_its_mistakes_and_neighbours_are_one_line_each(folder: Path) -> None:
    (kind,) = (node for node in tree(folder / "exercise.py").body if isinstance(node, ast.ClassDef))
    found = functions(kind.body)
    asks_for_a_file = any(
        isinstance(node, ast.Assign)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["files"]
        for node in kind.body
    )
    for name in ("mistakes", "neighbours") if asks_for_a_file else ("mistakes",):
        docstring, returns = found[name].body
        assert isinstance(docstring, ast.Expr) and isinstance(returns, ast.Return)
        told = ast.unparse(returns)
        assert told.startswith(f"return mistakes.{name}("), f"{name} is to be given by mistakes.py, not by {told!r}"
        assert name in functions(tree(folder / "mistakes.py").body)


def test_mistakes_are_of_one_class_and_made_in_one_file(folder: Path) -> None:
    for path in folder.glob("*.py"):
        classes = {node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)}
        assert not {name for name in classes if name.startswith(("Slip", "Mistake", "Wrong"))}
        assert path.name == "mistakes.py" or "Mistake" not in called(path)
    assert not [node for node in ast.walk(tree(folder / "mistakes.py")) if isinstance(node, ast.ClassDef)]
