"""A container that answers from recordings. Nothing runs, and no port is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from layerlab.engine.protocol import ExecResult, Response, Stopped
from layerlab.engine.recorded.operations import Trace, decode, in_short
from layerlab.engine.recorded.store import Payload
from layerlab.errors import EngineRefused, NotRecorded


class ReplayedContainer:
    """See `layerlab.engine.protocol.Container`. Answers depend on what was asked of it before."""

    def __init__(self, container_id: str, *, image: str, operations: Payload) -> None:
        self._id = container_id
        self._image = image
        self._operations = operations
        self._trace = Trace()
        self._is_removed = False

    @property
    def id(self) -> str:
        """The container's id."""
        return self._id

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        """Return what this command printed when it was recorded."""
        return cast(ExecResult, self._answer("exec", list(command), user))

    def request(self, path: str = "/", *, port: int = 8000, wait_seconds: float = 20.0) -> Response:
        """Return the recorded answer. ``wait_seconds`` makes no difference: nobody waits."""
        return cast(Response, self._answer("request", path, port))

    def logs(self) -> str:
        """Return what it had printed by now."""
        return cast(str, self._answer("logs"))

    def wait(self, *, seconds: float = 60.0) -> int:
        """Return the recorded exit code."""
        return cast(int, self._answer("wait"))

    def stop(self, *, grace_seconds: float = 10.0) -> Stopped:
        """Return how it ended, and how long that took when it was recorded."""
        return cast(Stopped, self._answer("stop", grace_seconds))

    def remove(self) -> None:
        """Remove it. Removing twice is no error."""
        self._is_removed = True

    def __enter__(self) -> ReplayedContainer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def _answer(self, operation: str, *arguments: Any) -> Any:
        if self._is_removed:
            raise EngineRefused(f"The container {self._id[:12]} has been removed. Start another one.")
        self._trace.add([operation, *arguments])
        found = self._operations.get(self._trace.key)
        if found is None:
            asked = in_short([operation, *arguments])
            raise NotRecorded(
                f"`{asked}` is not recorded for a container of {self._image} at this point. "
                "To ask it for real, start an engine (`layerlab doctor` says how)."
            )
        # Polled more often than when it was recorded: the last answer stands.
        answers = found["answers"]
        return decode(operation, answers[min(self._trace.repeat, len(answers) - 1)])
