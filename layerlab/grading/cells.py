"""What a cell of a solution is for, and where its solution regions lie; how a notebook becomes bytes and digests.

Knows the metadata convention, not what is done with it. Cells are told apart by id, never by position.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import nbformat
from nbformat import NotebookNode

from layerlab.errors import ReleaseError

Role = Literal["prose", "given", "answer", "check", "solution"]

SOLUTION_TAG = "solution-only"  # the same as the role "solution", for tools that show tags alone
READABLE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_MARKER_LIKE = re.compile(r"#\s*(BEGIN|END)[ _-]*SOLUTION", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """One solution region of a cell: 0-based line numbers of its two markers, its indent and what lies between."""

    begin: int
    end: int
    indent: str
    lines: tuple[str, ...]


def settings(node: NotebookNode) -> Mapping[str, Any]:
    """Return the ``metadata.layerlab`` of a cell or notebook; empty where there is none."""
    found = node.get("metadata", {}).get("layerlab", {})
    return found if isinstance(found, Mapping) else {}


def role(cell: NotebookNode) -> Role:
    """Return what a cell is for.

    Prose needs no label. A code cell does: one whose label was forgotten could carry an answer into the exercise.

    Raises
    ------
    ReleaseError
        A code cell without a role, or a role that does not exist.
    """
    if SOLUTION_TAG in cell.get("metadata", {}).get("tags", ()):
        return "solution"
    named = settings(cell).get("role", "prose" if cell.cell_type != "code" else None)
    for known in get_args(Role):
        if named == known:
            return known  # type: ignore[no-any-return]  # get_args is typed as Any
    raise ReleaseError(
        f"Cell `{cell.get('id')}` has the role {named!r}. "
        f"Set its metadata.layerlab.role to one of {', '.join(get_args(Role))}."
    )


def regions(source: str, *, cell_id: str) -> tuple[Region, ...]:
    """Find the solution regions of a cell's source.

    Raises
    ------
    ReleaseError
        Markers that do not pair up, or a line that is nearly a marker.
    """
    found: list[Region] = []
    begin: int | None = None
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if not _MARKER_LIKE.search(line):
            continue
        marker = line.strip()
        if marker == _BEGIN and begin is None:
            begin = number
        elif marker == _END and begin is not None:
            indent = lines[begin][: len(lines[begin]) - len(lines[begin].lstrip())]
            found.append(Region(begin, number, indent, tuple(lines[begin + 1 : number])))
            begin = None
        else:
            raise _unbalanced(cell_id, number, line)
    if begin is not None:
        raise _unbalanced(cell_id, begin, lines[begin])
    return tuple(found)


def _unbalanced(cell_id: str, number: int, line: str) -> ReleaseError:
    return ReleaseError(
        f"Cell `{cell_id}`, line {number + 1}: the solution marker `{line.strip()}` has no partner. "
        f"Write `{_BEGIN}` and `{_END}` on lines of their own, in pairs, and never one pair inside another."
    )


def refuse_bad_ids(notebook: NotebookNode) -> None:
    """Refuse a notebook whose cells cannot be told apart by id.

    Raises
    ------
    ReleaseError
        A format older than nbformat 4.5 (which has no ids), or ids that are missing or used twice.
    """
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        raise ReleaseError(
            f"The notebook is in nbformat {notebook.nbformat}.{notebook.nbformat_minor}, which knows no cell ids. "
            "Open it in JupyterLab 4 and save it, then give its cells readable ids."
        )
    ids = [cell.get("id") for cell in notebook.cells]
    for position, cell_id in enumerate(ids):
        if not cell_id:
            raise ReleaseError(
                f"Cell number {position + 1} has no id. Give it a readable one, such as `q1-order-check`."
            )
    for cell_id, times in Counter(ids).items():
        if times > 1:
            raise ReleaseError(f"{times} cells have the id `{cell_id}`. Give each cell an id of its own.")


def read(path: Path) -> NotebookNode:
    """Read a notebook as it stands: no conversion, since converting would invent missing ids.

    Raises
    ------
    ReleaseError
        The file is missing or is no notebook.
    """
    try:
        notebook = node(json.loads(path.read_text(encoding="utf-8")))
        for cell in notebook.cells:  # on disk a source may be one text or a list of lines
            cell.source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ReleaseError(f"`{path}` cannot be read as a notebook ({error}). Restore it from git.") from error
    return notebook


def node(value: Mapping[str, Any]) -> NotebookNode:
    """Return a plain mapping as nbformat's own nodes, all the way down."""
    made: NotebookNode = nbformat.from_dict(value)  # type: ignore[no-untyped-call]
    return made


def to_bytes(notebook: NotebookNode) -> bytes:
    """Return the notebook as the bytes JupyterLab itself would save: sorted keys, indent 1, newline at the end."""
    return (str(nbformat.writes(notebook)) + "\n").encode()  # type: ignore[no-untyped-call]


def digest(notebook: NotebookNode) -> str:
    """Return the SHA-256 of what an author wrote: sources, ids, roles; neither outputs nor JupyterLab's marks."""
    written = [
        [
            cell.cell_type,
            cell.get("id"),
            cell.source,
            dict(settings(cell)),
            cell.metadata.get("tags", []),
            cell.get("attachments", {}),
        ]
        for cell in notebook.cells
    ]
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the cells that a kernel would execute, in order."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")
