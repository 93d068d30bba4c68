"""What a Dockerfile says: instructions, stages and what they depend on. Reads no text and expands nothing."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from layerlab.dockerfile.canonical import collapse_shell
from layerlab.errors import DockerfileError

Form = Literal["exec", "shell"]
How = Literal["FROM", "COPY", "RUN"]

_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)
_POSIX_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")


@dataclass(frozen=True)
class Flag:
    """``--name=value``; ``value`` is None for a bare ``--name``."""

    name: str
    value: str | None

    def __str__(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


@dataclass(frozen=True)
class Heredoc:
    """One ``<<NAME`` of an instruction, with the lines up to ``NAME`` as they stand in the file."""

    name: str
    content: str
    expand: bool
    chomp: bool
    file_descriptor: int = 0

    @property
    def text(self) -> str:
        """The content as it reaches the build: ``<<-`` takes the leading tabs away."""
        return _LEADING_TABS.sub("", self.content) if self.chomp else self.content


@dataclass(frozen=True)
class Mount:
    """One ``--mount`` of a RUN (docs.docker.com, Dockerfile reference, "RUN --mount")."""

    type: str
    target: str | None
    source: str | None
    from_: str | None
    is_read_only: bool
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    ``arguments`` are the words, the elements of a JSON array, or one string for a shell form; ENV and
    LABEL alternate names and values; ONBUILD has the keyword of its nested instruction first.
    ``form`` is "exec" for every JSON array, "shell" for a command that a shell will run, else None.
    ``raw`` is the source text of the lines ``line`` to ``end_line``; ``logical`` the one line that
    remains once continuations are joined and comments inside are dropped.
    """

    keyword: str
    flags: tuple[Flag, ...]
    arguments: tuple[str, ...]
    raw: str
    logical: str
    line: int
    end_line: int
    heredocs: tuple[Heredoc, ...] = ()
    form: Form | None = None
    stage_index: int | None = None
    nested: Instruction | None = None
    escape: str = "\\"
    shell: tuple[str, ...] | None = None

    def flag(self, name: str) -> str | None:
        """Return the value of the last ``--name``; the empty string if it stands without one; else None."""
        values = [flag.value or "" for flag in self.flags if flag.name == name]
        return values[-1] if values else None

    @property
    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """The names and values of ENV, LABEL and ARG; an ARG without a default has None."""
        if self.keyword == "ARG":
            cut = (word.partition("=") for word in self.arguments)
            return tuple((name, value if equals else None) for name, equals, value in cut)
        return tuple(zip(self.arguments[::2], self.arguments[1::2], strict=True))

    @property
    def sources(self) -> tuple[str, ...]:
        """What COPY or ADD takes from the build context: neither heredocs, URLs nor ``--from``."""
        if self.keyword not in ("COPY", "ADD") or self.flag("from") is not None:
            return ()
        return tuple(word for word in self.arguments[:-1] if not self._is_elsewhere(word))

    def _is_elsewhere(self, source: str) -> bool:
        if self.heredocs and "<<" in source:
            return True
        return self.keyword == "ADD" and source.startswith(("http://", "https://", "git@", "git://", "ssh://"))

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The mounts of a RUN; BuildKit only, the classic builder refuses them."""
        return tuple(_mount(flag.value, self.line) for flag in self.flags if flag.name == "mount" and flag.value)

    @property
    def canonical(self) -> str:
        """The instruction with everything left out that cannot change what it does.

        Two instructions with the same canonical text build the same layer from the same parent. What
        does not count: comments, blank lines, continuations, the keyword's case, white space between
        words. White space inside quotes, JSON strings and heredocs does count, and wherever it cannot
        be told (substitutions, other shells than sh) it counts as well.
        """
        parts = [self.keyword, *(_quoted_flag(flag) for flag in self.flags)]
        if self.nested is not None:
            return " ".join([*parts, self.nested.canonical])
        parts.append(self._canonical_arguments())
        if self.escape != "\\" and not self._is_command:
            parts.append(f"(escape {self.escape})")
        documents = [_canonical_heredoc(heredoc) for heredoc in self.heredocs]
        return "\n".join([" ".join(part for part in parts if part), *documents])

    @property
    def _is_command(self) -> bool:
        return self.keyword in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL")

    def _canonical_arguments(self) -> str:
        if self.form == "shell":
            *head, text = self.arguments
            text = collapse_shell(text) if self._has_posix_shell else text
            return " ".join([*(word.upper() for word in head), text])
        words = list(self.arguments)
        if self.keyword == "FROM":
            words[1:] = [word.lower() for word in words[1:]]
        elif self.keyword == "HEALTHCHECK":
            words[:1] = [word.upper() for word in words[:1]]
        return json.dumps(words, ensure_ascii=False) if words else ""

    @property
    def _has_posix_shell(self) -> bool:
        if self.escape != "\\":
            return False
        return self.shell is None or (bool(self.shell) and self.shell[0].rpartition("/")[2] in _POSIX_SHELLS)


@dataclass(frozen=True)
class Dependency:
    """Something a stage needs: another stage (by index) or an image (by name)."""

    how: How
    line: int
    stage_index: int | None = None
    image: str | None = None


@dataclass(frozen=True)
class Stage:
    """The instructions from one FROM to the next; ``instructions`` leaves the FROM itself out.

    ``base`` is the base with the defaults of the global ARGs filled in, ``raw_base`` as written.
    """

    index: int
    name: str | None
    base: str
    raw_base: str
    platform: str | None
    from_: Instruction
    instructions: tuple[Instruction, ...]
    depends_on: tuple[Dependency, ...]

    @property
    def line(self) -> int:
        """The line of the FROM, 1-based."""
        return self.from_.line

    @property
    def base_stage(self) -> int | None:
        """The index of the earlier stage this one continues, or None for an image."""
        return next((one.stage_index for one in self.depends_on if one.how == "FROM"), None)

    def rebased(self, base: str, earlier: Sequence[Stage]) -> Stage:
        """Return the stage on another base: what its FROM means once build arguments are known."""
        others = (one for one in self.depends_on if one.how != "FROM")
        return replace(self, base=base, depends_on=(*depends("FROM", base, self.line, earlier), *others))


@dataclass(frozen=True)
class Directives:
    """The ``# name=value`` lines at the very top of the file; ``escape`` always has a value."""

    escape: str = "\\"
    syntax: str | None = None
    check: str | None = None


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile. ``global_args`` are the ARGs before the first FROM."""

    text: str
    directives: Directives
    global_args: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    @property
    def escape(self) -> str:
        """The escape and continuation character, a backslash unless a directive says otherwise."""
        return self.directives.escape

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction in file order, each FROM included."""
        staged = (one for stage in self.stages for one in (stage.from_, *stage.instructions))
        return (*self.global_args, *staged)

    def target(self, name: str | None = None) -> Stage:
        """Return the stage ``--target`` would build: by name or number, by default the last.

        Raises
        ------
        DockerfileError
            If no stage bears the name.
        """
        if name is None:
            return self.stages[-1]
        for stage in self.stages:
            if stage.name == name.lower() or str(stage.index) == name:
                return stage
        known = ", ".join(stage.name or str(stage.index) for stage in self.stages)
        raise DockerfileError(f"The Dockerfile has no stage {name!r}. Its stages are: {known}.")

    def stages_needed(self, target: str | None = None) -> tuple[Stage, ...]:
        """Return the stages BuildKit builds for a target, in file order.

        The classic builder builds every stage up to the target, needed or not.
        """
        needed: set[int] = set()
        waiting = [self.target(target).index]
        while waiting:
            index = waiting.pop()
            if index not in needed:
                needed.add(index)
                found = (one.stage_index for one in self.stages[index].depends_on)
                waiting += [one for one in found if one is not None]
        return tuple(self.stages[index] for index in sorted(needed))


