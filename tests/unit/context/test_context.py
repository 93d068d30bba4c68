"""The build context: what COPY sees, what is missing, and what the engine is sent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlab.context import BuildContext
from layerlab.errors import ContextError, DockerfileError

FROM = "FROM a\n"


def make(root: Path, files: Mapping[str, str], dockerfile: str | None = FROM) -> Path:
    everything = dict(files) if dockerfile is None else {"Dockerfile": dockerfile, **files}
    for name, text in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def paths(context: BuildContext) -> set[str]:
    return {entry.path for entry in context.files}


def unpacked(context: BuildContext) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.tar()))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


# --- .dockerignore -------------------------------------------------------------------------------

TREE = ("a.md", "README.md", "README-secret.md", "temp", "tempa", "tempb", "x.go", "keep/y.go")
TREE += (
    "somedir/temporary.txt",
    "somedir/sub/temporary.txt",
    "somedir/temp/f",
    "src/app.py",
    "src/log/app.log",
    "foo/bar",
)


@pytest.mark.parametrize(
    ("ignore", "gone"),
    [
        ("# comment\n\n  \n", set()),
        ("*/temp*\n", {"somedir/temporary.txt", "somedir/temp/f"}),
        ("*/*/temp*\n", {"somedir/sub/temporary.txt"}),
        ("temp?\n", {"tempa", "tempb"}),
        ("**/*.go\n", {"x.go", "keep/y.go"}),
        ("*.md\n!README.md\n", {"a.md", "README-secret.md"}),
        ("*.md\n!README*.md\nREADME-secret.md\n", {"a.md", "README-secret.md"}),
        ("*.md\nREADME-secret.md\n!README*.md\n", {"a.md"}),
        ("foo/bar", {"foo/bar"}),
        ("/foo/bar\n", {"foo/bar"}),
        ("/foo/bar/\n", {"foo/bar"}),
        ("./foo/../foo/bar\n", {"foo/bar"}),
        ("foo\n", {"foo/bar"}),
        ("bar\n", set()),
        ("**/bar\n", {"foo/bar"}),
        ("  temp  \r\n", {"temp"}),
        (".\n", set()),
        ("\ufefftemp\n", {"temp"}),
        ("src\n!src/app.py\n", {"src/log/app.log"}),
        ("src/**\n!src/app.py\n", {"src/log/app.log"}),
        ("[a-b].md\n", {"a.md"}),
        ("*\n!src/app.py\n", {*TREE, ".dockerignore", "Dockerfile"} - {"src/app.py"}),
        ("Dockerfile\n.dockerignore\n", {"Dockerfile", ".dockerignore"}),
    ],
)
def test_dockerignore_leaves_out_what_docker_documents(tmp_path: Path, ignore: str, gone: set[str]) -> None:
    make(tmp_path, {**dict.fromkeys(TREE, "x"), ".dockerignore": ignore})
    assert {*TREE, "Dockerfile", ".dockerignore"} - paths(BuildContext.open(tmp_path)) == gone


def test_the_ignore_file_beside_the_dockerfile_wins(tmp_path: Path) -> None:
    make(
        tmp_path,
        {"a": "1", "b": "2", ".dockerignore": "a\n", "one.Dockerfile": FROM, "one.Dockerfile.dockerignore": "b\n"},
    )
    assert {"a", "b"} - paths(BuildContext.open(tmp_path)) == {"a"}
    assert {"a", "b"} - paths(BuildContext.open(tmp_path, "one.Dockerfile")) == {"b"}


def test_a_lone_exclamation_mark_is_refused(tmp_path: Path) -> None:
    make(tmp_path, {".dockerignore": "a\n!\n"})
    with pytest.raises(ContextError, match=r"Line 2 of \.dockerignore"):
        BuildContext.open(tmp_path)


def test_a_malformed_pattern_is_refused(tmp_path: Path) -> None:
    make(tmp_path, {".dockerignore": "[z-a]\n"})
    with pytest.raises(ContextError, match="malformed"):
        BuildContext.open(tmp_path)


def test_a_folder_stays_if_something_in_it_does(tmp_path: Path) -> None:
    make(tmp_path, {"a/b/c": "1", "a/d": "2", ".dockerignore": "*\n!a/b/c\n"}, FROM + "COPY a /a\n")
    context = BuildContext.open(tmp_path)
    assert [entry.path for entry in context.selected("a")] == ["a", "a/b", "a/b/c"]
    assert context.missing_sources() == ()


# --- opening -------------------------------------------------------------------------------------


def test_sizes_and_counts(tmp_path: Path) -> None:
    context = BuildContext.open(make(tmp_path, {"a": "12345", "b/c": "67"}))
    assert (context.size_bytes, context.file_count) == (7 + len(FROM), 3)
    assert context.dockerfile.stages[0].base == "a" and context.dockerfile_name == "Dockerfile"


@pytest.mark.parametrize(
    ("prepare", "name", "words"),
    [
        (lambda root: None, "Dockerfile", "no Dockerfile .*Create it"),
        (lambda root: (root / "Dockerfile.naive").touch(), "Dockerfile", "Here are: Dockerfile.naive"),
        (lambda root: (root / "Dockerfile").mkdir(), "Dockerfile", "is a folder"),
        (lambda root: (root / "Dockerfile").symlink_to("Dockerfile"), "Dockerfile", "cannot be read"),
        (lambda root: (root / "x").touch(), "x/Dockerfile", "cannot be read"),
    ],
)
def test_a_missing_dockerfile_says_what_to_do(tmp_path: Path, prepare: object, name: str, words: str) -> None:
    prepare(tmp_path)  # type: ignore[operator]
    with pytest.raises(ContextError, match=words):
        BuildContext.open(tmp_path, name)


def test_a_missing_folder_or_a_file_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match="There is no folder"):
        BuildContext.open(tmp_path / "nope")
    (tmp_path / "file").touch()
    with pytest.raises(ContextError, match="is a file"):
        BuildContext.open(tmp_path / "file")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ContextError, match="cannot be read"):
        BuildContext.open(tmp_path / "loop")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"FROM a\n\x00", "NUL"), (b"FROM a\nRUN \xff\n", "UTF-8"), (b"#" * 1_000_001, "1 MB"), (b"", "no FROM")],
)
def test_a_file_that_is_no_dockerfile(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(data)
    with pytest.raises(DockerfileError, match=words) as caught:
        BuildContext.open(tmp_path)
    assert caught.value.line is not None


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_an_unreadable_file_is_named_unless_it_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"secret": "x"})
    # Root may read everything, so the answer of the system is replaced, not the mode.
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "secret" and real(path, mode))
    with pytest.raises(ContextError, match=r"secret cannot be read \(Permission denied\)"):
        BuildContext.open(tmp_path)
    (tmp_path / ".dockerignore").write_text("secret\n")
    assert "secret" not in paths(BuildContext.open(tmp_path))


def test_a_file_that_goes_or_shrinks_before_it_is_sent(tmp_path: Path) -> None:
    context = BuildContext.open(make(tmp_path, {"a": "1"}))
    (tmp_path / "a").unlink()
    with pytest.raises(ContextError, match="a cannot be read"):
        list(context.tar())
    with pytest.raises(ContextError, match="a cannot be read"):
        context.digest(["a"])


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.txt", {"a.txt"}),
        ("./a.txt", {"a.txt"}),
        ("/a.txt", {"a.txt"}),
        ("../../a.txt", {"a.txt"}),
        ("d", {"d/x.py", "d/e/y.py", "d/e/z"}),
        ("d/", {"d/x.py", "d/e/y.py", "d/e/z"}),
        ("d/*", {"d/x.py", "d/e/y.py", "d/e/z"}),
        ("*.txt", {"a.txt", "b.txt", "[odd].txt"}),
        ("?.txt", {"a.txt", "b.txt"}),
        ("[^b].txt", {"a.txt"}),
        ("[a-b].t[x]t", {"a.txt", "b.txt"}),
        ("*.py", set()),
        ("*/*.py", {"d/x.py"}),
        ("d/e/*.py", {"d/e/y.py"}),
        ("nope", set()),
        ("a.txt/nope", set()),
        (r"\[odd].txt*", {"[odd].txt"}),
        ("link", {"d/e/y.py", "d/e/z"}),
        ("link/z", {"d/e/z"}),
        ("broken", set()),
        ("outside", {"a.txt"}),
    ],
)
def test_what_a_source_selects(tmp_path: Path, source: str, expected: set[str]) -> None:
    make(tmp_path, dict.fromkeys(["a.txt", "b.txt", "d/x.py", "d/e/y.py", "d/e/z", "[odd].txt"], "x"))
    for name, target in {"link": "d/../d/e", "broken": "nope", "outside": "/../a.txt"}.items():
        (tmp_path / name).symlink_to(target)
    found = BuildContext.open(tmp_path).selected(source)
    assert {entry.path for entry in found if entry.kind == "file"} == expected


def test_links_in_a_circle_are_refused_only_when_copied(tmp_path: Path) -> None:
    make(tmp_path, {})
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "self").symlink_to(".")
    context = BuildContext.open(tmp_path)
    assert {entry.path for entry in context.entries} == {"Dockerfile", "one", "two", "self"}
    assert unpacked(context) == {"Dockerfile": FROM.encode()}
    with pytest.raises(ContextError, match="circle"):
        context.selected("one")


def test_missing_sources_know_their_line_and_why(tmp_path: Path) -> None:
    text = (
        "ARG F=have\nFROM a AS s\nARG F\nCOPY $F /x\nCOPY nope hidden /x/\nADD https://e.org/x /x\n"
        "FROM b\nCOPY --from=s /nope /x\nCOPY <<EOF /x\nEOF\nCOPY *.lock /x/\nCOPY . /x\n"
    )
    make(tmp_path, {"have": "1", "hidden": "2", ".dockerignore": "hidden\n"}, text)
    context = BuildContext.open(tmp_path)
    found = context.missing_sources()
    assert [(one.line, one.keyword, one.source, one.is_ignored) for one in found] == [
        (5, "COPY", "nope", False),
        (5, "COPY", "hidden", True),
        (11, "COPY", "*.lock", False),
    ]
    assert context.missing_sources(build_args={"F": "gone"})[0].source == "gone"
    assert "!hidden" in found[1].message
    with pytest.raises(ContextError, match="Line 5 says COPY nope"):
        context.require_sources()


# --- digests -------------------------------------------------------------------------------------


def test_the_digest_follows_names_contents_and_modes_only(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", "d/b": "2", "other": "3"})
    before = BuildContext.open(tmp_path).digest(["a", "d"])
    os.utime(tmp_path / "a", (0, 0))
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "other").write_text("changed")
    assert BuildContext.open(tmp_path).digest(["d", "a"]) == before
    assert BuildContext.open(tmp_path).digest(["a"]) != before
    (tmp_path / "a").chmod(0o700)
    executable = BuildContext.open(tmp_path).digest(["a", "d"])
    (tmp_path / "d/b").rename(tmp_path / "d/c")
    renamed = BuildContext.open(tmp_path).digest(["a", "d"])
    (tmp_path / "d/c").write_text("x")
    changed = BuildContext.open(tmp_path).digest(["a", "d"])
    assert len({before, executable, renamed, changed}) == 4


def test_the_digest_of_nothing_is_an_error_but_an_empty_context_is_not(tmp_path: Path) -> None:
    context = BuildContext.open(tmp_path, dockerfile_text=FROM)
    assert context.digest(["."]) == context.digest(["/"])
    with pytest.raises(ContextError, match="'nope' selects nothing"):
        context.digest(["nope"])


def test_a_dockerfile_given_as_text_does_not_change_what_is_copied(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", ".dockerignore": "Dockerfile*\n"})
    on_disk = BuildContext.open(tmp_path)
    as_text = BuildContext.open(tmp_path, dockerfile_text="FROM other\nCOPY . .\n")
    assert as_text.digest(["."]) == on_disk.digest(["."])


# --- the tar -------------------------------------------------------------------------------------


def test_the_dockerfile_is_sent_even_if_it_is_ignored(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", ".dockerignore": "Dockerfile\n.dockerignore\n"})
    context = BuildContext.open(tmp_path)
    assert paths(context) == {"a"}
    assert set(unpacked(context)) == {"a", "Dockerfile", ".dockerignore"}


def test_a_dockerfile_from_outside_gets_a_free_name_and_is_hidden_from_copy(tmp_path: Path) -> None:
    outside = tmp_path / "outside.Dockerfile"
    outside.write_text("FROM b\n")
    root = make(tmp_path / "context", {"a": "1", ".layerlab.Dockerfile": "mine", ".dockerignore": "x\n"})
    context = BuildContext.open(root, outside)
    assert context.dockerfile_name == ".layerlab.Dockerfile.2"
    found = unpacked(context)
    assert found[context.dockerfile_name] == b"FROM b\n"
    assert found[".layerlab.Dockerfile"] == b"mine"
    assert found[".dockerignore"].split() == [b"x", b".layerlab.Dockerfile.2"]


def test_a_dockerfile_as_text_leaves_no_trace_in_a_folder_without_dockerignore(tmp_path: Path) -> None:
    context = BuildContext.open(make(tmp_path, {"a": "1"}, None), dockerfile_text=FROM)
    found = unpacked(context)
    assert found[".dockerignore"].split() == [b".dockerignore", context.dockerfile_name.encode()]
    assert set(found) == {"a", ".dockerignore", context.dockerfile_name}
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_text_equal_to_the_file_is_the_file(tmp_path: Path) -> None:
    context = BuildContext.open(make(tmp_path, {}), dockerfile_text=FROM)
    assert (context.dockerfile_name, context.is_injected) == ("Dockerfile", False)


def test_an_ignore_file_of_its_own_still_hides_the_dockerfile(tmp_path: Path) -> None:
    make(tmp_path, {"x.Dockerfile": FROM, "x.Dockerfile.dockerignore": "x.*\n", "a": "1"})
    found = unpacked(BuildContext.open(tmp_path, "x.Dockerfile"))
    assert found[".dockerignore"].split() == [b"x.*", b".dockerignore", b"x.Dockerfile"]


def test_a_linked_dockerfile_is_sent_as_text(tmp_path: Path) -> None:
    root = make(tmp_path / "context", {}, None)
    root.mkdir(exist_ok=True)
    (tmp_path / "real").write_text(FROM)
    (root / "Dockerfile").symlink_to(tmp_path / "real")
    context = BuildContext.open(root)
    assert context.is_injected and unpacked(context)[context.dockerfile_name] == FROM.encode()


def test_modes_links_and_owners_are_normalised(tmp_path: Path) -> None:
    make(tmp_path, {"run": "1", "plain": "2", "empty/x": ""})
    (tmp_path / "run").chmod(0o711)
    (tmp_path / "plain").chmod(0o666)
    (tmp_path / "empty/x").unlink()
    (tmp_path / "link").symlink_to("../somewhere/else")
    os.mkfifo(tmp_path / "pipe")
    with tarfile.open(fileobj=io.BytesIO(b"".join(BuildContext.open(tmp_path).tar()))) as archive:
        found = {one.name: one for one in archive}
    assert list(found) == ["Dockerfile", "empty", "link", "plain", "run"]
    assert {name: oct(one.mode) for name, one in found.items()} == {
        "Dockerfile": "0o644", "empty": "0o755", "link": "0o777", "plain": "0o644", "run": "0o755",
    }  # fmt: skip
    assert found["link"].linkname == "../somewhere/else" and found["empty"].isdir()
    assert {(one.uid, one.gid, one.uname, one.gname, one.mtime) for one in found.values()} == {(0, 0, "", "", 0)}


def test_long_and_odd_names_survive_without_a_pax_header(tmp_path: Path) -> None:
    names = ["long/" + "x" * 150 + "/" + "y" * 120, "ä 世", os.fsdecode(b"\xff")]
    context = BuildContext.open(make(tmp_path, dict.fromkeys(names, "1")))
    data = b"".join(context.tar())
    headers = {data[at + 156 : at + 157] for at in range(0, len(data), 512)}
    assert data[156:157] not in (b"x", b"g") and b"x" not in headers and b"g" not in headers
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        assert {*names} <= set(archive.getnames())


tree = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c.txt", "ü"]), min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=1500), st.booleans()),
    max_size=6,
).filter(lambda files: not any(other.startswith(name + "/") for name in files for other in files))


def write_tree(root: Path, files: Mapping[str, tuple[bytes, bool]], *, backwards: bool, seconds: int) -> BuildContext:
    for name in sorted(files, reverse=backwards):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name][0])
        path.chmod(0o755 if files[name][1] else 0o640)
        os.utime(path, (seconds, seconds))
    return BuildContext.open(root, dockerfile_text=FROM)


@settings(max_examples=40, deadline=None)
@given(tree)
def test_equal_content_gives_equal_bytes_and_comes_out_again(
    tmp_path_factory: pytest.TempPathFactory, files: Mapping[str, tuple[bytes, bool]]
) -> None:
    one = write_tree(tmp_path_factory.mktemp("one"), files, backwards=False, seconds=1)
    other = write_tree(tmp_path_factory.mktemp("other"), files, backwards=True, seconds=2_000_000_000)
    assert b"".join(one.tar()) == b"".join(other.tar()) == b"".join(one.tar())
    assert one.digest(["."]) == other.digest(["."])
    found = unpacked(one)
    assert {name: found[name] for name in files} == {name: data for name, (data, _) in files.items()}


@pytest.mark.slow
def test_a_large_file_is_streamed_in_bounded_pieces(tmp_path: Path) -> None:
    root = make(tmp_path, {f"small/{number}": "x" for number in range(3000)})
    with (root / "big").open("wb") as stream:
        stream.truncate(20_000_000)
    sizes = [len(piece) for piece in BuildContext.open(root).tar()]
    assert max(sizes) <= 140_000 and sum(sizes) > 23_000_000
    assert sum(sizes) / len(sizes) > 56_000


def test_importing_the_context_loads_no_sdk() -> None:
    code = "import sys, layerlab.context; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- changed files -------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_changed_context_is_that_of_a_folder_changed_on_disk(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    files = data.draw(tree.filter(bool))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=1500)
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(files)), text, max_size=3))
    before = write_tree(tmp_path_factory.mktemp("before"), files, backwards=False, seconds=1)
    edited = {**files, **{name: (new.encode(), files[name][1]) for name, new in changed.items()}}
    after = write_tree(tmp_path_factory.mktemp("after"), edited, backwards=True, seconds=2)
    same = before.with_changed(changed)
    assert b"".join(same.tar()) == b"".join(after.tar())
    assert (same.digest(["."]), same.size_bytes) == (after.digest(["."]), after.size_bytes)
    assert same.entries == after.entries
    # The disk stays as it is.
    assert unpacked(before)[sorted(files)[0]] == files[sorted(files)[0]][0]


def test_changes_add_up_and_the_last_one_counts(tmp_path: Path) -> None:
    context = BuildContext.open(make(tmp_path, {"a": "1", "b/c": "2"}))
    twice = context.with_changed({"a": "first", "./b/c": "22"}).with_changed({"a": "last"})
    assert twice.changed == (("a", "last"), ("b/c", "22"))
    assert unpacked(twice) == {"a": b"last", "b/c": b"22", "Dockerfile": FROM.encode()}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nope", "no file 'nope' that COPY can see. Change one of: .dockerignore, Dockerfile, a, b/c"),
        ("hidden", "no file 'hidden'"),
        ("b", "no file 'b'"),
        ("Dockerfile", "Dockerfile decides"),
        (".dockerignore", ".dockerignore decides"),
    ],
)
def test_only_a_file_that_copy_sees_can_be_changed(tmp_path: Path, path: str, words: str) -> None:
    make(tmp_path, {"a": "1", "b/c": "2", "hidden": "3", ".dockerignore": "hidden\n"})
    with pytest.raises(ContextError, match=words):
        BuildContext.open(tmp_path).with_changed({path: "x"})


def test_a_text_bears_the_name_its_author_knows(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1"})
    assert BuildContext.open(tmp_path, dockerfile_text="FROM b\n").shown_name == "Dockerfile"
    assert BuildContext.open(tmp_path, "one.Dockerfile", dockerfile_text="FROM b\n").shown_name == "one.Dockerfile"
    outside = tmp_path.parent / "mine.Dockerfile"
    outside.write_text(FROM)
    assert BuildContext.open(tmp_path, outside).shown_name == "mine.Dockerfile"
