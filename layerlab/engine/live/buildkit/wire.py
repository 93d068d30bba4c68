"""BuildKit's progress messages as the engine's API sends them: protobuf, read without its library.

Knows the message StatusResponse of moby/buildkit's control.proto and nothing else of protobuf. What comes out
has the form of `docker buildx build --progress=rawjson`, logs as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def status(message: bytes) -> dict[str, Any]:
    """Return what one StatusResponse says. Fields that are not known are passed over.

    Raises
    ------
    ValueError
        The bytes are no protobuf message.
    """
    found: dict[str, Any] = {}
    readers = {1: ("vertexes", _vertex), 2: ("statuses", _progress), 3: ("logs", _log)}
    for number, value in _fields(message):
        if number in readers and isinstance(value, bytes):
            name, read = readers[number]
            found.setdefault(name, []).append(read(value))
    return found


def _vertex(message: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"digest": "", "name": ""}
    for number, value in _fields(message):
        if number == 2:
            found.setdefault("inputs", []).append(_text(value))
        elif number in (1, 3, 7):
            found[{1: "digest", 3: "name", 7: "error"}[number]] = _text(value)
        elif number == 4:
            found["cached"] = bool(value)
        elif number in (5, 6):
            found[{5: "started", 6: "completed"}[number]] = _time(value)
    return found


def _progress(message: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"current": 0, "total": 0}
    for number, value in _fields(message):
        if number in (1, 2, 3):
            found[{1: "id", 2: "vertex", 3: "name"}[number]] = _text(value)
        elif number in (4, 5):
            found[{4: "current", 5: "total"}[number]] = value
        elif number in (6, 7, 8):
            found[{6: "timestamp", 7: "started", 8: "completed"}[number]] = _time(value)
    return found


def _log(message: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"vertex": "", "data": ""}
    for number, value in _fields(message):
        if number in (1, 4):
            found[{1: "vertex", 4: "data"}[number]] = _text(value)
        elif number == 2:
            found["timestamp"] = _time(value)
        elif number == 3:
            found["stream"] = value
    return found


def _text(value: int | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _time(value: int | bytes) -> str:
    """Read a google.protobuf.Timestamp: seconds and nanoseconds."""
    parts = dict(_fields(value)) if isinstance(value, bytes) else {}
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    assert isinstance(seconds, int) and isinstance(nanos, int)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}+00:00"


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message by number: varints as integers, all others as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind, end = tag & 7, at
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
            end = at + length
        elif kind in (_FIXED64, _FIXED32):
            end = at + (8 if kind == _FIXED64 else 4)
        if end > len(message) or kind not in (_BYTES, _FIXED64, _FIXED32):
            raise ValueError(f"Byte {at} of a BuildKit message is none that protobuf allows.")
        yield tag >> 3, message[at:end]
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte, at = message[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError(f"A number at byte {at} of a BuildKit message does not end.")
