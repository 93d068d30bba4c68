"""Runs a notebook in a fresh kernel, with a folder for answers of its own, and says what each cell did.

Knows nbclient. Knows nothing of solutions: whether an error is right or wrong is for the caller to say.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from layerlab.grading import cells

CELL_SECONDS = 1800.0  # the first build of a stand-in base is within one cell
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CellError:
    """The exception that ended a cell: the name of its class, and its message."""

    name: str
    message: str

    def __str__(self) -> str:
        first = self.message.strip().partition("\n")[0]
        return f"{self.name}: {first}" if first else self.name


@dataclass(frozen=True)
class CellRun:
    """What one code cell did: its id and role, its error where it raised one, and everything it printed as text."""

    id: str
    role: cells.Role
    error: CellError | None
    text: str


class _ThisInterpreter(KernelSpecManager):
    """Always the Python that runs us: a kernel spec `python3` of the user's may start another one."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name=kernel_name,
            language="python",
        )


def execute(
    notebook: NotebookNode,
    *,
    folder: Path,
    engine: str | None = None,
    cell_seconds: float = CELL_SECONDS,
) -> tuple[CellRun, ...]:
    """Run every cell of a notebook in a kernel of its own, also those after an error.

    Parameters
    ----------
    notebook
        Not changed: a copy is run.
    folder
        Where the notebook lives; relative paths in its cells start there.
    engine
        What ``LAYERLAB_ENGINE`` is for the kernel; as it is in this process where None.
    cell_seconds
        A cell that takes longer ends the run, with an error named ``CellTimeoutError``.

    Returns
    -------
    tuple of CellRun
        One for each code cell up to the last that was reached, in order.
    """
    copied = copy.deepcopy(notebook)
    ended: CellError | None = None
    started: set[str] = set()

    # The stamps in a cell's metadata come from the kernel, and a kernel that dies at once sends none.
    def note(cell: NotebookNode, cell_index: int) -> None:
        started.add(cell.id)

    client = NotebookClient(
        copied,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisInterpreter()),
        shutdown_kernel="immediate",
        timeout=cell_seconds,
        allow_errors=True,
        on_cell_execute=note,
        resources={"metadata": {"path": str(folder)}},
    )
    # A kernel warns on its stderr about how Jupyter talks to it; that is told only where the kernel died.
    with answers_elsewhere() as work, tempfile.TemporaryFile() as log:
        try:
            # nbclient would only end a kernel whose manager it has made itself; threads of its channels would stay too.
            client.execute(cleanup_kc=True, env=_environment(work, engine), stderr=log)
        except (CellTimeoutError, DeadKernelError) as error:
            log.seek(0)
            said = "" if isinstance(error, CellTimeoutError) else log.read().decode(errors="replace")
            ended = CellError(type(error).__name__, f"{error}\n{said}")
    return tuple(_runs(copied, started, ended))


@contextmanager
def answers_elsewhere() -> Iterator[Path]:
    """Make an empty folder for answers and remove it afterwards: nothing here may meet a learner's work."""
    with tempfile.TemporaryDirectory(prefix="layerlab-work-") as folder:
        yield Path(folder)


def _environment(work: Path, engine: str | None) -> dict[str, str]:
    chosen = {} if engine is None else {"LAYERLAB_ENGINE": engine}
    return {**os.environ, "LAYERLAB_WORK": str(work), **chosen}


def _runs(executed: NotebookNode, started: set[str], ended: CellError | None) -> Iterator[CellRun]:
    """Yield what the cells did; ``ended`` is the fault that stopped the whole run in the last cell reached."""
    reached = [cell for cell in cells.code_cells(executed) if cell.id in started]
    for cell in reached:
        stopped = ended if cell is reached[-1] else None
        yield CellRun(cell.id, cells.role(cell), _error(cell) or stopped, _text(cell))


def _error(cell: NotebookNode) -> CellError | None:
    for output in cell.outputs:
        if output.output_type == "error":
            return CellError(str(output.ename), _COLOURS.sub("", str(output.evalue)))
    return None


def _text(cell: NotebookNode) -> str:
    """Join what a cell printed with the text twins of what it displayed."""
    parts = [str(output.get("text", "") or output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
    return _COLOURS.sub("", "\n".join(part for part in parts if part))
