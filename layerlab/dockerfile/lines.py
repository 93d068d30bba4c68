"""From text to logical lines: directives, comments, continuations, heredocs. Knows no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlab.dockerfile.expansion import SPACES, split_shell
from layerlab.dockerfile.model import Directives, Heredoc
from layerlab.errors import DockerfileError

_MAX_BYTES = 1_000_000
# BuildKit's parser reads through a buffer of 64 KiB and gives up on a longer line.
_MAX_LINE_BYTES = 65_535
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class LogicalLine:
    """One instruction's text with its continuations joined; ``column`` is where its first line starts."""

    text: str
    line: int
    end_line: int
    column: int


class Source:
    """The physical lines of a Dockerfile, read once from top to bottom."""

    def __init__(self, text: str) -> None:
        _refuse_what_is_no_dockerfile(text)
        self._lines: list[str] = _LINE.findall(text.removeprefix("\ufeff"))
        _refuse_long_lines(self._lines)
        self._at = 0
        self.directives = _directives(self._lines)
        escape = re.escape(self.directives.escape)
        # A doubled escape character is a literal one, not a continuation.
        self._continuation = re.compile(rf"(?:(?<=[^{escape}])|^){escape}[ \t]*$")

    def raw(self, first: int, last: int) -> str:
        """Return the source text of the lines ``first`` to ``last``, 1-based."""
        return "".join(self._lines[first - 1 : last])

    def logical_lines(self) -> Iterator[LogicalLine]:
        """Yield the instructions' lines. Call `heredocs` before asking for the next, if there may be any."""
        while self._at < len(self._lines):
            physical = self._next().lstrip(SPACES)
            first = self._at
            text, goes_on = self._cut("" if physical.startswith("#") else physical)
            if not text and not goes_on:
                continue
            parts = [text]
            while goes_on and self._at < len(self._lines):
                physical = self._next()
                # Comments and blank lines inside an instruction are dropped; blank ones with a warning
                # since Docker 17.06, but they still are.
                if physical.lstrip(SPACES)[:1] not in ("", "#"):
                    text, goes_on = self._cut(physical)
                    parts.append(text)
            yield LogicalLine("".join(parts), first, self._at, self._column(first))

    def heredocs(self, line: LogicalLine) -> tuple[Heredoc, ...]:
        """Read the bodies of the ``<<NAME`` on a line; they must follow it directly."""
        return tuple(self._body(opened, line) for opened in _opened(line))

    @property
    def line(self) -> int:
        """The number of the line read last, 1-based."""
        return self._at

    def _next(self) -> str:
        self._at += 1
        return self._lines[self._at - 1].rstrip("\r\n")

    def _cut(self, text: str) -> tuple[str, bool]:
        found = self._continuation.search(text)
        return (text[: found.start()], True) if found else (text, False)

    def _column(self, line: int) -> int:
        text = self._lines[line - 1]
        return len(text) - len(text.lstrip(SPACES)) + 1

    def _body(self, opened: Heredoc, line: LogicalLine) -> Heredoc:
        content: list[str] = []
        for physical in self._lines[self._at :]:
            self._at += 1
            candidate = physical.rstrip("\r\n")
            if (candidate.lstrip("\t") if opened.chomp else candidate) == opened.name:
                return Heredoc(opened.name, "".join(content), opened.expand, opened.chomp, opened.file_descriptor)
            content.append(physical)
        raise DockerfileError(
            f"Line {line.line} opens the heredoc <<{opened.name} and no later line closes it. "
            f"Add a line with {opened.name} alone.",
            line=line.line,
            column=self._lines[line.line - 1].find("<<") + 1 or line.column,
        )


def _refuse_what_is_no_dockerfile(text: str) -> None:
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError as fault:
        line = text.count("\n", 0, fault.start) + 1
        raise DockerfileError(
            f"Line {line} is not valid text. Save the Dockerfile as UTF-8.", line=line, column=1
        ) from None
    if size_bytes > _MAX_BYTES:
        raise DockerfileError(
            f"The Dockerfile has {size_bytes:,} bytes, more than 1 MB. Move data into files and COPY them.",
            line=1,
            column=1,
        )
    if (at := text.find("\0")) >= 0:
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        raise DockerfileError(
            f"Line {line} holds a NUL byte, so this is a binary file. Give the path of a Dockerfile.",
            line=line,
            column=column,
        )


def _refuse_long_lines(lines: list[str]) -> None:
    for number, physical in enumerate(lines, start=1):
        if len(physical.encode()) > _MAX_LINE_BYTES:
            raise DockerfileError(
                f"Line {number} is longer than {_MAX_LINE_BYTES} bytes, more than Docker reads. Break it up.",
                line=number,
                column=1,
            )


def _directives(lines: list[str]) -> Directives:
    found: dict[str, str] = {}
    for number, physical in enumerate(lines, start=1):
        match = _DIRECTIVE.match(physical.strip(SPACES))
        # The first line that is no directive ends them: `escape` after any other comment is a comment.
        if match is None or (name := match[1].lower()) not in ("escape", "syntax", "check"):
            break
        if name in found:
            raise _bad_directive(f"repeats the directive {name!r}. Keep one", number, physical)
        found[name] = match[2]
        if name == "escape" and match[2] not in ("\\", "`"):
            raise _bad_directive(f"sets the escape character {match[2]!r}. Use \\ or `", number, physical)
    return Directives(found.get("escape", "\\"), found.get("syntax"), found.get("check"))


def _bad_directive(what: str, number: int, physical: str) -> DockerfileError:
    column = physical.find("#") + 1
    return DockerfileError(f"Line {number} {what}.", line=number, column=column)


def _opened(line: LogicalLine) -> list[Heredoc]:
    try:
        words = split_shell(line.text, keep_quotes=True, keep_escapes=True)
    except DockerfileError:
        # Docker, too, sees no heredoc in a line with an unclosed quote, and leaves it to the shell.
        return []
    found = (_heredoc(word, line) for word in words)
    return [heredoc for heredoc in found if heredoc is not None]


def _heredoc(word: str, line: LogicalLine) -> Heredoc | None:
    match = _HEREDOC.fullmatch(word)
    if match is None:
        return None
    try:
        bare = split_shell(match[3], keep_quotes=False, keep_escapes=False)
        quoted = split_shell(match[3], keep_quotes=True, keep_escapes=False)
    except DockerfileError as fault:
        raise DockerfileError(f"Line {line.line}: {fault}", line=line.line, column=line.column) from fault
    if len(bare) != 1:
        return None
    # A quote anywhere in the name, as in sh, leaves the body as it is.
    expand = bare == quoted
    return Heredoc(bare[0], "", expand, match[2] == "-", int(match[1] or 0))
