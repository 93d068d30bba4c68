"""A private engine beside the machine's own: in a network namespace, with images made of the host's programs.

Holds no test. Nothing here needs a registry, a network or an engine that runs already.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import docker

from layerlab.engine import private

# Of the engine that the environment names before any test names another.
_PROGRAMS = private.paths().programs if private.installed() else None
WANTED = "needs root, Linux, and the private engine's programs (`layerlab engine start`)"
START = "from layerlab.engine import private; print(private.start(on_line=print).pid)"
# A new namespace's loopback is down; SIOCSIFFLAGS (0x8914) with IFF_UP is what `ip link set lo up` does.
HOLD = (
    "import fcntl, socket, struct, time\n"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))\n"
    "print('up', flush=True); time.sleep(1800)"
)


def is_possible() -> bool:
    """Say whether this user may start an engine here, and the machine's own has its programs."""
    return sys.platform.startswith("linux") and os.geteuid() == 0 and _PROGRAMS is not None


def give_programs() -> None:
    """Have the machine's programs also where LAYERLAB_DATA names, as links or copies; nothing is fetched."""
    where = private.paths()
    if private.installed() or _PROGRAMS is None:
        return
    where.root.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--link", _PROGRAMS, where.programs], check=False, stderr=subprocess.DEVNULL)
    if not private.installed():  # another file system
        subprocess.run(["cp", "--archive", f"{_PROGRAMS}/.", where.programs], check=True)


@contextmanager
def namespace() -> Iterator[int]:
    """Open a network namespace with nothing but a loopback; gives the process that holds it open."""
    command = ["unshare", "--net", sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "up\n"
            yield holder.pid
        finally:
            holder.kill()


def inside(holder: int, code: str) -> list[str]:
    """Give the command that runs Python code in a process of its own inside the namespace."""
    return ["nsenter", f"--net=/proc/{holder}/ns/net", sys.executable, "-c", code]


def start(holder: int, code: str = START) -> list[str]:
    """Start the engine that LAYERLAB_DATA names inside the namespace; gives the lines it printed."""
    give_programs()
    return subprocess.check_output(inside(holder, code), text=True, timeout=90).splitlines()


def client(where: private.Paths) -> Any:
    """Open the SDK's client of the engine, to be closed as a context manager."""
    return closing(docker.DockerClient(base_url=where.url))


def import_image(user: docker.DockerClient, repository: str, *programs: str) -> str:
    """Make an image of the host's own programs; no registry is needed. Gives its id."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted({*programs, *(one for program in programs for one in _libraries(program))}):
            archive.add(os.path.realpath(path), arcname=path)
    answer = user.api.import_image_from_data(packed.getvalue(), repository=repository)
    return str(json.loads(answer.splitlines()[-1])["status"])


def until(holds: Callable[[], bool], *, seconds: float = 15) -> None:
    """Wait until it holds; fail if it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def _libraries(program: str) -> set[str]:
    listed = subprocess.check_output(["ldd", program], text=True).split()
    return {word for word in listed if word.startswith("/")}
