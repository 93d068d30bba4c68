"""A live container whose answers are written down as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from layerlab.engine.protocol import Container, ExecResult, Response, Stopped
from layerlab.engine.recorded.operations import FAILURES, Trace, encode
from layerlab.engine.recorded.store import Payload, Store
from layerlab.engine.recorder.redact import Redactor
from layerlab.errors import LayerLabError

Answer = TypeVar("Answer")


class RecordingContainer:
    """See `layerlab.engine.protocol.Container`."""

    def __init__(self, live: Container, *, key: str, written: Payload, recordings: Store, redactor: Redactor) -> None:
        self._live = live
        self._key = key
        self._written = written
        self._recordings = recordings
        self._redactor = redactor
        self._trace = Trace()

    @property
    def id(self) -> str:
        """The container's id."""
        return self._live.id

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        """Run a command in the container and wait for its end."""
        return self._asked(lambda: self._live.exec(command, user=user), "exec", list(command), user)

    def request(self, path: str = "/", *, port: int = 8000, wait_seconds: float = 20.0) -> Response:
        """Send a GET, waiting until something listens."""
        return self._asked(
            lambda: self._live.request(path, port=port, wait_seconds=wait_seconds), "request", path, port
        )

    def logs(self) -> str:
        """Return stdout and stderr so far."""
        return self._asked(self._live.logs, "logs")

    def wait(self, *, seconds: float = 60.0) -> int:
        """Wait for the main process to end by itself."""
        return self._asked(lambda: self._live.wait(seconds=seconds), "wait")

    def stop(self, *, grace_seconds: float = 10.0) -> Stopped:
        """Send SIGTERM, then SIGKILL after the grace period."""
        return self._asked(lambda: self._live.stop(grace_seconds=grace_seconds), "stop", grace_seconds)

    def remove(self) -> None:
        """Remove it; that needs no recording."""
        self._live.remove()

    def __enter__(self) -> RecordingContainer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def _asked(self, ask: Callable[[], Answer], operation: str, *arguments: Any) -> Answer:
        try:
            answer = ask()
        except tuple(FAILURES.values()) as error:
            self._note(error, operation, *arguments)
            raise
        self._note(answer, operation, *arguments)
        return answer

    def _note(self, answer: object | LayerLabError, operation: str, *arguments: Any) -> None:
        self._trace.add([operation, *arguments])
        redact = self._redactor.value
        entry = self._written["operations"].setdefault(
            self._trace.key, {"asked": redact([operation, *arguments]), "answers": []}
        )
        # What an earlier container of the same kind answered here stands: one story, not a mixture.
        if self._trace.repeat == len(entry["answers"]):
            entry["answers"].append(redact(encode(answer)))
            self._recordings.write("containers", self._key, self._written)
