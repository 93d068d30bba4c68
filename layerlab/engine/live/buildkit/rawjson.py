"""What `docker buildx build --progress=rawjson` prints, as BuildKit's SolveStatus with logs as text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any


def statuses(pieces: Iterable[str], rest: list[str]) -> Iterator[dict[str, Any]]:
    """Yield each status; lines that are no JSON go into ``rest``.

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
    logs = [
        {**log, "data": base64.b64decode(log.get("data") or "").decode("utf-8", "replace")}
        for log in value.get("logs") or ()
    ]
    return {**value, "logs": logs} if logs else value
