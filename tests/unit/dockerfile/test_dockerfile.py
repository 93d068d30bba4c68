"""Parser and model: what Docker's documentation shows, and what is refused, with its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from layerlab.dockerfile import Flag, parse
from layerlab.errors import DockerfileError

DATA = Path(__file__).parents[2] / "data" / "dockerfiles"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "no FROM"),
        ("# only a comment\n\n", 1, 1, "no FROM"),
        ("ARG X=1\n", 1, 1, "no FROM"),
        ("RUN x\nFROM a\n", 1, 1, "RUN before the first FROM"),
        ("FROM a\n  RUNN x\n", 2, 3, "'RUNN'. Perhaps RUN is meant"),
        ("FROM a\n\n\nzzz\n", 4, 1, "'ZZZ'"),
        ("FROM a\n\\\n\n", 2, 1, "never began"),
        ("FROM\n", 1, 1, "neither FROM image"),
        ("FROM a b\n", 1, 6, "neither FROM image"),
        ("FROM a AS 1x\n", 1, 6, "'1x'"),
        ("FROM a\nCOPY x\n", 2, 6, "at least two arguments"),
        ("FROM a\nCOPY --frm=b x y\n", 2, 6, "--frm"),
        ("FROM a\nCOPY --from x y\n", 2, 6, "--from without a value"),
        ("FROM a\nCOPY --link=no x y\n", 2, 6, "'no'"),
        ("FROM a\nUSER --x=1 me\n", 2, 6, "It knows: none"),
        ("FROM a\nENV X\n", 2, 5, "no value"),
        ("FROM a\nENV X=1 Y\n", 2, 5, "'Y'"),
        ("FROM a\nENV =1\n", 2, 5, "blank name"),
        ("FROM a\nWORKDIR\n", 2, 1, "nothing"),
        ("FROM a\nARG\n", 2, 1, "nothing"),
        ('FROM a\nRUN ["a", 1]\n', 2, 5, "double quotes"),
        ("FROM a\nSHELL /bin/sh\n", 2, 7, "no JSON array"),
        ("FROM a\nONBUILD FROM b\n", 2, 9, "FROM inside ONBUILD"),
        ("FROM a\nONBUILD ONBUILD RUN x\n", 2, 9, "ONBUILD inside ONBUILD"),
        ("FROM a\nONBUILD\n", 2, 1, "nothing"),
        ("FROM a\nHEALTHCHECK FOO x\n", 2, 13, "CMD or NONE"),
        ("FROM a\nHEALTHCHECK NONE x\n", 2, 13, "HEALTHCHECK NONE"),
        ("FROM a\nHEALTHCHECK CMD\n", 2, 13, "with a command"),
        ("FROM a\nRUN cat <<EOF\nx\n", 2, 9, "<<EOF"),
        ("FROM a\nCOPY --from=1 x y\n", 2, 1, "stage 1"),
        ("FROM a\nCOPY --from=$X x y\n", 2, 6, "variable in from="),
        ("FROM a\nRUN --mount=type=magic x\n", 2, 5, "'magic'"),
        ("# escape=x\nFROM a\n", 1, 1, "'x'"),
        ("# syntax=a\n# syntax=b\nFROM a\n", 2, 1, "repeats"),
        ("FROM a\nRUN \0\n", 2, 5, "NUL"),
        ("FROM a\nRUN \udcff\n", 2, 1, "UTF-8"),
        ("FROM a\nRUN " + "x" * 70_000 + "\n", 2, 1, "longer than"),
        ("FROM a\n" + "RUN x\n" * 200_000, 1, 1, "more than 1 MB"),
    ],
)
def test_a_bad_dockerfile_is_refused_with_line_and_column(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in str(caught.value)
    assert str(caught.value).count(".") >= 1


def test_directives_end_at_the_first_other_line() -> None:
    found = parse("#SYNTAX = docker/dockerfile:1\n# check=skip=all\n# escape=`\n# note\n# syntax=late\nFROM a\n")
    assert (found.directives.syntax, found.directives.check, found.escape) == ("docker/dockerfile:1", "skip=all", "`")
    assert parse("# note\n# escape=`\nFROM a\n").escape == "\\"


def test_one_instruction_over_many_lines_knows_where_it_begins_and_ends() -> None:
    text = "FROM a\n\nRUN one \\\n  # why\n\n  && two \\\n  && three\nUSER 1\n"
    run, user = parse(text).stages[0].instructions
    assert (run.line, run.end_line, user.line) == (3, 7, 8)
    assert run.arguments == ("one   && two   && three",)
    assert run.raw == "RUN one \\\n  # why\n\n  && two \\\n  && three\n"
    assert run.form == "shell"


def test_exec_shell_and_broken_json_forms() -> None:
    stage = parse("FROM a\nCMD [\"a\", \"b c\"]\nCMD ['a', 'b']\nCMD a b\nCMD\nUSER me\n").stages[0]
    assert [one.form for one in stage.instructions] == ["exec", "shell", "shell", None, None]
    assert stage.instructions[0].arguments == ("a", "b c")
    assert stage.instructions[1].arguments == ("['a', 'b']",)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", [True, False])
def test_bom_newlines_and_a_missing_last_one_change_nothing(newline: str, end: bool) -> None:
    text = newline.join(["from\ta", "\trun\tx \\", "  y", "USER me"]) + (newline if end else "")
    found = parse("\ufeff" + text)
    assert [(one.keyword, one.arguments) for one in found.instructions] == [
        ("FROM", ("a",)),
        ("RUN", ("x   y",)),
        ("USER", ("me",)),
    ]


def test_heredocs_of_run_copy_and_onbuild() -> None:
    text = (
        "FROM a\nRUN <<EOF cat 3<<-'RAW'\nhi $X\nEOF\n\t\tone\n\tRAW\n"
        'COPY --chmod=644 <<one.txt <<"two.txt" /dst/\n1\none.txt\n2\ntwo.txt\nONBUILD RUN <<E\nx\nE\n'
    )
    run, copy, onbuild = parse(text).stages[0].instructions
    assert [(h.name, h.expand, h.chomp, h.file_descriptor, h.text) for h in run.heredocs] == [
        ("EOF", True, False, 0, "hi $X\n"),
        ("RAW", False, True, 3, "one\n"),
    ]
    assert run.heredocs[1].content == "\t\tone\n"
    assert (run.line, run.end_line) == (2, 6)
    assert [h.content for h in copy.heredocs] == ["1\n", "2\n"]
    assert copy.sources == () and copy.flags == (Flag("chmod", "644"),)
    assert onbuild.heredocs == () and onbuild.nested is not None
    assert onbuild.nested.heredocs[0].content == "x\n"


def test_json_has_no_heredocs_and_neither_has_an_unclosed_quote() -> None:
    stage = parse('FROM a\nCOPY ["<<A", "/x"]\nRUN echo it\'s <<A\n').stages[0]
    assert [one.heredocs for one in stage.instructions] == [(), ()]
    assert stage.instructions[0].sources == ("<<A",)


def test_sources_leave_out_what_is_not_in_the_context() -> None:
    text = "FROM a AS x\nADD https://e.org/f git@e.org:x.git local /d/\nFROM a\nCOPY --from=x /a /b\nCOPY p q /d/\n"
    found = [one.sources for stage in parse(text).stages for one in stage.instructions]
    assert found == [("local",), (), ("p", "q")]


def test_mounts_read_as_csv_with_docker_s_defaults() -> None:
    text = (
        "FROM a AS x\nFROM b\nRUN --mount=type=cache,id=pip,target=/root/.cache,sharing=locked "
        "--mount=from=x,src=/uv,dst=/bin/uv "
        """--mount='type=bind,rw,"target=/a,b"' --mount=type=secret,id=s,ro y\n"""
    )
    cache, bind, writable, secret = parse(text).stages[1].instructions[0].mounts
    assert (cache.type, cache.target, cache.is_read_only) == ("cache", "/root/.cache", False)
    assert dict(cache.options)["sharing"] == "locked"
    assert (bind.type, bind.source, bind.target, bind.from_, bind.is_read_only) == ("bind", "/uv", "/bin/uv", "x", True)
    assert (writable.target, writable.is_read_only) == ("/a,b", False)
    assert secret.is_read_only


MULTI = """\
ARG BASE=python:3.12
FROM ${BASE}-slim AS Build
RUN pip install x
FROM scratch AS empty
FROM build AS test
RUN --mount=type=bind,from=tools/uv:1,source=/uv,target=/uv uv
FROM gcr.io/distroless/python3
COPY --from=BUILD /x /x
COPY --from=1 /y /y
COPY --from=alpine:3 /z /z
COPY --from=0 /w /w
"""


def test_stages_know_their_bases_and_what_they_depend_on() -> None:
    found = parse(MULTI)
    build, empty, test, last = found.stages
    assert [stage.name for stage in found.stages] == ["build", "empty", "test", None]
    assert (build.raw_base, build.base, build.line) == ("${BASE}-slim", "python:3.12-slim", 2)
    assert build.depends_on[0].image == "python:3.12-slim"
    assert empty.depends_on == () and empty.base_stage is None
    assert test.base_stage == 0
    assert [(d.how, d.stage_index, d.image, d.line) for d in test.depends_on] == [
        ("FROM", 0, None, 5),
        ("RUN", None, "tools/uv:1", 6),
    ]
    assert [(d.stage_index, d.image) for d in last.depends_on] == [
        (None, "gcr.io/distroless/python3"),
        (0, None),
        (1, None),
        (None, "alpine:3"),
        (0, None),
    ]
    assert all(one.stage_index == stage.index for stage in found.stages for one in stage.instructions)


def test_targets_and_the_stages_they_need() -> None:
    found = parse(MULTI)
    assert found.target().index == 3
    assert found.target("TEST").index == 2 and found.target("1").index == 1
    assert [stage.index for stage in found.stages_needed()] == [0, 1, 3]
    assert [stage.index for stage in found.stages_needed("test")] == [0, 2]
    with pytest.raises(DockerfileError, match=r"no stage 'nope'\. Its stages are: build, empty, test, 3"):
        found.target("nope")


def test_a_dockerfile_is_frozen_and_hashable() -> None:
    found = parse(MULTI)
    assert hash(found) == hash(parse(MULTI)) and found == parse(MULTI)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.text = ""  # type: ignore[misc]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.Dockerfile")), ids=lambda path: path.stem)
def test_the_sample_files_parse_and_cover_themselves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = parse(text)
    lines = text.splitlines(keepends=True)
    for one in found.instructions:
        assert one.raw == "".join(lines[one.line - 1 : one.end_line])
    covered = {number for one in found.instructions for number in range(one.line, one.end_line + 1)}
    rest = [line for number, line in enumerate(lines, start=1) if number not in covered]
    assert all(not line.strip() or line.lstrip().startswith("#") for line in rest)
    assert len(found.stages) == text.upper().count("\nFROM ") + text.upper().startswith("FROM ")
