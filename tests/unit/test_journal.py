"""The journal: what is ours, kept over crashes and shared by several processes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from layerlab.engine.journal import RUN, Journal

KINDS = st.sampled_from(["image", "container", "base"])
IDS = st.sampled_from(["sha256:a", "sha256:b", "c"])


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), KINDS, IDS), max_size=20))
def test_it_remembers_exactly_what_was_noted_and_not_forgotten(tmp_path_factory, entries):
    journal = Journal(tmp_path_factory.mktemp("journal") / "j.jsonl")
    expected: dict[str, set[str]] = {"image": set(), "container": set(), "base": set()}
    for is_note, kind, identity in entries:
        (journal.note if is_note else journal.forget)(kind, identity)
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


def test_two_processes_lose_nothing(tmp_path):
    path = tmp_path / "j.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(str(path), name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(Journal(path).owned().images) == 100
