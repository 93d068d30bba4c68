"""`layerlab bench`: runs the checkout's benchmarks. What is measured, and against what, stands in `benchmarks/`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from layerlab.errors import SetupError
from layerlab.setup.bootstrap import CHECKOUT


def bench(arguments: Sequence[str] = (), *, checkout: Path = CHECKOUT) -> int:
    """Run ``python -m benchmarks`` in the checkout and give its exit status.

    Raises
    ------
    SetupError
        There are no benchmarks here: an installed package carries none.
    """
    if not (checkout / "benchmarks").is_dir():
        raise SetupError(f"There are no benchmarks in {checkout}. Run this in a clone of the course.")
    return subprocess.call([sys.executable, "-m", "benchmarks", *arguments], cwd=checkout)
