"""Scopes of ARG and ENV, inheritance between stages, on both builders."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from layerlab.dockerfile import Builder, Resolved, parse, resolve
from layerlab.errors import DockerfileError


def resolved(text: str, builder: Builder = "classic", **build_args: str) -> Resolved:
    return resolve(parse(text), build_args=build_args, builder=builder)


def arguments(found: Resolved, stage: int = -1) -> list[tuple[str, ...]]:
    return [one.arguments for one in found.stages[stage].instructions]


def test_global_args_reach_from_lines_only() -> None:
    text = "ARG TAG=3.12\nFROM python:$TAG\nUSER u$TAG\nARG TAG\nUSER u$TAG\n"
    found = resolved(text)
    assert found.target().base == "python:3.12"
    assert arguments(found) == [("u",), ("TAG",), ("u3.12",)]
    assert resolved(text, TAG="3.11").target().base == "python:3.11"
    assert arguments(resolved(text, TAG="3.11"))[-1] == ("u3.11",)


def test_a_default_in_the_stage_beats_the_global_one_and_a_build_argument_beats_both() -> None:
    text = "ARG V=global\nFROM a\nARG V=local\nUSER $V\n"
    assert arguments(resolved(text))[-1] == ("local",)
    assert arguments(resolved(text, V="given"))[-1] == ("given",)


def test_a_build_argument_nobody_declares_is_not_seen() -> None:
    assert arguments(resolved("FROM a\nUSER x$V\nARG V\nUSER x$V\n", V="1")) == [("x",), ("V",), ("x1",)]


def test_global_args_build_on_each_other() -> None:
    assert resolved("ARG A=1 B=$A.2\nARG C=${B%.*}-x\nFROM i:$C\n").target().base == "i:1-x"


def test_an_env_line_sees_the_values_before_it() -> None:
    found = resolved("FROM a\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n")
    assert dict(found.target().config.env) | {"PATH": ""} == {"PATH": "", "abc": "bye", "def": "hello", "ghi": "bye"}


BASE_ENV: Mapping[str, Mapping[str, str]] = {"python:3.12": {"PYTHON_VERSION": "3.12.14", "PATH": "/usr/local/bin"}}


@pytest.mark.parametrize(("builder", "expected"), [("classic", "3.12.14"), ("buildkit", "3.12")])
def test_an_arg_loses_to_the_env_of_the_base_on_the_classic_builder_only(builder: Builder, expected: str) -> None:
    text = "FROM python:3.12\nARG PYTHON_VERSION=3.12\nRUN x\nWORKDIR /lib/python${PYTHON_VERSION}\n"
    found = resolve(parse(text), base_env=BASE_ENV, builder=builder).target()
    assert found.config.workdir == f"/lib/python{expected}"
    run = found.instructions[1]
    assert run.args == (() if builder == "classic" else (("PYTHON_VERSION", "3.12"),))


@pytest.mark.parametrize(("builder", "expected"), [("classic", ["env", "env"]), ("buildkit", ["env", "arg"])])
def test_env_and_arg_of_one_name_in_turn(builder: Builder, expected: list[str]) -> None:
    found = resolved("FROM a\nARG X=old\nENV X=env\nUSER $X\nARG X=arg\nUSER $X\n", builder)
    assert [one.arguments[0] for one in found.target().instructions if one.instruction.keyword == "USER"] == expected


@pytest.mark.parametrize(("builder", "expected"), [("classic", "x"), ("buildkit", "x1")])
def test_children_inherit_args_on_buildkit_only(builder: Builder, expected: str) -> None:
    found = resolved("FROM a AS b\nARG V=1\nENV E=2\nFROM b\nUSER x$V\nUSER x$E\n", builder)
    assert arguments(found) == [(expected,), ("x2",)]


def test_run_keeps_its_text_and_knows_the_args_in_scope() -> None:
    found = resolved("FROM a\nRUN echo $A\nARG B=2 A=1 C\nRUN echo $A\nENV B=3\nRUN echo $B\n").target()
    runs = [one for one in found.instructions if one.instruction.keyword == "RUN"]
    assert [one.arguments for one in runs] == [("echo $A",), ("echo $A",), ("echo $B",)]
    assert [one.args for one in runs] == [(), (("A", "1"), ("B", "2")), (("A", "1"),)]


def test_everything_docker_expands_is_expanded_and_nothing_else() -> None:
    text = (
        "FROM a AS s\nARG X=1\nADD --chown=$X f$X /d$X\nCOPY --chmod=$X --from=s f$X /d$X\nENV k$X=$X\nEXPOSE $X 2\n"
        "LABEL l='$X' m=\"$X\"\nSTOPSIGNAL $X\nVOLUME /v$X\nWORKDIR /w$X\nUSER $X\n"
        "CMD $X\nENTRYPOINT $X\nHEALTHCHECK CMD $X\nONBUILD USER $X\nMAINTAINER $X\n"
    )
    with pytest.raises(DockerfileError, match="takes from"):
        parse(text.replace("--from=s", "--from=0"))
    found = resolved(text.replace("--from=s ", "--from=other ")).target().instructions[1:]
    assert [one.arguments for one in found] == [
        ("f1", "/d1"),
        ("f1", "/d1"),
        ("k1", "1"),
        ("1", "2"),
        ("l", "$X", "m", "1"),
        ("1",),
        ("/v1",),
        ("/w1",),
        ("1",),
        ("$X",),
        ("$X",),
        ("CMD", "$X"),
        ("USER", "$X"),
        ("$X",),
    ]
    assert [str(flag) for flag in (*found[0].flags, *found[1].flags)] == ["--chown=1", "--chmod=1", "--from=other"]


def test_the_heredoc_of_a_copy_is_expanded_unless_its_mark_is_quoted() -> None:
    text = "FROM a\nARG X=1\nCOPY <<A <<'B' /d/\n'$X'\nA\n'$X'\nB\nRUN <<C\n$X\nC\n"
    copy, run = resolved(text).target().instructions[1:]
    assert [heredoc.text for heredoc in copy.heredocs] == ["'1'\n", "'$X'\n"]
    assert run.heredocs[0].text == "$X\n"


def test_equal_values_give_equal_canonical_steps() -> None:
    one = resolved("FROM a\nARG D=/app\nCOPY f $D/\n").target().instructions[-1]
    other = resolved("FROM a\nCOPY f   /app/\n").target().instructions[-1]
    assert one.canonical == other.canonical != one.instruction.canonical


def test_configuration_is_inherited_from_stage_to_stage() -> None:
    text = (
        "FROM a AS base\nUSER 1000\nWORKDIR /srv\nCMD run it\nEXPOSE 80\nLABEL a=1\n"
        'FROM base AS child\nWORKDIR app\nENTRYPOINT ["serve"]\nEXPOSE 81 80\nLABEL b=2\n'
        'FROM child\nSHELL ["/bin/bash", "-c"]\nCMD more\nUSER root\n'
    )
    base, child, last = (stage.config for stage in resolved(text).stages)
    assert (base.user, base.workdir, base.cmd, base.entrypoint) == ("1000", "/srv", ("/bin/sh", "-c", "run it"), None)
    # The base's CMD goes when the child sets an ENTRYPOINT of its own.
    assert (child.user, child.workdir, child.cmd, child.entrypoint) == ("1000", "/srv/app", None, ("serve",))
    assert (child.exposed, child.labels) == (("80", "81"), (("a", "1"), ("b", "2")))
    assert (last.user, last.cmd, last.entrypoint) == ("root", ("/bin/bash", "-c", "more"), ("serve",))


def test_an_own_cmd_stays_whichever_order_it_comes_in() -> None:
    assert resolved('FROM a\nCMD ["x"]\nENTRYPOINT ["y"]\n').target().config.cmd == ("x",)


def test_what_nobody_sets_is_unknown() -> None:
    config = resolved("FROM a\n").target().config
    assert (config.user, config.cmd, config.entrypoint) == (None, None, None)
    assert dict(config.env)["PATH"].startswith("/usr/local/sbin:")


def test_onbuild_runs_in_the_child_and_not_in_its_child() -> None:
    found = resolved("FROM a AS p\nONBUILD USER me\nFROM p AS c\nUSER you\nFROM c\nRUN x\n")
    assert [(one.instruction.keyword, one.is_trigger) for one in found.stages[1].instructions] == [
        ("USER", True),
        ("USER", False),
    ]
    assert found.stages[0].config.user is None
    assert [one.is_trigger for one in found.stages[2].instructions] == [False]
    assert found.stages[1].instructions[0].instruction.stage_index == 1


def test_a_build_argument_chooses_the_stage_that_is_built_on() -> None:
    text = "ARG KIND=dev\nFROM a AS base-dev\nUSER d\nFROM a AS base-prod\nUSER p\nFROM base-$KIND\nRUN x\n"
    assert resolved(text).target().config.user == "d"
    found = resolved(text, KIND="prod")
    assert found.target().config.user == "p"
    assert [one.stage.index for one in found.stages_needed()] == [1, 2]
    assert resolved(text, KIND="none").target().stage.depends_on[0].image == "base-none"


def test_platform_arguments() -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM a\nUSER $TARGETARCH\n"
        "ARG TARGETARCH TARGETVARIANT\nUSER $TARGETARCH$TARGETVARIANT\n"
    )
    found = resolve(parse(text), builder="buildkit", platform="linux/arm64/v8").target()
    assert found.platform == "linux/arm64/v8"
    assert [one.arguments for one in found.instructions] == [("",), ("TARGETARCH", "TARGETVARIANT"), ("arm64v8",)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("ARG X\nFROM $X\n", 2, "comes out blank"),
        ("FROM a\nUSER ${X:?say who}\n", 2, "say who"),
        ("FROM a\n\nCOPY 'a b /c\n", 3, "single quote"),
        ("ARG X=${Y:?needed}\nFROM a\n", 1, "needed"),
    ],
)
def test_what_cannot_be_resolved_says_where(text: str, line: int, words: str) -> None:
    with pytest.raises(DockerfileError, match=words) as caught:
        resolved(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("below", "expected"),
    [("ENV T=$A\n", "y"), ("FROM one\nENV T=$A\n", "x"), ("ONBUILD ENV T=$A\nFROM one\nENV Z=1\n", "x")],
    ids=["in its stage", "in the next", "in a trigger"],
)
def test_an_arg_below_an_env_of_its_name_wins_in_its_own_stage_only(below: str, expected: str) -> None:
    dockerfile = parse(f"FROM scratch AS one\nENV A=x\nARG A=y\n{below}")
    assert dict(resolve(dockerfile).target().config.env)["T"] == expected
