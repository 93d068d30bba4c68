"""What patterns of a `.dockerignore` match, after moby/patternmatcher's own tables, and what the walk leaves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from layerlab.context import BuildContext
from layerlab.context.ignore import Pattern, expression, read_patterns, unignored
from layerlab.errors import ContextError


def ignored(root: Path, path: str, *lines: str) -> bool:
    """Tell whether a file is left out, as one that is walked to."""
    return path not in left(root, "\n".join(lines), [path])


def left(root: Path, ignore: str, files: Iterable[str]) -> set[str]:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return set(unignored(root, read_patterns(ignore, ".dockerignore")))


# --- one pattern against one path ----------------------------------------------------------------

EXACT = [
    ("**", "file"),
    ("**/", "file"),
    ("**", "dir/file"),
    ("**/", "dir/file"),
    ("**/**", "dir/file"),
    ("dir/**", "dir/file"),
    ("dir/**", "dir/dir2/file"),
    ("**/dir", "dir"),
    ("**/dir2/*", "dir/dir2/file"),
    ("**/dir2/**", "dir/dir2/dir3/file"),
    ("**file", "file"),
    ("**file", "dir/file"),
    ("**/file", "dir/file"),
    ("**file", "dir/dir/file"),
    ("**/file", "dir/dir/file"),
    ("**/file*", "dir/dir/file"),
    ("**/file*", "dir/dir/file.txt"),
    ("**/file*txt", "dir/dir/file.txt"),
    ("**/file*.txt", "dir/dir/file.txt"),
    ("**/file*.txt*", "dir/dir/file.txt"),
    ("**/**/*.txt", "dir/dir/file.txt"),
    ("**/*.txt", "file.txt"),
    ("**/**/*.txt", "file.txt"),
    ("a**/*.txt", "a/file.txt"),
    ("a**/*.txt", "a/dir/file.txt"),
    ("a**/*.txt", "a/dir/dir/file.txt"),
    ("a/*.txt", "a/file.txt"),
    ("a/*.txt**", "a/file.txt"),
    ("a[b-d]e", "ace"),
    ("a[^b-d]e", "aze"),
    (".*", ".foo"),
    ("abc.def", "abc.def"),
    ("abc?def", "abcZdef"),
    ("**/foo/bar", "foo/bar"),
    ("**/foo/bar", "dir/foo/bar"),
    ("**/foo/bar", "dir/dir2/foo/bar"),
    ("abc/**", "abc/def"),
    ("abc/**", "abc/def/ghi"),
    ("**/.foo", ".foo"),
    ("a(b)c/def", "a(b)c/def"),
    ("a.|)$(}+{bc", "a.|)$(}+{bc"),
    ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl"),
    ("a\\\\", "a\\"),
    ("a\\*b", "a*b"),
    ("abc", "abc"),
    ("*", "abc"),
    ("*c", "abc"),
    ("a*", "a"),
    ("a*", "abc"),
    ("a*/b", "abc/b"),
    ("a*b*c*d*e*/f", "axbxcxdxe/f"),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f"),
    ("a*b?c*x", "abxbbxdbxebxczzx"),
    ("ab[c]", "abc"),
    ("ab[b-d]", "abc"),
    ("ab[^e-g]", "abc"),
    ("a?b", "a☺b"),
    ("a[^a]b", "a☺b"),
    ("[a-ζ]*", "α"),
    ("[\\]a]", "]"),
    ("[\\-]", "-"),
    ("[x\\-]", "x"),
    ("[x\\-]", "-"),
    ("[\\-x]", "x"),
    ("[\\-x]", "-"),
    ("*x", "xxx"),
]
# What follows from patterns being expressions of Go's regexp, tried on a real build.
ODD = [
    ("a[^a]b", "a/b"),
    ("[*]", "^]"),
    ("[?]", "^]"),
    ("^*", "a"),
    ("\\d*", "7z"),
    ("a\\x41*", "aA"),
    ("a\\101*", "aA"),
    ("[[:upper:]]*", "Ab"),
    ("[^[:upper:]]*", "ab"),
    ("[[:^upper:]x]*", "ab"),
    ("[\\d_]*", "_"),
    ("[a-c\\]]*", "]"),
    ("a\\Qb.c\\E*", "ab\\.c"),
    ("a]*", "a]"),
    ("[!a]*", "!x"),
]
NEVER = [
    ("**/**/*.txt2", "dir/dir/file.txt"),
    ("a/*.txt", "a/dir/file.txt"),
    ("a[b-d]e", "ae"),
    ("a[b-d]e", "aae"),
    (".*", "foo"),
    ("abc.def", "abcdef"),
    ("abc.def", "abcZdef"),
    ("abc?def", "abcdef"),
    ("abc/**", "abc"),
    ("**/.foo", "bar.foo"),
    ("a(b)c/def", "a(b)c/xyz"),
    ("a*/b", "a/c/b"),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f"),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/fff"),
    ("a*b?c*x", "abxbbxdbxebxczzy"),
    ("ab[e-g]", "abc"),
    ("ab[^c]", "abc"),
    ("ab[^b-d]", "abc"),
    ("a\\*b", "ab"),
    ("a???b", "a☺b"),
    ("a[^a][^a][^a]b", "a☺b"),
    ("*[a-ζ]", "A"),
    ("a?b", "a/b"),
    ("a*b", "a/b"),
    ("[x\\-]", "z"),
    ("[\\-x]", "a"),
    ("readme.md", "README.md"),
    ("*.MD", "a.md"),
    ("[!a]*", "bx"),
    ("\\d*", "d"),
    ("\\d*", "٣"),
    ("a^b*", "a^b"),
    ("[^[:upper:]]*", "Ab"),
]


@pytest.mark.parametrize(("pattern", "path"), EXACT + ODD)
def test_a_pattern_matches(tmp_path: Path, pattern: str, path: str) -> None:
    (read,) = read_patterns(pattern, "")
    assert read.matches(path) and ignored(tmp_path, path, pattern)


@pytest.mark.parametrize(("pattern", "path"), NEVER)
def test_a_pattern_does_not_match(tmp_path: Path, pattern: str, path: str) -> None:
    assert not ignored(tmp_path, path, pattern)


@pytest.mark.parametrize(("pattern", "path"), [("a*", "ab/c"), ("**/dir", "dir/file"), ("dir", "dir/sub/file")])
def test_a_pattern_that_matches_a_folder_leaves_out_what_is_in_it(tmp_path: Path, pattern: str, path: str) -> None:
    (read,) = read_patterns(pattern, "")
    assert ignored(tmp_path, path, pattern) and not read.matches(path)


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["!fileutils.go", "*.go"], "fileutils.go", True),
        (["*.go", "!fileutils.go"], "fileutils.go", False),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs/", "!docs/README.md"], "docs/README.md", False),
        (["docs/*", "!docs/README.md"], "docs/README.md", False),
        (["**", "!util/docker/web"], "util/docker/web/foo", False),
        (["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", True),
        (["**", "!dist/*.whl"], "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", False),
        (["foo", "!foo/bar", "foo/bar/baz", "!foo/bar/baz/x"], "foo/bar/baz/x", False),
        (["foo", "!foo/bar", "foo/bar/baz", "!foo/bar/baz/x"], "foo/bar/baz/y", True),
        # A pattern that could change nothing at the folder is not remembered for what is in it.
        (["d", "!d/x", "d"], "d/x", False),
    ],
)
def test_the_last_pattern_that_matches_decides(tmp_path: Path, lines: list[str], path: str, expected: bool) -> None:
    assert ignored(tmp_path, path, *lines) == expected


@pytest.mark.parametrize(
    ("pattern", "go"),
    [
        ("*", "^[^/]*$"),
        ("file*", "^file[^/]*$"),
        ("a*/b", "^a[^/]*/b$"),
        ("**/**", "^(.*/)?.*$"),
        ("**/dir2/*", "^(.*/)?dir2/[^/]*$"),
        ("**/dir2/**", "^(.*/)?dir2/.*$"),
        ("**/file*txt", "^(.*/)?file[^/]*txt$"),
        ("**/**/*.txt", r"^(.*/)?(.*/)?[^/]*\.txt$"),
        ("a[b-d]e", "^a[b-d]e$"),
        (".*", r"^\.[^/]*$"),
        ("abc?def", "^abc[^/]def$"),
    ],
)
def test_a_pattern_becomes_the_expression_that_docker_makes(pattern: str, go: str) -> None:
    assert expression(pattern) == go


# --- malformed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    (
        *("[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "a[b", "[^]", "[^]a]", "[a-", "[a-]]"),
        *("\\", "a\\", "[a\\", "*a[", "?*[", "*.*[", "\\.*[", "[!-~]*[", "[^a]*["),
    ),
)
def test_a_malformed_pattern_is_refused_when_it_is_read(pattern: str) -> None:
    with pytest.raises(ContextError, match=r"^Line 2 of \.dockerignore is malformed.*'syntax error in pattern'"):
        read_patterns(f"a\n{pattern}\n", ".dockerignore")


@pytest.mark.parametrize("pattern", [r"[z-a]", "[Local-Only]", r"a\q*", r"a\xZ", r"a\1*", r"\Z*", r"a\é", "[[:no:]]"])
def test_a_pattern_that_go_cannot_compile_is_refused_when_it_is_compared(pattern: str) -> None:
    (read,) = read_patterns(pattern, ".dockerignore")
    for _ in range(2):
        with pytest.raises(ContextError, match="is malformed"):
            read.matches("a")


@pytest.mark.parametrize(
    ("pattern", "path"), [("a*[]b]", "ax]"), ("*x*[-b]", "xb"), ("[^.]*[]b]", "ax]"), ("a*\\", "ab$c")]
)
def test_what_docker_does_not_look_at_is_read_as_go_reads_it(tmp_path: Path, pattern: str, path: str) -> None:
    assert ignored(tmp_path, path, pattern)


def test_a_pattern_that_is_never_compared_stops_nothing(tmp_path: Path) -> None:
    assert left(tmp_path, "*\n[z-a]\n", ["a"]) == set()


# --- reading -------------------------------------------------------------------------------------


def read(text: str) -> list[str]:
    return [f"{'!' if one.is_exception else ''}{one.text}" for one in read_patterns(text, ".dockerignore")]


def test_lines_are_trimmed_cleaned_and_freed_of_a_leading_slash() -> None:
    text = "test1\n/test2\n/a/file/here\n\nlastfile\n# this is a comment\n! /inverted/abs/path\n"
    assert read(text) == ["test1", "test2", "a/file/here", "lastfile", "!inverted/abs/path"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (" # no comment", ["# no comment"]),
        ("a # b", ["a # b"]),
        ("\xa0a\u3000\r", ["a"]),
        ("a\x1c", ["a\x1c"]),
        ("a\vb\u2028c\rd", ["a\vb\u2028c\rd"]),
        ("a//b/./c/../d/", ["a/b/d"]),
        ("//a", ["a"]),
        ("/../a", ["a"]),
        ("../a", ["../a"]),
        ("a/../../b", ["../b"]),
        ("./", ["."]),
        ("/", ["/"]),
        ("./!a", ["!a"]),
        ("!!a", ["!!a"]),
        ("! ./a/", ["!a"]),
    ],
)
def test_a_line_is_read_as_docker_reads_it(line: str, expected: list[str]) -> None:
    assert read(line) == expected


@pytest.mark.parametrize("line", ["!", "! ", "!/"])
def test_a_mark_without_a_pattern_is_refused(line: str) -> None:
    with pytest.raises(ContextError, match=r"Line 1 of \.dockerignore is a lone '!'"):
        read_patterns(line, ".dockerignore")


# --- the walk ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ignore", "files", "expected"),
    [
        ("foo*\n!foo/bar2", ["bar", "foo2", "foo/bar2"], {"bar", "foo", "foo/bar2"}),
        ("readme.md", ["README.md"], {"README.md"}),
        ("*\n!**/*.py", ["top.py", "src/app/main.py", "x/y"], {"top.py", "src", "src/app", "src/app/main.py"}),
        ("*\n!*/target/*file1", ["d/target/file1", "d/f"], {"d", "d/target", "d/target/file1"}),
        ("[^a]*\n!Dockerfile", ["a.txt", "b.txt", "Dockerfile"], {"a.txt", "Dockerfile"}),
        ("**.md", ["x/y/b.md"], {"x", "x/y"}),
        ("../dir", ["dir/f"], {"dir", "dir/f"}),
        ("d/*", ["d/a"], {"d"}),
        (
            "d\n!d/*/**",
            ["d/a/b"],
            set(),
        ),  # for BuildKit this exception brings back below d only what is d
        ("d/a\n!d/*/**", ["d/a/b"], {"d"}),
        ("d\n!d/x\nd", ["d/x", "d/y"], {"d", "d/x"}),
    ],
)
def test_the_walk_leaves_what_buildkit_sends(tmp_path: Path, ignore: str, files: list[str], expected: set[str]) -> None:
    assert left(tmp_path, ignore, files) == expected


def test_a_link_to_a_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("d")
    assert left(tmp_path, "link/*", ["d/a"]) == {"d", "d/a", "link"}


def test_a_folder_that_is_left_out_may_be_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left(tmp_path, "", ["secret/a", "b"])
    real = os.scandir

    def scandir(path: Path):
        if path.name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("layerlab.context.ignore.os.scandir", scandir)
    assert left(tmp_path, "*\n!**/b", []) == {"b"}
    with pytest.raises(PermissionError):
        left(tmp_path, "*\n!secret\n!**/b", [])


def test_an_ignore_file_with_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes(b"\xef\xbb\xbfa\r\n#b\r\nc\r\n")
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    assert {one.path for one in BuildContext.open(tmp_path).files} == {".dockerignore", "Dockerfile", "b"}


def test_a_pattern_says_which_line_it_is() -> None:
    assert read_patterns("\n a", "x.dockerignore") == [Pattern("a", where="Line 2 of x.dockerignore")]
