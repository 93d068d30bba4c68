"""The store: what is written comes back, from its own file first; what is damaged says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from layerlab.engine.recorded.lines import Lines, write
from layerlab.engine.recorded.store import Provenance, Store, base_key, digest, files
from layerlab.engine.recorder.sealing import seal
from layerlab.errors import NotRecorded, RecordingDamaged

KEY = "ab" + "0" * 30
STEP = {"instruction": "RUN echo “höh”", "events": [[0.1, {"stream": "höh\n"}], [0.2, {"stream": "x"}]], "seconds": 1.5}
SIGNED = Provenance(
    name="Docker", version="20.10.24", api_version="1.41", platform="linux/amd64", storage="overlay2",
    builder="classic", recorded_on=date(2026, 1, 2), bases="stand-in", py_minor="3.11", info_answer={"Driver": "x"},
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    recordings = Store(tmp_path / "recordings" / "01_naive.jsonl")
    recordings.provenance = SIGNED
    recordings.write("steps", KEY, STEP)
    return recordings


def anew(store: Store) -> Store:
    return Store(store.path)


def sealed(store: Store) -> Store:
    seal(store.path.parent, store.path.parent)
    return anew(store)


def beside(store: Store, name: str, *, provenance: Provenance = SIGNED, base: str = "sha256:one") -> Store:
    other = Store(store.path.with_name(f"{name}.jsonl"))
    other.provenance = provenance
    other.write("bases", "slim", {"inspect": {"Id": base}})
    other.write("steps", "f" * 32, {"instruction": name})
    return other


def test_what_is_written_comes_back(store: Store) -> None:
    for found in (anew(store), sealed(store)):
        assert found.read("steps", KEY) == STEP
        assert found.read("steps", "f" * 32) is None
        assert (list(found.keys("steps")), list(found.all("steps"))) == ([KEY], [(KEY, STEP)])
        assert found.provenance == SIGNED


def test_two_that_write_to_one_file_see_each_other(store: Store) -> None:
    other = anew(store)
    other.write("steps", "c" * 32, {"instruction": "other"})
    assert store.read("steps", "c" * 32) == {"instruction": "other"}
    store.write("steps", KEY, {"instruction": "later"})
    assert anew(store).read("steps", KEY) == {"instruction": "later"}


def test_what_was_sealed_can_be_written_to(store: Store) -> None:
    found = sealed(store)
    found.write("steps", "c" * 32, {"instruction": "more"})
    assert set(anew(store).keys("steps")) == {KEY, "c" * 32}
    assert sealed(store).read("steps", KEY) == STEP


def test_the_same_content_gives_the_same_bytes(store: Store) -> None:
    before = sealed(store).path.read_bytes()
    store.write("steps", KEY, dict(reversed(STEP.items())))
    assert sealed(store).path.read_bytes() == before
    assert not list(store.path.parent.rglob("*.tmp"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b"1.5", b"2.5"),
        lambda raw: raw.replace(b'"seconds":1.5', b'"seconds":1.'),
        lambda raw: raw.replace("höh".encode(), b"\x00\xff"),
        lambda raw: raw.replace(KEY.encode(), b"ab" + b"1" * 30).replace(b"1" * 30, b"0" * 29 + b"1"),
    ],
    ids=["edited", "cut inside", "binary", "another key"],
)
def test_a_damaged_line_is_named_with_its_remedy(store: Store, spoil: Callable[[bytes], bytes]) -> None:
    path = sealed(store).path
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RecordingDamaged, match=r"Line 2 of recordings/01_naive.jsonl \(steps .*git checkout"):
        list(anew(store).all("steps"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: raw[: len(raw) - 20], "01_naive.jsonl is cut short: its last line has no end"),
        (
            lambda raw: raw[: raw.index(b"\n") + 1],
            "01_naive.jsonl is cut short: it has 0 lines after its first, and 1",
        ),
        (lambda raw: raw[raw.index(b"\n") + 1 :], "01_naive.jsonl does not begin with a line that describes it"),
        (lambda raw: b"<<<<<<< HEAD\n" + raw, "Line 1 of recordings/01_naive.jsonl .* is damaged"),
        (lambda raw: raw.replace(b'"format"', b'"formed"'), "Line 1 of recordings/01_naive.jsonl .* is damaged"),
        (lambda raw: b"", "01_naive.jsonl does not begin with a line that describes it"),
    ],
    ids=["cut in a line", "cut between lines", "without its head", "a conflict of git", "another head", "empty"],
)
def test_a_damaged_file_is_named_when_it_is_opened(store: Store, spoil: Callable[[bytes], bytes], said: str) -> None:
    path = sealed(store).path
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RecordingDamaged, match=rf"{said}.*git checkout recordings"):
        anew(store)


def test_another_format_is_for_another_edition(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlab.engine.recorded.lines.FORMAT", 99)
    write(store.path, {}, None)
    monkeypatch.undo()
    with pytest.raises(
        RecordingDamaged, match=r"01_naive.jsonl has the format 99, and this edition .* reads 1. Update"
    ):
        anew(store)


def test_a_missing_link_is_named_with_its_remedy(store: Store) -> None:
    with pytest.raises(RecordingDamaged, match=r"01_naive.jsonl lacks bases python-3.12, and an image .*`git checkout"):
        store.needed("bases", "python-3.12", by="an image built on it")


def test_a_missing_shared_value_is_named(store: Store) -> None:
    text = "said by two steps, and longer than any reference could be, so it is shared"
    for key in "cd":
        store.write("steps", key * 32, {"text": text})
    found = sealed(store)
    assert found.path.read_text().count(text) == 1
    lines = Lines(found.path)
    name = next(lines.keys("values"))
    steps = {("steps", key): lines.text("steps", key) for key in lines.keys("steps")}
    write(found.path, steps, lines.provenance)
    with pytest.raises(RecordingDamaged, match=rf"shared.jsonl lacks the value {name}, and recordings/01_naive.jsonl"):
        anew(store).read("steps", "c" * 32)


def test_provenance_that_is_missing_or_lacks_a_field(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotRecorded, match=r"made\.jsonl' holds no recordings"):
        _ = Store(tmp_path / "made.jsonl").provenance
    store._file.lines.provenance = {"name": "Docker"}
    store._file.lines.rewrite()
    with pytest.raises(RecordingDamaged, match=r"first line of recordings/01_naive\.jsonl lacks a field"):
        _ = anew(store).provenance


def test_what_its_own_file_lacks_the_others_may_hold_and_its_own_counts(store: Store) -> None:
    other = beside(store, "02_slim")
    other.write("steps", KEY, {"instruction": "another"})
    beside(store, "03_multistage").write("steps", "e" * 32, {"instruction": "third"})
    found = Store.open("01_naive", folder=store.path.parent)
    assert found.read("steps", KEY) == STEP, "one key, two contents: its own file is asked first"
    assert found.read("steps", "f" * 32) == {"instruction": "02_slim"}, "then the others by name"
    assert found.read("steps", "e" * 32) == {"instruction": "third"}
    assert dict(found.all("steps"))[KEY] == STEP
    assert Store.open("02_slim", folder=store.path.parent).read("steps", KEY) == {"instruction": "another"}
    assert Store.open(folder=store.path).read("steps", "f" * 32) is None, "a file stands for itself alone"


def test_others_on_another_base_builder_or_without_origin_are_not_asked(store: Store) -> None:
    store.write("bases", "slim", {"inspect": {"Id": "sha256:one"}})
    beside(store, "02_slim", base="sha256:another")
    beside(store, "03_multistage", provenance=replace(SIGNED, builder="buildkit"))
    beside(store, "04_alpine_uv").write("steps", "d" * 32, {"instruction": "fits"})
    found = Store.open("01_naive", folder=store.path.parent)
    assert found.read("steps", "f" * 32) == {"instruction": "04_alpine_uv"}
    assert found.read("steps", "d" * 32) == {"instruction": "fits"}


def test_while_recording_what_another_file_holds_is_taken_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    new = store.path.with_name("02_slim.jsonl")
    monkeypatch.setenv("LAYERLAB_RECORDINGS", str(new))
    recording = Store.to_record()
    recording.provenance = SIGNED
    assert recording.read("steps", KEY) == STEP
    assert Store(new).read("steps", KEY) == STEP
    monkeypatch.setenv("LAYERLAB_RECORDINGS", str(new.parent))
    with pytest.raises(NotRecorded, match="layerlab record"):
        Store.to_record()


def test_a_folder_without_recordings_says_so(tmp_path: Path) -> None:
    assert files(tmp_path) == []
    with pytest.raises(NotRecorded, match="holds no recordings"):
        Store.open(folder=tmp_path)


def test_the_folder_named_in_the_environment_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAYERLAB_RECORDINGS", str(tmp_path / "nowhere"))
    with pytest.raises(NotRecorded, match=r"LAYERLAB_RECORDINGS names 'nowhere'.*layerlab engine start"):
        Store.open()


def test_without_a_checkout_it_says_that_they_come_with_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LAYERLAB_RECORDINGS", raising=False)
    monkeypatch.setattr("layerlab.engine.recorded.store._IN_PACKAGE", tmp_path / "nowhere")
    with pytest.raises(NotRecorded, match=r"come with the course's checkout"):
        Store.open()


def test_what_is_reached_is_listed_once(store: Store, tmp_path: Path) -> None:
    listed = tmp_path / "reached"
    recordings = Store(store.path, reached=listed)
    for _ in range(2):
        recordings.read("steps", KEY)
        recordings.read("steps", "f" * 32)
    list(recordings.all("steps"))
    assert listed.read_text() == f"steps {KEY}\n"


def test_keys_depend_on_every_part_and_on_nothing_else() -> None:
    assert digest("a", {"x": 1, "y": 2}) == digest("a", {"y": 2, "x": 1})
    assert len({digest("a", "b"), digest("ab"), digest("a", ["b"]), digest("a", None)}) == 4
    assert base_key("python@sha256:" + "0" * 64).startswith("python-sha256-0")
    assert json.loads(json.dumps(digest(1)))  # a plain text
