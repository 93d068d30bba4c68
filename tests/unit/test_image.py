"""Pairing history with layers, and what an image adds to its base."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab.image import HistoryEntry, Image, pair, shared_prefix

BYTES_ENTRY = st.builds(HistoryEntry, st.sampled_from(["RUN /bin/sh -c x", "COPY a b"]), st.integers(1, 10**9))
EMPTY_ENTRY = st.sampled_from(["ENV A=1", '/bin/sh -c #(nop)  CMD ["x"]', "EXPOSE 8000", "LABEL a=b"]).map(
    lambda text: HistoryEntry(text, 0)
)


def image(history, diff_ids, size=0):
    return Image("sha256:x", (), "linux/amd64", "", tuple(history), tuple(diff_ids), size)


@given(st.lists(BYTES_ENTRY | EMPTY_ENTRY, max_size=12))
def test_entries_with_bytes_are_paired_in_order(history):
    makers = [entry for entry in history if entry.size_bytes]
    layers = pair(history, [f"sha256:{n}" for n in range(len(makers))])
    assert [layer.size_bytes for layer in layers] == [entry.size_bytes for entry in makers]
    assert [layer.index for layer in layers] == list(range(len(makers)))
    assert sum(layer.size_bytes for layer in layers) == sum(entry.size_bytes for entry in history)


@given(st.lists(BYTES_ENTRY, max_size=6), st.integers(1, 4))
def test_layers_without_history_lie_at_the_bottom(history, surplus):
    layers = pair(history, [f"sha256:{n}" for n in range(len(history) + surplus)])
    assert [layer.history_index for layer in layers[:surplus]] == [None] * surplus
    assert [layer.instruction for layer in layers[surplus:]] == [entry.instruction for entry in history]


def test_a_run_that_wrote_nothing_still_has_its_layer():
    history = [HistoryEntry("base", 5), HistoryEntry("ENV A=1", 0), HistoryEntry("RUN /bin/sh -c true", 0)]
    layers = pair(history, ["sha256:a", "sha256:b"])
    assert [layer.instruction for layer in layers] == ["base", "RUN true"]


def test_workdir_makes_a_layer_only_where_one_is_left_over():
    history = [HistoryEntry("base", 5), HistoryEntry("WORKDIR /app", 0), HistoryEntry("COPY a b", 3)]
    assert [layer.instruction for layer in pair(history, ["a", "b"])] == ["base", "COPY a b"]
    assert [layer.instruction for layer in pair(history, ["a", "b", "c"])] == ["base", "WORKDIR /app", "COPY a b"]


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ('/bin/sh -c #(nop)  CMD ["python3"]', 'CMD ["python3"]'),
        ("/bin/sh -c pip install x", "RUN pip install x"),
        ("|1 PY_MINOR=3.11 /bin/sh -c pip install x", "RUN pip install x"),
        ("RUN |1 PY_MINOR=3.11 /bin/sh -c pip install x # buildkit", "RUN pip install x"),
        ("COPY main.py . # buildkit", "COPY main.py ."),
        (f"/bin/sh -c #(nop) ADD file:{'3a' * 32} in / ", "ADD (file) in /"),
    ],
)
def test_a_history_line_reads_as_its_instruction(created_by, instruction):
    assert HistoryEntry(created_by, 0).instruction == instruction


@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)))
def test_the_shared_prefix_is_the_longest(common, first, second):
    count = shared_prefix(common + first, common + second)
    assert count >= len(common)
    assert (common + first)[:count] == (common + second)[:count]
    beyond = ((common + first)[count : count + 1], (common + second)[count : count + 1])
    assert beyond[0] != beyond[1] or beyond == ([], [])


def test_added_is_what_lies_beyond_the_base_even_if_a_layer_comes_again():
    base = image([HistoryEntry("base", 100), HistoryEntry("RUN /bin/sh -c a", 10)], ["sha256:a", "sha256:b"])
    ours = image(
        [*base.history, HistoryEntry("COPY x y", 7), HistoryEntry("COPY x y", 10)],
        ["sha256:a", "sha256:b", "sha256:c", "sha256:b"],
    )
    assert ours.added_bytes(base) == 17
    assert ours.size_bytes == 127
    other = image([HistoryEntry("other", 50)], ["sha256:z"])
    assert ours.added_bytes(other) == 127


def test_whoever_holds_one_image_lacks_the_layers_that_another_digest_names():
    old = image([HistoryEntry("base", 9), HistoryEntry("COPY a", 5), HistoryEntry("COPY b", 3)], ["x", "a1", "b"])
    new = image([HistoryEntry("base", 9), HistoryEntry("COPY a", 6), HistoryEntry("COPY b", 3)], ["x", "a2", "b"])
    assert [layer.size_bytes for layer in new.layers_not_in(old)] == [6], "b stands above what changed, and is the same"
    assert new.layers_not_in(new) == ()


def test_sizes_read_from_the_layers_stand_in_history_and_layers():
    # As the containerd store counts: whole blocks, also where no file was added.
    counted = image(
        [HistoryEntry("ADD base", 81920), HistoryEntry("RUN true", 4096), HistoryEntry("COPY a", 12288)],
        ["x", "y", "z"],
    )
    exact = counted.with_layer_sizes([70_001, 0, 198])
    assert [entry.size_bytes for entry in exact.history] == [70_001, 0, 198]
    assert [(layer.size_bytes, layer.instruction) for layer in exact.layers] == [
        (70_001, "ADD base"),
        (0, "RUN true"),
        (198, "COPY a"),
    ]
    assert exact.size_bytes == 70_199
    assert exact.added_bytes(image([HistoryEntry("ADD base", 81920)], ["x"]).with_layer_sizes([70_001])) == 198


def test_a_layer_without_history_has_its_size_too():
    imported = image([HistoryEntry("ENV A=1", 0), HistoryEntry("COPY a", 5)], ["x", "y", "z"])
    exact = imported.with_layer_sizes([100, 20, 5])
    assert exact.size_bytes == 125
    assert [layer.size_bytes for layer in exact.layers] == [100, 20, 5]
