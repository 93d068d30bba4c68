"""One solution notebook becomes one exercise notebook: an ordered list of pure cell transformations.

Knows notebooks in memory. Files are the business of `release`, running cells that of `verify`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from functools import reduce

import nbformat
from nbformat import NotebookNode

from layerlab.errors import ReleaseError
from layerlab.grading import cells
from layerlab.version import __version__

Transformation = Callable[[NotebookNode], NotebookNode]

STARTERS = {
    "code": "# Answer in the panel above.",
    "markdown": "*Your answer here.*",
}
LOCKED_ROLES = ("given", "check")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_IN_TITLE = re.compile(r"[\s:·,–—-]*[(\[]?\bsolutions?\b[)\]]?", re.IGNORECASE)
_TELLING = 12  # characters from which a line inside another one is no coincidence


# --- the transformations ---------------------------------------------------------------------


def _each(notebook: NotebookNode, change: Callable[[NotebookNode], None]) -> NotebookNode:
    """Return a copy of the notebook with a change made to each of its cells."""
    changed = copy.deepcopy(notebook)
    for cell in changed.cells:
        change(cell)
    return changed


def drop_solution_cells(notebook: NotebookNode) -> NotebookNode:
    """Leave out the cells that only the solution has."""
    changed = copy.deepcopy(notebook)
    changed.cells = [cell for cell in changed.cells if cells.role(cell) != "solution"]
    return changed


def put_starters(notebook: NotebookNode) -> NotebookNode:
    """Put the starter in the place of every solution region, and take it out of the metadata."""

    def change(cell: NotebookNode) -> None:
        found = cells.regions(cell.source, cell_id=cell.id)
        if not found:
            return
        lines = cell.source.split("\n")
        starters = _starters(cell, len(found))
        for region, starter in reversed(tuple(zip(found, starters, strict=True))):
            lines[region.begin : region.end + 1] = [f"{region.indent}{line}".rstrip() for line in starter.split("\n")]
        cell.source = "\n".join(lines)
        cell.metadata.layerlab.pop("starter", None)

    return _each(notebook, change)


def drop_empty_answers(notebook: NotebookNode) -> NotebookNode:
    """Leave out code cells in which nothing is left to run: their question is answered in its panel."""
    changed = copy.deepcopy(notebook)
    changed.cells = [cell for cell in changed.cells if cell.source != STARTERS["code"]]
    return changed


def _starters(cell: NotebookNode, wanted: int) -> tuple[str, ...]:
    """Return one starter for each region: the cell's own text or list of texts, or the usual line."""
    own = cells.settings(cell).get("starter", [STARTERS[cell.cell_type]] * wanted)
    texts = (own,) if isinstance(own, str) else tuple(own)
    if len(texts) != wanted:
        raise ReleaseError(
            f"Cell `{cell.id}` has {wanted} solution regions and {len(texts)} starters. "
            "Let its metadata.layerlab.starter be a list with one text for each region."
        )
    return texts


def strip_results(notebook: NotebookNode) -> NotebookNode:
    """Take out outputs, execution counts and the marks that running a cell leaves in its metadata."""

    def change(cell: NotebookNode) -> None:
        cell.metadata = cells.node({key: value for key, value in cell.metadata.items() if key in ("layerlab", "tags")})
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None

    return _each(notebook, change)


def lock_cells(notebook: NotebookNode) -> NotebookNode:
    """Make given and check cells read-only for JupyterLab: an edited check would judge something else."""

    def change(cell: NotebookNode) -> None:
        if cells.role(cell) in LOCKED_ROLES:
            cell.metadata.update(editable=False, deletable=False)

    return _each(notebook, change)


def retitle(notebook: NotebookNode) -> NotebookNode:
    """Take the word "solution" out of the title."""
    changed = copy.deepcopy(notebook)
    for cell in changed.cells:
        title, newline, rest = cell.source.partition("\n")
        if cell.cell_type == "markdown" and title.startswith("# "):
            cell.source = f"# {_IN_TITLE.sub('', title[2:]).strip(' :·,–—-')}{newline}{rest}"
            break
    return changed


