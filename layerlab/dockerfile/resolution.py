"""What each instruction says once ARG and ENV have their values. Knows scopes and inheritance, no engine."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from layerlab.dockerfile.expansion import expand, split_words
from layerlab.dockerfile.model import Dockerfile, Flag, Heredoc, Instruction, Stage
from layerlab.errors import DockerfileError

Builder = Literal["classic", "buildkit"]
Variables = tuple[tuple[str, str], ...]

_EMPTY: Mapping[str, str] = {}
# Both builders assume this PATH for an image that sets none (moby, DefaultPathEnvUnix).
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULT_SHELL = ("/bin/sh", "-c")
_EXPANDED_FLAGS = {"ADD": ("chown", "chmod"), "COPY": ("chown", "chmod"), "RUN": ("mount",)}
_EXPANDED = ("ADD", "COPY", "ENV", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR", "ARG")


@dataclass(frozen=True)
class ResolvedInstruction:
    """An instruction with its variables replaced.

    ``args`` are the build arguments in scope where it runs, sorted by name: for a RUN they are part of
    the environment, so of the cache key as well. ``is_trigger`` marks an ONBUILD of the base stage.
    """

    instruction: Instruction
    flags: tuple[Flag, ...]
    arguments: tuple[str, ...]
    heredocs: tuple[Heredoc, ...]
    args: Variables
    is_trigger: bool = False

    @property
    def expanded(self) -> Instruction:
        """The instruction with the replaced values in place of the written ones."""
        return replace(self.instruction, flags=self.flags, arguments=self.arguments, heredocs=self.heredocs)

    @property
    def canonical(self) -> str:
        """`Instruction.canonical` after replacement: equal exactly when the same step would run."""
        return self.expanded.canonical


@dataclass(frozen=True)
class Config:
    """What a container of the stage would start with. None: neither the file nor a known base sets it."""

    env: Variables = ()
    user: str | None = None
    workdir: str = "/"
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    shell: tuple[str, ...] = _DEFAULT_SHELL
    labels: Variables = ()
    exposed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResolvedStage:
    """A stage with its base, its instructions and the configuration it ends with."""

    stage: Stage
    base: str
    platform: str | None
    instructions: tuple[ResolvedInstruction, ...]
    config: Config


@dataclass(frozen=True)
class Resolved:
    """A Dockerfile under certain build arguments; ``dockerfile`` has its stages linked accordingly."""

    dockerfile: Dockerfile
    stages: tuple[ResolvedStage, ...]

    def target(self, name: str | None = None) -> ResolvedStage:
        """Return the stage ``--target`` would build, by default the last."""
        return self.stages[self.dockerfile.target(name).index]

    def stages_needed(self, target: str | None = None) -> tuple[ResolvedStage, ...]:
        """Return the stages BuildKit builds for a target under these build arguments, in file order."""
        return tuple(self.stages[stage.index] for stage in self.dockerfile.stages_needed(target))


def resolve(
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, str] = _EMPTY,
    base_env: Mapping[str, Mapping[str, str]] | None = None,
    builder: Builder = "buildkit",
    platform: str | None = None,
) -> Resolved:
    """Replace the variables of every instruction in which Docker replaces them.

    Parameters
    ----------
    dockerfile : what `parse` returned.
    build_args : the values of ``--build-arg``.
    base_env : the ENV of base images, by the name the FROM has after replacement.
    builder : on BuildKit whichever comes later of an ARG and an ENV of the same name wins, and child stages inherit
        ARGs; on the classic builder the ARG loses, wherever that ENV comes from, and they do not.
    platform : for instance ``linux/arm64/v8``; gives TARGETPLATFORM and its kin their values (BuildKit).

    Raises
    ------
    DockerfileError
        With the line, where a word cannot be expanded or a base comes out blank.

    Notes
    -----
    Replaced: ADD COPY ENV EXPOSE FROM LABEL STOPSIGNAL USER VOLUME WORKDIR ARG (Dockerfile reference,
    "Environment replacement"). RUN, CMD and ENTRYPOINT are left to the shell; an ONBUILD is replaced
    in the stage it triggers in.
    """
    given = _platform_args(platform) | dict(build_args)
    global_args = _global_args(dockerfile, given, platform)
    words = _Words(dockerfile.escape)
    done: list[ResolvedStage] = []
    scopes: list[_Scope] = []
    for written in dockerfile.stages:
        base, stage_platform = _base(written, global_args, words)
        # A build argument may turn FROM base-${VARIANT} into another stage than its default does.
        stage = written.rebased(base, [one.stage for one in done])
        parent = stage.base_stage
        scope = _Scope(builder, build_args=given, global_args=global_args, words=words)
        if parent is None:
            scope.start((base_env or {}).get(base, _EMPTY))
        else:
            scope.inherit(scopes[parent])
        triggers = () if parent is None else _triggers(dockerfile.stages[parent], stage.index)
        resolved = [scope.run(one, is_trigger=True) for one in triggers]
        resolved += [scope.run(one, is_trigger=False) for one in stage.instructions]
        scopes.append(scope)
        done.append(ResolvedStage(stage, base, stage_platform, tuple(resolved), scope.config()))
    return Resolved(replace(dockerfile, stages=tuple(one.stage for one in done)), tuple(done))


@dataclass(frozen=True)
class _Words:
    escape: str

    def one(self, word: str, variables: Mapping[str, str], line: int, *, quotes: bool = True) -> str:
        try:
            # In a heredoc the backslash escapes, whatever the directive says.
            return expand(word, variables, escape=self.escape if quotes else "\\", quotes=quotes)
        except DockerfileError as fault:
            raise DockerfileError(f"Line {line}: {fault}", line=line, column=1) from fault

    def many(self, word: str, variables: Mapping[str, str], line: int) -> tuple[str, ...]:
        self.one(word, variables, line)
        return split_words(word, variables, escape=self.escape)


@dataclass
class _Scope:
    """The variables and the configuration of one stage, as its instructions pass by."""

    builder: Builder
    build_args: Mapping[str, str]
    global_args: Mapping[str, str]
    words: _Words
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    settings: Config = Config()
    has_own_cmd: bool = False

    def start(self, base_env: Mapping[str, str]) -> None:
        self.env = {"PATH": _DEFAULT_PATH, **base_env}

    def inherit(self, parent: _Scope) -> None:
        self.env, self.labels, self.settings = dict(parent.env), dict(parent.labels), parent.settings
        if self.builder == "buildkit":
            # Within its stage an ARG below an ENV of that name wins; what the next stage inherits is the ENV (28.5).
            self.args = {name: value for name, value in parent.args.items() if name not in parent.env}

    def config(self) -> Config:
        return replace(self.settings, env=tuple(self.env.items()), labels=tuple(self.labels.items()))

    def run(self, one: Instruction, *, is_trigger: bool) -> ResolvedInstruction:
        variables = self._variables()
        hidden = self.env if self.builder == "classic" else _EMPTY
        in_scope = tuple(sorted(item for item in self.args.items() if item[0] not in hidden))
        resolved = ResolvedInstruction(
            instruction=one,
            flags=tuple(self._flag(flag, one, variables) for flag in one.flags),
            arguments=self._arguments(one, variables),
            heredocs=tuple(self._heredoc(heredoc, one, variables) for heredoc in one.heredocs),
            args=in_scope,
            is_trigger=is_trigger,
        )
        self._apply(resolved.expanded)
        return resolved

    def _variables(self) -> dict[str, str]:
        return {**self.args, **self.env} if self.builder == "classic" else {**self.env, **self.args}

    def _arguments(self, one: Instruction, variables: Mapping[str, str]) -> tuple[str, ...]:
        if one.keyword == "EXPOSE":
            split = (self.words.many(word, variables, one.line) for word in one.arguments)
            return tuple(port for ports in split for port in ports)
        if one.keyword not in _EXPANDED:
            return one.arguments
        return tuple(self._argument(word, one, variables) for word in one.arguments)

    def _argument(self, word: str, one: Instruction, variables: Mapping[str, str]) -> str:
        return self.words.one(word, variables, one.line)

    def _flag(self, flag: Flag, one: Instruction, variables: Mapping[str, str]) -> Flag:
        if flag.value is None or flag.name not in _EXPANDED_FLAGS.get(one.keyword, ()):
            return flag
        return Flag(flag.name, self.words.one(flag.value, variables, one.line))

    def _heredoc(self, heredoc: Heredoc, one: Instruction, variables: Mapping[str, str]) -> Heredoc:
        # The body of a RUN is a script or a shell's own heredoc: the shell expands it, not Docker.
        if one.keyword == "RUN" or not heredoc.expand:
            return heredoc
        return replace(heredoc, content=self.words.one(heredoc.content, variables, one.line, quotes=False))

    def _apply(self, one: Instruction) -> None:
        if one.keyword == "ARG":
            self._declare(one)
        elif one.keyword == "ENV":
            self._set_env(dict(zip(one.arguments[::2], one.arguments[1::2], strict=True)))
        elif one.keyword == "LABEL":
            self.labels |= dict(zip(one.arguments[::2], one.arguments[1::2], strict=True))
        else:
            self.settings = self._configured(one)

    def _declare(self, one: Instruction) -> None:
        for name, default in one.pairs:
            value = self.build_args.get(name, default)
            value = self.global_args.get(name) if value is None else value
            if value is not None:
                self.args[name] = value

    def _set_env(self, values: dict[str, str]) -> None:
        self.env |= values
        if self.builder == "buildkit":
            # Later wins: from here on the ENV, until an ARG declares the name again.
            self.args = {name: value for name, value in self.args.items() if name not in values}

    def _configured(self, one: Instruction) -> Config:
        now = self.settings
        match one.keyword:
            case "USER":
                return replace(now, user=one.arguments[0])
            case "WORKDIR":
                return replace(now, workdir=posixpath.normpath(posixpath.join(now.workdir, one.arguments[0])))
            case "SHELL":
                return replace(now, shell=one.arguments)
            case "EXPOSE":
                return replace(now, exposed=tuple(dict.fromkeys((*now.exposed, *one.arguments))))
            case "CMD":
                self.has_own_cmd = True
                return replace(now, cmd=self._command(one))
            case "ENTRYPOINT":
                # A new ENTRYPOINT drops the CMD that came with the base (Dockerfile reference).
                cmd = now.cmd if self.has_own_cmd else None
                return replace(now, entrypoint=self._command(one), cmd=cmd)
        return now

    def _command(self, one: Instruction) -> tuple[str, ...]:
        return (*self.settings.shell, *one.arguments) if one.form == "shell" else one.arguments


def _base(stage: Stage, global_args: Mapping[str, str], words: _Words) -> tuple[str, str | None]:
    base = words.one(stage.raw_base, global_args, stage.line)
    if not base:
        raise DockerfileError(
            f"Line {stage.line} has the base {stage.raw_base!r}, which comes out blank. "
            "Declare its ARG before the first FROM, with a default.",
            line=stage.line,
            column=1,
        )
    platform = stage.from_.flag("platform")
    return base, None if platform is None else words.one(platform, global_args, stage.line)


def _triggers(parent: Stage, child: int) -> tuple[Instruction, ...]:
    # Only the child itself is triggered, not the child's children: Docker clears them after use.
    nested = (one.nested for one in parent.instructions)
    return tuple(replace(one, stage_index=child) for one in nested if one is not None)


def _global_args(dockerfile: Dockerfile, given: Mapping[str, str], platform: str | None) -> dict[str, str]:
    words = _Words(dockerfile.escape)
    values = _platform_args(platform)
    for one in dockerfile.global_args:
        for name, default in one.pairs:
            if name in given:
                values[name] = given[name]
            elif default is not None:
                values[name] = words.one(default, values, one.line)
    return values


def _platform_args(platform: str | None) -> dict[str, str]:
    if platform is None:
        return {}
    # The course builds natively only, so the build platform is the target's.
    system, _, rest = platform.partition("/")
    machine, _, variant = rest.partition("/")
    values = {"PLATFORM": platform, "OS": system, "ARCH": machine, "VARIANT": variant}
    return {side + name: value for side in ("BUILD", "TARGET") for name, value in values.items()}
