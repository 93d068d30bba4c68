"""Replaces variables in one word as BuildKit's shell lexer does. Knows neither instructions nor scopes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerlab.errors import DockerfileError

# Go's unicode.IsSpace. Python's str.isspace also counts \x1c to \x1f, which Docker takes for text.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
SPACES += "\u2028\u2029\u202f\u205f\u3000"

_SPECIAL_PARAMETERS = "@*#?-$!0"
_PATTERN_PIECE = re.compile(r"\\[\s\S]?|[\s\S]")


def expand(word: str, variables: Mapping[str, str], *, escape: str = "\\", quotes: bool = True) -> str:
    """Replace variables, remove quotes and escapes.

    Parameters
    ----------
    word : the text as the Dockerfile has it, for instance ``${PREFIX:-/usr}/lib``.
    variables : values of the ARG and ENV in scope.
    escape : the Dockerfile's escape character.
    quotes : False leaves quotes alone, as Docker does inside a heredoc of COPY or ADD.

    Raises
    ------
    DockerfileError
        For an unclosed quote or brace, an unknown modifier, or ``${X:?message}`` when X is missing.

    Notes
    -----
    Forms: ``$X ${X} ${X-d} ${X:-d} ${X+a} ${X:+a} ${X?e} ${X:?e} ${X#p} ${X##p} ${X%p} ${X%%p} ${X/p/r}
    ${X//p/r}`` (docs.docker.com, Dockerfile reference, "Environment replacement"). A variable that is
    not set becomes the empty string. Engine 20.10 knows ``$X``, ``${X}`` and the forms
    with a colon only.
    """
    return _Lexer(word, variables, _Mode(escape=escape, quotes=quotes)).read()[0]


def split_words(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> tuple[str, ...]:
    """Expand like `expand`, then split at unquoted white space: what Docker does for EXPOSE."""
    return tuple(_Lexer(word, variables, _Mode(escape=escape)).read()[1])


def split_shell(line: str, *, keep_escapes: bool, keep_quotes: bool) -> tuple[str, ...]:
    """Split a line at unquoted white space and leave every variable as it is written.

    This is how Docker looks for ``<<EOF``; it takes the backslash here, whatever the escape directive says.
    """
    mode = _Mode(keep_quotes=keep_quotes, keep_escapes=keep_escapes, keep_unset=True)
    return tuple(_Lexer(line, {}, mode).read()[1])


@dataclass(frozen=True)
class _Mode:
    escape: str = "\\"
    quotes: bool = True
    keep_quotes: bool = False
    keep_escapes: bool = False
    keep_unset: bool = False


class _Words:
    """Collects the words while the whole text is read; only unquoted white space parts them."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._word = ""

    def add(self, text: str) -> None:
        for character in text:
            if character in SPACES:
                self.close()
            else:
                self._word += character

    def add_quoted(self, text: str) -> None:
        self._word += text

    def close(self) -> None:
        if self._word:
            self.done.append(self._word)
        self._word = ""


class _Lexer:
    def __init__(self, text: str, variables: Mapping[str, str], mode: _Mode) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._mode = mode

    def read(self) -> tuple[str, list[str]]:
        try:
            return self._read_until("", keep_escapes=self._mode.keep_escapes)
        except RecursionError:
            raise self._fault("nests its ${…} too deeply") from None

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        self._at += len(character)
        return character

    def _fault(self, what: str) -> DockerfileError:
        return DockerfileError(
            f"The word {self._text!r} {what}. Correct it, or put an escape before a character meant literally."
        )

    def _read_until(self, stop: str, *, keep_escapes: bool) -> tuple[str, list[str]]:
        result: list[str] = []
        words = _Words()
        while character := self._peek():
            if character == stop:
                self._next()
                words.close()
                return "".join(result), words.done
            if character == "$":
                result.append(self._dollar(keep_escapes=keep_escapes))
                words.add(result[-1])
            elif self._mode.quotes and character in "'\"":
                result.append(self._quoted(keep_escapes=keep_escapes))
                words.add_quoted(result[-1])
            elif character == self._mode.escape:
                result.append(self._escaped(keep_escapes=keep_escapes))
                words.add_quoted(result[-1])
            else:
                result.append(self._next())
                words.add(result[-1])
        if stop:
            raise self._fault(f"has a ${{…}} without its {stop!r}")
        words.close()
        return "".join(result), words.done

    def _escaped(self, *, keep_escapes: bool) -> str:
        escape = self._next()
        return (escape if keep_escapes else "") + self._next()

    def _quoted(self, *, keep_escapes: bool) -> str:
        quote = self._next()
        text = self._single_quoted() if quote == "'" else self._double_quoted(keep_escapes=keep_escapes)
        return f"{quote}{text}{quote}" if self._mode.keep_quotes else text

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise self._fault("opens a single quote and never closes it")
        start, self._at = self._at, end + 1
        return self._text[start:end]

    def _double_quoted(self, *, keep_escapes: bool) -> str:
        result: list[str] = []
        while character := self._peek():
            if character == '"':
                self._next()
                return "".join(result)
            if character == "$":
                result.append(self._dollar(keep_escapes=keep_escapes))
                continue
            character = self._next()
            if character == self._mode.escape:
                if keep_escapes:
                    result.append(character)
                # Inside double quotes the escape keeps its own meaning only before these three.
                if self._peek() and self._peek() in ('"', "$", self._mode.escape):
                    character = self._next()
                elif not self._peek():
                    continue
            result.append(character)
        raise self._fault("opens a double quote and never closes it")

    def _dollar(self, *, keep_escapes: bool) -> str:
        self._next()
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            kept = self._mode.keep_unset and name not in self._variables
            return f"${name}" if kept else self._variables.get(name, "")
        self._next()
        if not self._peek():
            raise self._fault("has a ${…} without its '}'")
        if self._peek() in "{}:":
            raise self._fault("has a ${…} without a name")
        return self._braced(self._name())

    def _name(self) -> str:
        start = self._at
        first = self._peek()
        if first and first in _SPECIAL_PARAMETERS and not first.isdecimal():
            return self._next()
        digits_only = first.isdecimal()
        while (character := self._peek()) and (
            character.isdecimal() if digits_only else character.isalpha() or character.isdecimal() or character == "_"
        ):
            self._next()
        return self._text[start : self._at]

    def _braced(self, name: str) -> str:
        modifier = self._next()
        if modifier == "}":
            kept = self._mode.keep_unset and name not in self._variables
            return f"${{{name}}}" if kept else self._variables.get(name, "")
        if modifier == "/":
            return self._replaced(name)
        empty_counts_as_unset = modifier == ":"
        if empty_counts_as_unset:
            modifier = self._next()
        if not modifier or (modifier not in "+-?" and (modifier not in "#%")):
            raise self._fault(f"uses the modifier {modifier!r} that Docker does not know")
        # In a pattern the backslash belongs to the pattern (\* is a star), so it must survive.
        operand, _ = self._read_until("}", keep_escapes=modifier in "#%")
        if self._mode.keep_unset and name not in self._variables:
            return f"${{{name}{':' if empty_counts_as_unset else ''}{modifier}{operand}}}"
        if modifier in "#%":
            return self._trimmed(self._variables.get(name, ""), modifier, operand)
        return self._substituted(name, modifier, operand, empty_counts_as_unset=empty_counts_as_unset)

    def _substituted(self, name: str, modifier: str, operand: str, *, empty_counts_as_unset: bool) -> str:
        value = self._variables.get(name)
        missing = value is None or (empty_counts_as_unset and not value)
        if modifier == "-":
            return operand if missing else value or ""
        if modifier == "+":
            return "" if missing else operand
        if missing:
            state = "empty" if value is not None else "unset"
            raise DockerfileError(
                f"The variable {name} is {state}: {operand or 'it must have a value'}. "
                f"Give it a value with ARG, ENV or --build-arg {name}=…"
            )
        return value or ""

    def _trimmed(self, value: str, modifier: str, operand: str) -> str:
        longest = operand.startswith(modifier)
        pattern = operand[1:] if longest else operand
        if modifier == "#":
            found = re.match(self._regex(pattern, longest=longest), value)
            return value[found.end() :] if found else value
        # A regular expression looks for the leftmost match; the shortest suffix needs the rightmost one.
        reversed_pattern = "".join(reversed(_PATTERN_PIECE.findall(pattern)))
        found = re.match(self._regex(reversed_pattern, longest=longest), value[::-1])
        return value[: len(value) - found.end()] if found else value

    def _replaced(self, name: str) -> str:
        every = self._peek() == "/"
        if every:
            self._next()
        pattern, _ = self._read_until("/", keep_escapes=True)
        replacement, _ = self._read_until("}", keep_escapes=True)
        if self._mode.keep_unset and name not in self._variables:
            return f"${{{name}/{pattern}/{replacement}}}"
        regex = re.compile(self._regex(pattern, longest=True))
        return _replace(regex, replacement, self._variables.get(name, ""), every=every)

    def _regex(self, pattern: str, *, longest: bool) -> str:
        parts = []
        for piece in _PATTERN_PIECE.findall(pattern):
            if piece == "*":
                parts.append(".*" if longest else ".*?")
            elif piece == "?":
                parts.append(".")
            elif piece[0] != "\\":
                parts.append(re.escape(piece))
            elif piece[1:] in ("}", "/", "*", "?", "\\"):
                parts.append(re.escape(piece[1:]))
            else:
                raise self._fault(f"has {piece!r} in a pattern, where only * ? \\ }} and / may be escaped")
        return "".join(parts)


def _replace(regex: re.Pattern[str], replacement: str, value: str, *, every: bool) -> str:
    result, last = [], 0
    for found in regex.finditer(value):
        # Go finds no empty match right after a match; Python does.
        if found.start() == found.end() == last and last > 0:
            continue
        result += [value[last : found.start()], replacement]
        last = found.end()
        if not every:
            break
    return "".join([*result, value[last:]])
