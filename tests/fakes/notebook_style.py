"""The house rules for notebooks that a machine can judge. Each rule yields one sentence for every fault it finds.

Knows a notebook and its name. Whether the page teaches is for readers to say.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from layerlab.grading.cells import READABLE_ID, code_cells, settings

Rule = Callable[[NotebookNode, str], Iterator[str]]

CODE_LINES, PROSE_WORDS = 15, 140
KEY_POINTS = range(3, 6)
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_CODE_SPAN = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")
_BELITTLING = re.compile(r"\b(simply|just)\b", re.IGNORECASE)
_SIZE = re.compile(r"\d[\d.,]*(?: B|\s*(?:[kKMGT]i?B|(?:kilo|mega|giga)?bytes?))\b")  # 05B is no size
_OPENING = {
    "what you will learn or do": r"you will\b",
    "what you need": r"you need\b",
    "how many minutes": r"minutes\W*\d|\d+ minutes",
}
_HIDING_TAGS = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
_NBVAL_COMMENT = re.compile(r"#\s*(NBVAL|PYTEST_VALIDATE)_", re.IGNORECASE)
_HOMES = re.compile(r"(/home/|/Users/|[A-Z]:\\{1,2}Users\\{1,2})\w+")


def is_valid_nbformat(notebook: NotebookNode, name: str) -> Iterator[str]:
    """The file is a valid notebook of format 4.5, the first that has cell ids."""
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield f"nbformat is {notebook.nbformat}.{notebook.nbformat_minor}, wanted 4.5"
    try:
        nbformat.validate(nbformat.from_dict(notebook))  # of a copy, since validating may repair
    except nbformat.ValidationError as error:
        yield str(error).splitlines()[0]


def has_one_title(notebook: NotebookNode, name: str) -> Iterator[str]:
    """One H1, in the first cell, with the number of the notebook; headings below it skip no level."""
    headings = [(cell, *heading) for cell in _prose(notebook) for heading in _headings(cell)]
    titles = [(cell, text) for cell, level, text in headings if level == 1]
    if len(titles) != 1:
        yield f"{len(titles)} H1 headings, wanted one"
    elif titles[0][0] is not notebook.cells[0]:
        yield f"the H1 is in cell `{titles[0][0].id}`, wanted in the first"
    elif name[:2] not in titles[0][1]:
        yield f"the title {titles[0][1]!r} lacks the number {name[:2]}"
    for (_, before, _), (cell, level, text) in itertools.pairwise(headings):
        if level > before + 1:
            yield f"cell `{cell.id}`: heading {text!r} jumps from level {before} to {level}"


def says_what_and_how_long(notebook: NotebookNode, name: str) -> Iterator[str]:
    """The first cell says what you will learn, what you need, and how many minutes."""
    opening = notebook.cells[0].source if notebook.cells else ""
    for wanted, pattern in _OPENING.items():
        if not re.search(pattern, opening, re.IGNORECASE):
            yield f"the first cell does not say {wanted}"


def has_readable_ids(notebook: NotebookNode, name: str) -> Iterator[str]:
    """Every cell has an id that says what it is, and no two share one."""
    ids = [cell.get("id", "") for cell in notebook.cells]
    for cell_id in ids:
        if not READABLE_ID.fullmatch(cell_id) or re.fullmatch(r"(?=.*\d)[0-9a-f]{6,}", cell_id):
            yield f"the id {cell_id!r} is not readable; wanted words such as `q1-order-check`"
    yield from (f"{times} cells have the id {cell_id!r}" for cell_id, times in Counter(ids).items() if times > 1)


def holds_no_results(notebook: NotebookNode, name: str) -> Iterator[str]:
    """No outputs, execution counts, widget states or kernel versions are stored."""
    for cell in code_cells(notebook):
        if cell.get("outputs"):
            yield f"cell `{cell.id}` has outputs"
        if cell.get("execution_count") is not None:
            yield f"cell `{cell.id}` has an execution count"
        if "execution" in cell.metadata:
            yield f"cell `{cell.id}` has execution times"
    if "widgets" in notebook.metadata:
        yield "the notebook stores the states of widgets"
    if "version" in notebook.metadata.get("language_info", {}):
        yield "the notebook stores the Python version that it was last run with"


def has_short_code(notebook: NotebookNode, name: str) -> Iterator[str]:
    """At most 15 lines of code in a cell."""
    for cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        if lines > CODE_LINES:
            yield f"cell `{cell.id}` has {lines} lines, wanted at most {CODE_LINES}"


def has_short_prose(notebook: NotebookNode, name: str) -> Iterator[str]:
    """At most 140 words of prose in a cell."""
    for cell in _prose(notebook):
        words = len(re.findall(r"\S*\w\S*", _LINK.sub(r"\1", cell.source)))
        if words > PROSE_WORDS:
            yield f"cell `{cell.id}` has {words} words, wanted at most {PROSE_WORDS}"


def announces_code(notebook: NotebookNode, name: str) -> Iterator[str]:
    """Prose stands before every code cell. The check of an answer may follow the answer at once."""
    before: NotebookNode | None = None
    for cell in notebook.cells:
        pair = before is not None and (_role(before), _role(cell)) == ("answer", "check")
        if cell.cell_type == "code" and (before is None or before.cell_type != "markdown") and not pair:
            yield f"cell `{cell.id}` is not announced by a sentence"
        before = cell


def belittles_nobody(notebook: NotebookNode, name: str) -> Iterator[str]:
    """Neither "simply" nor "just": what is easy for the author may be hard for the reader."""
    for cell in _prose(notebook):
        for word in _BELITTLING.findall(_plain(cell)):
            yield f"cell `{cell.id}` says {word!r}"


def defines_no_helpers(notebook: NotebookNode, name: str) -> Iterator[str]:
    """A notebook is plain Python that calls things; whatever needs a ``def`` belongs into the library."""
    for cell in code_cells(notebook):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield f"cell `{cell.id}` is not plain Python ({error.msg}, line {error.lineno})"
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"cell `{cell.id}` defines `{node.name}`"
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                yield f"cell `{cell.id}` gives a lambda a name"


def types_no_sizes(notebook: NotebookNode, name: str) -> Iterator[str]:
    """No size is typed into prose: it would be somebody else's. ``layerlab.allow_numbers`` may give a reason."""
    for cell in _prose(notebook):
        if str(settings(cell).get("allow_numbers", "")).strip():
            continue
        for size in _SIZE.findall(_FENCE.sub("", cell.source)):
            yield f"cell `{cell.id}` types {size!r}; print it, or say why in metadata.layerlab.allow_numbers"


