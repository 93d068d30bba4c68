"""BuildKit driven by a docker client, buildx or an old one: a process of ours that reads the context from its input."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from layerlab.engine.live.buildkit.printed import PlainText, json_statuses
from layerlab.engine.live.buildkit.routes import Found
from layerlab.engine.live.translate import gone
from layerlab.engine.protocol import BuildRequest
from layerlab.errors import EngineRefused, LayerLabError

_GRACE_SECONDS = 10
# Where a user's shell sends builds is no business of ours: it neither holds our bases nor loads what it builds.
_OTHERS = ("DOCKER_CONTEXT", "BUILDX_BUILDER", "BUILDX_CONFIG", "DOCKER_BUILDKIT", "BUILDKIT_PROGRESS")


class RunBuild:
    """The events of one build that a client runs; ``stop`` may come from any thread."""

    def __init__(self, found: Found, endpoint: str, request: BuildRequest) -> None:
        assert found.program is not None
        self.name: str | None = None  # what the engine is to call the image, beside what it is called later
        self._found = found
        self._endpoint = endpoint
        self._request = request
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._fault: LayerLabError | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="layerlab-build-")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield SolveStatus, then ``{"aux": {"ID": …}}`` or ``{"error": …}``; nothing more once it was stopped."""
        rest: list[str] = []
        self._process = process = self._started()
        feeder = threading.Thread(target=self._feed, name="layerlab-context", daemon=True)
        feeder.start()
        assert process.stderr is not None
        lines = (line.decode("utf-8", "replace") for line in process.stderr)
        yield from self._statuses(lines, rest)
        code = process.wait()
        feeder.join()
        if self._is_stopped:
            return
        if self._fault:
            raise self._fault
        yield self._ending(code, rest)

    def stop(self) -> None:
        """End the client; the engine notices that it hung up and stops the steps that run."""
        self._is_stopped = True
        if self._process and self._process.poll() is None:
            # Not SIGTERM: on that the client of 20.10 waits until the command under way has ended by itself.
            self._process.kill()

    def close(self) -> None:
        """Wait for the client's end and take away what was written for it, secrets first of all."""
        self._folder.cleanup()
        if self._process:
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            for pipe in (self._process.stdin, self._process.stderr):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def _statuses(self, lines: Iterable[str], rest: list[str]) -> Iterator[dict[str, Any]]:
        if self._found.route.name == "buildx":
            return json_statuses(lines, rest)
        return PlainText(rest).statuses(lines)

    def _ending(self, code: int, rest: list[str]) -> dict[str, Any]:
        if code == 0 and self._id_file.exists():
            return {"aux": {"ID": self._id_file.read_text(encoding="utf-8").strip()}}
        said = [line.strip() for line in rest if line.strip()]
        if any("Cannot connect to the Docker daemon" in line for line in said):
            raise gone(self._endpoint)
        message = said[-1].removeprefix("ERROR: ") if said else f"the docker client ended with exit status {code}"
        return {"error": message, "errorDetail": {"message": message}}

    def _started(self) -> subprocess.Popen[bytes]:
        command = [str(self._found.program), *self._command()]
        try:
            return subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EngineRefused(f"{self._found.route.through} does not start: {error}. Install it anew.") from error

    def _command(self) -> Iterator[str]:
        request = self._request
        if self._found.route.name == "buildx":
            # The builder called "default" is that of DOCKER_HOST: the engine's own BuildKit, with its own images.
            yield from ("buildx", "build", "--builder", "default", "--progress", "rawjson", "--provenance=false")
        else:
            yield from ("build", "--progress", "plain")
        yield from ("--file", request.context.dockerfile_name, "--iidfile", str(self._id_file))
        for name, value in request.args.items():
            yield from ("--build-arg", f"{name}={value}")
        for id, path in self._secret_files().items():
            yield from ("--secret", f"id={id},src={path}")
        yield from ("--tag", self.name) if self.name else ()
        yield from ("--target", request.target) if request.target else ()
        yield from ("--no-cache",) if request.no_cache else ()
        yield from ("--network", request.network) if request.network else ()
        yield "-"

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
        kept = {name: value for name, value in os.environ.items() if name not in _OTHERS}
        return {**kept, "DOCKER_HOST": self._endpoint, "DOCKER_BUILDKIT": "1"}

    def _feed(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            # A client that ends first, on a Dockerfile it cannot read, says so itself.
            with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
                for piece in self._request.context.tar():
                    pipe.write(piece)
        except LayerLabError as error:
            self._fault = error
            self._process.kill()
