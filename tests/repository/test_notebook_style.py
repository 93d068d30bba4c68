"""Notebooks and solutions keep the house rules, and each rule is shown to catch what it is for."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import notebook_style as style
import pytest
from made_up import code, notebook, prose
from nbformat import NotebookNode, v4

from layerlab.grading import cells

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted((*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*.ipynb"))))


def as_id(path: Path) -> str:
    """Name a page in the ids of tests: ``notebooks-01_naive``."""
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("rule", style.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", PAGES, ids=as_id)
def test_page_keeps_the_rule(path: Path, rule: style.Rule) -> None:
    faults = list(rule(cells.read(path), path.stem))
    assert not faults, "\n".join([f"{path.name}: {rule.__doc__}", *faults])


@pytest.mark.parametrize("path", PAGES, ids=as_id)
def test_links_lead_somewhere(path: Path) -> None:
    dead = list(style.dead_links(cells.read(path), path.parent))
    assert not dead, "\n".join(dead)


# --- the rules themselves --------------------------------------------------------------------

NAME = "01_naive"
OPENING = "# 01 · How big?\n\n**You will learn** to look. **You need** Python. **Minutes:** 12"
POINTS = "## Key points\n\n- One.\n- Two.\n- Three.\n\n**Next:** [02](02_slim.ipynb)"


def good() -> NotebookNode:
    """A small page that keeps every rule."""
    return notebook(
        prose("title", OPENING),
        code("open", 'lab = ll.open_lab("01_naive")\nlab'),
        prose("q1-order", "## Order them\n\nWhich comes first?"),
        code("q1-order-answer", "first = 1", "answer"),
        code("q1-order-check", "print(first)", "check"),
        prose("ending", "What the page taught is asserted here."),
        code("asserts", "assert first == 1"),
        prose("key-points", POINTS),
    )


def test_the_good_page_keeps_every_rule() -> None:
    assert [fault for rule in style.RULES for fault in rule(good(), NAME)] == []


def cell(cell_id: str, **changes: object) -> Callable[[NotebookNode], None]:
    """Return a change of one cell of the good page; ``metadata`` is put into what is there."""

    def change(page: NotebookNode) -> None:
        found = next(cell for cell in page.cells if cell.id == cell_id)
        found.metadata.update(changes.pop("metadata", {}))  # type: ignore[call-overload]
        found.update(changes)

    return change


def dropped(cell_id: str) -> Callable[[NotebookNode], None]:
    """Return a change that takes one cell out."""

    def change(page: NotebookNode) -> None:
        page.cells = [cell for cell in page.cells if cell.id != cell_id]

    return change


def of_notebook(**changes: object) -> Callable[[NotebookNode], None]:
    """Return a change of the notebook; ``metadata`` is put into what is there."""

    def change(page: NotebookNode) -> None:
        page.metadata.update(changes.pop("metadata", {}))  # type: ignore[call-overload]
        page.update(changes)

    return change


BAD = [
    (style.is_valid_nbformat, of_notebook(nbformat_minor=4), "nbformat is 4.4"),
    (style.is_valid_nbformat, cell("open", outputs=3), "is not of type"),
    (style.has_one_title, cell("q1-order", source="# Another"), "2 H1 headings"),
    (style.has_one_title, cell("title", source="## 01 you will learn"), "0 H1 headings"),
    (style.has_one_title, cell("title", source="# How big?"), "lacks the number 01"),
    (style.has_one_title, cell("q1-order", source="### Deep"), "jumps from level 1 to 3"),
    (style.says_what_and_how_long, cell("title", source="# 01\n\nYou will learn. Minutes: 3"), "say what you need"),
    (style.says_what_and_how_long, cell("title", source="# 01\n\nYou will learn. You need."), "say how many minutes"),
    (style.says_what_and_how_long, cell("title", source="# 01\n\nYou need 3 minutes."), "say what you will learn"),
    (style.has_readable_ids, cell("open", id="3f2a91bc"), "'3f2a91bc' is not readable"),
    (style.has_readable_ids, cell("open", id="Open_It"), "'Open_It' is not readable"),
    (style.has_readable_ids, cell("open", id="title"), "2 cells have the id 'title'"),
    (style.holds_no_results, cell("open", outputs=[v4.new_output("stream", text="x")]), "has outputs"),
    (style.holds_no_results, cell("open", execution_count=1), "has an execution count"),
    (style.holds_no_results, cell("open", metadata={"execution": {}}), "has execution times"),
    (style.holds_no_results, of_notebook(metadata={"widgets": {}}), "states of widgets"),
    (style.holds_no_results, of_notebook(metadata={"language_info": {"version": "3.11.2"}}), "Python version"),
    (style.has_short_code, cell("q1-order-answer", source="x = 1\n" * 16), "has 16 lines"),
    (style.has_short_prose, cell("ending", source="word " * 141), "has 141 words"),
    (style.announces_code, dropped("ending"), "`asserts` is not announced"),
    (style.announces_code, cell("q1-order-answer", metadata={"layerlab": {"role": "given"}}), "`q1-order-check`"),
    (style.belittles_nobody, cell("ending", source="Just run it."), "says 'Just'"),
    (style.belittles_nobody, cell("ending", source="You simply run it."), "says 'simply'"),
    (style.defines_no_helpers, cell("q1-order-answer", source="def help():\n    pass"), "defines `help`"),
    (style.defines_no_helpers, cell("q1-order-answer", source="class Help:\n    pass"), "defines `Help`"),
    (style.defines_no_helpers, cell("q1-order-answer", source="help = lambda: 1"), "gives a lambda a name"),
    (style.defines_no_helpers, cell("q1-order-answer", source="!docker ps"), "is not plain Python"),
    (style.types_no_sizes, cell("ending", source="It takes 1.1 GB."), "types '1.1 GB'"),
    (style.types_no_sizes, cell("ending", source="It takes `812kB`."), "types '812kB'"),
    (style.types_no_sizes, cell("ending", source="It takes 300 bytes."), "types '300 bytes'"),
    (style.types_no_sizes, cell("ending", source="3 MB", metadata={"layerlab": {"allow_numbers": " "}}), "3 MB"),
    (style.names_no_machine, cell("ending", source="See /home/ana/course."), "'/home/ana'"),
    (style.names_no_machine, cell("open", source=r"open('C:\\Users\\ana')"), "Users"),
    (style.names_no_machine, cell("open", source=f"{ROOT}/notebooks"), str(ROOT)),
    (style.names_no_machine, cell("open", source=f"{sys.prefix}/bin"), sys.prefix),
    (style.opens_with_the_badge, cell("open", source="lab = 1\nlab"), "does not open '01_naive'"),
    (style.opens_with_the_badge, cell("open", source='lab = ll.open_lab("02_slim")\nlab'), "does not open '01_naive'"),
    (style.opens_with_the_badge, cell("open", source='lab = ll.open_lab("01_naive")'), "no badge is shown"),
    (style.opens_with_the_badge, cell("open", source='lab = ll.open_lab("01_naive")\nll'), "no badge is shown"),
    (style.ends_with_asserts, cell("asserts", source="print(first)"), "asserts nothing"),
    (style.ends_with_asserts, cell("asserts", id="the-end"), "`the-end`; wanted an id that ends in"),
    (style.ends_with_key_points, dropped("key-points"), "is not prose"),
    (style.ends_with_key_points, cell("key-points", source="- One.\n\n[02](02.ipynb)"), "has 1 key points"),
    (style.ends_with_key_points, cell("key-points", source="- One.\n- Two.\n- Three."), "no link onward"),
    (style.hides_nothing, cell("open", metadata={"jupyter": {"source_hidden": True}}), "`open` is hidden"),
    (style.hides_nothing, cell("open", metadata={"tags": ["hide-input"]}), "`open` is hidden"),
    (style.hides_nothing, cell("open", metadata={"tags": ["nbval-skip"]}), "kept from being tested"),
    (style.hides_nothing, cell("q1-order-check", metadata={"tags": ["raises-exception"]}), "kept from being tested"),
    (style.hides_nothing, cell("open", source="# NBVAL_SKIP\nx = 1"), "instructs nbval in a comment"),
]


@pytest.mark.parametrize(("rule", "change", "fault"), BAD, ids=[f"{rule.__name__}-{fault}" for rule, _, fault in BAD])
def test_rule_catches(rule: style.Rule, change: Callable[[NotebookNode], None], fault: str) -> None:
    page = copy.deepcopy(good())
    change(page)
    assert fault in "\n".join(rule(page, NAME))


def test_every_rule_is_shown_to_catch_something() -> None:
    assert {rule for rule, _, _ in BAD} == set(style.RULES)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (style.belittles_nobody, cell("ending", source="The recipe `just` builds a justified page.")),
        (style.defines_no_helpers, cell("q1-order-answer", source="first = min([3, 1], key=lambda x: x)")),
        (style.types_no_sizes, cell("ending", source="Notebook 05B, 12 minutes, port 8000, `python:3.12`.")),
        (style.types_no_sizes, cell("ending", source="3 MB", metadata={"layerlab": {"allow_numbers": "a band"}})),
        (style.types_no_sizes, cell("ending", source="```\n9 MB\n```")),
        (style.names_no_machine, cell("ending", source="Root's folder is `/root/.local` in the image.")),
        (style.has_readable_ids, cell("ending", id="facade")),
        (style.hides_nothing, cell("open", metadata={"tags": ["raises-exception"]})),
        (style.opens_with_the_badge, cell("open", source='lab = ll.open_lab("01_naive")\nlab.badge')),
        (style.ends_with_asserts, cell("asserts", source="ex.check()", metadata={"layerlab": {"role": "check"}})),
        (style.says_what_and_how_long, cell("title", source="# 01\n\nYou will do. You need. Time: 20 minutes")),
        (style.has_short_prose, cell("ending", source="word " * 140)),
        (style.has_short_code, cell("q1-order-answer", source="x = 1\n" * 15)),
    ],
)
def test_rule_lets_pass(rule: style.Rule, change: Callable[[NotebookNode], None]) -> None:
    page = good()
    change(page)
    assert list(rule(page, NAME)) == []


def test_a_dead_link_is_found_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "02_slim.ipynb").write_text("{}")
    page = notebook(
        prose(
            "links", "[a](02_slim.ipynb) [b](03_gone.ipynb) [c](https://example.org/x) [d](#here) [e](02_slim.ipynb#a)"
        )
    )
    assert list(style.dead_links(page, tmp_path)) == ["cell `links` links to '03_gone.ipynb', which is not there"]