def names_no_machine(notebook: NotebookNode, name: str) -> Iterator[str]:
    """No path of the machine it was written on."""
    here = {str(Path(__file__).parents[2]), sys.prefix}
    for cell in notebook.cells:
        found = [path for path in here if path in cell.source]
        found += [match[0] for match in _HOMES.finditer(cell.source)]
        yield from (f"cell `{cell.id}` names the path {path!r}" for path in found)


def opens_with_the_badge(notebook: NotebookNode, name: str) -> Iterator[str]:
    """The first code cell opens the lab under the notebook's own name and shows what it opened."""
    first = next(code_cells(notebook), None)
    if first is None:
        yield "there is no code cell"
        return
    body = _parsed(first)
    opened = {target.id for node in body for target in _opened(node, name)}
    shown = ast.unparse(body[-1]) if body else ""
    if not opened:
        yield f"cell `{first.id}` does not open {name!r}"
    elif shown not in {text for variable in opened for text in (variable, f"{variable}.badge")}:
        yield f"cell `{first.id}` does not end with what it opened, so no badge is shown"


def ends_with_asserts(notebook: NotebookNode, name: str) -> Iterator[str]:
    """The last code cell asserts what the notebook taught, and its id says so; in a solution it may be a check."""
    last = next(reversed(list(code_cells(notebook))), None)
    if last is None:
        yield "there is no code cell"
    elif _role(last) == "check":
        return  # it raises unless every check passes
    elif not any(isinstance(node, ast.Assert) for node in _parsed(last)):
        yield f"the last code cell, `{last.id}`, asserts nothing"
    elif last.id.split("-")[-1] != "asserts":
        yield f"the last code cell is called `{last.id}`; wanted an id that ends in `asserts`"


