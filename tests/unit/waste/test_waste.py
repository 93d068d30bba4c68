"""Waste: byte for byte what a brute-force union mount hides, on generated stacks of layers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_stacks import PATHS, stacks

from layerlab.archive import FileEntry, Kind, LayerFiles
from layerlab.waste import Maker, Wasted, findings, fix, union


class Mounted:
    """The slow truth: one flat dictionary from path to what lies there, searched whole at every step."""

    def __init__(self) -> None:
        self.paths: dict[str, tuple[int, int, int] | str] = {}  # path → (layer, place, size), or "dir", "other"

    def below(self, path: str) -> list[str]:
        return [one for one in self.paths if one.startswith(f"{path}/")]

    def drop(self, path: str, *, itself: bool = True) -> None:
        for one in [*self.below(path), *([path] if itself and path in self.paths else [])]:
            del self.paths[one]

    def lay(self, number: int, layer: LayerFiles) -> None:
        for entry in layer.entries:
            if entry.kind == "whiteout":
                self.drop(entry.path)
            elif entry.kind == "opaque" and not entry.path:
                self.paths = {}
            elif entry.kind == "opaque" and self.paths.get(entry.path) == "dir":
                self.drop(entry.path, itself=False)
        for place, entry in enumerate(layer.entries):
            if entry.kind not in ("whiteout", "opaque"):
                self.put(entry, number, place)

    def put(self, entry: FileEntry, number: int, place: int) -> None:
        parts = entry.path.split("/")
        for end in range(1, len(parts)):
            self.make_folder("/".join(parts[:end]))
        if entry.kind == "dir":
            self.make_folder(entry.path)
            return
        new: tuple[int, int, int] | str = "other"
        if entry.kind in ("file", "symlink"):
            new = (number, place, entry.size_bytes)
        elif entry.kind == "hardlink" and isinstance(self.paths.get(entry.link), tuple):
            new = self.paths[entry.link]
        self.drop(entry.path)
        self.paths[entry.path] = new

    def make_folder(self, path: str) -> None:
        if self.paths.get(path) != "dir":
            self.drop(path)
            self.paths[path] = "dir"

    @property
    def visible_bytes(self) -> int:
        return sum(size for _, _, size in {one for one in self.paths.values() if isinstance(one, tuple)})


def brute_force(layers: Sequence[LayerFiles]) -> Mounted:
    mounted = Mounted()
    for number, layer in enumerate(layers):
        mounted.lay(number, layer)
    return mounted


def hold_against_brute_force(layers: Sequence[LayerFiles]) -> None:
    found, truth = union(layers), brute_force(layers)
    assert found.visible_bytes == truth.visible_bytes
    assert found.waste_bytes == sum(layer.size_bytes for layer in layers) - truth.visible_bytes
    inodes = {one for one in truth.paths.values() if isinstance(one, tuple)}
    wanted = {(number, id(layers[number].entries[place])) for number, place, _ in inodes}
    assert {(one.layer, id(one.entry)) for one in found.visible} == wanted
    assert len(found.visible) == len(wanted)
    for one in found.visible:
        number, place, _ = truth.paths[one.path]
        assert layers[number].entries[place] is one.entry


@given(stacks())
@settings(max_examples=examples(300))
def test_waste_is_what_the_union_does_not_show(layers: list[LayerFiles]) -> None:
    hold_against_brute_force(layers)


def test_not_a_byte_differs_over_ten_thousand_stacks() -> None:
    # Hypothesis shrinks what it finds and takes its time; these come from fixed seeds, thirty times as fast.
    hidden, count = 0, examples(10_000)
    for seed in range(count):
        layers = tuple(_layers(random.Random(seed)))
        hold_against_brute_force(layers)
        hidden += bool(union(layers).waste_bytes)
    assert hidden > count / 2  # stacks without waste would prove little


def _layers(chosen: random.Random) -> Iterator[LayerFiles]:
    kinds = ("file", "file", "file", "dir", "symlink", "hardlink", "whiteout", "whiteout", "opaque", "fifo")
    for number in range(chosen.randint(1, 6)):
        kept = [_entry(chosen, chosen.choice(kinds)) for _ in range(chosen.randint(0, 12))]
        yield LayerFiles(f"sha256:{number}", tuple(kept))


def _entry(chosen: random.Random, kind: Kind) -> FileEntry:
    path = chosen.choice(PATHS)
    size = chosen.randint(0, 9) if kind == "file" else 0
    link = chosen.choice(PATHS) if kind == "hardlink" else ""
    if kind == "opaque" and chosen.random() < 0.1:
        path = ""  # a folder as well: the root
    return FileEntry(path, kind, size, chosen.choice((0o644, 0o755)), link=link, checksum=chosen.randint(1, 3))


@given(stacks())
def test_nothing_is_hidden_before_it_was_written(layers: list[LayerFiles]) -> None:
    assert all(one.written_by <= one.hidden_by for one in union(layers).wasted)


def test_a_removed_folder_wastes_what_was_in_it() -> None:
    # dive counts nothing here.
    layers = [
        LayerFiles("0", (FileEntry("d", "dir"), FileEntry("d/x", "file", 50), FileEntry("d/e/y", "file", 7))),
        LayerFiles("1", (FileEntry("d", "whiteout"),)),
    ]
    assert sorted(union(layers).wasted) == [
        Wasted("d/e/y", 7, "removed with its folder", 0, 1),
        Wasted("d/x", 50, "removed with its folder", 0, 1),
    ]


def test_a_file_written_three_times_wastes_two() -> None:
    layers = [LayerFiles(str(n), (FileEntry("x", "file", 10 + n, checksum=n),)) for n in range(3)]
    assert [(one.size_bytes, one.how, one.hidden_by) for one in union(layers).wasted] == [
        (10, "rewritten", 1),
        (11, "rewritten", 2),
    ]


def test_a_chmod_is_told_from_a_change_and_from_a_second_copy() -> None:
    def second(**changed: int) -> str:
        old = FileEntry("x", "file", 50, mode=0o644, checksum=1)
        return union([LayerFiles("0", (old,)), LayerFiles("1", (old._replace(**changed),))]).wasted[0].how

    assert second(mode=0o755) == second(uid=7) == "attributes only"
    assert second() == second(mtime=5) == "same again"
    assert second(checksum=2) == "rewritten"


def test_a_hard_linked_file_is_wasted_when_its_last_name_goes() -> None:
    base = LayerFiles("0", (FileEntry("x", "file", 9), FileEntry("y", "hardlink", link="x")))
    assert union([base, LayerFiles("1", (FileEntry("x", "whiteout"),))]).waste_bytes == 0
    both = LayerFiles("1", (FileEntry("x", "whiteout"), FileEntry("y", "whiteout")))
    assert union([base, both]).wasted == (Wasted("x", 9, "removed", 0, 1),)


def test_an_opaque_folder_hides_what_lay_below_and_not_its_own() -> None:
    layers = [
        LayerFiles("0", (FileEntry("d/old", "file", 5),)),
        LayerFiles("1", (FileEntry("d/new", "file", 3), FileEntry("d", "opaque"))),
    ]
    found = union(layers)
    assert found.wasted == (Wasted("d/old", 5, "opaque folder", 0, 1),)
    assert [one.path for one in found.visible] == ["d/new"]


# --- findings: the same bytes, with names and a fix --------------------------------------------


def makers(count: int, base: int = 0) -> list[Maker]:
    return [Maker(number, "RUN x", line=number + 1, is_base=number < base) for number in range(count)]


@given(stacks(), st.integers(0, 5))
def test_findings_add_up_to_the_waste(layers: list[LayerFiles], base: int) -> None:
    merged = union(layers)
    found = findings(merged, makers(len(layers), base))
    assert sum(one.size_bytes for one in found) == merged.waste_bytes
    assert sum(len(one.paths) for one in found) == len(merged.wasted)
    assert all(one.fix and "\n" not in one.fix for one in found)


def test_a_finding_says_who_wrote_who_hid_and_what_to_do() -> None:
    layers = [
        LayerFiles("0", (FileEntry("lib", "file", 9, checksum=1),)),
        LayerFiles("1", (FileEntry("d/x", "file", 50), FileEntry("y", "file", 7, mode=0o644, checksum=3))),
        LayerFiles("2", (FileEntry("d", "whiteout"), FileEntry("y", "file", 7, mode=0o755, checksum=3))),
        LayerFiles("3", (FileEntry("lib", "file", 9, checksum=1),)),
    ]
    first, second, third = findings(union(layers), makers(4, base=1))
    assert (first.size_bytes, first.paths, first.fix) == (50, ("d/x",), "join the rm of line 3 to the RUN in line 2")
    assert (first.writer.where, first.hider.where) == ("line 2", "line 3")
    assert second.fix == "line 4 writes again what the base has: only its command can be told not to"
    assert third.fix == "join the chmod or chown of line 3 to the RUN in line 2"


def test_a_copied_file_is_mended_where_it_is_copied() -> None:
    copy, run = Maker(1, "COPY . .", line=5), Maker(2, "RUN rm x", line=6)
    assert fix("attributes only", copy, run) == "set mode and owner in line 5: COPY --chmod=… --chown=…"
    assert fix("removed", copy, run).startswith("a .dockerignore or a narrower source")
    assert fix("removed", Maker(0, "ADD", is_base=True), run).endswith("choose a base without them")
