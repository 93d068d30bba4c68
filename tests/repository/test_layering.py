"""Imports go only down the floors of docs/design.md, never in a circle; third-party packages have owners."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "layerlab"

# The floors of docs/design.md: a part imports what stands on its own floor or below.
FLOORS = {
    "ground": (
        "errors", "version", "narration", "units", "setup", "compose", "dockerfile", "context", "image", "archive",
        "waste", "events",
    ),
    "engine": ("engine", "build", "bases"),
    "images": (
        "attribution", "inspection", "comparison", "probe", "design_space", "measure", "claims", "figures", "review",
        "checks",
    ),
    "lab": ("work", "widgets", "exercises", "lab", "grading"),
    "course": ("report", "course", "cli", "__main__"),
}  # fmt: skip
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS.values()) for part in parts}

# A model makes its view when it is displayed, and a view knows its model: such a pair counts as one.
PAIRS = {
    ("layerlab.widgets.questions", "layerlab.widgets.question_views"),
    ("layerlab.widgets.prediction", "layerlab.widgets.prediction_views"),
    ("layerlab.widgets.dockerfile_panel.panel", "layerlab.widgets.dockerfile_panel.view"),
    ("layerlab.widgets.explorer.explorer", "layerlab.widgets.explorer.view"),
}

# Top-level package → prefixes of the modules that may import it, at module level or inside a function.
OWNERS = {
    "click": ("layerlab.cli",),
    "docker": ("layerlab.engine.live",),
    "filelock": ("layerlab.engine", "layerlab.bases", "layerlab.work", "layerlab.widgets"),
    "ipywidgets": ("layerlab.widgets",),
    "traitlets": ("layerlab.widgets",),
    "IPython": ("layerlab.widgets", "layerlab.figures", "layerlab.exercises"),
    "jinja2": ("layerlab.report",),
    "jupyter_client": ("layerlab.grading",),
    "nbclient": ("layerlab.course", "layerlab.grading"),
    "nbconvert": ("layerlab.report", "layerlab.course"),
    "nbformat": ("layerlab.grading", "layerlab.course"),
    "numpy": ("layerlab.measure",),
    "pandas": ("layerlab.measure", "layerlab.figures"),
    "platformdirs": ("layerlab.engine", "layerlab.bases", "layerlab.work"),
    "plotly": ("layerlab.figures",),
    "psutil": ("layerlab.engine", "layerlab.bases"),
    "pygments": ("layerlab.report.page",),
    "requests": ("layerlab.engine.live",),  # under the SDK: errors are translated where its own are
    "rich": ("layerlab.course", "layerlab.report", "layerlab.lab"),
    "yaml": ("layerlab.compose",),
    "urllib3": ("layerlab.engine.live",),
    "zstandard": ("layerlab.archive",),
}

# These run before anything is installed.
BARE = (
    "layerlab",
    "layerlab.__main__",
    "layerlab.errors",
    "layerlab.version",
    "layerlab.setup",
    "layerlab.setup.bootstrap",
    "layerlab.setup.environment",
    "layerlab.setup.indexes",
    "layerlab.setup.install",
    "layerlab.setup.lock",
    "layerlab.setup.steps",
)


@dataclass(frozen=True)
class Import:
    """One import: where it stands, and the dotted name it asks for."""

    module: str
    line: int
    name: str
    for_types: bool = False

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, *, module: str, is_package: bool) -> Iterator[Import]:
    """Yield every import of a source, those in functions and for types included."""
    package = module if is_package else module.rpartition(".")[0]
    tree = ast.parse(source)
    for_types = {id(below) for block in ast.walk(tree) if is_type_checking(block) for below in ast.walk(block)}
    for node in ast.walk(tree):
        types = id(node) in for_types
        if isinstance(node, ast.Import):
            yield from (Import(module, node.lineno, alias.name, types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            # `from layerlab import bases` names a part in the alias, `from layerlab.bases import x` in the module.
            names = (f"{origin}.{alias.name}" for alias in node.names)
            yield from (Import(module, node.lineno, name, types) for name in names)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(_all_imports())


def _all_imports() -> Iterator[Import]:
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield from imports(source, module=module_name(path), is_package=path.name == "__init__.py")


def part(dotted: str) -> str | None:
    """Name the part that a module of ours belongs to; None for the package itself, or another's."""
    pieces = dotted.split(".")
    return pieces[1] if pieces[0] == "layerlab" and len(pieces) > 1 and pieces[1] in FLOOR_OF else None


def graph(names: Callable[[str], str | None]) -> dict[str, set[str]]:
    """Who imports whom, imports for types left out; ``names`` gives what a module counts as."""
    modules = {module_name(path) for path in PACKAGE.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for one in all_imports():
        target = one.name if one.name in modules else one.name.rpartition(".")[0]
        here, there = names(one.module), names(target)
        if not one.for_types and target in modules and here and there and here != there:
            found.setdefault(here, set()).add(there)
    return found


def circle(found: Mapping[str, set[str]]) -> tuple[str, ...]:
    try:
        tuple(TopologicalSorter(found).static_order())
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def is_within(module: str, owners: tuple[str, ...]) -> bool:
    return any(module == owner or module.startswith(f"{owner}.") for owner in owners)


def test_every_file_belongs_to_a_part_of_the_table() -> None:
    modules = {module_name(path) for path in PACKAGE.rglob("*.py")} - {"layerlab"}
    assert [module for module in sorted(modules) if part(module) is None] == []


def test_imports_go_only_down_the_floors() -> None:
    found = [(one, part(one.module), part(one.name)) for one in all_imports()]
    upwards = [str(one) for one, mine, theirs in found if mine and theirs and FLOOR_OF[theirs] > FLOOR_OF[mine]]
    assert upwards == []


def test_parts_do_not_import_each_other_in_a_circle() -> None:
    assert circle(graph(part)) == ()


def test_files_do_not_import_each_other_in_a_circle() -> None:
    one_of_pair = {view: model for model, view in PAIRS}
    assert circle(graph(lambda module: one_of_pair.get(module, module))) == ()


def test_each_third_party_package_is_imported_by_its_owners_only() -> None:
    ours_or_python = {*sys.stdlib_module_names, "layerlab"}
    strangers = [
        f"{one}, which belongs to {', '.join(OWNERS.get(one.package, ())) or 'nobody yet'}"
        for one in all_imports()
        if one.package not in ours_or_python and not is_within(one.module, OWNERS.get(one.package, ()))
    ]
    assert strangers == []


def test_what_runs_before_the_environment_imports_nothing_that_it_brings() -> None:
    # __main__ goes on to the verbs once the environment is there.
    allowed = {*BARE, "layerlab.cli"}
    brought = [
        str(one)
        for one in all_imports()
        if one.module in BARE
        and not one.for_types
        and one.package not in sys.stdlib_module_names
        and not {one.name, one.name.rpartition(".")[0]} & allowed
    ]
    assert brought == []


def test_the_floors_here_are_those_of_the_design() -> None:
    design = (PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*(\w+)\*\* \| (.+?) \|", design, re.MULTILINE)
    assert {floor: tuple(re.findall(r"`(\w+)/?`", parts)) for floor, parts in rows if floor in FLOORS} == FLOORS


def test_the_reader_sees_imports_in_functions_relative_ones_and_those_for_types() -> None:
    source = """
if TYPE_CHECKING:
    from . import steps
def f():
    import docker.errors
    from ..engine import connect
"""
    found = {one.name: one.for_types for one in imports(source, module="layerlab.setup.run", is_package=False)}
    assert found == {"layerlab.setup.steps": True, "docker.errors": False, "layerlab.engine.connect": False}
