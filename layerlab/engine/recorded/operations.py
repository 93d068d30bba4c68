"""What is asked of containers, as keys, and what they answer, as JSON. Shared by recorder and replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from layerlab.engine.mounts import mounted, require_sources
from layerlab.engine.protocol import ExecResult, Limits, Response, StartRequest, Stopped
from layerlab.engine.recorded.store import Payload, digest
from layerlab.errors import DoesNotServe, EngineRefused, LayerLabError, RecordingDamaged

# Failures that are answers: the same image fails the same way again. A taken port or a full disk is the
# recording machine's own trouble, and no answer.
FAILURES: dict[str, type[LayerLabError]] = {"DoesNotServe": DoesNotServe, "EngineRefused": EngineRefused}
_SHOWN = 60


def start_arguments(request: StartRequest) -> Payload:
    """Give the arguments of a start one form. Host ports are left out: they are not replayed.

    Raises
    ------
    EngineRefused
        A mount cannot be read, or its source is not there and is to be refused: on every engine alike.
    """
    if request.missing == "refuse":
        require_sources(request.mounts)
    arguments = {
        "command": None if request.command is None else list(request.command),
        "env": dict(sorted(request.env.items())),
        "user": request.user,
        "read_only": request.read_only,
        "ports": sorted(int(port) for port in request.ports),
        "mounts": {f"{one.target}{':ro' * one.read_only}": one.content for one in mounted(request.mounts)},
        "cap_drop": sorted(request.cap_drop),
        "network": request.network,
    }
    # Only where there are any, so that a start without them keeps the name that it was recorded under.
    return {**arguments, "limits": asdict(request.limits)} if request.limits != Limits() else arguments


def start_key(chain: str, arguments: Payload) -> str:
    """Name the recording of containers started alike."""
    return digest("start", chain, arguments)


def run_key(chain: str, command: Sequence[str] | None, user: str | None) -> str:
    """Name the recording of a container run to its end."""
    return digest("run", chain, None if command is None else list(command), user)


def in_short(words: Sequence[object]) -> str:
    """Return what was asked as one short line, for messages: a script is no name for itself, so it is left out.

    >>> in_short(["exec", ["python3", "-c", "import os\\nprint(os.getuid())"]])
    'exec python3 -c …'
    """
    flat = (part for word in words for part in (word if isinstance(word, list | tuple) else [word]))
    told = " ".join("…" if "\n" in str(part) else str(part) for part in flat if part is not None)
    return told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1]}…"


class Trace:
    """The operations a container has seen. Asking the same again at once (polling) is one operation."""

    def __init__(self) -> None:
        self.key = ""
        self.repeat = 0
        self._last: list[Any] | None = None

    def add(self, operation: list[Any]) -> None:
        """Move on by one operation: its name, then its arguments."""
        if operation == self._last:
            self.repeat += 1
            return
        self.key, self.repeat, self._last = digest(self.key, operation), 0, operation


def encode(answer: object) -> Any:
    """Turn an answer, or a failure that is one, into JSON."""
    if isinstance(answer, LayerLabError):
        return {"error": type(answer).__name__, "message": str(answer)}
    if is_dataclass(answer) and not isinstance(answer, type):
        return asdict(answer)
    return answer


def decode(operation: str, answer: Any) -> Any:
    """Turn recorded JSON back into what the operation returns, or raise the recorded failure."""
    if isinstance(answer, dict) and "error" in answer:
        raise FAILURES.get(answer["error"], EngineRefused)(answer["message"])
    try:
        if operation in ("exec", "run"):
            return ExecResult(**answer)
        if operation == "stop":
            return Stopped(**answer)
        if operation == "request":
            headers = tuple((str(name), str(value)) for name, value in answer["headers"])
            return Response(answer["status"], answer["body"], headers)
    except (TypeError, KeyError, ValueError) as error:
        raise RecordingDamaged(
            f"A recorded answer to {operation!r} has another form than expected: {error}. "
            "Restore it with `git checkout recordings`, or record anew with `layerlab record`."
        ) from error
    return answer