def ends_with_key_points(notebook: NotebookNode, name: str) -> Iterator[str]:
    """The last cell holds three to five key points and the link onward."""
    last = notebook.cells[-1] if notebook.cells else None
    if last is None or last.cell_type != "markdown":
        yield "the last cell is not prose"
        return
    points = len(re.findall(r"^[-*] ", last.source, re.MULTILINE))
    if points not in KEY_POINTS:
        yield f"the last cell has {points} key points, wanted {KEY_POINTS[0]} to {KEY_POINTS[-1]}"
    if not _LINK.search(last.source):
        yield "the last cell has no link onward"


def hides_nothing(notebook: NotebookNode, name: str) -> Iterator[str]:
    """No cell is folded away, and none is kept from being tested."""
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", ()))
        jupyter = cell.metadata.get("jupyter", {})
        if tags & _HIDING_TAGS or jupyter.get("source_hidden") or jupyter.get("outputs_hidden"):
            yield f"cell `{cell.id}` is hidden"
        if "nbval-skip" in tags or ("raises-exception" in tags and _role(cell) in ("answer", "check")):
            yield f"cell `{cell.id}` is kept from being tested"
        if cell.cell_type == "code" and _NBVAL_COMMENT.search(cell.source):
            yield f"cell `{cell.id}` instructs nbval in a comment; wanted a tag"


RULES: tuple[Rule, ...] = (
    is_valid_nbformat,
    has_one_title,
    says_what_and_how_long,
    has_readable_ids,
    holds_no_results,
    has_short_code,
    has_short_prose,
    announces_code,
    belittles_nobody,
    defines_no_helpers,
    types_no_sizes,
    names_no_machine,
    opens_with_the_badge,
    ends_with_asserts,
    ends_with_key_points,
    hides_nothing,
)


def dead_links(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """Yield the links to files that are not there, seen from the folder of the notebook."""
    for cell in _prose(notebook):
        for _, target in _LINK.findall(_FENCE.sub("", cell.source)):
            path = target.partition("#")[0]
            if path and ":" not in path and not (folder / path).exists():
                yield f"cell `{cell.id}` links to {target!r}, which is not there"


def _prose(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "markdown")


def _plain(cell: NotebookNode) -> str:
    """Return the prose of a cell without code."""
    return _CODE_SPAN.sub("", _FENCE.sub("", cell.source))


def _headings(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    for marks, text in re.findall(r"^(#{1,6}) +(.+)$", _FENCE.sub("", cell.source), re.MULTILINE):
        yield len(marks), text


def _role(cell: NotebookNode) -> object:
    return settings(cell).get("role")


def _parsed(cell: NotebookNode) -> list[ast.stmt]:
    try:
        return ast.parse(cell.source).body
    except SyntaxError:
        return []  # told by defines_no_helpers


def _opened(node: ast.stmt, name: str) -> Iterator[ast.Name]:
    """Yield the variable of ``lab = ll.open_lab("01_naive")``, where the text is this notebook's name."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args):
        return
    called, first = node.value.func, node.value.args[0]
    verb = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if verb.startswith("open") and isinstance(first, ast.Constant) and first.value == name:
        yield from (target for target in node.targets if isinstance(target, ast.Name))
