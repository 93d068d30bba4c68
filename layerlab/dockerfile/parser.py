"""From text to a Dockerfile: the one place that knows line, column and stage at once. Expands only FROM."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from layerlab.dockerfile.expansion import expand
from layerlab.dockerfile.grammar import (
    KEYWORDS,
    GrammarError,
    check_arguments,
    check_flags,
    split_arguments,
    split_line,
)
from layerlab.dockerfile.lines import LogicalLine, Source
from layerlab.dockerfile.model import Dependency, Dockerfile, Form, Instruction, Stage, depends
from layerlab.errors import DockerfileError

_COMMANDS = ("RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK")


def parse(text: str) -> Dockerfile:
    """Parse the text of a Dockerfile.

    Raises
    ------
    DockerfileError
        With line and column (both 1-based), wherever Docker itself would refuse the file before it
        builds anything: no FROM, unknown keyword or flag, wrong arguments, open heredoc, binary file.

    Notes
    -----
    The grammar is that of BuildKit's parser, checked against it in tests; see the Dockerfile reference.
    """
    source = Source(text)
    instructions = [_instruction(source, line) for line in source.logical_lines()]
    first = next((index for index, one in enumerate(instructions) if one.keyword == "FROM"), None)
    early = next((one for one in instructions[:first] if one.keyword != "ARG"), None)
    if early is not None:
        raise DockerfileError(
            f"Line {early.line} has {early.keyword} before the first FROM. Only ARG may stand there: put FROM first.",
            line=early.line,
            column=1,
        )
    if first is None:
        raise DockerfileError(
            "The Dockerfile has no FROM. Begin it with a base, such as FROM python.", line=1, column=1
        )
    global_args = tuple(instructions[:first])
    builder = _StageBuilder(_defaults(global_args, source.directives.escape), source.directives.escape)
    stages = builder.stages(instructions[first:])
    return Dockerfile(text, source.directives, global_args, stages)


def _instruction(source: Source, line: LogicalLine) -> Instruction:
    try:
        found = _parse_line(line.text, line, source.directives.escape)
    except GrammarError as fault:
        raise _located(fault, source, line) from None
    inner = found.nested or found
    if inner.keyword in ("RUN", "COPY", "ADD") and inner.form != "exec":
        heredocs = source.heredocs(line)
        raw = source.raw(line.line, source.line)
        nested = found.nested and replace(found.nested, heredocs=heredocs, raw=raw, end_line=source.line)
        # ONBUILD's heredocs belong to the nested instruction.
        own = () if nested else heredocs
        return replace(found, heredocs=own, nested=nested, raw=raw, end_line=source.line)
    return replace(found, raw=source.raw(line.line, line.end_line))


def _located(fault: GrammarError, source: Source, line: LogicalLine) -> DockerfileError:
    first = source.raw(line.line, line.line)
    # The arguments begin after the keyword; a fault in the keyword itself says so.
    column = line.column
    if not isinstance(fault, _KeywordError):
        after = first[line.column - 1 :].split(maxsplit=1)
        column = len(first) - len(after[1]) + 1 if len(after) == 2 else line.column
    return DockerfileError(f"Line {line.line} {fault}.", line=line.line, column=column)


class _KeywordError(GrammarError):
    """The fault is the keyword's, so the error points at it."""


def _parse_line(text: str, line: LogicalLine, escape: str) -> Instruction:
    parts = split_line(text)
    if not parts.keyword:
        raise _KeywordError("continues an instruction that never began. Remove the line")
    if parts.keyword not in KEYWORDS:
        near = difflib.get_close_matches(parts.keyword, sorted(KEYWORDS), n=1)
        hint = f"Perhaps {near[0]} is meant" if near else f"Docker knows {', '.join(sorted(KEYWORDS))}"
        raise _KeywordError(f"starts with the unknown instruction {parts.keyword[:40]!r}. {hint}")
    check_flags(parts.keyword, parts.flags)
    if parts.keyword == "ONBUILD":
        return _onbuild(parts.rest, line, escape)
    arguments, is_json = split_arguments(parts.keyword, parts.rest, escape=escape)
    check_arguments(parts.keyword, arguments, is_json=is_json)
    found = Instruction(
        keyword=parts.keyword,
        flags=parts.flags,
        arguments=arguments,
        raw="",
        logical=text,
        line=line.line,
        end_line=line.end_line,
        form=_form(parts.keyword, arguments, is_json=is_json),
        escape=escape,
    )
    _check_from_flag(found)
    return found


