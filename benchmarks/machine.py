"""The machine in neutral words: a class, never a name. And whether it is busy with something else."""

from __future__ import annotations

import os
import platform

import psutil

# More than this many runnable processes a core beside ours, and medians begin to mean the neighbours.
BUSY_LOAD = 0.5


def description() -> str:
    """Give cores, memory, system and Python."""
    memory = round(psutil.virtual_memory().total / 1e9)
    system = f"{platform.system()} on {platform.machine()}"
    return f"{psutil.cpu_count()} cores, {memory} GB of memory, {system}, Python {platform.python_version()}."


def load() -> str:
    """Say how busy the machine is, or nothing while it is idle."""
    if not hasattr(os, "getloadavg"):
        return ""
    busy = os.getloadavg()[0] / (psutil.cpu_count() or 1)
    return f"on a busy machine (load {busy:.1f} a core)" if busy > BUSY_LOAD else ""
