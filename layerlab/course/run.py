"""`layerlab run`: the whole course headless, in order, on the engine that `connect()` chooses.

Writes executed notebooks and one self-contained page; a notebook that fails doesn't stop the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from layerlab.course.engines import variables
from layerlab.course.run_progress import CourseProgress
from layerlab.errors import SetupError
from layerlab.report.page import course_page, external_loads
from layerlab.setup.bootstrap import CHECKOUT

CELL_SECONDS = 1800  # a cell may wait for a base image; none may wait for ever
TITLE = "Layer Lab"


@dataclass(frozen=True)
class Failure:
    """Where a notebook stopped: its file name, the id of the cell, and what was raised."""

    notebook: str
    cell_id: str
    error: str

    def __str__(self) -> str:
        return f"FAIL {self.notebook}, cell {self.cell_id}: {self.error}"


def run(numbers: Sequence[str] = (), *, checkout: Path = CHECKOUT, console: Console | None = None) -> int:
    """Execute notebooks and write ``build/executed/*.ipynb`` and ``build/course.html``.

    Parameters
    ----------
    numbers
        Beginnings of file names (``00``, ``02_slim``); none of them means all notebooks.

    Returns
    -------
    int
        0; or 1 where a notebook failed, or the page would load something from elsewhere.

    Raises
    ------
    SetupError
        There are no such notebooks.
    """
    from layerlab.engine import connect

    info = connect().info
    remark = f"Run on {info.name} {info.version} ({info.kind}), {date.today():%d %B %Y}."
    notebooks = chosen(checkout / "notebooks", numbers)
    with environment(variables(info.kind)):
        return run_notebooks(notebooks, checkout / "build", remark=remark, console=console)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the kernels started within, and put back what was there."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_notebooks(paths: Sequence[Path], build: Path, *, remark: str, console: Console | None = None) -> int:
    """Execute these notebooks into ``build``; see `run`."""
    import nbformat

    console = console or Console(stderr=True)
    console.print(remark, highlight=False)
    notebooks = [(path, read(path)) for path in paths]
    (build / "executed").mkdir(parents=True, exist_ok=True)
    failures: list[Failure] = []
    with CourseProgress(console, [(path.name, code_cells(notebook)) for path, notebook in notebooks]) as progress:
        for path, notebook in notebooks:
            progress.begin(path.name)
            failure = execute(notebook, path, on_cell=progress.advance)
            nbformat.write(notebook, build / "executed" / path.name)  # type: ignore[no-untyped-call]
            progress.end(path.name, passed=failure is None)
            if failure:
                failures.append(failure)
                console.print(str(failure), markup=False, highlight=False)
    page = course_page([(path.stem, notebook) for path, notebook in notebooks], title=TITLE, remark=remark)
    (build / "course.html").write_text(page, encoding="utf-8")
    return _conclude(console, failures, external_loads(page), build / "course.html")


def execute(notebook: Any, path: Path, *, on_cell: Callable[[], None]) -> Failure | None:
    """Run a notebook in place, from its own folder, and say where it failed, if it did."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellTimeoutError, DeadKernelError
    from nbclient.exceptions import CellExecutionError as CellFailed

    reached = ["(before the first cell)"]

    def begin(cell: Any, cell_index: int) -> None:
        reached[0] = cell.get("id", f"number {cell_index}")

    def done(cell: Any, cell_index: int, execute_reply: Any) -> None:
        on_cell()

    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
        # The kernel would warn about unencrypted sockets, which are loopback's, in the middle of our progress.
        extra_arguments=["--log-level=ERROR"],
        on_cell_execute=begin,
        on_cell_executed=done,
    )
    try:
        client.execute()
    except CellFailed as error:
        return Failure(path.name, reached[0], f"{error.ename}: {error.evalue}".strip())
    except CellTimeoutError:
        return Failure(path.name, reached[0], f"not finished after {CELL_SECONDS} s")
    except (DeadKernelError, CellControlSignal) as error:
        return Failure(path.name, reached[0], f"the kernel died ({error})")
    return None


def chosen(folder: Path, numbers: Sequence[str]) -> list[Path]:
    """List a folder's notebooks in the order of the course, or those whose names begin with ``numbers``."""
    found = sorted(folder.glob("[0-9][0-9]*_*.ipynb"))
    wanted = [path for path in found if not numbers or path.name.startswith(tuple(numbers))]
    if not wanted:
        what = f"begins with {' or '.join(numbers)}" if numbers else "is named like 00_setup.ipynb"
        raise SetupError(f"No notebook in {folder} {what}. Look at `ls {folder}`.")
    return wanted


def read(path: Path) -> Any:
    """Read a notebook."""
    import nbformat

    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(notebook: Any) -> int:
    """Count the cells a kernel will be asked to run."""
    return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)


def _conclude(console: Console, failures: Sequence[Failure], loads: Sequence[str], page: Path) -> int:
    size = page.stat().st_size
    console.print(f"Wrote {page} ({size / 1e6:.1f} MB)", highlight=False, soft_wrap=True)
    for address in loads:
        console.print(f"FAIL course.html would load {address}", markup=False, highlight=False)
    for failure in failures:
        console.print(str(failure), markup=False, highlight=False)
    return 1 if failures or loads else 0
