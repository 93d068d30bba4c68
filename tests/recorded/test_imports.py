"""What a session on recordings imports and starts: it is to run in a Python that has no engine, process or thread.

Told by the interpreter that runs it. Who asks for a module is looked up, since the standard library and ipywidgets
load some of these for themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
FORBIDDEN = ("docker", "psutil", "requests", "urllib3", "subprocess", "concurrent.futures", "multiprocessing")
# What is not Python's own. IPython, comm, pygments and traitlets come with ipywidgets.
THIRD_PARTY = {"IPython", "comm", "filelock", "ipywidgets", "pygments", "traitlets"}

HOOKS = """
import builtins, importlib, json, sys, threading

asked, started = set(), set()
real_import, real_import_module, real_start = builtins.__import__, importlib.import_module, threading.Thread.start

def ours(frame):
    while frame and not str(frame.f_globals.get("__name__")).startswith("layerlab"):
        frame = frame.f_back
    return frame.f_globals["__name__"] if frame else None

def noting_import(name, globals=None, locals=None, fromlist=(), level=0):
    module = (globals or {}).get("__name__") or ""
    if module.startswith("layerlab") and not level:
        asked.update((module, full) for full in (name, *(f"{name}.{one}" for one in fromlist or ())))
    return real_import(name, globals, locals, fromlist, level)

def noting_import_module(name, package=None):
    module = sys._getframe(1).f_globals["__name__"]
    if module.startswith("layerlab"):
        asked.add((module, name))
    return real_import_module(name, package)

def noting_start(thread):
    started.add((ours(sys._getframe()) or "", thread.name))
    real_start(thread)

builtins.__import__, importlib.import_module, threading.Thread.start = noting_import, noting_import_module, noting_start
"""
SESSION = """
import layerlab as ll
from layerlab import exercises
from layerlab.widgets import job

job.usual_runner = lambda: job.inline  # as a Python without threads does it
lab = ll.open_lab("02_slim")
assert not lab.engine.info.is_live
built = lab.build("service", "Dockerfile.v1-slim", tag="layerlab/service:v1-slim")
assert built.image.layers
assert lab.probe("layerlab/service:v1-slim").serves
assert lab.run(lab.base("slim"), ["gcc", "--version"]).exit_code == 127
exercise = exercises.open("02_slim", lab)
mistake = exercise.mistakes[0]
assert exercise.verdicts(mistake.task, mistake.answers).shown.name == mistake.failing
"""
TOLD = """
print(json.dumps({"modules": sorted(sys.modules), "asked": sorted(asked), "started": sorted(started)}))
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a session loaded (``modules``), which of our modules asked for what, and who started which thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAYERLAB_", "DOCKER_"))}
    work = str(tmp_path_factory.mktemp("work"))
    done = subprocess.run(
        [sys.executable, "-c", HOOKS + SESSION + TOLD],
        env={**kept, "LAYERLAB_ENGINE": "recorded", "LAYERLAB_WORK": work},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_nothing_is_loaded_that_needs_an_engine_or_a_process(session: dict[str, Any]) -> None:
    assert [name for name in FORBIDDEN if name in session["modules"]] == []


def test_no_thread_is_started(session: dict[str, Any]) -> None:
    assert session["started"] == []


def test_who_asks_for_threads_wants_locks_and_events_or_is_the_job_of_the_panels(session: dict[str, Any]) -> None:
    asking = {module for module, name in session["asked"] if name.split(".")[0] in ("threading", "_thread")}
    assert asking == {
        "layerlab.widgets.build_progress",
        "layerlab.widgets.job",
        "layerlab.widgets.waiting",
        "layerlab.work.attempts",
    }


def test_the_packages_that_are_not_pythons_own_are_these(session: dict[str, Any]) -> None:
    packages = {name.split(".")[0] for name in session["modules"] if not name.startswith("_")}
    assert packages - set(sys.stdlib_module_names) - {"layerlab"} == THIRD_PARTY


def test_what_is_asked_for_is_noted_wherever_it_stands(session: dict[str, Any]) -> None:
    asked = {(module, name) for module, name in session["asked"]}
    assert ("layerlab.context.folder", "layerlab.context.ignore.Pattern") in asked
    assert ("layerlab.engine.choice", "layerlab.engine.recorded.engine.RecordedEngine") in asked, "inside a function"
    assert ("layerlab", "layerlab.lab.lab") in asked, "by its name"
