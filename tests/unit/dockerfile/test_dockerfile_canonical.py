"""The canonical text: equal for what Docker would do alike, different for everything else."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlab.dockerfile import parse
from layerlab.dockerfile.canonical import collapse_shell


def canonical(instruction: str, top: str = "") -> str:
    return parse(f"{top}FROM a AS other\nFROM a\n{instruction}\n").stages[1].instructions[-1].canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RUN a b", "run   a \t b  "),
        ("RUN a && b", "RUN a \\\n\n  # why\n  && b"),
        ("RUN a 'b  c'", "RUN  a   'b  c'"),
        ('RUN a "b  c"  d', 'RUN a "b  c" d'),
        ('RUN ["a", "b"]', 'RUN [ "a","b" ]'),
        ("COPY a b", 'COPY   ["a","b"]'),
        ("COPY --from=other a b", "COPY  --from=other   a  b"),
        ("ENV a=b c=d", "ENV  a=b \\\n c=d"),
        ("ENV a b", "ENV a=b"),
        ("HEALTHCHECK CMD a  b", "HEALTHCHECK cmd a b"),
        ("ONBUILD RUN a  b", "onbuild run a b"),
        ("RUN <<-E\n\tx\n\tE", "RUN <<-E\nx\nE"),
    ],
)
def test_spelling_does_not_count(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RUN a 'b  c'", "RUN a 'b c'"),
        ('RUN a "b  c"', 'RUN a "b c"'),
        ('RUN a "\\"  b"', 'RUN a "\\" b"'),
        ("RUN a \\  b", "RUN a \\ b"),
        ("RUN a\\\nb", "RUN a \\\nb"),
        ('RUN x="$(echo "a  b")"', 'RUN x="$(echo "a b")"'),
        ("RUN x=${y:-a  b}", "RUN x=${y:-a b}"),
        ("RUN echo $'it\\'s  a'", "RUN echo $'it\\'s a'"),
        ("RUN a", "CMD a"),
        ("RUN a b", 'RUN ["a", "b"]'),
        ('RUN ["a  b"]', 'RUN ["a b"]'),
        ("RUN --network=none a", "RUN a"),
        ("COPY a b", "COPY --chmod=755 a b"),
        ("COPY a b", "ADD a b"),
        ("COPY a b", "COPY b a"),
        ('COPY ["a b","c"]', "COPY a b c"),
        ("ENV a b c=d", "ENV a=b c=d"),
        ('ENV a="b  c"', 'ENV a="b c"'),
        ("WORKDIR /a  b", "WORKDIR /a b"),
        ("RUN <<E\nx\nE", "RUN <<E\nx \nE"),
        ("RUN <<E\n# x\nE", "RUN <<E\nE"),
        ("RUN <<E\nx\nE", "RUN <<'E'\nx\nE"),
        ("RUN <<E\n\tx\nE", "RUN <<-E\n\tx\nE"),
        ("COPY <<a /x/\n1\na", "COPY <<b /x/\n1\nb"),
        ("ONBUILD RUN a", "RUN a"),
        ('SHELL ["python", "-c"]\nRUN print("a",  1)', 'SHELL ["python", "-c"]\nRUN print("a", 1)'),
        ('RUN ["a",\x0b"b"]', 'RUN ["a", "b"]'),
    ],
)
def test_meaning_does_count(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_the_escape_character_counts_where_words_are_expanded() -> None:
    assert canonical(r"COPY c:\\x y") != canonical(r"COPY c:\\x y", "# escape=`\n")
    assert canonical("CMD a b") == canonical("CMD a b", "# escape=`\n")


def test_the_base_counts_and_the_case_of_a_stage_name_does_not() -> None:
    texts = ["FROM a AS Build\n", "from  a  as build\n", "FROM b AS build\n"]
    one, same, other = (parse(text).stages[0].from_.canonical for text in texts)
    assert one == same != other


command = st.lists(
    st.one_of(
        st.sampled_from(["a", "bc", " ", "  ", "\t", "'  x'", '"y  z"', "\\ ", '\\"', "'", '"', "\\", "x=1", "#"]),
        st.text(alphabet="ab \t", max_size=4),
    ),
    max_size=10,
).map("".join)


@given(command)
def test_collapsing_twice_changes_nothing_more(text: str) -> None:
    assert collapse_shell(collapse_shell(text)) == collapse_shell(text)


@given(command)
def test_collapsing_keeps_the_words_a_shell_sees(text: str) -> None:
    try:
        words = shlex.split(text, posix=True)
    except ValueError:
        return  # an unclosed quote: no shell would run it
    assert shlex.split(collapse_shell(text), posix=True) == words


@settings(max_examples=examples(40))
@given(command.map(lambda text: text.replace("\t", " ")))
def test_a_real_shell_prints_the_same(text: str) -> None:
    def run(line: str) -> tuple[int, bytes]:
        done = subprocess.run(["/bin/sh", "-c", f"printf '<%s>' {line}"], capture_output=True, check=False)
        return done.returncode, done.stdout

    assert run(collapse_shell(text)) == run(text)
