"""Progress is merged without a loss, travels in one file, and survives other editions of the course."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_work import EARLY, LATE, carried

from layerlab.errors import AnswerError, DiskFull
from layerlab.work import document, folder, transfer
from layerlab.work.answers import Answer, Answers
from layerlab.work.record import FILES, Key, Record, Version

ROOT = Path(__file__).parents[3]
EDITIONS = ROOT / "tests" / "data" / "progress"

# --- merging ---------------------------------------------------------------------------------

TIMES = st.sampled_from(
    ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00", "2026-01-02T00:00:00"]
) | st.datetimes().map(lambda moment: moment.isoformat())
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
KEYS = st.builds(
    Key,
    st.sampled_from(["01_naive", "12_sbom"]),
    st.sampled_from(["answers", "predictions", "reviews"]),
    st.sampled_from(["a", "b-came"]),
) | st.builds(Key, st.just("01_naive"), st.just(FILES), st.just("Dockerfile"))


@st.composite
def records(draw: st.DrawFn) -> Record:
    pairs = []
    for key in draw(st.lists(KEYS, max_size=6)):
        value = draw(st.text() if key.kind == FILES else VALUES)
        pairs.append((key, Version.of(value, draw(TIMES))))
    return Record.of(pairs)


def values(record: Record) -> set[tuple[Key, str]]:
    return {(key, version.json) for key, version in record}


@given(records(), records())
def test_the_order_of_merging_does_not_matter(one: Record, other: Record) -> None:
    assert one | other == other | one


@given(records(), records(), records())
def test_three_machines_agree_whoever_meets_first(one: Record, other: Record, third: Record) -> None:
    assert (one | other) | third == one | (other | third)


@given(records(), records())
def test_merging_again_changes_nothing_and_nothing_is_lost(one: Record, other: Record) -> None:
    merged = one | other
    assert merged | other == merged
    assert one | one == one
    assert values(merged) == values(one) | values(other)


@given(records())
def test_the_file_gives_back_what_went_in(record: Record) -> None:
    assert document.loads(document.dumps(record).encode()) == record


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-01-01T10:00:00+00:00", "2026-01-01T10:00:01+00:00"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00+00:00"),
        ("no time at all", "1970-01-01T00:00:00+00:00"),
        ("", "2026-01-01"),
    ],
)
def test_the_newer_one_counts(older: str, newer: str) -> None:
    key = Key("01_naive", "answers", "q1")
    for pair in (older, newer), (newer, older):
        record = Record.of((key, Version.of(time, time)) for time in pair)
        assert record.current[key].value == newer
        assert [version.value for version in record.versions[key]] == [newer, older]


# --- folders ---------------------------------------------------------------------------------


def test_a_merge_takes_the_newer_and_keeps_the_older_beside_it(here: Path, there: Path, tmp_path: Path) -> None:
    merged = carried(there, here, tmp_path / "p.json")
    kept = Answers.open("01_naive", work=here).all()
    assert kept["q1"] == Answer("mine, late", LATE)
    assert kept["q2"] == Answer("theirs, late", LATE)
    earlier = json.loads((here / "01_naive" / "earlier.json").read_text())["answers"]
    assert [one["value"] for one in earlier["answers/q1"]["value"]] == ["mine, late", "theirs, early"]
    assert [one["value"] for one in earlier["answers/q2"]["value"]] == ["theirs, late", "mine, early"]
    assert Answers.open("02_slim", kind="attempts", work=here).get("q1-notes") == {"base fits": [["full"]]}
    assert [len(part) for part in (merged.added, merged.replaced, merged.left)] == [1, 1, 1]
    assert merged.text.count("earlier.json") == 2


def contents(work: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in sorted(work.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(work)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_importing_twice_writes_nothing_the_second_time(here: Path, there: Path, tmp_path: Path) -> None:
    carried(there, here, tmp_path / "p.json")
    before = contents(here)
    again = transfer.import_file(tmp_path / "p.json", work=here)
    assert contents(here) == before
    assert (again.added, again.replaced) == ((), ())


def test_there_and_back_both_machines_hold_the_same(here: Path, there: Path, tmp_path: Path) -> None:
    carried(there, here, tmp_path / "p.json")
    carried(here, there, tmp_path / "q.json")
    assert folder.read(here).record == folder.read(there).record


def test_dockerfiles_come_along_with_their_line_endings(here: Path, there: Path, tmp_path: Path) -> None:
    Answers.open("03_multistage", work=there).keep_file("Dockerfile", "FROM a\r\nRUN b\n")
    carried(there, here, tmp_path / "p.json")
    arrived = here / "03_multistage" / "Dockerfile"
    assert arrived.read_bytes() == b"FROM a\r\nRUN b\n"
    assert int(arrived.stat().st_mtime) == int((there / "03_multistage" / "Dockerfile").stat().st_mtime)


def test_of_two_dockerfiles_the_newer_counts_and_the_other_can_be_had_back(
    here: Path, there: Path, tmp_path: Path
) -> None:
    for work, text, moment in ((here, "FROM mine\n", 2_000_000_000), (there, "FROM theirs\n", 1_000_000_000)):
        path = Answers.open("03_multistage", work=work).keep_file("Dockerfile", text)
        os.utime(path, (moment, moment))
    carried(there, here, tmp_path / "p.json")
    assert (here / "03_multistage" / "Dockerfile").read_text() == "FROM mine\n"
    assert "FROM theirs" in (here / "03_multistage" / "earlier.json").read_text()
    carried(here, there, tmp_path / "q.json")
    assert (there / "03_multistage" / "Dockerfile").read_text() == "FROM mine\n"


def test_a_dockerfile_that_somebody_saves_during_an_import_is_not_written_over(
    here: Path, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for work, text, moment in ((here, "FROM mine\n", 1_000_000_000), (there, "FROM theirs\n", 2_000_000_000)):
        path = Answers.open("03_multistage", work=work).keep_file("Dockerfile", text)
        os.utime(path, (moment, moment))
    mine, change = here / "03_multistage" / "Dockerfile", Answers.change

    def meanwhile(self: Answers, how: Any) -> None:
        mine.write_text("FROM mine, saved meanwhile\n")
        change(self, how)

    with monkeypatch.context() as patch:
        patch.setattr(Answers, "change", meanwhile)
        with pytest.raises(AnswerError, match="was changed meanwhile"):
            carried(there, here, tmp_path / "p.json")
    assert mine.read_text() == "FROM mine, saved meanwhile\n"
    carried(there, here, tmp_path / "p.json")
    assert "saved meanwhile" in (here / "03_multistage" / "earlier.json").read_text()


def test_a_file_that_is_no_text_any_more_is_not_written_over(here: Path, there: Path, tmp_path: Path) -> None:
    for work, text in ((here, "FROM mine\n"), (there, "FROM theirs\n")):
        Answers.open("03_multistage", work=work).keep_file("Dockerfile", text)
    carried(there, here, tmp_path / "p.json")
    mine = here / "03_multistage" / "Dockerfile"
    mine.write_bytes(b"\xff\xfe\x00")
    merged = carried(there, here, tmp_path / "p.json")
    assert "03_multistage/Dockerfile is there and no text; it was left alone" in merged.text
    assert mine.read_bytes() == b"\xff\xfe\x00"


def test_what_is_no_text_is_said_and_never_written_over(here: Path, there: Path, tmp_path: Path) -> None:
    Answers.open("03_multistage", work=there).keep_file("Dockerfile", "FROM theirs\n")
    binary = here / "03_multistage" / "Dockerfile"
    binary.parent.mkdir()
    binary.write_bytes(b"\xff\xfe\x00")
    merged = carried(there, here, tmp_path / "p.json")
    assert binary.read_bytes() == b"\xff\xfe\x00"
    assert "it is no text" in merged.text
    assert "03_multistage/Dockerfile is there and no text; it was left alone" in merged.text
    assert "it is no text" in transfer.export(tmp_path / "q.json", work=here).text


def test_a_damaged_file_is_set_aside_said_and_stops_nothing(here: Path, tmp_path: Path) -> None:
    (here / "01_naive" / "predictions.json").write_text("{ half")
    exported = transfer.export(tmp_path / "p.json", work=here)
    assert "was damaged" in exported.text
    assert exported.entries == 2
    assert (here / "01_naive" / "predictions.json.damaged-1").read_text() == "{ half"


def test_json_of_somebody_else_is_a_file_and_not_damaged(here: Path) -> None:
    (here / "01_naive" / "notes.json").write_text("[1, 2]")
    assert folder.read(here).record.of_kind("01_naive", FILES) == {"notes.json": "[1, 2]"}
    assert (here / "01_naive" / "notes.json").is_file()


def test_half_a_character_in_a_file_stops_neither_export_nor_import(here: Path, tmp_path: Path) -> None:
    path = here / "01_naive" / "predictions.json"
    path.write_text('{"answers": {"line": {"value": "a\\ud83d", "kept_at": "2026-01-01"}}}')
    transfer.export(tmp_path / "p.json", work=here)
    transfer.import_file(tmp_path / "p.json", work=tmp_path / "there")
    assert Answers.open("01_naive", kind="predictions", work=tmp_path / "there").get("line") == "a\ud83d"
    transfer.export(tmp_path / "p.json", work=tmp_path / "there")


def test_a_dockerfile_with_half_a_character_is_refused_before_anything_is_imported(here: Path, tmp_path: Path) -> None:
    entry = '"files": {"Dockerfile": [{"value": "FROM \\ud83d", "kept_at": "2026-01-01"}]}'
    (tmp_path / "p.json").write_text(
        f'{{"format": "layerlab-progress", "version": 1, "work": {{"01_naive": {{{entry}}}}}}}'
    )
    with pytest.raises(AnswerError, match="01_naive/files/Dockerfile is no text"):
        transfer.import_file(tmp_path / "p.json", work=here)


# --- the one file ----------------------------------------------------------------------------


def test_an_export_brings_an_older_one_up_to_date_and_drops_nothing(here: Path, there: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    transfer.export(file, work=there)
    transfer.export(file, work=here)
    assert document.load(file) == folder.read(here).record | folder.read(there).record


def test_an_export_into_a_folder_takes_the_usual_name(here: Path, tmp_path: Path) -> None:
    assert transfer.export(tmp_path, work=here).path == tmp_path / "layerlab-progress.json"


def test_nothing_kept_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="Nothing is kept"):
        transfer.export(tmp_path / "p.json", work=tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_an_export_writes_over_no_other_file(here: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.md").write_text("# Mine")
    with pytest.raises(AnswerError, match="no JSON"):
        transfer.export(tmp_path / "thesis.md", work=here)
    assert (tmp_path / "thesis.md").read_text() == "# Mine"


def test_a_full_disk_leaves_the_old_file_and_is_made_up_for_later(
    here: Path, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = transfer.export(tmp_path / "p.json", work=there).path
    before, exported = contents(here), file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="then export again"):
            transfer.export(file, work=here)
        with pytest.raises(DiskFull, match="then import it again"):
            transfer.import_file(file, work=here)
    assert file.read_bytes() == exported
    assert contents(here) == before
    assert transfer.import_file(file, work=here).added


def file_with(**changes: Any) -> bytes:
    entry = {"value": "a", "kept_at": EARLY}
    body = {"format": "layerlab-progress", "version": 1, "work": {"01_naive": {"answers": {"q1": [entry]}}}}
    return json.dumps({**body, **changes}).encode()


def work_with(kind: str, id: str, value: Any = "a", *, name: str = "01_naive") -> dict[str, Any]:
    return {"work": {name: {kind: {id: [{"value": value, "kept_at": EARLY}]}}}}


GARBAGE = [
    (b"", "is no JSON"),
    (b"\x00\xff", "is no JSON"),
    (b"[" * 100_000, "is no JSON"),
    (b"[]", "no progress file"),
    (b'{"cells": [], "nbformat": 4}', "no progress file"),
    (file_with(version=2, edition="3.0"), r"version 2 of its format \(Layer Lab 3.0\).*Update Layer Lab"),
    (file_with(version="1"), "version '1', which is none"),
    (file_with(version=True), "which is none"),
    (file_with(work=[]), "work holds no entries"),
    (file_with(work={"01_naive": {"answers": {"q1": {}}}}), "holds no versions"),
    (file_with(work={"01_naive": {"answers": {"q1": []}}}), "holds no versions"),
    (file_with(work={"01_naive": {"answers": {"q1": [{"value": None, "kept_at": EARLY}]}}}), "without value"),
    (file_with(work={"01_naive": {"answers": {"q1": [{"value": 1, "kept_at": 5}]}}}), "without value and kept_at"),
    (file_with(**work_with("answers", "q1", name="../up")), "'../up' cannot be an exercise"),
    (file_with(**work_with("../up", "q1")), "cannot be a kind"),
    (file_with(**work_with("earlier", "q1")), "cannot be a kind"),
    (file_with(**work_with("files", "../../.bashrc")), "cannot be a file here"),
    (file_with(**work_with("files", ".lock")), "cannot be a file here"),
    (file_with(**work_with("files", "answers.json")), "cannot be a file here"),
    (file_with(**work_with("files", "Dockerfile", 5)), "is no text"),
    (file_with().replace(b'"a"', b"NaN"), "is no JSON"),
]


@pytest.mark.parametrize(("data", "message"), GARBAGE, ids=[message for _, message in GARBAGE])
def test_garbage_is_refused_whole(here: Path, tmp_path: Path, data: bytes, message: str) -> None:
    before = contents(here)
    (tmp_path / "p.json").write_bytes(data)
    with pytest.raises(AnswerError, match=message) as raised:
        transfer.import_file(tmp_path / "p.json", work=here)
    assert str(raised.value).startswith("p.json ")
    assert contents(here) == before


def test_a_file_that_is_not_there_is_said(here: Path, tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"gone\.json cannot be read \(No such file"):
        transfer.import_file(tmp_path / "gone.json", work=here)


# --- other editions --------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["older", "newer"])
def test_a_file_of_another_edition_is_kept_whole_and_given_on(here: Path, tmp_path: Path, edition: str) -> None:
    transfer.import_file(EDITIONS / f"{edition}.json", work=here)
    transfer.export(tmp_path / "p.json", work=here)
    theirs = document.load(EDITIONS / f"{edition}.json")
    assert theirs.versions, "the file holds something"
    assert values(theirs) <= values(document.load(tmp_path / "p.json"))
