"""What a docker client prints while BuildKit builds, as SolveStatus: its raw JSON, and its plain text.

Plain text says of a step when it printed something and how long it took, in tenths of a second; and it shows one
step at a time, so what ran beside another one is told late. Beginnings are counted back from that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

_LINE = re.compile(r"^#(\d+) (.*)$")
_LOG = re.compile(r"^(\d+\.\d+) (.*)$")
_DONE = re.compile(r"^DONE (\d+(?:\.\d+)?)s$")
# After output without a newline the client goes on in the same line.
_GLUED = re.compile(r"^(#(\d+) .*?[^ ])(#\2 (?:DONE \d|ERROR: |CANCELED).*)$")
_OWN = re.compile(r"^(?:sha256:[0-9a-f]{64}|\.\.\.)$")


def json_statuses(pieces: Iterable[str], rest: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what `--progress=rawjson` prints; lines that are no JSON go into ``rest``.

    Notes
    -----
    buildx 0.29 prints a line for each, 0.13 spreads one over several lines: so a value ends where JSON says.
    """
    decoder, buffer = json.JSONDecoder(), ""
    for piece in pieces:
        buffer += piece
        while buffer := buffer.lstrip():
            if buffer[0] != "{":
                line, newline, after = buffer.partition("\n")
                if not newline:
                    break
                rest.append(line)
                buffer = after
                continue
            try:
                value, end = decoder.raw_decode(buffer)
            except ValueError:
                break  # the rest of it has not come yet
            buffer = buffer[end:]
            yield _with_text(value)
    rest += buffer.splitlines()


def _with_text(value: dict[str, Any]) -> dict[str, Any]:
    logs = [{**log, "data": base64.b64decode(log.get("data") or "").decode("utf-8", "replace")} for log in _logs(value)]
    return {**value, "logs": logs} if logs else value


def _logs(value: dict[str, Any]) -> list[dict[str, Any]]:
    return value.get("logs") or []


class PlainText:
    """Reads `--progress=plain` line by line; what is not a step's own goes into ``rest``."""

    def __init__(self, rest: list[str]) -> None:
        self._rest = rest
        self._names: dict[str, str] = {}
        self._started: dict[str, datetime] = {}
        self._last: dict[str, str] = {}
        self._resumed: str | None = None

    def statuses(self, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield a status for every line that says something new."""
        for line in lines:
            whole = line.rstrip("\n")
            glued = _GLUED.match(whole)
            for part in (glued[1], glued[3]) if glued else (whole,):
                yield from self._line(part)

    def _line(self, line: str) -> Iterator[dict[str, Any]]:
        match = _LINE.match(line)
        if match is None:
            self._rest.append(line)
        elif match[1] not in self._names:
            self._names[match[1]] = match[2]
            yield {"vertexes": [self._vertex(match[1])]}
        elif match[2] == self._names[match[1]]:
            self._resumed = match[1]
        elif not _OWN.match(match[2]):
            # A step that is shown again begins with the unfinished line at which it was left.
            is_repeated = self._resumed == match[1] and self._last.get(match[1]) == match[2]
            self._resumed, self._last[match[1]] = None, match[2]
            if not is_repeated:
                yield from self._said(match[1], match[2], datetime.now(UTC))

    def _said(self, id: str, text: str, now: datetime) -> Iterator[dict[str, Any]]:
        if log := _LOG.match(text):
            began = self._began(id, now - timedelta(seconds=float(log[1])))
            at = (began + timedelta(seconds=float(log[1]))).isoformat()
            yield {
                "vertexes": [self._vertex(id, started=began.isoformat())],
                "logs": [{"vertex": id, "timestamp": at, "data": f"{log[2]}\n"}],
            }
        elif done := _DONE.match(text):
            began = self._began(id, now - timedelta(seconds=float(done[1])))
            ended = began + timedelta(seconds=float(done[1]))
            yield {"vertexes": [self._vertex(id, started=began.isoformat(), completed=ended.isoformat())]}
        elif text == "CACHED":
            at = now.isoformat()
            yield {"vertexes": [self._vertex(id, started=at, completed=at, cached=True)]}
        elif text.startswith(("ERROR: ", "CANCELED")):
            error = text.removeprefix("ERROR: ") if text.startswith("ERROR") else "context canceled"
            began = self._began(id, now)
            yield {"vertexes": [self._vertex(id, started=began.isoformat(), completed=now.isoformat(), error=error)]}

    def _began(self, id: str, guess: datetime) -> datetime:
        return self._started.setdefault(id, guess)

    def _vertex(self, id: str, **known: Any) -> dict[str, Any]:
        return {"digest": id, "name": self._names[id], **known}
