"""How each keyword's line splits into flags and arguments. Knows one line at a time, no stages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from layerlab.dockerfile.expansion import SPACES
from layerlab.dockerfile.model import Flag

# BuildKit looks for flags byte by byte, so only the white space of ASCII ends one.
_ASCII_SPACES = "\t\n\v\f\r "
_BLANK = re.compile(r"[\t\v\f\r ]+")
_DECODER = json.JSONDecoder(parse_constant=lambda name: _refuse(name))

_STRING_FLAGS = {
    "ADD": ("chown", "chmod", "checksum", "exclude"),
    "COPY": ("chown", "chmod", "from", "exclude"),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security", "device"),
}
_BOOLEAN_FLAGS = {"ADD": ("link", "keep-git-dir", "unpack"), "COPY": ("link", "parents")}
_WORDS = ("EXPOSE", "FROM")
_JSON_OR_WORDS = ("ADD", "COPY", "VOLUME")
_JSON_OR_TEXT = ("RUN", "CMD", "ENTRYPOINT", "SHELL")
_TEXT = ("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR")
KEYWORDS = frozenset(
    {*_WORDS, *_JSON_OR_WORDS, *_JSON_OR_TEXT, *_TEXT, "ARG", "ENV", "HEALTHCHECK", "LABEL", "ONBUILD"}
)


class GrammarError(ValueError):
    """What is wrong, and what to do; the parser adds where."""


@dataclass(frozen=True)
class Parts:
    """A line taken apart; ``rest`` is what follows the flags, unsplit."""

    keyword: str
    flags: tuple[Flag, ...]
    rest: str


def split_line(text: str) -> Parts:
    """Take the keyword and the flags off a logical line."""
    keyword, _, rest = _cut(text.strip(SPACES))
    words, rest = _take_flags(rest)
    flags = tuple(_flag(word) for word in words)
    return Parts(keyword.upper(), flags, rest.strip(SPACES))


def split_arguments(keyword: str, rest: str, *, escape: str) -> tuple[tuple[str, ...], bool]:
    """Split what follows the flags; the second value says whether it was a JSON array."""
    if not rest:
        return (), False
    if keyword in ("ENV", "LABEL"):
        return _names_and_values(keyword, rest, escape), False
    if keyword == "ARG":
        return tuple(_quoted_words(rest, escape)), False
    if keyword == "HEALTHCHECK":
        kind, _, command = _cut_space(rest)
        arguments, is_json = split_arguments("CMD", command, escape=escape)
        return (kind, *arguments), is_json
    if keyword in _TEXT:
        return (rest,), False
    if keyword not in _WORDS and (array := _json_array(rest)) is not None:
        return array, True
    return ((rest,) if keyword in _JSON_OR_TEXT else tuple(_BLANK.split(rest))), False


def check_flags(keyword: str, flags: tuple[Flag, ...]) -> None:
    """Refuse flags that Docker does not know for this keyword."""
    with_value, boolean = _STRING_FLAGS.get(keyword, ()), _BOOLEAN_FLAGS.get(keyword, ())
    for flag in flags:
        if flag.name in boolean:
            if flag.value not in (None, "true", "false"):
                raise GrammarError(f"gives --{flag.name} the value {flag.value!r}. Use true or false")
        elif flag.name not in with_value:
            known = " ".join(f"--{name}" for name in (*with_value, *boolean)) or "none"
            raise GrammarError(f"has the flag --{flag.name}, which {keyword} does not know. It knows: {known}")
        elif flag.value is None:
            raise GrammarError(f"has --{flag.name} without a value. Write --{flag.name}=…")


def check_arguments(keyword: str, arguments: tuple[str, ...], *, is_json: bool) -> None:
    """Refuse the numbers and kinds of arguments that Docker refuses for this keyword."""
    count = len(arguments)
    if keyword in ("ADD", "COPY") and count < 2:
        raise GrammarError(f"has {count} of the at least two arguments {keyword} needs. Give sources, then where to")
    if keyword == "FROM" and not (count == 1 or (count == 3 and arguments[1].lower() == "as")):
        raise GrammarError("is neither FROM image nor FROM image AS name. Write one of the two")
    if keyword == "FROM" and count == 3 and not re.fullmatch(r"[a-z][a-z0-9-_.]*", arguments[2].lower()):
        raise GrammarError(f"names a stage {arguments[2]!r}. Start with a letter; then letters, digits, - _ .")
    if keyword == "SHELL" and not (is_json and count):
        raise GrammarError('has no JSON array. Write SHELL ["/bin/bash", "-c"]')
    if keyword in (*_TEXT, "ARG", "ENV", "LABEL", "EXPOSE", "VOLUME", "HEALTHCHECK") and not count:
        raise GrammarError(f"gives {keyword} nothing. Add its argument, or remove the line")
    if keyword == "HEALTHCHECK":
        _check_health(arguments)
    names = arguments[::2] if keyword in ("ENV", "LABEL") else arguments
    blank = any(not name.partition("=")[0] for name in names) if keyword == "ARG" else not all(names)
    if blank and keyword in ("ARG", "ENV", "LABEL", "VOLUME"):
        raise GrammarError(f"has a blank name in {keyword}. Give it a name")


def _check_health(arguments: tuple[str, ...]) -> None:
    kind, count = arguments[0].upper(), len(arguments)
    if kind not in ("CMD", "NONE"):
        raise GrammarError(f"has a HEALTHCHECK of the kind {arguments[0]!r}. Use CMD or NONE")
    if (kind == "NONE") != (count == 1):
        raise GrammarError("must be HEALTHCHECK NONE, or HEALTHCHECK CMD with a command. Write one of the two")


def _cut(text: str) -> tuple[str, str, str]:
    found = _BLANK.search(text)
    return (text[: found.start()], " ", text[found.end() :]) if found else (text, "", "")


def _cut_space(text: str) -> tuple[str, str, str]:
    at = next((index for index, character in enumerate(text) if character in _ASCII_SPACES), len(text))
    return text[:at], " ", text[at:].lstrip(_ASCII_SPACES)


def _flag(word: str) -> Flag:
    name, equals, value = word[2:].partition("=")
    return Flag(name, value if equals else None)


def _take_flags(text: str) -> tuple[list[str], str]:
    """Read words that start with ``--``; quotes may hold blanks, the backslash escapes in any Dockerfile."""
    words: list[str] = []
    while (text := text.lstrip(_ASCII_SPACES)).startswith("--"):
        word, text = _flag_word(text)
        if word == "--":
            break
        words.append(word)
    return words, text


def _flag_word(text: str) -> tuple[str, str]:
    word, quote, at = "", "", 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            word += text[at + 1 : at + 2]
            at += 2
            continue
        if quote:
            quote, character = ("", "") if character == quote else (quote, character)
        elif character in "'\"":
            quote, character = character, ""
        elif character in _ASCII_SPACES:
            break
        word += character
        at += 1
    return word, text[at:]


def _json_array(text: str) -> tuple[str, ...] | None:
    text = text.lstrip(SPACES)
    if not text.startswith("["):
        return None
    try:
        # What follows the array is ignored, as Go's decoder does in Docker until 2024; Docker falls back
        # to the shell form for anything that is not JSON, single quotes above all.
        value: Any = _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in value):
        raise GrammarError("has a JSON array with something other than strings. Put every element in double quotes")
    return tuple(_LONE_SURROGATE.sub("\ufffd", item) for item in value)


_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _names_and_values(keyword: str, rest: str, escape: str) -> tuple[str, ...]:
    words = _quoted_words(rest, escape)
    if not words or "=" not in words[0]:
        # The old form without "=" takes the whole rest of the line as one value.
        name, blank, value = _cut(rest)
        if not blank:
            raise GrammarError(f"gives {keyword} {name} no value. Write {keyword} {name}=value")
        return name, value
    pairs: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise GrammarError(f"has {word!r} where name=value belongs. Put a value with blanks in quotes")
        pairs += [name, value]
    return tuple(pairs)


def _quoted_words(text: str, escape: str) -> list[str]:
    """Split at white space outside quotes; quotes and escapes stay in the words."""
    words: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        character = text[at]
        if not quote and character in SPACES:
            words, word = ([*words, word] if word else words), ""
        elif character == escape and quote != "'":
            if at + 1 < len(text):
                word += text[at : at + 2]
            at += 1
        else:
            quote = _next_quote(quote, character)
            word += character
        at += 1
    return [*words, word] if word else words


def _next_quote(quote: str, character: str) -> str:
    if quote:
        return "" if character == quote else quote
    return character if character in "'\"" else ""