def depends(how: How, wanted: str, line: int, earlier: Sequence[Stage]) -> tuple[Dependency, ...]:
    """Say what a name after FROM, ``--from=`` or ``from=`` means: an earlier stage or an image.

    Raises
    ------
    DockerfileError
        For the number of a stage that does not stand before this one.
    """
    # FROM knows names only; of two stages with one name the later counts.
    numbers = how != "FROM"
    for stage in reversed(earlier):
        if stage.name == wanted.lower() or (numbers and str(stage.index) == wanted):
            return (Dependency(how, line, stage_index=stage.index),)
    if numbers and wanted.isdecimal():
        raise DockerfileError(
            f"Line {line} takes from stage {wanted}, and only {len(earlier)} stages stand before it. "
            "Count from 0, or name the stage with AS.",
            line=line,
            column=1,
        )
    return () if wanted == "scratch" else (Dependency(how, line, image=wanted),)


def _mount(value: str, line: int) -> Mount:
    # BuildKit reads the value as one CSV record, so a quoted field may hold a comma.
    fields = next(csv.reader([value]), [])
    options = []
    for field in fields:
        key, equals, text = field.partition("=")
        options.append((key.strip().lower(), text if equals else "true"))
    found = dict(options)

    def first(*names: str) -> str | None:
        return next((found[name] for name in names if name in found), None)

    kind = found.get("type", "bind")
    if kind not in ("bind", "cache", "tmpfs", "secret", "ssh"):
        raise DockerfileError(
            f"Line {line} mounts the type {kind!r}. Use bind, cache, tmpfs, secret or ssh.", line=line
        )
    read_only = first("readonly", "ro")
    writable = first("readwrite", "rw")
    is_read_only = read_only == "true" or (kind == "bind" and read_only is None and writable != "true")
    return Mount(
        type=kind,
        target=first("target", "dst", "destination"),
        source=first("source", "src"),
        from_=found.get("from"),
        is_read_only=is_read_only,
        options=tuple(options),
    )


def _quoted_flag(flag: Flag) -> str:
    text = str(flag)
    return text if re.fullmatch(r"[^\s\"\\]+", text) else json.dumps(text, ensure_ascii=False)


def _canonical_heredoc(heredoc: Heredoc) -> str:
    marks = f"{heredoc.file_descriptor}<<{'-' if heredoc.chomp else ''}{'' if heredoc.expand else 'literal '}"
    return marks + json.dumps([heredoc.name, heredoc.text], ensure_ascii=False)
