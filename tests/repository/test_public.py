"""The package's one public namespace: exactly what is exported, and light to import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import layerlab

HEAVY = ("pandas", "numpy", "plotly", "docker", "ipywidgets", "IPython", "nbformat", "requests", "rich")


def loaded_by(statement: str) -> set[str]:
    """Run a statement in an interpreter of its own and name the packages it loaded."""
    program = f"{statement}\nimport sys, json\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_all_is_exactly_what_is_exported() -> None:
    assert sorted(layerlab.__all__) == sorted({*layerlab._PUBLIC, "__version__"})
    assert dir(layerlab) == sorted(layerlab.__all__)
    for name in layerlab.__all__:
        assert getattr(layerlab, name) is not None


def test_each_public_name_comes_from_the_module_it_is_said_to_come_from() -> None:
    for name, owner in layerlab._PUBLIC.items():
        assert getattr(layerlab, name) is getattr(sys.modules[owner], name)


def test_the_type_checker_sees_the_same_names() -> None:
    tree = ast.parse(Path(layerlab.__file__).read_text(encoding="utf-8"))
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    seen = {
        (alias.asname or alias.name): node.module
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == set(layerlab._PUBLIC)


def test_a_name_that_is_not_public_is_refused() -> None:
    try:
        layerlab.nothing_of_that_name  # noqa: B018
    except AttributeError as error:
        assert "nothing_of_that_name" in str(error)
    else:
        raise AssertionError("an unknown name was found")


def test_importing_the_package_loads_its_version_and_three_modules_of_python() -> None:
    program = """
        import __future__, contextlib, importlib, sys, typing
        before = set(sys.modules)
        import layerlab
        print(*sorted(set(sys.modules) - before))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["layerlab", "layerlab.version"]


def test_the_command_line_loads_nothing_heavy_before_a_verb_runs() -> None:
    loaded = loaded_by("import layerlab.cli")
    assert "click" in loaded
    assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))


@pytest.mark.slow
def test_a_notebook_is_told_what_takes_long_to_load() -> None:
    program = """
        import IPython, json, layerlab
        from layerlab import narration
        told = []
        with narration.heard(told.append):
            for _ in range(2):
                layerlab.measure
        print(json.dumps(told))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["loading pandas, once in a session"]
