"""Asks whether an image still serves, as whom, and how it stops. Knows the seam and HTTP, builds nothing."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerlab.engine.protocol import StartRequest
from layerlab.errors import DoesNotServe, EngineRefused
from layerlab.narration import tell

if TYPE_CHECKING:
    import subprocess

    from layerlab.engine.protocol import Container, Engine, Response


_KILLED = 137
# runc and crun, as Docker and Podman hand it on.
_NO_COMMAND = re.compile(r"executable file .*not found|no such file or directory|permission denied|exec format error")


@dataclass(frozen=True)
class Probe:
    """What one container of an image answered, and as whom it ran.

    Attributes
    ----------
    stopped_with, stop_seconds
        Its exit code on SIGTERM and the seconds until its end; None where it was not asked to stop.
    """

    image: str
    answers: tuple[tuple[str, Response], ...]
    uid: int | None
    stopped_with: int | None = None
    stop_seconds: float | None = None
    read_only: bool = False

    @property
    def stops(self) -> bool | None:
        """True where SIGTERM ended it: after the grace period the engine kills, which reads as 128 + 9."""
        return None if self.stopped_with is None else self.stopped_with != _KILLED

    @property
    def serves(self) -> bool:
        """True where every path that was asked answered with a status below 400."""
        return all(response.status < 400 for _, response in self.answers)

    @property
    def said(self) -> tuple[tuple[str, int, str], ...]:
        """Path, status and body of each answer: what two images that serve the same have in common."""
        return tuple((path, response.status, response.body) for path, response in self.answers)

    def __str__(self) -> str:
        said = ", ".join(f"GET {path} → {response.status} {response.body}" for path, response in self.answers)
        who = "as root" if self.uid == 0 else f"as uid {self.uid}" if self.uid is not None else "as an unknown user"
        how = ", on a root folder it cannot write to" if self.read_only else ""
        return f"{'Serves' if self.serves else 'Does not serve'} {who}{how}: {said}"


def probe(
    engine: Engine,
    image: str,
    *,
    paths: Sequence[str] = ("/health", "/"),
    port: int = 8000,
    wait_seconds: float = 60.0,
    read_only: bool = False,
    user: str | None = None,
    mounts: Mapping[str, str] | None = None,
    stopping: bool = False,
) -> Probe:
    """Start a container of ``image``, ask each path once, remove it, and say what happened.

    Parameters
    ----------
    wait_seconds
        For the first answer. A container that ends is noticed at once; one that compiles its modules at each
        start can take half a minute on a busy machine, and that is no failure.
    read_only
        Give the container a root folder that it cannot write to (``docker run --read-only``).
    user
        Run as somebody else than the image says (``docker run --user``).
    mounts
        Folder of this machine → ``"/path:ro"`` in the container; see `layerlab.engine.protocol.Engine.start`.
    stopping
        Also send SIGTERM, and see how it ends. A service that ignores the signal takes the engine's whole grace period
        of 10 s; by default the container is killed at once.

    Raises
    ------
    DoesNotServe
        Nothing answered in time, or the container ended; the message holds its last lines.
    ImageNotFound, NotRecorded
    """
    tell("starting a container")
    request = StartRequest(image=image, ports=(port,), read_only=read_only, user=user, mounts=mounts or {})
    with started(engine, request) as container:
        answers = []
        for number, path in enumerate(paths, 1):
            which = f" ({number} of {len(paths)})" if len(paths) > 1 else ""
            tell(f"asking {path}{which}, for up to {wait_seconds:.0f} s")
            answers.append((path, container.request(path, port=port, wait_seconds=wait_seconds)))
        uid = _uid(container)
        if stopping:
            tell("sending SIGTERM and waiting for its end")
        stopped = container.stop() if stopping else None
        tell("removing the container")
    if stopped is None:
        return Probe(image, tuple(answers), uid, read_only=read_only)
    return Probe(image, tuple(answers), uid, stopped.exit_code, stopped.seconds, read_only)


def started(engine: Engine, request: StartRequest) -> Container:
    """Start a container of a service. Raises DoesNotServe where its command cannot be started."""
    try:
        return engine.start(request)
    except EngineRefused as refused:
        if _NO_COMMAND.search(str(refused)):
            # The image is there and its start command is not: a fault of the image, not of the engine.
            raise DoesNotServe(f"The container did not start: {refused}") from refused
        raise


@contextlib.contextmanager
def local_service(folder: Path | str, *, app: str = "main:app", wait_seconds: float = 20.0) -> Iterator[str]:
    """Run a service from its folder with this Python and no container; yields its URL.

    Raises DoesNotServe where it ends, or answers nothing in time; the message holds its last lines.
    """
    import subprocess

    command = [sys.executable, "-B", "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield _announced_url(process, wait_seconds)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.kill()
        if process.stdout:
            process.stdout.close()


def get(url: str) -> tuple[int, str]:
    """Send a GET to a service on this machine and return its status and body."""
    # A proxy named in the environment must not be asked for 127.0.0.1.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return int(answer.status), answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def _announced_url(process: subprocess.Popen[str], wait_seconds: float) -> str:
    # With port 0 the system picks a free one, and uvicorn says which.
    lines: list[str] = []
    deadline = time.monotonic() + wait_seconds
    for line in process.stdout or ():
        lines.append(line.rstrip())
        if "running on http" in line:
            return line.split("running on ")[1].split()[0]
        if time.monotonic() > deadline:
            break
    raise DoesNotServe(
        f"The service in this folder did not start: {' / '.join(lines[-5:]) or 'it printed nothing'}. "
        "Run `python -m uvicorn main:app` there to see why."
    )


def _uid(container: Container) -> int | None:
    # An image without a shell has no `id` either; its Python knows as well.
    for command in (["id", "-u"], ["python3", "-c", "import os; print(os.getuid())"]):
        result = container.exec(command)
        text = result.output.strip().splitlines()[-1:]
        if result.exit_code == 0 and text and text[0].isdigit():
            return int(text[0])
    return None