def plain_metadata(notebook: NotebookNode) -> NotebookNode:
    """Keep of the notebook's metadata only what is the same on every machine: no kernel versions, no widget state."""
    changed = copy.deepcopy(notebook)
    changed.metadata = cells.node(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}, "layerlab": dict(cells.settings(notebook))}
    )
    return changed


PIPELINE: tuple[Transformation, ...] = (
    drop_solution_cells,
    put_starters,
    drop_empty_answers,
    strip_results,
    lock_cells,  # after strip_results, which clears the marks this one sets
    retitle,
    plain_metadata,
)


# --- one notebook ----------------------------------------------------------------------------


def exercise(solution: NotebookNode, *, name: str) -> NotebookNode:
    """Return the exercise that a solution contains.

    Parameters
    ----------
    solution
        The notebook of an author; it is not changed.
    name
        What it is called, such as ``01_naive``; stamped into the exercise.

    Raises
    ------
    ReleaseError
        Ids missing or used twice, roles unknown, markers without a partner or outside answer cells, an answer cell
        that would show its answer, or solution text anywhere in the result.
    """
    cells.refuse_bad_ids(solution)
    _refuse_bad_answers(solution)
    released = reduce(lambda notebook, transformation: transformation(notebook), PIPELINE, solution)
    _refuse_leaks(solution, released)
    _refuse_results(released)
    released.metadata.layerlab.update(
        released_from=name,
        solution_digest=cells.digest(solution),
        release_digest=cells.digest(released),
        layerlab_version=__version__,
    )
    nbformat.validate(released)
    return released


def _refuse_bad_answers(solution: NotebookNode) -> None:
    for cell in solution.cells:
        role, found = cells.role(cell), cells.regions(cell.source, cell_id=cell.id)
        if "solution" in cell.id.split("-") and role != "solution":
            raise ReleaseError(
                f"Cell `{cell.id}` is called a solution and has the role {role!r}, so the exercise would show it. "
                "Give it the role 'solution', or another id."
            )
        # What is given may read otherwise in the exercise, where its author says how: the line that opens it does.
        is_given_twice = role == "given" and "starter" in cells.settings(cell)
        if found and role not in ("answer", "solution") and not is_given_twice:
            raise ReleaseError(
                f"Cell `{cell.id}` has the role {role!r} and holds a solution region. "
                "Give it the role 'answer', or take the markers out; a given cell may have one beside its own starter."
            )
        if role == "answer" and not found:
            raise ReleaseError(
                f"Answer cell `{cell.id}` has no solution region, so the exercise would show its answer. "
                "Enclose the answer in `### BEGIN SOLUTION` and `### END SOLUTION`."
            )


def _refuse_leaks(solution: NotebookNode, released: NotebookNode) -> None:
    """Search the exercise, metadata included, for the lines of every solution region."""
    places = tuple(_texts(released))
    for cell in solution.cells:
        for region in cells.regions(cell.source, cell_id=cell.id):
            for line in filter(_says_something, map(str.strip, region.lines)):
                for where, text in places:
                    if line == text or (len(line) >= _TELLING and line in text):
                        raise ReleaseError(
                            f"The solution line `{line}` of cell `{cell.id}` can be read in cell `{where}` of the "
                            "exercise. Take it out there, or move it out of the solution region."
                        )


def _says_something(line: str) -> bool:
    """Tell lines that could give an answer away from brackets, `else:` and `pass`."""
    return len(re.findall(r"\w", line)) > 4


def _texts(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield every line that a reader of the notebook's file could find, with the id of its cell."""
    for cell in notebook.cells:
        told = cells.settings(cell).values()
        for text in (cell.source, *(value for value in told if isinstance(value, str))):
            yield from ((cell.id, line.strip()) for line in text.split("\n"))


def _refuse_results(released: NotebookNode) -> None:
    for cell in cells.code_cells(released):
        if cell.outputs or cell.execution_count is not None:
            raise ReleaseError(f"Cell `{cell.id}` still has outputs. Let `strip_results` run after whatever made them.")
