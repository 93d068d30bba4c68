"""`.dockerignore` as BuildKit reads it: the lines of the file, what a pattern matches, which files are left.

Behaves like moby/patternmatcher 0.6 and the walk of BuildKit's client, oddities included: a pattern becomes an
expression of Go's `regexp`, so `[^a]` matches a slash too, and `\\d` a digit. Knows no Dockerfile. The old builder
of the docker client differs in one thing: it enters a folder that is left out only for a `!` pattern that begins with
that folder's path, letter by letter.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from layerlab.errors import ContextError

# What Go's unicode.IsSpace knows; str.strip() knows more.
_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_TOKEN = re.compile(r"\*\*/?|\\.|.", re.DOTALL)
_MEMBER = r"(?:[^\\\]\-]|\\.)"
_CLASS = rf"\[\^?+(?:{_MEMBER}(?:-{_MEMBER})?)+\]"
# What stands before the next star, or the end, is well-formed.
_CHUNK = re.compile(rf"\**+((?:[^*\\\[]|\\.|{_CLASS})*+)(?=\*|\Z)", re.DOTALL)
# An exception without these, but for a closing /* or /**, re-includes only below the path that it spells.
_SPECIAL = frozenset("*[]?^\\")

_NAMED = {"d": "0-9", "s": r"\t\n\f\r ", "w": "0-9A-Za-z_"}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\0-\x7f",
    "blank": r"\t ",
    "cntrl": r"\0-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True)
class Pattern:
    """A pattern of an ignore file: cleaned, without the ``!`` of an exception; ``where`` names its line."""

    text: str
    is_exception: bool = False
    where: str = "A pattern"

    def __post_init__(self) -> None:
        if not _is_well_formed(self.text):
            raise self._malformed()

    def matches(self, path: str) -> bool:
        """Tell whether the pattern matches this very path, whatever it does to the folders above.

        Raises
        ------
        ContextError
            If the pattern is malformed in a way that Docker, too, finds only when it matches: `[z-a]`.
        """
        return self._test(path)

    @cached_property
    def _test(self) -> Callable[[str], bool]:
        head, *rest = _TOKEN.findall(self.text)
        if all(_is_plain(token) for token in (head, *rest)):
            return self.text.__eq__
        if _is_double(head) and all(map(_is_plain, rest)):
            end = self.text[2:]
            # **/name is also the name itself.
            return lambda path: path.endswith(end) or path == end.removeprefix("/")
        if rest and _is_double(rest[-1]) and all(map(_is_plain, (head, *rest[:-1]))):
            return lambda path: path.startswith(self.text[:-2])
        try:
            return _matcher(expression(self.text))
        except ValueError:
            raise self._malformed() from None

    def _malformed(self) -> ContextError:
        return ContextError(
            f"{self.where} is malformed: Docker stops at {self.text!r} with 'syntax error in pattern'. Close its "
            "[...], order its ranges, and write \\ only before a sign that is meant as it stands."
        )


def read_patterns(text: str, name: str) -> list[Pattern]:
    """Read an ignore file; ``#`` begins a comment in the first column only, ``name`` is for what is said of its lines.

    Raises
    ------
    ContextError
        If a line is one that Docker refuses.
    """
    patterns = []
    for number, line in enumerate(text.split("\n"), start=1):
        written = line.strip(_SPACE)
        if not written or line.startswith("#"):
            continue
        mark = "!" if written.startswith("!") else ""
        path = _clean(written.removeprefix("!").strip(_SPACE) or "/")
        # Docker cleans each line twice, the second time with its mark: so `./!a` is an exception, and `!/` a lone mark.
        cleaned = _clean(f"{mark}{path.removeprefix('/') or '/'}".strip(_SPACE))
        if cleaned == "!":
            raise ContextError(f"Line {number} of {name} is a lone '!'. Write the pattern to keep after it.")
        where = f"Line {number} of {name}"
        patterns.append(Pattern(cleaned.removeprefix("!"), cleaned.startswith("!"), where))
    return patterns


def unignored(root: Path, patterns: Sequence[Pattern]) -> Iterator[str]:
    """Yield the paths below a folder that the patterns leave, relative and with slashes, in no order.

    A folder that is left out is there all the same where something in it is not.

    Raises
    ------
    ContextError
        If a pattern turns out malformed when it is first compared with a path.
    OSError
        If a folder that is not left out cannot be read.
    """
    yield from _Walk(root, patterns).below("", (False,) * len(patterns))


class _Walk:
    def __init__(self, root: Path, patterns: Sequence[Pattern]) -> None:
        self._root = root
        self._patterns = patterns
        kept = [one.text.removesuffix("/**").removesuffix("/*") for one in patterns if one.is_exception]
        self._kept_below = None if any(_SPECIAL & set(path) for path in kept) else [f"{path}/" for path in kept]

    def below(self, folder: str, above: tuple[bool, ...]) -> Iterator[str]:
        """Yield what is left below a folder; ``above`` says which patterns match it or a folder above it."""
        with os.scandir(self._root / folder) as entries:
            for entry in entries:
                path = posixpath.join(folder, entry.name)
                is_ignored, matched = self._judge(path, above)
                if not is_ignored:
                    yield path
                if entry.is_dir(follow_symlinks=False) and not (is_ignored and self._is_skipped(path)):
                    yield from self._inside(path, matched, is_ignored=is_ignored)

    def _inside(self, path: str, matched: tuple[bool, ...], *, is_ignored: bool) -> Iterator[str]:
        try:
            inside = list(self.below(path, matched))
        except PermissionError:
            if not is_ignored:
                raise
            return
        if inside and is_ignored:
            yield path
        yield from inside

    def _judge(self, path: str, above: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        """Tell whether a path is left out, and which patterns match it or a folder above it.

        A pattern that could change nothing is not tried, and counts below as one that does not match: that is how
        Docker does it, and it shows in what is left.
        """
        is_ignored, matched = False, []
        for pattern, matches_above in zip(self._patterns, above, strict=True):
            matches = matches_above or (pattern.is_exception == is_ignored and pattern.matches(path))
            matched.append(matches)
            if matches:
                is_ignored = not pattern.is_exception
        return is_ignored, tuple(matched)

    def _is_skipped(self, folder: str) -> bool:
        """Tell whether a folder that is left out is not even entered: no exception can match anything in it."""
        return self._kept_below is not None and not any(path.startswith(f"{folder}/") for path in self._kept_below)


def expression(text: str) -> str:
    """Return a pattern as an expression of Go's `regexp`."""
    # Go's scanner passes over a byte order mark, which two files made one may leave inside.
    *tokens, last = _TOKEN.findall(text.removeprefix("\ufeff"))
    means = {"*": "[^/]*", "?": "[^/]", "**": "(.*/)?", "**/": "(.*/)?"} | {sign: f"\\{sign}" for sign in ".+()|{}$"}
    end = ".*" if _is_double(last) else means.get(last, last)
    return "".join(["^", *(means.get(token, token) for token in tokens), end, "$"])


