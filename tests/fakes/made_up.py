"""Small made-up notebooks for the tests of release, verify and style. Holds no test."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, v4


def prose(cell_id: str, text: str, **layerlab: Any) -> NotebookNode:
    """Return a markdown cell; keywords go into its ``metadata.layerlab``."""
    metadata = {"layerlab": layerlab} if layerlab else {}
    return v4.new_markdown_cell(text, id=cell_id, metadata=metadata)


def code(cell_id: str, source: str, role: str | None = None, **layerlab: Any) -> NotebookNode:
    """Return a code cell with a role; further keywords go into its ``metadata.layerlab``."""
    told = {**({"role": role} if role else {}), **layerlab}
    return v4.new_code_cell(source, id=cell_id, metadata={"layerlab": told} if told else {})


def notebook(*cells: NotebookNode) -> NotebookNode:
    """Return a notebook of these cells, in nbformat 4.5."""
    made = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    made.cells = list(cells)  # not through new_notebook, which silently repairs what tests break on purpose
    return made


def solved(answer: str) -> str:
    """Enclose an answer in solution markers."""
    return f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION"


CHECK = """
from layerlab.errors import CheckFailed
if chosen != "pip install":
    raise CheckFailed(f"FAIL chosen (found {chosen}, wanted a layer)")
print("PASS chosen")
""".strip()


def solution() -> NotebookNode:
    """Return a small solution: a title, a given cell, one question with its check, a remark for solvers only."""
    return notebook(
        prose("title", "# 01 · Which line is heaviest? (solution)\n\nPoint at it."),
        code("setup", "chosen = None", "given"),
        prose("q1-heaviest", "Which line wrote the most?"),
        code("q1-heaviest-answer", solved('chosen = "pip install"'), "answer"),
        code("q1-heaviest-check", CHECK, "check"),
        prose("q1-heaviest-remark", "The package line, because of its wheels.", role="solution"),
        code("end-asserts", 'assert chosen.startswith("pip")', "solution"),
    )
