"""Starts a container and looks what becomes of it by itself: it answers, it ends, or neither. Judges nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerlab.engine.protocol import StartRequest
from layerlab.errors import DoesNotServe
from layerlab.narration import tell
from layerlab.probe.serving import started

if TYPE_CHECKING:
    from layerlab.engine.mounts import Missing
    from layerlab.engine.protocol import Engine, Response

_SHOWN = 2
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Start:
    """What became of a container: its answer to the first request, or the exit code that it ended with before."""

    path: str
    answer: Response | None
    exit_code: int | None
    log: str

    @property
    def ended(self) -> bool:
        """True where it ended by itself and never answered."""
        return self.exit_code is not None

    @property
    def last_words(self) -> tuple[str, ...]:
        """The last lines of its log; of a traceback only what it ends with."""
        said = [line.rstrip() for line in self.log.splitlines() if line.strip() and not line.startswith(" ")]
        return tuple(line for line in said if not line.endswith(_TRACEBACK))[-_SHOWN:]

    def __repr__(self) -> str:
        if self.answer is not None:
            return f"Runs. GET {self.path} → {self.answer.status} {self.answer.body}"
        how = f"Ended with exit code {self.exit_code}" if self.ended else "Still runs"
        return "\n".join([f"{how}, and never answered. Its last words:", *(f"    {one}" for one in self.last_words)])


def start(
    engine: Engine,
    image: str,
    *,
    path: str = "/health",
    port: int = 8000,
    wait_seconds: float = 60.0,
    mounts: Mapping[str, str] | None = None,
    missing: Missing = "refuse",
) -> Start:
    """Start a container, ask it one path, remove it, and say what became of it.

    Parameters
    ----------
    mounts, missing
        See `layerlab.engine.protocol.StartRequest`.

    Raises
    ------
    DoesNotServe
        The engine could not start its command at all.
    EngineRefused, ImageNotFound, NotRecorded
    """
    tell(f"starting a container and asking {path}")
    request = StartRequest(image=image, ports=(port,), mounts=mounts or {}, missing=missing)
    with started(engine, request) as container:
        try:
            answer = container.request(path, port=port, wait_seconds=wait_seconds)
        except DoesNotServe:
            code = None
            with contextlib.suppress(DoesNotServe):  # it neither answers nor ends
                code = container.wait(seconds=2)
            return Start(path, None, code, container.logs())
        return Start(path, answer, None, container.logs())
