"""One word's expansion, held against pairs of input and output that BuildKit's lexer is known to give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab.dockerfile.expansion import expand, split_shell, split_words
from layerlab.errors import DockerfileError

VARIABLES = {"PWD": "/home", "SHELL": "bash", "KOREAN": "한국어", "NULL": ""}

PLAIN = [
    ("hello", "hello"),
    ("he'll'o", "hello"),
    (r"he\'llo", "he'llo"),
    (r"abc\tdef", "abctdef"),
    (r'"abc\tdef"', r"abc\tdef"),
    (r'"abc\\tdef"', r"abc\tdef"),
    (r"'abc\tdef'", r"abc\tdef"),
    ("hello\\", "hello"),
    ("hello\\\\", "hello\\"),
    ('"hel\'lo"', "hel'lo"),
    (r"'hello\'", "hello\\"),
    (r"'hello\\there'", r"hello\\there"),
    ("\"''\"", "''"),
    ("$.", "$."),
    ("$1", ""),
    ("he$1x", "hex"),
    ("he$.x", "he$.x"),
    ("he$pwd.", "he."),
    ("he$PWD", "he/home"),
    (r"he\$PWD", "he$PWD"),
    (r"he\\$PWD", r"he\/home"),
    (r'"he\$PWD"', "he$PWD"),
    (r'"he\\$PWD"', r"he\/home"),
    (r"\${}aaa", "${}aaa"),
    ("he${hi}xx", "hexx"),
    ("he${PWD}", "he/home"),
    ("'he${XX}'", "he${XX}"),
    ('"he${PWD}"', "he/home"),
    ("\"he'$PWD'\"", "he'/home'"),
    (r"'\$PWD'", r"\$PWD"),
    ("'\"hello\"'", '"hello"'),
    ("안녕$KOREAN", "안녕한국어"),
    ("안'녕'하세요", "안녕하세요"),
    ("${aaa}}", "}"),
    ("$@x", "x"),
    ("$$x", "x"),
]
DEFAULTS = [
    ("he${XXX:-000}xx", "he000xx"),
    ("he${PWD:-000}xx", "he/homexx"),
    ("he${XXX:-$PWD}xx", "he/homexx"),
    ("he${XXX:-${PWD:-yyy}}xx", "he/homexx"),
    ("he${XXX:-${YYY:-yyy}}xx", "heyyyxx"),
    ("he${XXX:+${PWD}}xx", "hexx"),
    ("he${PWD:+${XXX}}xx", "hexx"),
    ("he${PWD:+${SHELL}}xx", "hebashxx"),
    ("he${PWD:+${PWD}:}xx", "he/home:xx"),
    (r"he${XXX:-\$PWD:}xx", "he$PWD:xx"),
    (r"he${XXX:-\${PWD}z}xx", "he${PWDz}xx"),
    ("${aaa:-bbb}}", "bbb}"),
    ("${aaa:-bbb {foo}", "bbb {foo"),
    ("${NULL:-x}${NULL-y}", "x"),
    ("${NULL:+x}${NULL+y}", "y"),
    ("${NO+x}${NO-z}", "z"),
    ("${NULL?message}", ""),
    ("${PWD:?message}", "/home"),
    ("${XXX:-'a b'}", "a b"),
]
REFUSED = [
    "he'llo",
    r"he\\'llo",
    '"hello',
    r'"hello\"',
    "'hello",
    "${}",
    "he${}xx",
    "he${.}",
    "he${XXX:YYY}",
    "he${PWD",
    "he${PWD:=000}xx",
    "${PWD=x}",
    "${{aaa}",
    "${aaa:-bbb",
    "${aaa:-bbb ${foo}",
    "${:}",
    "${:-bbb}",
    "${NULL:?message}",
    "${NO?message}",
    "${NO:?}",
    "${PWD//x}",
    "${PWD//}",
    r"${PWD#\x}",
    "${",
    "${" * 5000,
]


@pytest.mark.parametrize(("word", "expected"), [*PLAIN, *DEFAULTS])
def test_words_expand_as_buildkit_expands_them(word: str, expected: str) -> None:
    assert expand(word, VARIABLES) == expected


@pytest.mark.parametrize("word", REFUSED)
def test_words_buildkit_refuses_are_refused(word: str) -> None:
    with pytest.raises(DockerfileError):
        expand(word, VARIABLES)


@pytest.mark.parametrize(
    ("word", "variables", "expected"),
    [
        (r"${FOO#()[]{\}^$.\*\?|\\}", {"FOO": "()[]{}^$.*?|\\x"}, "x"),
        (r"${FOO%%\**}", {"FOO": "xx**"}, "xx"),
        ("${FOO#*x*y}", {"FOO": "xxyy"}, "y"),
        ("${FOO#*}", {"FOO": "xxyy"}, "xxyy"),
        ("${FOO##*}", {"FOO": "xxyy"}, ""),
        ("${FOO#$BAR}", {"FOO": "xxyy", "BAR": "x"}, "xyy"),
        ("${FOO#$BAR}", {"FOO": "xxyy", "BAR": ""}, "xxyy"),
        ("${FOO##*x}", {"FOO": "xxyy"}, "yy"),
        (r"${FOO#?\?}", {"FOO": "???y"}, "?y"),
        ("${ABC:-.}${FOO%x}${ABC:-.}", {"FOO": "xxyy"}, ".xxyy."),
        (r"${FOO%%\**\*}", {"FOO": "a***yy*"}, "a"),
        ("${FOO%/*}", {"FOO": "/a/b/c"}, "/a/b"),
        ("${FOO%%/*}", {"FOO": "a/b/c"}, "a"),
        ("${FOO%}", {"FOO": "xxyy"}, "xxyy"),
        (
            "${FOO/$NEEDLE/.} - ${FOO//$NEEDLE/.}",
            {"FOO": "/foo*/*/*.txt", "NEEDLE": r"\*/"},
            "/foo.*/*.txt - /foo..*.txt",
        ),
        (
            "${FOO/$NEEDLE/} - ${FOO//$NEEDLE/}",
            {"FOO": "/tmp/tmp/bar.txt", "NEEDLE": "/tmp"},
            "/tmp/bar.txt - /bar.txt",
        ),
        ("${FOO/$N/$R} - ${FOO//$N/$R}", {"FOO": "/a/foo/b/c.txt", "N": "/?/", "R": "/"}, "/foo/b/c.txt - /foo/c.txt"),
        ("${FOO/http:\\/\\//https:\\/\\/}", {"FOO": "http://x"}, r"https:\/\/x"),
        (r"${FOO//\//\/}", {"FOO": "/tmp/foo.txt"}, r"\/tmp\/foo.txt"),
        ("${FOO/$BAR/ww}", {"FOO": "xxyy", "BAR": ""}, "wwxxyy"),
        ("${FOO///}", {"FOO": "xxyy"}, "xxyy"),
        ("${FOO//*/z}", {"FOO": "abc"}, "z"),
        ("${NO///}${NO#x}", {}, ""),
    ],
)
def test_patterns_trim_and_replace(word: str, variables: dict[str, str], expected: str) -> None:
    assert expand(word, variables) == expected


def test_the_message_of_a_required_variable_is_shown() -> None:
    with pytest.raises(DockerfileError, match=r"VERSION is unset: give a 3\.12"):
        expand("${VERSION:?give a $MINOR}", {"MINOR": "3.12"})


def test_a_backtick_escapes_when_the_directive_says_so() -> None:
    assert expand(r"C:\x\`$HOME $HOME", {"HOME": "h"}, escape="`") == r"C:\x\$HOME h"


def test_a_heredoc_keeps_its_quotes() -> None:
    assert expand('it\'s "$X" \\$X\n', {"X": "1"}, quotes=False) == 'it\'s "1" $X\n'


def test_expose_splits_what_a_variable_holds() -> None:
    assert split_words("$PORTS 9000/udp", {"PORTS": "80  443"}) == ("80", "443", "9000/udp")
    assert split_words("'8 0' x", {}) == ("8 0", "x")


def test_splitting_a_shell_line_leaves_its_variables() -> None:
    words = split_shell("cat <<'E F' \"$X\" ${Y} a\\ b ${Z:-c}", keep_quotes=True, keep_escapes=True)
    assert words == ("cat", "<<'E F'", '"$X"', "${Y}", "a\\ b", "${Z:-c}")


@given(st.text(alphabet="abc /.:=", max_size=20), st.dictionaries(st.sampled_from("XY"), st.text(max_size=5)))
def test_text_without_special_characters_stays_as_it_is(text: str, variables: dict[str, str]) -> None:
    assert expand(text, variables) == text


@given(st.text(max_size=20))
def test_single_quotes_protect_everything(text: str) -> None:
    assert expand("'" + text.replace("'", "") + "'", {"X": "no"}) == text.replace("'", "")


@given(st.text(alphabet="${}:-+?#%/'\"\\ aX*", max_size=14))
def test_any_word_expands_or_is_refused(word: str) -> None:
    try:
        expand(word, {"X": "a*a", "a": "X"})
    except DockerfileError as fault:
        assert str(fault).endswith((".", "…"))
