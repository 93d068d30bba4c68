"""Image archives, read as streams: every layout and packing, tar's dialects, and archives made to do harm."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up_archives as made
import pytest
import zstandard
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_archives import file, folder, special, tar

from layerlab import archive
from layerlab.archive import columns, headers, image_archive, packing
from layerlab.archive.layer import read_layer
from layerlab.archive.stream import Stream
from layerlab.errors import ArchiveError

FIRST = tar([folder("app/"), file("app/main.py", b"x" * 700, mode=0o600, uid=7, mtime=99), file("big", b"y" * 5000)])
SECOND = tar([file("app/.wh.main.py"), file("lib/.wh..wh..opq"), file("big", b"z")], tarfile.GNU_FORMAT)

LAYOUTS: dict[str, Callable[[], bytes]] = {
    "docker save 20.10": lambda: made.docker_save([FIRST, SECOND]),
    "Podman": lambda: made.podman([FIRST, SECOND]),
    "OCI, plain": lambda: made.oci([FIRST, SECOND], "plain"),
    "OCI, gzip": lambda: made.oci([FIRST, SECOND], "gzip"),
    "OCI, zstd": lambda: made.oci([FIRST, SECOND], "zstd"),
}


def chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def layer(data: bytes, size: int = 1000) -> tuple[archive.FileEntry, ...]:
    return read_layer(Stream(chunks(data, size))).entries


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1, 511, 4096, 1 << 20])
def test_every_layout_gives_the_same_layers(layout: str, size: int) -> None:
    read = archive.read(chunks(LAYOUTS[layout](), size))
    first, second = read.layers
    assert [(one.path, one.kind, one.size_bytes) for one in first.entries] == [
        ("app", "dir", 0),
        ("app/main.py", "file", 700),
        ("big", "file", 5000),
    ]
    assert [(one.path, one.kind) for one in second.entries] == [
        ("app/main.py", "whiteout"),
        ("lib", "opaque"),
        ("big", "file"),
    ]
    main = first.entries[1]
    assert (main.mode, main.uid, main.mtime) == (0o600, 7, 99)
    assert [entry.size_bytes for entry in read.image.history] == [5700, 1, 0]
    assert read.image.config.user == "7"
    assert [each.diff_id for each in read.layers] == list(read.image.diff_ids)


def test_a_file_is_read_as_its_stream_is(tmp_path: Path) -> None:
    data = made.docker_save([FIRST, SECOND])
    (tmp_path / "plain.tar").write_bytes(data)
    (tmp_path / "packed.tar.gz").write_bytes(gzip.compress(data))
    assert (
        archive.read(tmp_path / "plain.tar") == archive.read(chunks(data)) == archive.read(tmp_path / "packed.tar.gz")
    )
    with pytest.raises(ArchiveError, match=r"none\.tar cannot be read"):
        archive.read(tmp_path / "none.tar")


def test_equal_layers_that_docker_save_links_are_both_there() -> None:
    read = archive.read(chunks(made.docker_save([FIRST, SECOND, FIRST])))
    assert read.layers[0].entries == read.layers[2].entries


def test_of_several_images_one_is_chosen_by_tag_or_id() -> None:
    first = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l.tar"]}
    body = made.config([FIRST])
    listed = [first, {"Config": "d.json", "RepoTags": ["b:1"], "Layers": ["l.tar"]}]
    lists = file("manifest.json", json.dumps(listed).encode())
    data = tar([file("l.tar", FIRST), file("c.json", body), file("d.json", body), lists])
    assert archive.read(chunks(data), reference="b:1").image.tags == ("b:1",)
    with pytest.raises(ArchiveError, match="holds 2 images: a:1, b:1"):
        archive.read(chunks(data))
    with pytest.raises(ArchiveError, match="no image 'c:1'"):
        archive.read(chunks(data), reference="c:1")


# --- tar's dialects, against tarfile -----------------------------------------------------------

names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..") and not name.startswith(".wh.")
)
paths = st.lists(names, min_size=1, max_size=6).map("/".join)
members = st.builds(
    lambda path, content, mode, uid, mtime: file(path, content, mode=mode, uid=uid, mtime=mtime),
    paths,
    st.binary(max_size=3000),
    st.integers(0, 0o7777),
    st.integers(0, 2**31),
    st.integers(0, 2**35),
)


@given(st.lists(members, max_size=6), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), st.integers(1, 4000))
def test_every_entry_is_as_tarfile_reads_it(added: list[made.Add], form: int, size: int) -> None:
    data = tar(added, form)
    with tarfile.open(fileobj=io.BytesIO(data)) as oracle:
        wanted = [(one.name, one.size, one.mode, one.uid, int(one.mtime)) for one in oracle.getmembers()]
    found = [(one.path, one.size_bytes, one.mode, one.uid, one.mtime) for one in layer(data, size)]
    assert found == wanted


def test_only_a_regular_file_has_bytes() -> None:
    kinds = [
        file("a", b"12345"),
        special("b", tarfile.LNKTYPE, linkname="a"),
        special("c", tarfile.SYMTYPE, linkname="../../etc/passwd"),
        special("d", tarfile.CHRTYPE, devmajor=1, devminor=3),
        special("e", tarfile.FIFOTYPE),
        special("gone", tarfile.CHRTYPE, devmajor=0, devminor=0),
    ]
    found = layer(tar(kinds))
    assert [one.kind for one in found] == ["file", "hardlink", "symlink", "device", "fifo", "whiteout"]
    assert [one.link for one in found[1:3]] == ["a", "../../etc/passwd"]
    assert archive.total_bytes(found) == 5


def test_names_of_any_length_are_read() -> None:
    long = "/".join(["folder" * 20] * 30)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert layer(tar([file(long, b"1")], form))[0].path == long


def test_a_sparse_file_counts_as_the_file_it_is() -> None:
    # GNU's old format, by hand: 3 bytes stored of a file of 1,000,000; one block of the map follows the header.
    header = bytearray(tarfile.TarInfo("s").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[124:136] = b"00000000003\0"
    header[482] = 1
    header[483:495] = b"%011o\0" % 1_000_000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + bytes(512) + b"abc".ljust(512, b"\0") + FIRST
    first, *rest = layer(data)
    assert (first.path, first.size_bytes, first.checksum) == ("s", 1_000_000, None)
    assert len(rest) == 3


def test_a_sparse_file_of_the_pax_kind_counts_as_the_file_it_is() -> None:
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "70000"}
    added = file("GNUSparseFile.0/s", b"1\n0\n3\n".ljust(512, b"\0") + b"abc", pax_headers=records)
    (only,) = layer(tar([added]))
    assert (only.path, only.size_bytes) == ("s", 70_000)


def test_numbers_beyond_octal_digits_are_read() -> None:
    assert headers.number(b"\x80" + (2**40).to_bytes(11, "big")) == 2**40
    assert headers.number(b"\xff" * 12) == -1
    assert layer(tar([file("x", b"", uid=2**30, mtime=2**40)], tarfile.GNU_FORMAT))[0].mtime == 2**40


# --- archives that are damaged, or made to do harm ---------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@given(share=st.floats(0.001, 0.97))
@settings(max_examples=examples(25))
def test_an_archive_that_was_cut_off_says_so(layout: str, share: float) -> None:
    data = LAYOUTS[layout]().rstrip(b"\0")
    with pytest.raises(ArchiveError):
        archive.read(chunks(data[: int(len(data) * share)]))


@given(st.binary(max_size=3000))
def test_what_is_no_archive_says_so(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        archive.read(chunks(data))


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_gives_a_result_or_an_archive_error(at: int, noise: bytes) -> None:
    data = bytearray(made.docker_save([FIRST, SECOND]))
    data[at : at + len(noise)] = noise
    try:
        archive.read(chunks(bytes(data)))
    except ArchiveError as error:
        assert str(error).count(".") >= 1


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/../out"])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ArchiveError, match="leads out of the image"):
        layer(tar([file(path, b"x")]))


def test_an_absolute_path_is_one_below_the_root() -> None:
    assert [one.path for one in layer(tar([file("/etc/x"), file("./y")]))] == ["etc/x", "y"]


def test_links_in_a_circle_are_refused() -> None:
    with pytest.raises(ArchiveError, match="hard link to itself"):
        layer(tar([special("a", tarfile.LNKTYPE, linkname="a")]))
    data = tar(
        [
            special("a/layer.tar", tarfile.SYMTYPE, linkname="../b/layer.tar"),
            special("b/layer.tar", tarfile.SYMTYPE, linkname="../a/layer.tar"),
            file("c.json", made.config([FIRST])),
            file("manifest.json", b'[{"Config": "c.json", "Layers": ["a/layer.tar"]}]'),
        ]
    )
    with pytest.raises(ArchiveError, match="in a circle"):
        archive.read(chunks(data))


def test_a_member_that_claims_more_than_there_is_is_refused() -> None:
    inner = bytearray(tar([file("x", b"1")], tarfile.GNU_FORMAT))
    inner[124:136] = b"77777777777\0"
    with pytest.raises(ArchiveError, match="which are not there"):
        archive.read(chunks(made.docker_save([bytes(inner)])))


def test_an_extended_header_without_end_is_not_read_into_memory() -> None:
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"x"
    header[124:136] = b"77777777777\0"
    with pytest.raises(ArchiveError, match="extended header"):
        layer(bytes(header))


@pytest.mark.parametrize("records", [{"size": "-512"}, {"GNU.sparse.realsize": "-1"}, {"size": "9" * 15}])
def test_a_size_that_a_record_lies_about_is_refused(records: dict[str, str]) -> None:
    with pytest.raises(ArchiveError):
        archive.read(chunks(made.docker_save([tar([file("x", b"1" * 600, pax_headers=records)])])))


def test_a_header_that_reaches_beyond_its_layer_is_refused() -> None:
    inner = bytearray(tar([file("x", b"1", pax_headers={"comment": "long"})]))
    inner[124:136] = b"%011o\0" % 60_000
    with pytest.raises(ArchiveError, match="which are not there"):
        archive.read(chunks(made.docker_save([bytes(inner), tar([file("y", b"2" * 90_000)])])))


@pytest.mark.parametrize("at", [slice(100, 108), slice(124, 136), slice(329, 337), slice(483, 495)])
@pytest.mark.parametrize("flag", [b"0", b"3", b"S"])
def test_a_field_that_is_no_number_gives_an_archive_error_or_is_not_asked(at: slice, flag: bytes) -> None:
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = flag
    header[at] = b"none of it 8"[: at.stop - at.start]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    is_asked = {100: "03S", 124: "03S", 329: "3", 483: "S"}[at.start]
    if flag.decode() in is_asked:
        with pytest.raises(ArchiveError, match="No tar header"):
            layer(bytes(header))
    else:
        assert layer(bytes(header))[0].path == "x"


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh...", "d/.wh."])
def test_a_whiteout_that_hides_no_name_is_refused(name: str) -> None:
    with pytest.raises(ArchiveError, match="hides no file"):
        layer(tar([file(name)]))


def test_a_path_longer_than_any_engine_can_unpack_is_refused() -> None:
    with pytest.raises(ArchiveError, match="4,096"):
        layer(tar([file("/".join(["folder"] * 600), b"1")]))


def test_entries_are_counted_over_all_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_archive, "MOST_ENTRIES", 5)
    assert archive.read(chunks(made.docker_save([FIRST]))).layers
    with pytest.raises(ArchiveError, match="entries, which would not fit"):
        archive.read(chunks(made.docker_save([FIRST, SECOND])))


def test_documents_are_not_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_archive, "_MOST_JSON", 10_000)
    data = tar([file(f"{number}.json", b"[" + b"1," * 500 + b"1]") for number in range(20)])
    with pytest.raises(ArchiveError, match="documents"):
        archive.read(chunks(data))


def test_a_packed_archive_that_unpacks_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_FREE_BYTES", 1 << 20)
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(tar([file("zeros", bytes(40 << 20))])))
    with pytest.raises(ArchiveError, match="fill a disk"):
        archive.read(tmp_path / "bomb.tar.gz")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Config", "Layers", "manifests", "digest", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("layout", ["docker save 20.10", "OCI, gzip"])
@given(data=st.data())
@settings(max_examples=examples(200))
def test_documents_of_any_form_give_a_result_or_an_archive_error(layout: str, data: st.DataObject) -> None:
    documents, layers = _documents(LAYOUTS[layout]())
    where = data.draw(st.sampled_from(sorted(_places(documents), key=repr)))
    spoiled = _with(documents, where, data.draw(values))
    spoiled_archive = tar([*layers, *(file(name, json.dumps(one).encode()) for name, one in spoiled.items())])
    try:
        read = archive.read(chunks(spoiled_archive, 4096))
    except ArchiveError as error:
        assert str(error).count(".") >= 1
    else:
        assert len(read.layers) == len(read.image.diff_ids) == len(read.image.layers)


def _documents(data: bytes) -> tuple[dict[str, object], list[made.Add]]:
    """Take an archive apart: its JSON documents by name, and everything else."""
    documents: dict[str, object] = {}
    others: list[made.Add] = []
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        for member in opened:
            held = opened.extractfile(member)
            content = held.read() if held else b""
            if content[:1] in (b"{", b"["):
                documents[member.name] = json.loads(content)
            else:
                others.append((member, content))
    return documents, others


def _places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in below:
        yield (*path, key)
        yield from _places(one, (*path, key))


def _with(value: object, path: tuple[object, ...], new: object) -> Any:
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    changed[path[0]] = _with(changed[path[0]], path[1:], new)
    return changed


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_layer_that_unpacks_without_end_is_stopped(how: packing.Packing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_FREE_BYTES", 1 << 20)
    bomb = made.PACKINGS[how](tar([file("zeros", bytes(40 << 20))]))
    with pytest.raises(ArchiveError, match="fill a disk"):
        for _ in packing.unpacked(chunks(bomb), how, packed_bytes=len(bomb)):
            pass


def test_a_bomb_is_unpacked_in_pieces() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(64 << 20))
    assert max(len(piece) for piece in packing.unpacked(iter([bomb]), "zstd")) <= 1 << 20


def test_a_manifest_that_contradicts_its_configuration_is_refused() -> None:
    data = tar(
        [
            file("l.tar", FIRST),
            file("c.json", made.config([FIRST, SECOND])),
            file("manifest.json", b'[{"Config": "c.json", "Layers": ["l.tar"]}]'),
        ]
    )
    with pytest.raises(ArchiveError, match="lists 1 layers and its configuration 2"):
        archive.read(chunks(data))


def test_an_index_that_leads_in_a_circle_is_refused() -> None:
    index = b'{"manifests": [{"digest": "sha256:00"}]}'
    with pytest.raises(ArchiveError, match="in a circle"):
        archive.read(chunks(tar([file("index.json", index), file("blobs/sha256/00", index)])))


# --- packages ----------------------------------------------------------------------------------


def test_a_layer_says_which_packages_have_which_files() -> None:
    site = "root/.local/lib/python3.11/site-packages"
    record = b'../../../bin/fastapi,sha256=x,1\nfastapi/__init__.py,,\n"odd,name.py",,\nnot_here.py,,\n'
    added = [
        file("root/.local/bin/fastapi"),
        file(f"{site}/fastapi/__init__.py"),
        file(f"{site}/odd,name.py"),
        file(f"{site}/Fast_API-0.1.dist-info/RECORD", record),
        file("usr/bin/bash"),
        file("var/lib/dpkg/info/bash.list", b"/.\n/bin\n/bin/bash\n"),
        file("var/lib/dpkg/info/libc6:amd64.list", b"/lib/x86_64-linux-gnu/libc.so.6\n"),
        file("var/lib/dpkg/status.d/netbase.md5sums", b"0123456789abcdef0123456789abcdef  etc/protocols\n"),
        file("usr/lib/x86_64-linux-gnu/libc.so.6"),
        file("etc/protocols"),
        file("lib/apk/db/installed", b"P:musl\nV:1.2-r0\nF:lib\nR:ld-musl.so\n\nP:zlib\nV:1\nF:usr/lib\nR:libz.so\n"),
        file("lib/ld-musl.so"),
        file("usr/lib/libz.so"),
    ]
    assert read_layer(Stream(chunks(tar(added)))).owners == {
        "root/.local/bin/fastapi": "python:fast-api 0.1",
        f"{site}/fastapi/__init__.py": "python:fast-api 0.1",
        f"{site}/odd,name.py": "python:fast-api 0.1",
        "usr/bin/bash": "debian:bash",
        "usr/lib/x86_64-linux-gnu/libc.so.6": "debian:libc6",
        "etc/protocols": "debian:netbase",
        f"{site}/not_here.py": "python:fast-api 0.1",
        "lib/ld-musl.so": "alpine:musl 1.2-r0",
        "usr/lib/libz.so": "alpine:zlib 1",
    }


@given(st.lists(members, max_size=5))
def test_columns_give_back_the_layer(added: list[made.Add]) -> None:
    one = replace(read_layer(Stream(chunks(tar(added)))), diff_id="sha256:1", owners={})
    named = replace(one, owners={entry.path: f"p{len(entry.path)}" for entry in one.entries[::2]})
    for layer_files in (one, named, replace(named, owners={**named.owners, "elsewhere": "q"})):
        assert columns.decode(json.loads(json.dumps(columns.encode(layer_files)))) == layer_files
    with pytest.raises(ArchiveError, match="version 0"):
        columns.decode({**columns.encode(one), "version": 0})


# --- how an engine calls an image --------------------------------------------------------------


def test_an_image_is_found_by_every_digest_that_leads_to_it() -> None:
    data = made.oci([FIRST, SECOND])
    index, manifest, configuration = made.digests(data)
    for digest in (index, manifest, configuration, index[:19], index.removeprefix("sha256:")):
        assert archive.read(chunks(data), reference=digest).image.id == configuration
    # `docker save` of 25 and later writes Docker's own list as well, which knows neither manifest nor index.
    name = configuration.replace("sha256:", "blobs/sha256/")
    own = [{"Config": name, "RepoTags": ["a:1"], "Layers": made.layer_names(data)}]
    both = made.added(data, file("manifest.json", json.dumps(own).encode()))
    assert archive.read(chunks(both), reference=index).image.tags == ("a:1",)
    with pytest.raises(ArchiveError, match="no image 'sha256:00'"):
        archive.read(chunks(both), reference="sha256:00")


def lists(*manifests: dict[str, Any], **documents: dict[str, Any]) -> bytes:
    """An archive of an index and these documents, by the digest that their names stand for."""
    blobs = [file(f"blobs/sha256/{name}", json.dumps(one).encode()) for name, one in documents.items()]
    return tar([*blobs, file("index.json", json.dumps({"manifests": manifests}).encode())])


def listed(name: str, platform: str = "", **notes: str) -> dict[str, Any]:
    system, _, architecture = platform.partition("/")
    place = {"platform": {"os": system, "architecture": architecture}} if platform else {}
    return {"digest": f"sha256:{name}", **place, "annotations": notes}


@pytest.mark.parametrize("platform", ["unknown/unknown", ""])
def test_attestations_are_no_image(platform: str) -> None:
    about = listed("aa", platform, **{"vnd.docker.reference.type": "attestation-manifest"})
    with pytest.raises(ArchiveError, match=r"attestations only.*Save the image that they are about"):
        archive.read(chunks(lists(about, aa={"layers": []})))


def test_an_index_without_this_platform_names_the_platforms_that_it_has() -> None:
    others = [listed("aa", "linux/s390x"), listed("bb", "linux/riscv64")]
    with pytest.raises(ArchiveError, match=r"only for linux/riscv64, linux/s390x.*--platform linux/riscv64"):
        archive.read(chunks(lists(*others, aa={"layers": []}, bb={"layers": []})))


def test_a_manifest_that_was_not_saved_is_named_with_its_platform() -> None:
    with pytest.raises(ArchiveError, match=r"sha256:aa… for linux/s390x is missing. Pull the image again"):
        archive.read(chunks(lists(listed("aa", "linux/s390x"))))


def test_a_manifest_without_its_configuration_or_its_layers_says_which() -> None:
    manifest = {"config": {"digest": "sha256:cc"}, "layers": [{"digest": "sha256:dd"}]}
    with pytest.raises(ArchiveError, match=r"lacks the image's configuration 'blobs/sha256/cc'. Pull"):
        archive.read(chunks(lists(listed("aa"), aa=manifest)))
    configuration = {"rootfs": {"diff_ids": ["sha256:ee"]}}
    with pytest.raises(ArchiveError, match="names a layer 'blobs/sha256/dd' and does not hold it"):
        archive.read(chunks(lists(listed("aa"), aa=manifest, cc=configuration)))


# --- known layers ------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
def test_known_layers_are_passed_over_and_what_follows_the_last_is_not_asked_for(packed: str) -> None:
    data = made.oci([FIRST, SECOND], packed)
    index, *_ = made.digests(data)
    noted: dict[str, str] = {}
    first = image_archive.read_layers(chunks(data), digest=index, note=noted.__setitem__)
    assert first == archive.read(chunks(data)).layers
    bottom, top = (name.removeprefix("blobs/").replace("/", ":") for name in made.layer_names(data))
    diff_ids = made.diff_ids([FIRST, SECOND])
    assert noted == ({} if packed == "plain" else dict(zip([bottom, top], diff_ids, strict=True)))
    told = replace(first[0], entries=())

    def cut_off() -> Iterator[bytes]:
        yield from chunks(data, 512)
        raise AssertionError("everything was there, and more was asked for")

    again = image_archive.read_layers(cut_off(), digest=index, known={bottom: told}.get)
    assert again == (told, first[1])