def _is_well_formed(text: str) -> bool:
    """Tell whether Docker takes a pattern: it compares it with ".", and looks no further than that takes it."""
    first = _CHUNK.match(text)
    if first is None:
        return False
    return not _is_dot(first[1]) or _CHUNK.match(text, first.end()) is not None


def _is_dot(chunk: str) -> bool:
    if re.fullmatch(_CLASS, chunk, re.DOTALL) is None:
        return chunk in (".", "?", r"\.")
    is_negated = chunk[1] == "^"
    ranges = re.findall(f"({_MEMBER})(?:-({_MEMBER}))?", chunk[1 + is_negated : -1], re.DOTALL)
    return any(low[-1] <= "." <= (high or low)[-1] for low, high in ranges) != is_negated


def _is_double(token: str) -> bool:
    return token.startswith("**")


def _is_plain(token: str) -> bool:
    return len(token) == 1 and token not in "*?[]\\"


def _clean(path: str) -> str:
    """Do what Go's `filepath.Clean` does: `posixpath.normpath` keeps two leading slashes."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _matcher(go: str) -> Callable[[str], bool]:
    """Compile an expression of Go's `regexp`; ValueError if Go refuses it."""
    found = re.compile(_Expression(go).as_python(), re.ASCII)
    return lambda path: found.search(path) is not None