def _onbuild(rest: str, line: LogicalLine, escape: str) -> Instruction:
    if not rest:
        raise GrammarError("gives ONBUILD nothing. Add the instruction that children should run")
    nested = _parse_line(rest, line, escape)
    if nested.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        raise GrammarError(f"has {nested.keyword} inside ONBUILD, where it is not allowed. Use another instruction")
    return Instruction(
        keyword="ONBUILD",
        flags=(),
        arguments=(nested.keyword, *nested.arguments),
        raw="",
        logical=line.text,
        line=line.line,
        end_line=line.end_line,
        form=nested.form,
        nested=nested,
        escape=escape,
    )


def _form(keyword: str, arguments: tuple[str, ...], *, is_json: bool) -> Form | None:
    if is_json:
        return "exec"
    has_command = len(arguments) > (1 if keyword == "HEALTHCHECK" else 0)
    return "shell" if keyword in _COMMANDS and has_command else None


def _check_from_flag(found: Instruction) -> None:
    try:
        wanted = [found.flag("from"), *(mount.from_ for mount in found.mounts)]
    except DockerfileError as fault:
        raise GrammarError(str(fault).removeprefix(f"Line {found.line} ").rstrip(".")) from None
    for value in wanted:
        if value is not None and "$" in value:
            raise GrammarError(
                f"has a variable in from={value}, which Docker does not expand there. "
                "Declare a stage FROM … AS name with it, and copy from that name"
            )


def _defaults(global_args: tuple[Instruction, ...], escape: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for instruction in global_args:
        for name, value in instruction.pairs:
            if value is not None:
                values[name] = _lenient(value, values, escape)
    return values


def _lenient(word: str, values: dict[str, str], escape: str) -> str:
    # ${X:?} fails without a build argument; that is for `resolve` to say, once it has them.
    try:
        return expand(word, values, escape=escape)
    except DockerfileError:
        return word


@dataclass(frozen=True)
class _StageBuilder:
    """Cuts the instructions at each FROM and links the stages by name and number."""

    defaults: dict[str, str]
    escape: str

    def stages(self, instructions: list[Instruction]) -> tuple[Stage, ...]:
        starts = [index for index, one in enumerate(instructions) if one.keyword == "FROM"]
        stages: list[Stage] = []
        shells: list[tuple[str, ...] | None] = []
        for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
            stage, shell = self._stage(instructions[start:end], stages, shells)
            stages.append(stage)
            shells.append(shell)
        return tuple(stages)

    def _stage(
        self, own: list[Instruction], earlier: list[Stage], shells: list[tuple[str, ...] | None]
    ) -> tuple[Stage, tuple[str, ...] | None]:
        from_ = replace(own[0], stage_index=len(earlier))
        raw_base = from_.arguments[0]
        base = _lenient(raw_base, self.defaults, self.escape)
        platform = from_.flag("platform")
        depends_on = depends("FROM", base, from_.line, earlier)
        shell = shells[depends_on[0].stage_index] if depends_on and depends_on[0].stage_index is not None else None
        body: list[Instruction] = []
        for one in own[1:]:
            body.append(replace(one, stage_index=len(earlier), shell=shell))
            depends_on += _needs(one, earlier)
            if one.keyword == "SHELL":
                shell = one.arguments
        name = from_.arguments[2].lower() if len(from_.arguments) == 3 else None
        stage = Stage(
            index=len(earlier),
            name=name,
            base=base,
            raw_base=raw_base,
            platform=None if platform is None else _lenient(platform, self.defaults, self.escape),
            from_=from_,
            instructions=tuple(body),
            depends_on=depends_on,
        )
        return stage, shell


def _needs(one: Instruction, earlier: list[Stage]) -> tuple[Dependency, ...]:
    found: tuple[Dependency, ...] = ()
    if one.keyword == "COPY" and (wanted := one.flag("from")):
        found += depends("COPY", wanted, one.line, earlier)
    for mount in one.mounts:
        if mount.from_:
            found += depends("RUN", mount.from_, one.line, earlier)
    return found
