"""One run of buildx: a process of ours, its events, and its end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layerlab.engine.live.buildkit import rawjson
from layerlab.engine.live.buildkit.program import buildx
from layerlab.engine.live.buildkit.sent import Sent, lay_out
from layerlab.engine.live.translate import gone, unreachable
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import ContextError, EngineRefused

_GRACE_SECONDS = 10
_FRAME = re.compile(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?")
# From its beginning, for a message may quote a command. The second where the engine goes away in mid-build.
_GONE = re.compile(
    r"ERROR: (?:failed to build: )?(?:failed to solve: )?"
    r"(?:Cannot connect to the Docker daemon|(?:failed to receive status: )?(?:rpc error: code = )?Unavailable\b)"
)
# What buildx prints above the lines of the Dockerfile that an error points at.
_BLAMED = re.compile(r"Dockerfile:(\d+)")
# Where a user's shell sends builds is no business of ours: it neither holds our bases nor loads what it builds.
_OTHERS = ("DOCKER_CONTEXT", "BUILDX_BUILDER", "BUILDX_CONFIG", "BUILDKIT_PROGRESS")
# These are for the engine that DOCKER_HOST names; a socket of this machine speaks no TLS.
_TLS = ("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


class BuildxRun:
    """The events of one build by buildx; ``stop`` may come from any thread.

    Parameters
    ----------
    program
        The buildx to run, instead of the one that a docker client on PATH would take.

    Raises
    ------
    NoBuildKit
        There is no buildx here.
    """

    def __init__(self, endpoint: str, request: BuildRequest, *, program: Path | None = None) -> None:
        self.name: str | None = None  # what the engine is to call the image, beside what it is called later
        self._program = buildx(program)
        self._endpoint = endpoint
        self._request = request
        self._process: subprocess.Popen[bytes] | None = None
        self._has_begun = self._is_stopped = False
        self._folder = tempfile.TemporaryDirectory(prefix="layerlab-build-")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield SolveStatus, then ``{"aux": {"ID": …}}`` or ``{"error": …}``; nothing more once it was stopped."""
        self._process = process = self._started()
        if self._is_stopped:  # while it started
            self.stop()
        assert process.stderr is not None
        rest: list[str] = []
        for status in rawjson.statuses((line.decode("utf-8", "replace") for line in process.stderr), rest):
            self._has_begun = True
            yield status
        code = process.wait()
        if not self._is_stopped:
            yield self._ending(code, rest)

    def stop(self) -> None:
        """End it, with all that it started; the engine notices that it hung up and stops the steps that run."""
        self._is_stopped = True
        if self._process and self._process.poll() is None:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """Wait for its end and take away what was written for it, secrets first of all."""
        self._folder.cleanup()
        if self._process:
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.stop()
                self._process.wait()
            if self._process.stderr:
                self._process.stderr.close()

    def _ending(self, code: int, rest: list[str]) -> dict[str, Any]:
        if code == 0 and self._id_file.exists():
            return {"aux": {"ID": self._id_file.read_text(encoding="utf-8").strip()}}
        said = [line.strip() for line in rest if line.strip()]
        if away := next((line for line in said if _GONE.match(line)), None):
            raise gone(self._endpoint) if self._has_begun else unreachable(self._endpoint, ConnectionRefusedError(away))
        message = _FRAME.sub("", said[-1]) if said else f"buildx ended with exit status {code}"
        blamed = next((match for line in said if (match := _BLAMED.fullmatch(line))), None)
        return {"error": message, "errorDetail": {"message": message, "line": int(blamed[1]) if blamed else None}}

    def _started(self) -> subprocess.Popen[bytes]:
        command = [*_ends_with_us(), self._program, *self._command()]
        try:
            return subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EngineRefused(f"{self._program} does not start: {error}. Install it anew.") from error

    def _command(self) -> Iterator[str]:
        request, sent = self._request, self._sent()
        # The builder called "default" is that of DOCKER_HOST: the engine's own BuildKit, with its own images.
        yield from ("build", "--builder", "default", "--progress", "rawjson")
        yield from ("--file", str(sent.dockerfile), "--iidfile", str(self._id_file))
        for name, value in request.args.items():
            yield from ("--build-arg", f"{name}={value}")
        for id, path in self._secret_files().items():
            yield from ("--secret", f"id={id},src={path}")
        yield from ("--tag", self.name) if self.name else ()
        yield from ("--target", request.target) if request.target else ()
        yield from ("--no-cache",) if request.no_cache else ()
        yield from ("--network", request.network) if request.network else ()
        yield str(sent.folder)

    def _sent(self) -> Sent:
        into = Path(self._folder.name) / "sent"
        into.mkdir()
        try:
            return lay_out(self._request.context, into)
        except OSError as error:
            raise ContextError(f"The context cannot be copied: {error}. Mend that and build again.") from error

    @property
    def _id_file(self) -> Path:
        return Path(self._folder.name) / "image-id"

    def _secret_files(self) -> Mapping[str, Path]:
        files = {}
        for number, (id, content) in enumerate(self._request.secrets.items()):
            files[id] = path = Path(self._folder.name) / f"secret-{number}"
            path.touch(mode=0o600)
            path.write_text(content, encoding="utf-8")
        return files

    def _environment(self) -> dict[str, str]:
        unwanted = {*_OTHERS, *(_TLS if self._endpoint.startswith("unix://") else ())}
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        # What buildx notes of its builds goes with the build: it would go into the user's ~/.docker else.
        # An attestation bears the time of the build: each cached build would be another image (buildx, from 0.10).
        notes = str(Path(self._folder.name) / "buildx")
        return {
            **kept, "DOCKER_HOST": self._endpoint, "BUILDX_CONFIG": notes, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }  # fmt: skip


def _ends_with_us() -> tuple[str, ...]:
    """Return what to start a program with so that it ends when this thread does, also by SIGKILL; Linux alone has it.

    buildx goes on without whoever asked for the build: a kernel that is killed would leave an endless step running.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None  # of util-linux
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()
