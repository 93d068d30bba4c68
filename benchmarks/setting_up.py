"""From a clean clone and an empty home to an open course, and on until the bases are there. Takes ten minutes and more.

Everything happens in a folder of its own, removed afterwards; the engine's programs are fetched into it each time. What
the bases install stays: on a machine that has it already, its download is not in the figure, and the note says so.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from benchmarks import machine
from benchmarks.figure import Figure, of_runs
from layerlab import bases
from layerlab.bases.inventory import held
from layerlab.engine import connect, private
from layerlab.engine.private import network
from layerlab.errors import SetupError
from layerlab.setup.bootstrap import CHECKOUT

FIRST_SECONDS, SECOND_SECONDS = 120.0, 10.0
READY_SECONDS = {"slim": 300.0, "full": 540.0}
PORT = 8950
PATIENCE_SECONDS = 1800.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+token=\S+")
# What would lead the clone to things that a bare machine has not.
_OURS = re.compile(r"^(LAYERLAB_|XDG_|JUPYTER|VIRTUAL_ENV$|PYTHONPATH$|PIP_CACHE_DIR$|UV_CACHE_DIR$)")


def measure(*, with_engine: bool) -> Iterator[Figure]:
    """Time `make lab` twice from a clean clone, and until slim and full are there.

    Parameters
    ----------
    with_engine
        False leaves the engine out (LAYERLAB_ENGINE=recorded), where another one occupies this machine.

    Raises
    ------
    SetupError
        The course did not open, its engine did not start, or a base could not be built.
    """
    if with_engine and private.is_running():
        raise SetupError("The private engine runs, and there is room for one only. Stop it: `layerlab engine stop`.")
    told = ", ".join(filter(None, (_packages() if with_engine else "without an engine", machine.load())))
    suffix = "" if with_engine else "-recorded"
    with _bare_machine(with_engine=with_engine) as (clone, environment):
        began = time.perf_counter()
        with _lab(clone, environment):
            first = time.perf_counter() - began
            if with_engine and not private.is_running():
                raise SetupError("The course opened without a private engine; its lines above say why. Mend that.")
            what = "`make lab` from a clean clone and an empty home to a JupyterLab that answers"
            yield of_runs(f"setup-first{suffix}", what, [first], target=FIRST_SECONDS, note=told)
            if with_engine:
                for key, seconds in _wait_for_bases(began):
                    what = f"{key} base ready, from the same moment"
                    yield of_runs(f"setup-{key}", what, [seconds], target=READY_SECONDS[key], note=told)
        began = time.perf_counter()
        with _lab(clone, environment):
            second = time.perf_counter() - began
        yield of_runs(f"setup-second{suffix}", "`make lab` once more", [second], target=SECOND_SECONDS, note=told)


@contextmanager
def _bare_machine(*, with_engine: bool) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Make a clone and a home in a folder of their own; whatever was started in it ends with it."""
    with tempfile.TemporaryDirectory(prefix="ll-bench-", ignore_cleanup_errors=True) as name:
        clone, home = Path(name) / "clone", Path(name) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        environment = _environment(home, data=Path(name) / "data", with_engine=with_engine)
        with _data_in(Path(environment["LAYERLAB_DATA"])):
            try:
                yield clone, environment
            finally:
                bases.stop_background()
                private.purge()


@contextmanager
def _data_in(folder: Path) -> Iterator[None]:
    """Let this process see the engine and the bases of the clone."""
    usual = private.paths()
    before = os.environ.get("LAYERLAB_DATA")
    os.environ["LAYERLAB_DATA"] = str(folder)
    if network.is_marked(usual):
        # Bridge and chains that the usual private engine has left are no stranger's to the one of the clone.
        private.paths().root.mkdir(parents=True)
        shutil.copy(usual.marker, private.paths().marker)
    try:
        yield
    finally:
        os.environ.pop("LAYERLAB_DATA")
        if before is not None:
            os.environ["LAYERLAB_DATA"] = before


def _environment(home: Path, *, data: Path, with_engine: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    path = [folder for folder in kept["PATH"].split(os.pathsep) if not folder.startswith(sys.prefix)]
    chosen = {"HOME": str(home), "PATH": os.pathsep.join(path), "LAYERLAB_DATA": str(data)}
    # Which index and which certificates: that belongs to the host, not to the home that is emptied.
    settings = [one for one in (Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf") if one.exists()]
    if settings and "PIP_CONFIG_FILE" not in kept:
        chosen["PIP_CONFIG_FILE"] = str(settings[0])
    return kept | chosen | ({} if with_engine else {"LAYERLAB_ENGINE": "recorded"})


@contextmanager
def _lab(clone: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run `make lab` until its page has been fetched; Ctrl-C on leaving."""
    command = ["make", "lab", f"ARGS=--no-browser --port {PORT}"]
    process = subprocess.Popen(
        command,
        cwd=clone,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for all of it, and not for us
    )
    try:
        _fetch(_address(process))
        # Nobody reads on, and a full pipe would stop JupyterLab.
        threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True).start()
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


def _address(process: subprocess.Popen[str]) -> str:
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        sys.stderr.write(f"    {line}")
        if found := _ADDRESS.search(line):
            return found[0]
    raise SetupError("`make lab` ended before it was open. Its last lines were:\n" + "".join(said[-15:]))


def _fetch(address: str) -> None:
    # Only loopback: a proxy from the environment would answer in JupyterLab's place.
    with build_opener(ProxyHandler({})).open(address, timeout=60) as answer:
        if "JupyterLab" not in answer.read().decode():
            raise SetupError(f"{address} answers with something that is not JupyterLab. Look at it in a browser.")


def _wait_for_bases(began: float) -> Iterator[tuple[str, float]]:
    """Give each base's key, and the seconds since ``began``, as it comes to be on the private engine."""
    engine = connect("private")
    waiting = dict(READY_SECONDS)
    while waiting:
        for key in {one.key for one in held(engine)} & set(waiting):
            waiting.pop(key)
            yield key, time.perf_counter() - began
        work = bases.background_status()
        if waiting and (work.state in {"failed", "ended"} or time.perf_counter() - began > PATIENCE_SECONDS):
            raise SetupError(f"{', '.join(waiting)} did not come: {work.state}. {work.message} The log is {work.log}.")
        time.sleep(1)
    engine.close()


def _packages() -> str:
    there = [name for name in ("iptables", "mmdebstrap") if shutil.which(name, path="/usr/sbin:/usr/bin")]
    return f"{' and '.join(there)} installed before" if there else "neither iptables nor mmdebstrap installed before"
