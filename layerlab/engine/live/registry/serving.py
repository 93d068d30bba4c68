"""Keeps a registry running on this machine's loopback, and asks it.

By two routes: the program, which is small and needs no registry to come from; else its image in a container, which
needs one. Either is asked over HTTP in the same way.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from layerlab.engine.protocol import StartRequest
from layerlab.errors import ImageNotFound, NoRegistry, PullFailed

if TYPE_CHECKING:
    from layerlab.engine.live import LiveEngine

# Version 2 of the official image; a mirror's copy of it can be named instead.
IMAGE, IMAGE_PORT, IMAGE_VARIABLE = "registry:2", 5000, "LAYERLAB_REGISTRY_IMAGE"
_START_SECONDS = 20.0
_CHUNK = 1 << 18
_PR_SET_PDEATHSIG = 1
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


class Serving(ABC):
    """A registry that answers at ``address`` until it is stopped; its storage goes with it."""

    def __init__(self, address: str) -> None:
        self._address = address
        # A proxy that the environment names must not be asked for this machine's own loopback.
        self._opener = build_opener(ProxyHandler({}))
        self._await()

    @abstractmethod
    def is_running(self) -> bool:
        """True until it was stopped or has ended by itself."""

    @abstractmethod
    def stop(self) -> None:
        """End it, and remove what it stored. Stopping twice is harmless."""

    @property
    def address(self) -> str:
        """Host and port, while it runs; see `must_run`."""
        self.must_run()
        return self._address

    def must_run(self) -> None:
        """Raise NoRegistry where the registry was closed or has ended."""
        if not self.is_running():
            raise NoRegistry("This registry runs no longer, and what was pushed went with it. Open one anew.")

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """Return an image's manifest; of several platforms the first that is one."""
        found = self._json(f"{repository}/manifests/{reference}")
        for one in found.get("manifests") or ():
            if (one.get("platform") or {}).get("os") not in (None, "unknown"):
                return self._json(f"{repository}/manifests/{one['digest']}")
        return found

    def blob(self, repository: str, digest: str) -> Iterator[bytes]:
        """Stream a blob."""
        with self._open(f"{repository}/blobs/{digest}") as answer:
            while chunk := answer.read(_CHUNK):
                yield chunk

    def _await(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.is_running():
            try:
                self._opener.open(f"http://{self._address}/v2/", timeout=2).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise NoRegistry(f"The registry did not answer within {_START_SECONDS:.0f} s. Run the cell again.")

    def _json(self, path: str) -> dict[str, Any]:
        with self._open(path) as answer:
            return dict(json.loads(answer.read()))

    def _open(self, path: str) -> Any:
        request = Request(f"http://{self.address}/v2/{path}", headers={"Accept": ", ".join(_MANIFESTS)})
        try:
            return self._opener.open(request, timeout=60)
        except HTTPError as error:
            raise PullFailed(f"The registry answers {error.code} to {path}. Push the image first.") from error
        except URLError as error:
            raise PullFailed(f"The registry does not answer ({error.reason}). Open it anew.") from error


class ProgramServing(Serving):
    """A registry's program as a process of ours, which ends with this one."""

    def __init__(self, program: Path) -> None:
        self._storage = tempfile.TemporaryDirectory(prefix="layerlab-registry-", ignore_cleanup_errors=True)
        address = f"127.0.0.1:{_free_port()}"
        config = Path(self._storage.name) / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {self._storage.name}}}}}\n"
            f"http: {{addr: {address}}}\n",
            encoding="utf-8",
        )
        self._process = subprocess.Popen(
            [program, "serve", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        super().__init__(address)

    def is_running(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and remove what it stored."""
        if self.is_running():
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._storage.cleanup()


class ContainerServing(Serving):
    """The registry's own image as a container on the engine, for machines that have no such program."""

    def __init__(self, engine: LiveEngine) -> None:
        image = os.environ.get(IMAGE_VARIABLE) or IMAGE
        try:
            engine.inspect(image)
        except ImageNotFound:
            for _ in engine.pull(image):
                pass
        self._container = engine.start(StartRequest(image=image, ports=(IMAGE_PORT,)))
        self._is_stopped = False
        super().__init__(f"127.0.0.1:{self._container.published(IMAGE_PORT)}")

    def is_running(self) -> bool:
        """True until it was stopped: a container that ended by itself does not answer."""
        return not self._is_stopped

    def stop(self) -> None:
        """Remove the container, and with it what it stored."""
        if not self._is_stopped:
            self._is_stopped = True
            self._container.remove()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _end_with_parent() -> None:
    # A kernel that is killed runs no clean-up, and nobody would find this process again (prctl(2)).
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
