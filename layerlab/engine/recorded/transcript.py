"""Cuts the raw events of a build into steps, and puts the frame of a build back around recorded steps.

The frame is what depends on the whole file and not on the step: its number, the tag, the closing lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from layerlab.engine.protocol import Builder, RawEvent

MAX_LINES = 200

_HEADER = re.compile(r"^(?:Step \d+/\d+ : |(?:\[\d+/\d+\] )?STEP \d+/\d+: )(?P<text>[^\n]*)")
_MADE = re.compile(r"^ ?-{2,3}> ([0-9a-f]{10,64})\s*$", re.MULTILINE)
_CACHED = re.compile(r"^ ?-{2,3}> Using cache(?: ([0-9a-f]{10,64}))?\s*$", re.MULTILINE)
# "[Warning] One or more build-args … were not consumed" and the closing lines speak of the whole build.
_FRAME = re.compile(r"^(?:Successfully (?:built|tagged) |COMMIT |\[Warning\] One or more build-args)")
# pip redraws its bars with carriage returns, or prints the finished bar as one line of "━".
_PROGRESS = re.compile(r"━|\r(?!\n)|^\s*[-=#]{10,}>?\s+\d+(?:\.\d+)?%")


@dataclass
class StepLog:
    """What one step of a running build has said; ``at`` of its events counts from the step's begin."""

    began: float
    text: str
    events: list[RawEvent] = field(default_factory=list)
    seconds: float = 0.0
    image: str | None = None
    is_cached: bool = False
    has_failed: bool = False

    def take(self, event: RawEvent) -> None:
        """Add an event that belongs to this step."""
        self.seconds = event.at - self.began
        stream = str(event.data.get("stream", ""))
        if match := _CACHED.search(stream):
            self.is_cached, self.image = True, match[1] or self.image
        if made := _MADE.findall(stream):
            self.image = made[-1]
        self.has_failed = self.has_failed or _is_error(event.data)
        self.events.append(RawEvent(self.seconds, event.data))


def split(events: Iterable[RawEvent]) -> list[StepLog]:
    """Cut a build's events at the lines that announce a step, in the classic builder's form or Podman's.

    The announcing line, the closing lines, pull progress and the ids at a stage's end are left out.
    """
    logs: list[StepLog] = []
    for event in events:
        stream = str(event.data.get("stream", ""))
        if match := _HEADER.match(stream):
            if logs:
                logs[-1].seconds = event.at - logs[-1].began
            logs.append(StepLog(event.at, match["text"]))
        elif logs and _belongs(event.data, is_first=not logs[-1].events):
            logs[-1].take(event)
        elif logs:
            logs[-1].seconds = event.at - logs[-1].began
    return logs


def _belongs(data: Mapping[str, Any], *, is_first: bool) -> bool:
    if _is_error(data):
        return True
    stream = str(data.get("stream", ""))
    # The classic builder ends the announcing line with an event of its own.
    return bool(stream) and not _FRAME.match(stream) and not (is_first and stream == "\n")


def is_progress(text: str) -> bool:
    """True where an installer redraws a bar: it says nothing to whoever reads it later."""
    return bool(_PROGRESS.search(text))


def shortened(events: Sequence[RawEvent]) -> list[RawEvent]:
    """Drop progress bars, and the middle of a log longer than ``MAX_LINES`` events."""
    kept = [event for event in events if not is_progress(str(event.data.get("stream", "")))]
    if len(kept) <= MAX_LINES:
        return kept
    half = MAX_LINES // 2
    left_out = len(kept) - 2 * half
    note = RawEvent(kept[half].at, {"stream": f"… {left_out} more lines, left out of the recording …\n"})
    return [*kept[:half], note, *kept[-half:]]


@dataclass(frozen=True)
class Position:
    """Where a step stands: counted over the file (classic) and within its stage (Podman)."""

    number: int
    total: int
    stage_number: int = 1
    stage_total: int = 1
    stage: int = 0
    stages: int = 1


def header(position: Position, text: str, *, builder: Builder) -> Iterator[dict[str, str]]:
    """Announce a step as the builder does."""
    if builder == "classic":
        yield {"stream": f"Step {position.number}/{position.total} : {text}"}
        yield {"stream": "\n"}
        return
    stage = f"[{position.stage + 1}/{position.stages}] " if position.stages > 1 else ""
    yield {"stream": f"{stage}STEP {position.stage_number}/{position.stage_total}: {text}\n"}


def cached(image_id: str | None, *, builder: Builder) -> Iterator[dict[str, str]]:
    """Say that a step was answered from the build cache."""
    if builder == "classic":
        yield {"stream": " ---> Using cache\n"}
        yield {"stream": f" ---> {_short(image_id)}\n"}
    else:
        yield {"stream": f"--> Using cache {(image_id or '').removeprefix('sha256:')}\n"}
        yield {"stream": f"--> {_short(image_id)}\n"}


def stage_end(image_id: str) -> dict[str, Any]:
    """Name the image of a finished stage."""
    return {"aux": {"ID": image_id}}


def closing(image_id: str) -> dict[str, str]:
    """Close a build that succeeded."""
    return {"stream": f"Successfully built {_short(image_id)}\n"}


def _short(image_id: str | None) -> str:
    return (image_id or "").removeprefix("sha256:")[:12]


def _is_error(data: Mapping[str, Any]) -> bool:
    return "error" in data or "errorDetail" in data