class _Expression:
    """An expression of Go's `regexp` as patterns make them, read from left to right into one of Python's `re`.

    ``ValueError`` where Go refuses it. Classes by their Unicode names (`\\pL`) are refused too: Python has none.
    """

    def __init__(self, go: str) -> None:
        self._rest = go

    def as_python(self) -> str:
        pieces = []
        while self._rest:
            pieces.append(self._piece())
        return "".join(pieces)

    def _piece(self) -> str:
        if self._rest == "$":
            self._rest = ""
            return r"\Z"
        if self._rest[0] == "[":
            return self._class()
        if self._rest[0] != "\\":
            return self._take(1)
        letter = self._rest[1:2]
        if letter == "Q":
            literal, _, self._rest = self._rest[2:].partition(r"\E")
            return re.escape(literal)
        if letter in ("A", "b", "B", "z"):
            return self._take(2).replace("z", "Z")
        return self._named() or re.escape(self._escaped())

    def _class(self) -> str:
        self._take(1)
        is_negated = self._rest.startswith("^")
        self._take(is_negated)
        sets: list[str] = []
        ranges = ""
        while not (self._rest.startswith("]") and (sets or ranges)):
            if named := self._posix() or self._named():
                sets.append(named)
            else:
                ranges += self._range()
        self._take(1)
        if not sets:
            return f"[{'^' if is_negated else ''}{ranges}]"
        either = "|".join([*sets, f"[{ranges}]"] if ranges else sets)
        return rf"(?:(?!{either})[\0-\U0010ffff])" if is_negated else f"(?:{either})"

    def _posix(self) -> str | None:
        if not self._rest.startswith("[:") or ":]" not in self._rest[2:]:
            return None
        name = self._take(self._rest.index(":]", 2) + 2)[2:-2]
        members = _POSIX.get(name.removeprefix("^"))
        if members is None:
            raise ValueError(name)
        return f"[^{members}]" if name.startswith("^") else f"[{members}]"

    def _named(self) -> str | None:
        letter = self._rest[1:2]
        if not self._rest.startswith("\\") or letter.lower() not in _NAMED:
            return None
        self._take(2)
        return f"[{'^' if letter.isupper() else ''}{_NAMED[letter.lower()]}]"

    def _range(self) -> str:
        low = high = self._member()
        if self._rest.startswith("-") and not self._rest.startswith("-]"):
            self._take(1)
            high = self._member()
        if high < low:
            raise ValueError(f"{low}-{high}")
        return f"{re.escape(low)}-{re.escape(high)}"

    def _member(self) -> str:
        return self._escaped() if self._rest.startswith("\\") else self._take(1)

    def _escaped(self) -> str:
        number = re.match(r"\\(?:x([0-9A-Fa-f]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2}))", self._rest)
        if number:
            self._take(len(number[0]))
            return chr(int(number[1], 16) if number[1] else int(number[2], 8))
        sign = self._take(2)[1:]
        if sign in _CONTROL:
            return _CONTROL[sign]
        if not sign or sign.isalnum() or not sign.isascii():
            raise ValueError(sign)
        return sign

    def _take(self, count: int) -> str:
        taken, self._rest = self._rest[:count], self._rest[count:]
        if len(taken) < count:
            raise ValueError("cut off")
        return taken
