"""Our parser against BuildKit's own, over generated Dockerfiles."""

from __future__ import annotations

import platform
import sys
from typing import Any

import pytest
from generated import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layerlab.dockerfile import Instruction, parse
from layerlab.errors import DockerfileError

if sys.platform == "linux" and platform.machine() == "x86_64":
    import dockerfile as buildkit
else:
    buildkit = pytest.importorskip("dockerfile")

# --- well-formed files, built piece by piece -----------------------------------------------------

word = st.text(alphabet="abcXYZ019_./:-", min_size=1, max_size=8).filter(lambda text: not text.startswith("--"))
blank = st.text(alphabet=" \t", min_size=1, max_size=3)
quoted = st.one_of(
    st.text(alphabet="ab $#<\\'=", max_size=6).map(lambda text: '"' + text.replace("\\", "\\\\") + '"'),
    st.text(alphabet='ab $#<"=\\', max_size=6).map(lambda text: f"'{text}'"),
)
json_text = st.text(alphabet="ab \"\\\u00e4\u4e16$'", max_size=6).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
name = st.sampled_from(["A", "B_2", "path", "x"])


@st.composite
def joined(draw: st.DrawFn, pieces: st.SearchStrategy[str], low: int = 1, high: int = 4) -> str:
    """Several pieces with odd white space between them."""
    parts = draw(st.lists(pieces, min_size=low, max_size=high))
    return "".join(part + draw(blank) for part in parts[:-1]) + parts[-1] if parts else ""


@st.composite
def json_array(draw: st.DrawFn) -> str:
    items = draw(st.lists(json_text, min_size=2, max_size=4))
    gap = draw(st.sampled_from(["", " ", "  \t"]))
    return f"[{gap}" + f"{gap},{gap}".join(items) + f"{gap}]"


shell_piece = st.one_of(word, quoted, st.sampled_from(["&&", "|", "$X", "${X:-y}", "[", "#no", "a\\ b", "'", "[ab]"]))
shell_text = joined(shell_piece).filter(lambda text: not text.startswith(("#", "--")))
pair = st.one_of(
    st.tuples(name, word).map("=".join),
    st.tuples(name, quoted).map("=".join),
    st.tuples(name, quoted, word).map(lambda t: f"{t[0]}={t[1]}{t[2]}"),
    name.map(lambda text: f"{text}=a\\ b"),
)
run_flag = st.sampled_from(
    ["--mount=type=cache,target=/x", "--network=none", '--mount=type=bind,target="/a b"', "--security=insecure"]
)
copy_flag = st.sampled_from(["--chown=1:2", "--chmod=755", "--link", "--from=base", "--link=false"])


@st.composite
def flagged(draw: st.DrawFn, flags: st.SearchStrategy[str], rest: st.SearchStrategy[str]) -> str:
    return "".join(flag + draw(blank) for flag in draw(st.lists(flags, max_size=3))) + draw(rest)


paths = st.one_of(json_array(), joined(word, 2, 4))
command = st.one_of(json_array(), shell_text)
heredoc_body = st.lists(
    st.sampled_from(["echo  hi", "# not a comment", "", "\tFROM x", "a \\", "  <<EOF", "'", "RUN y"]), max_size=4
)


@st.composite
def with_heredoc(draw: st.DrawFn) -> str:
    """RUN, COPY or ADD with one or two heredocs and their bodies; the mark may be quoted or chomping."""
    head, tail = draw(
        st.sampled_from(
            [("RUN ", ""), ("RUN cat ", " | tr a b"), ("COPY --link ", " /x/"), ("ADD ", " /x/"), ("ONBUILD RUN ", "")]
        )
    )
    marks, bodies = [], []
    for index in range(draw(st.integers(1, 2))):
        mark = draw(st.sampled_from(["EOF{}", "'EOF{}'", '"E {}"', "E'O'F{}", "-EOF{}", '-"EOF{}"']))
        chomp, text = mark.startswith("-"), mark.format(index)
        end = text.lstrip("-").replace("'", "").replace('"', "")
        marks.append(f"<<{text}")
        bodies += [*draw(heredoc_body), ("\t" if chomp and draw(st.booleans()) else "") + end]
    return "\n".join([head + " ".join(marks) + tail, *bodies])


plain = st.one_of(
    st.tuples(st.just("RUN"), flagged(run_flag, command)),
    st.tuples(st.sampled_from(["CMD", "ENTRYPOINT"]), command),
    st.tuples(st.just("SHELL"), st.sampled_from(['["/bin/bash","-c"]', '[ "python" ]'])),
    st.tuples(st.sampled_from(["COPY", "ADD"]), flagged(copy_flag.filter(lambda flag: "from" not in flag), paths)),
    st.tuples(st.just("COPY"), flagged(copy_flag, paths)),
    st.tuples(st.just("VOLUME"), st.one_of(joined(word), st.just('["/a b", "/c"]'))),
    st.tuples(st.just("EXPOSE"), joined(word)),
    st.tuples(st.sampled_from(["USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER"]), joined(word)),
    st.tuples(st.sampled_from(["ENV", "LABEL"]), joined(pair)),
    st.tuples(st.sampled_from(["ENV", "LABEL"]), st.tuples(name, blank, joined(word)).map("".join)),
    st.tuples(st.just("ARG"), joined(st.one_of(name, pair))),
    st.tuples(
        st.just("HEALTHCHECK"),
        st.one_of(st.just("NONE"), flagged(st.just("--interval=5s"), command.map("CMD  ".__add__))),
    ),
)
line = st.one_of(
    plain, plain.filter(lambda pair: pair[0] != "MAINTAINER").map(lambda pair: ("ONBUILD", " ".join(pair)))
)


