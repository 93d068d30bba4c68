"""Which white space in a shell command cannot matter. Knows how sh quotes, and nothing of Dockerfiles."""

from __future__ import annotations

import re

# Only these two part words in sh: a form feed or carriage return is part of a word.
_BLANKS = " \t"

# From the first of these on, an eye that reads no shell cannot tell code from text: ${x:-a  b} may be
# assigned, $'it\'s' quotes differently, and inside "…" a substitution starts a quoting of its own.
_OPAQUE = re.compile(r"\$\{|\$'|`|<<|\"[^\"\\]*(?:\\.[^\"\\]*)*?\$\(")


def collapse_shell(text: str) -> str:
    """Turn every run of white space that sh would skip into one space; keep all others.

    >>> collapse_shell("echo   'a   b'    c")
    "echo 'a   b' c"
    """
    if text.startswith("["):
        # Only just not a JSON array; one space more or less might make it one.
        return text
    opaque = _OPAQUE.search(text)
    end = opaque.start() if opaque else len(text)
    collapsed, end = _collapse(text, end)
    return collapsed + text[end:]


def _collapse(text: str, end: int) -> tuple[str, int]:
    result: list[str] = []
    at = 0
    while at < end:
        character = text[at]
        if character == "\\":
            stop = at + 2
        elif character in "'\"":
            stop = _closing(text, at)
        elif character in _BLANKS:
            stop = at + 1
            while stop < end and text[stop] in _BLANKS:
                stop += 1
            result.append(" ")
            at = stop
            continue
        else:
            stop = at + 1
        result.append(text[at:stop])
        at = stop
    return "".join(result), max(at, end)


def _closing(text: str, at: int) -> int:
    quote = text[at]
    at += 1
    while at < len(text) and text[at] != quote:
        at += 2 if quote == '"' and text[at] == "\\" else 1
    return at + 1
