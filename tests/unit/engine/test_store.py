"""The store: what is written comes back, and what is damaged says so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from layerlab.engine.recorded.store import Provenance, Recordings, base_key, digest
from layerlab.errors import NotRecorded, RecordingDamaged

KEY = "ab" + "0" * 30
STEP = {"instruction": "RUN echo “höh”", "events": [[0.1, {"stream": "höh\n"}], [0.2, {"stream": "x"}]], "seconds": 1.5}


@pytest.fixture
def store(tmp_path: Path) -> Recordings:
    folder = tmp_path / "recordings"
    folder.mkdir()
    recordings = Recordings(folder)
    recordings.write("steps", KEY, STEP)
    return recordings


def anew(store: Recordings) -> Recordings:
    return Recordings(store.folder)


def test_what_is_written_comes_back(store: Recordings):
    assert anew(store).read("steps", KEY) == STEP
    assert anew(store).read("steps", "f" * 32) is None
    assert list(store.keys("steps")) == [KEY]


def test_the_same_content_gives_the_same_bytes_an_event_to_a_line(store: Recordings):
    path = store.path("steps", KEY)
    before = path.read_bytes()
    store.write("steps", KEY, dict(reversed(STEP.items())))
    assert path.read_bytes() == before
    assert before.endswith(b"}\n")
    assert '  [0.1, {"stream": "höh\\n"}],\n' in before.decode()
    assert not list(store.folder.rglob("*.tmp"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw.replace(b"1.5", b"2.5"),
        lambda raw: raw.replace(b'"checksum"', b'"check"'),
        lambda raw: b"[]",
        lambda raw: b"",
        lambda raw: b"\x00\xff",
    ],
    ids=["cut", "edited", "no checksum", "another shape", "empty", "binary"],
)
def test_a_damaged_file_is_named_with_its_remedy(store: Recordings, spoil):
    path = store.path("steps", KEY)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RecordingDamaged, match=rf"recordings/steps/ab/{KEY}.json .*git checkout recordings"):
        anew(store).read("steps", KEY)


def test_a_missing_link_is_named_with_its_remedy(store: Recordings):
    with pytest.raises(RecordingDamaged, match=r"recordings/bases/python-3.12.json is missing.*`git checkout"):
        store.needed("bases", "python-3.12", by="an image built on it")


def test_provenance_comes_back_and_a_wrong_one_is_damage(store: Recordings):
    with pytest.raises(NotRecorded, match=r"provenance\.json"):
        _ = store.provenance
    signed = Provenance(
        name="Docker", version="20.10.24", api_version="1.41", platform="linux/amd64", storage="overlay2",
        builder="classic", recorded_on=date(2026, 1, 2), bases="stand-in", py_minor="3.11", info_answer={"Driver": "x"},
    )  # fmt: skip
    store.provenance = signed
    assert anew(store).provenance == signed
    path = store.folder / "provenance.json"
    path.write_text(path.read_text().replace("2026-01-02", "2026-13-02"))
    with pytest.raises(RecordingDamaged):
        _ = anew(store).provenance


def test_the_folder_named_in_the_environment_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LAYERLAB_RECORDINGS", str(tmp_path / "nowhere"))
    with pytest.raises(NotRecorded, match=r"LAYERLAB_RECORDINGS names 'nowhere'.*layerlab engine start"):
        Recordings.open()


def test_without_a_checkout_it_says_that_recordings_come_with_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("LAYERLAB_RECORDINGS", raising=False)
    monkeypatch.setattr("layerlab.engine.recorded.store._IN_PACKAGE", tmp_path / "nowhere")
    with pytest.raises(NotRecorded, match=r"come with the course's checkout"):
        Recordings.open()


def test_what_is_reached_is_listed_once(store: Recordings, tmp_path: Path):
    listed = tmp_path / "reached"
    recordings = Recordings(store.folder, reached=listed)
    for _ in range(2):
        recordings.read("steps", KEY)
        recordings.read("steps", "f" * 32)
    list(recordings.all("steps"))
    assert listed.read_text() == f"steps {KEY}\n"


def test_keys_depend_on_every_part_and_on_nothing_else():
    assert digest("a", {"x": 1, "y": 2}) == digest("a", {"y": 2, "x": 1})
    assert len({digest("a", "b"), digest("ab"), digest("a", ["b"]), digest("a", None)}) == 4
    assert base_key("python@sha256:" + "0" * 64).startswith("python-sha256-0")
    assert json.loads(json.dumps(digest(1)))  # a plain text