@st.composite
def spelled(draw: st.DrawFn) -> str:
    keyword, rest = draw(line)
    keyword = draw(st.sampled_from([keyword, keyword.lower(), keyword.title()]))
    return (
        draw(st.sampled_from(["", "  ", "\t"])) + keyword + draw(blank) + rest + draw(st.sampled_from(["", " ", "\t"]))
    )


@st.composite
def continued(draw: st.DrawFn, text: str, escape: str) -> str:
    """Break the line at some blanks, with comments and empty lines between the parts."""
    parts: list[str] = []
    for index, character in enumerate(text):
        parts.append(character)
        inside = 0 < index < len(text) - 1 and character == " " and text[index - 1] not in "\\`"
        if inside and draw(st.integers(0, 5)) == 0:
            between = draw(st.lists(st.sampled_from(["", "# a", "  # b \\", "   "]), max_size=2))
            following = draw(st.sampled_from(["", "  ", "\t"]))
            if not text[index + 1 :].lstrip().startswith("#"):
                parts.append("\n".join([escape + draw(st.sampled_from(["", " \t"])), *between, following]))
    return "".join(parts)


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    escape = draw(st.sampled_from(["\\", "\\", "`"]))
    top = [f"# escape={escape}"] if escape == "`" or draw(st.booleans()) else []
    if draw(st.booleans()):
        top.insert(draw(st.integers(0, len(top))), "#syntax = docker/dockerfile:1")
    if draw(st.booleans()):
        top.append("ARG X=1")
    chunks = [*top, draw(st.sampled_from(["FROM base AS base", "from  --platform=linux/amd64\tb:$X  as base"]))]
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.integers(0, 6))
        if kind == 0:
            chunks.append(draw(st.sampled_from(["", "# comment", "   # indented", " \t", "FROM base"])))
        elif kind == 1:
            chunks.append(draw(with_heredoc()))
        else:
            chunks.append(draw(continued(draw(spelled()), escape)))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = "\n".join(chunks).replace("\n", newline) + draw(st.sampled_from([newline, ""]))
    return draw(st.sampled_from(["", "\ufeff"])) + text


# --- the comparison ------------------------------------------------------------------------------


def ours(one: Instruction) -> dict[str, Any]:
    inner = one.nested or one
    return {
        "keyword": one.keyword,
        "nested": inner.keyword if one.nested else None,
        "json": inner.form == "exec",
        # The oracle reports the flags of ONBUILD itself, which has none.
        "flags": tuple(map(str, one.flags)),
        "arguments": inner.arguments,
        "lines": (one.line, one.end_line),
        "heredocs": () if one.nested else tuple((h.name, h.file_descriptor, h.content) for h in inner.heredocs),
        "logical": one.logical,
    }


def theirs(one: Any) -> dict[str, Any]:
    original = one.original
    for heredoc in one.heredocs:
        # It appends the bodies to the line it was given; we keep the two apart.
        original = original.removesuffix("\n") if heredoc is one.heredocs[0] else original
    logical = original if not one.heredocs else original.split("\n", 1)[0]
    return {
        "keyword": one.cmd.upper(),
        "nested": one.sub_cmd.upper() if one.sub_cmd else None,
        "json": one.json,
        "flags": one.flags,
        "arguments": one.value,
        "lines": (one.start_line, one.end_line),
        "heredocs": tuple((h.name, h.file_descriptor, h.content) for h in one.heredocs),
        "logical": logical,
    }


@settings(max_examples=examples(400))
@given(dockerfiles())
def test_generated_dockerfiles_parse_as_buildkit_parses_them(text: str) -> None:
    try:
        expected = [theirs(one) for one in buildkit.parse_string(text)]
    except buildkit.GoParseError:
        # A backslash that escapes nothing under escape=` may leave a word without "=".
        with pytest.raises(DockerfileError):
            parse(text)
        return
    assert [ours(one) for one in parse(text).instructions] == expected


# fmt: off
KEYWORDS = ["RUN", "COPY", "ENV", "ARG", "LABEL", "ONBUILD", "HEALTHCHECK", "CMD", "USER", "VOLUME", "FROM", "as"]
MARKS = ["#", "\\", "`", '"', "'", "=", "[", "]", ",", "<<E", "<<-E", "E", "--", "--mount=a", "--link", "a", "$"]
OTHERS = ["{", "}", "%", ":-", "0", "ä", "NONE", '["a"]', '["a", "b"]']
# fmt: on
BLANKS = ["\n", "\n", "\r", "\t", " ", "  ", "\x0b", "\x0c", "\x1c", "\u2003", "\nE\n"]
fragment = st.sampled_from([*KEYWORDS, *MARKS, *OTHERS, *BLANKS])


@settings(max_examples=examples(1500))
@given(st.lists(fragment, max_size=14).map("".join))
def test_whatever_we_accept_buildkit_reads_the_same_way(body: str) -> None:
    text = f"FROM a\n{body}"
    try:
        found = parse(text)
    except DockerfileError as fault:
        assert fault.line is not None and fault.column is not None
        assert 1 <= fault.line <= text.count("\n") + 1
        return
    # BuildKit reads flags byte by byte and garbles what is not ASCII in them.
    assume(all(str(flag).isascii() for one in found.instructions for flag in one.flags))
    expected = [theirs(one) for one in buildkit.parse_string(text)]
    assert [ours(one) for one in found.instructions] == expected


@settings(max_examples=examples(300))
@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_with_a_place(text: str) -> None:
    try:
        parse(text)
    except DockerfileError as fault:
        assert fault.line is not None and fault.column is not None
