"""A container on a live engine: commands in it, requests to it, and its end."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import docker.errors
import requests

from layerlab.engine.journal import Journal
from layerlab.engine.live.translate import translated
from layerlab.engine.protocol import ExecResult, Response, Stopped
from layerlab.errors import DoesNotServe

_MISSING = (
    "executable file not found",
    "no such file or directory",
    "not found in $PATH",
    "permission denied",
)
_CONFLICT = 409
_RUNC = re.compile(r'exec: "[^"]+": .+?(?=: unknown|$)')
# For an engine elsewhere, whose published ports are not ours to reach: ask from inside the container.
_ASK_FROM_INSIDE = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode("utf-8", "replace"), list(answer.headers.items())]))
"""


class LiveContainer:
    """See `layerlab.engine.protocol.Container`."""

    def __init__(
        self, container: Any, *, endpoint: str, journal: Journal | None, after: contextlib.ExitStack | None = None
    ) -> None:
        self._container = container
        self._endpoint = endpoint
        self._journal = journal
        # What is to be done once the container is gone.
        self._after = after or contextlib.ExitStack()
        self._is_removed = False

    @property
    def id(self) -> str:
        """The container's id."""
        return str(self._container.id)

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        """Run a command in the container and wait for its end."""
        with translated(self._endpoint):
            try:
                code, output = self._container.exec_run(list(command), user=user or "")
            except docker.errors.APIError as error:
                # Not every engine gives exit code 126 or 127 by itself.
                return missing_program(error)
        return ExecResult(int(code), output.decode("utf-8", "replace"))

    def request(self, path: str = "/", *, port: int = 8000, wait_seconds: float = 20.0) -> Response:
        """Send a GET, waiting until something listens."""
        deadline = time.monotonic() + wait_seconds
        while True:
            answer = self._ask(path, port)
            if answer is not None:
                return answer
            self._fail_if_ended(port)
            if time.monotonic() >= deadline:
                raise self._silent(f"answered nothing on port {port} within {wait_seconds:.0f} s")
            time.sleep(0.1)

    def logs(self) -> str:
        """Return stdout and stderr so far."""
        with translated(self._endpoint):
            return str(self._container.logs().decode("utf-8", "replace"))

    def wait(self, *, seconds: float = 60.0) -> int:
        """Wait for the main process to end by itself."""
        deadline = time.monotonic() + seconds
        while self._is_running():
            if time.monotonic() >= deadline:
                raise self._silent(f"still runs after {seconds:.0f} s")
            time.sleep(0.05)
        return self._exit_code()

    def stop(self, *, grace_seconds: float = 10.0) -> Stopped:
        """Send SIGTERM, then SIGKILL after the grace period."""
        began = time.perf_counter()
        with translated(self._endpoint):
            self._container.stop(timeout=max(1, round(grace_seconds)))
        return Stopped(self._exit_code(), time.perf_counter() - began)

    def remove(self) -> None:
        """Remove it, running or not, with its anonymous volumes."""
        if self._is_removed:
            return
        with translated(self._endpoint):
            end_and_remove(self._container.client.api, self.id)
        self._is_removed = True
        if self._journal:
            self._journal.forget("container", self.id)
        self._after.close()

    def __enter__(self) -> LiveContainer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def _ask(self, path: str, port: int) -> Response | None:
        host = urlsplit(self._endpoint)
        if host.scheme in ("tcp", "http", "https", "ssh") and host.hostname not in (
            "127.0.0.1",
            "localhost",
            "::1",
        ):
            return self._ask_from_inside(path, port)
        published = self.published(port)
        if published is None:
            return None
        return ask(f"http://127.0.0.1:{published}{path}")

    def _ask_from_inside(self, path: str, port: int) -> Response | None:
        result = self.exec(["python", "-c", _ASK_FROM_INSIDE, f"http://127.0.0.1:{port}{path}"])
        if result.exit_code:
            return None
        status, body, headers = json.loads(result.output.splitlines()[-1])
        return Response(status, body, tuple((str(k).lower(), str(v)) for k, v in headers))

    def published(self, port: int) -> int | None:
        """Return the port of this machine that leads to one of the container's; None where none does."""
        with translated(self._endpoint):
            self._container.reload()
        return self._published(port)

    def _published(self, port: int) -> int | None:
        published = (self._container.attrs["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp")
        return int(published[0]["HostPort"]) if published else None

    def _fail_if_ended(self, port: int) -> None:
        if not self._is_running():
            raise self._silent(f"ended with exit code {self._exit_code()} and never answered on port {port}")
        # From the same answer that said it runs: one that has ended publishes nothing any more.
        if self._published(port) is None:
            raise DoesNotServe(
                f"Port {port} of this container is not published: no port of this machine leads to it. "
                f"Start it with `ports=[{port}]`."
            )

    def _silent(self, what: str) -> DoesNotServe:
        tail = "\n".join(self.logs().splitlines()[-10:])
        said = f"Its last lines:\n{tail}" if tail else "It printed nothing."
        return DoesNotServe(f"The container {what}. {said}\nCheck CMD, the host (0.0.0.0) and the port.")

    def _is_running(self) -> bool:
        with translated(self._endpoint):
            self._container.reload()
        return bool(self._container.attrs["State"].get("Running"))

    def _exit_code(self) -> int:
        with translated(self._endpoint):
            self._container.reload()
        return int(self._container.attrs["State"]["ExitCode"])


def end_and_remove(api: docker.APIClient, container_id: str) -> None:
    """Kill a container of ours, where it still runs, and remove it with its anonymous volumes. Gone is well too."""
    with contextlib.suppress(docker.errors.NotFound):
        try:
            api.kill(container_id)
        except docker.errors.APIError as error:
            if error.status_code != _CONFLICT:  # "is not running", as it should be
                raise
        api.remove_container(container_id, v=True)


def ask(url: str) -> Response | None:
    """Send one GET and return its answer, or None where nothing answers yet."""
    with requests.Session() as session:
        # A proxy named in the environment must not be asked for 127.0.0.1.
        session.trust_env = False
        try:
            answer = session.get(url, timeout=5, allow_redirects=False)
        except requests.exceptions.RequestException:
            return None
    return Response(answer.status_code, answer.text, tuple((k.lower(), v) for k, v in answer.headers.items()))


def missing_program(error: docker.errors.APIError) -> ExecResult:
    """Turn the engine's refusal to start a program into a shell's exit code; raise any other error again."""
    message = str(error.explanation or error)
    if any(sign in message for sign in _MISSING):
        # runc's own sentence comes last, after those of everybody who passed it on.
        said = _RUNC.search(message)
        return ExecResult(126 if "permission denied" in message else 127, said[0] if said else message)
    raise error
