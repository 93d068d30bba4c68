"""The journal: what is ours, kept over crashes and shared by several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from layerlab.engine.journal import BUILDS, RUN, Journal

KINDS = st.sampled_from(["image", "container", "base"])
THERE = f"sha256:{0:064x}"
IDS = st.sampled_from(["a" * 64, "b" * 64, "c" * 64])


@settings(max_examples=examples(25))
@given(st.lists(st.tuples(st.booleans(), KINDS, IDS), max_size=20))
def test_it_remembers_exactly_what_was_noted_and_not_forgotten(tmp_path_factory, entries):
    journal = Journal(tmp_path_factory.mktemp("journal") / "j.jsonl")
    expected: dict[str, set[str]] = {"image": set(), "container": set(), "base": set()}
    for is_note, kind, identity in entries:
        if is_note:
            journal.note(kind, identity)
        else:
            journal.forget(kind, identity)
        (expected[kind].add if is_note else expected[kind].discard)(identity)
    owned = journal.owned()
    assert (owned.images, owned.containers, owned.bases) == tuple(expected.values())


def test_a_tag_is_owned_only_while_it_names_our_image(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("tag", "layerlab/a:1", image="sha256:a")
    assert journal.owns_tag("layerlab/a:1", "sha256:a")
    assert not journal.owns_tag("layerlab/a:1", "sha256:somebody-elses")
    journal.note("tag", "layerlab/a:1", image="sha256:b")
    assert journal.owns_tag("layerlab/a:1", "sha256:b")
    journal.forget("tag", "layerlab/a:1")
    assert not journal.owns_tag("layerlab/a:1", "sha256:b")


def test_until_a_name_has_moved_both_images_are_the_ones_that_we_gave_it_to(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("tag", "layerlab/a:1", image="sha256:old")
    journal.note("tag", "layerlab/a:1", image="sha256:new", is_about=True)
    assert journal.owns_tag("layerlab/a:1", "sha256:old") and journal.owns_tag("layerlab/a:1", "sha256:new")
    journal.note("tag", "layerlab/a:1", image="sha256:new")
    assert not journal.owns_tag("layerlab/a:1", "sha256:old") and journal.owns_tag("layerlab/a:1", "sha256:new")
    journal.note("tag", "layerlab/b:1", image="sha256:new", is_about=True)
    journal.forget("tag", "layerlab/b:1")
    assert not journal.owns_tag("layerlab/b:1", "sha256:new")


def test_a_line_cut_short_by_a_crash_loses_only_itself(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("image", "sha256:a")
    with journal.path.open("a") as file:
        file.write('{"own": "image", "id": "sha256:ha')
    journal.note("image", "sha256:b")
    assert journal.owned().images == {"sha256:a", "sha256:b"}


def test_it_reads_on_where_it_stopped_and_sees_what_others_append(tmp_path):
    journal, other = Journal(tmp_path / "j.jsonl"), Journal(tmp_path / "j.jsonl")
    journal.note("image", "sha256:a")
    assert journal.owned().images == {"sha256:a"}
    with journal.path.open("a") as file:
        file.write('{"own": "image", "id": "sha256:ha')
    assert journal.owned().images == {"sha256:a"}
    other.note("image", "sha256:b")
    other.forget("image", "sha256:a")
    assert journal.owned().images == {"sha256:b"}


def test_what_a_caller_does_to_the_answer_changes_nothing(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("image", "sha256:a")
    journal.owned().images.clear()
    assert journal.owned().images == {"sha256:a"}


def test_a_journal_that_was_removed_owns_nothing_and_starts_anew(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("image", "sha256:a")
    assert journal.owned().images
    journal.path.unlink()
    assert not journal.owned().images
    journal.note("image", "sha256:b")
    assert journal.owned().images == {"sha256:b"}


def test_what_a_run_made_is_told_from_what_was_there_and_from_what_others_make(tmp_path, monkeypatch):
    journal, other = Journal(tmp_path / "j.jsonl"), Journal(tmp_path / "j.jsonl")
    journal.note("image", "sha256:before")
    monkeypatch.setenv(RUN, "a-run")
    journal.note("image", "sha256:a")
    journal.note("image", "sha256:gone")
    journal.note("tag", "layerlab/a:1", image="sha256:a")
    monkeypatch.setenv(RUN, "another-run")
    other.note("image", "sha256:other")
    monkeypatch.delenv(RUN)
    other.note("image", "sha256:learner")
    other.forget("image", "sha256:gone")
    made = journal.made_by("a-run")
    assert (made.images, made.tags) == ({"sha256:a"}, {"layerlab/a:1": "sha256:a"})
    assert len(journal.owned().images) == 4


def _write(path: str, name: str) -> None:
    journal = Journal(Path(path))
    for number in range(50):
        journal.note("image", f"{name}-{number}")


@pytest.mark.slow
def test_two_processes_lose_nothing(tmp_path):
    path = tmp_path / "j.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(str(path), name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(Journal(path).owned().images) == 100


def test_what_the_first_edition_wrote_proves_nothing(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    kinds = {"image": "sha256:a", "container": "c" * 64, "tag": "layerlab/x:1", "volume": "v", "base": "python:3.12"}
    journal.path.write_text("".join(f'{{"own": "{kind}", "id": "{id}", "image": "i"}}\n' for kind, id in kinds.items()))
    journal.note("image", "sha256:b")
    journal.note("leftover", "sha256:b")
    owned = journal.owned()
    assert (owned.images, owned.leftovers) == ({"sha256:b"}, {"sha256:a"})
    assert (owned.containers, owned.tags) == (set(), {})
    assert (owned.volumes, owned.bases) == ({"v"}, {"python:3.12"}), "these it made or pulled under names of its own"


def test_lines_that_are_no_entries_are_passed_over(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    deep = "[" * 100_000
    journal.path.write_text(f'[]\n"own"\n{{"own": "image", "id": 7}}\nnull\n{deep}\n{{"own": "tag", "image": {{}}}}\n')
    journal.note("image", "sha256:a")
    assert journal.owned().images == {"sha256:a"}
    assert not journal.owned().leftovers


def test_a_build_is_written_down_before_it_begins_and_forgotten_once_it_is_settled(tmp_path, monkeypatch):
    monkeypatch.setenv(RUN, "a-run")
    journal = Journal(tmp_path / "j.jsonl")
    name = journal.begin_build([THERE])
    for kind, id in (("made", "a"), ("stage", "s1"), ("cached", "b"), ("stage", "s2")):
        journal.hear(name, kind, id)
    note = journal.build_note(name)
    assert name.startswith(BUILDS)
    assert journal.owned().builds == {name}
    assert note.run == "a-run"
    assert note.was_there(THERE)
    assert not note.was_there("sha256:b")
    assert (note.heard_of("stage"), note.heard_of("cached")) == (["s1", "s2"], ["b"])
    assert note.heard_of("cached", until_stage="s1") == []
    journal.end_build(name)
    assert not journal.owned().builds
    assert not list(journal.path.with_suffix(".builds").iterdir())
    assert journal.build_note(name).was_there("sha256:b"), "where the note is lost, all may have been there"


def test_a_build_under_way_is_not_taken_for_one_that_was_cut_short(tmp_path):
    journal, other = Journal(tmp_path / "j.jsonl"), Journal(tmp_path / "j.jsonl")
    name = journal.begin_build([])
    with other.cut_short() as names:
        assert names == ()
    journal.abandon_build(name)
    with other.cut_short() as names:
        assert names == (name,)


def _begin_and_die(path: str) -> None:
    Journal(Path(path)).begin_build([THERE])
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_holds_no_build(tmp_path):
    path = tmp_path / "j.jsonl"
    child = multiprocessing.get_context("spawn").Process(target=_begin_and_die, args=(str(path),))
    child.start()
    child.join(60)
    journal = Journal(path)
    with journal.cut_short() as names:
        assert set(names) == journal.owned().builds
        assert len(names) == 1
        assert journal.build_note(names[0]).was_there(THERE)
        assert not journal.build_note(names[0]).was_there("sha256:b")


@pytest.mark.parametrize("id", ["users/theirs:1", f"{BUILDS}../../etc/passwd", f"{BUILDS}{'a' * 31}", "/etc/passwd"])
def test_a_build_that_bears_no_name_of_a_build_is_none(tmp_path, id):
    journal = Journal(tmp_path / "j.jsonl")
    journal.note("build", id)
    assert not journal.owned().builds


@pytest.mark.parametrize(
    "written", ['{"before": ""}', '{"before": ["x"]}', '{"before": null}', "[]", "", "[" * 100_000]
)
def test_of_a_damaged_note_every_image_was_there(tmp_path, written):
    journal = Journal(tmp_path / "j.jsonl")
    name = journal.begin_build([])
    (note,) = journal.path.with_suffix(".builds").glob("*.json")
    note.write_text(f"{written}\n")
    assert journal.build_note(name).was_there("sha256:b")


def test_of_a_note_that_output_has_flooded_every_image_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr("layerlab.engine.journal._MOST_HEARD", 3)
    journal = Journal(tmp_path / "j.jsonl")
    name = journal.begin_build([])
    for number in range(3):
        journal.hear(name, "made", str(number))
    assert not journal.build_note(name).was_there("sha256:b")
    journal.hear(name, "made", "one more")
    assert journal.build_note(name).was_there("sha256:b")


def test_what_a_full_disk_does_not_take_ends_no_build_and_nothing_of_that_build_is_ours(tmp_path):
    resource = pytest.importorskip("resource")
    journal = Journal(tmp_path / "j.jsonl")
    name = journal.begin_build([THERE])
    journal.hear(name, "made", "a" * 12)
    (note,) = journal.path.with_suffix(".builds").glob("*.json")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The line is cut in its middle, as on a disk that becomes full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (note.stat().st_size + 5, before[1]))
        journal.hear(name, "cached", "b" * 12)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    journal.hear(name, "made", "c" * 12)
    assert journal.build_note(name).was_there("sha256:b")
    journal.end_build(name)
    assert not list(journal.path.with_suffix(".builds").iterdir())


def test_reading_that_is_interrupted_loses_no_entry(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j.jsonl")
    for number in range(3):
        journal.note("image", f"sha256:{number}")

    def interrupted(owned, entry):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("layerlab.engine.journal._apply", interrupted)
        journal.owned()
    assert journal.owned().images == {"sha256:0", "sha256:1", "sha256:2"}


def test_what_a_build_made_belongs_to_the_run_that_began_it(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j.jsonl")
    note = journal.build_note(journal.begin_build([]))
    monkeypatch.setenv(RUN, "a-later-run")
    journal.note("image", "sha256:a", during=note)
    assert not journal.made_by("a-later-run").images
    assert journal.owned().images == {"sha256:a"}
