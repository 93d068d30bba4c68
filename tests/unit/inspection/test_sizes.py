"""Three sizes of one image: what each tool prints on each store, as a table and as a figure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from layerlab import figures, measure
from layerlab.archive import FileEntry, LayerFiles, PackedLayer
from layerlab.errors import NotRecorded
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import ThreeSizes, three_sizes
from layerlab.inspection.sizes import disk_bytes, store_of

MAIN = LayerFiles("b", (FileEntry("app", "dir"), FileEntry("app/main.py", "file", 193)))
BASE = LayerFiles(
    "a",
    (
        FileEntry("", "dir"),
        FileEntry("bin", "dir"),
        FileEntry("bin/python", "file", 5_000_000),
        FileEntry("bin/python3", "hardlink"),
        FileEntry("bin/py", "symlink", link="python"),
        FileEntry("bin/far", "symlink", link="a" * 80),
        FileEntry("old", "whiteout"),
    ),
)
IMAGE = Image(
    "sha256:i", ("layerlab/x:1",), "", "", (HistoryEntry("ADD", 5_000_086), HistoryEntry("COPY", 193)), ("a", "b"), 42
)


class Engine:
    """Enough of an engine to be asked for sizes."""

    def __init__(self, storage: str = "overlay2", name: str = "Docker", packing: str = "plain") -> None:
        self.info = SimpleNamespace(storage=storage, name=name)
        self.packing = packing

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        return BASE, MAIN

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        return PackedLayer("a", 2_000_000, self.packing), PackedLayer("b", 250, self.packing)  # type: ignore[arg-type]

    def history(self, image: str) -> list[dict[str, Any]]:
        return [{"CreatedBy": "COPY", "Size": 193}, {"CreatedBy": "ADD", "Size": 5_000_086}]

    def images(self) -> list[dict[str, Any]]:
        return [{"Id": "sha256:other", "Size": 1}, {"Id": "sha256:i", "Size": 77}]


class Unpacked(Engine):
    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        raise NotRecorded("What the layers take packed is not recorded. Start an engine.")


def measured(engine: Engine) -> ThreeSizes:
    return three_sizes(engine, IMAGE)  # type: ignore[arg-type]


def test_a_copied_file_takes_a_block_for_itself_and_each_folder() -> None:
    # Seen on Docker 28.5.2 with the containerd store: a COPY of 193 bytes counts 12,288.
    assert disk_bytes([MAIN]) == 12_288
    # Root and bin, the file in whole blocks, the long link; nothing for the short one, the hard link, the whiteout.
    assert disk_bytes([BASE]) == (2 + 1221 + 1) * 4096


@pytest.mark.parametrize(
    ("storage", "name", "store"),
    [
        ("overlay2", "Docker", "classic"),
        ("vfs", "Docker", "classic"),
        ("overlayfs", "Docker", "containerd"),
        ("native", "Docker", "containerd"),
        ("overlay", "Podman", "Podman"),
    ],
)
def test_the_driver_tells_the_store(storage: str, name: str, store: str) -> None:
    sizes = measured(Engine(storage, name))
    assert sizes.store == store_of(Engine(storage, name).info) == store  # type: ignore[arg-type]
    here = [row for row in sizes.said if row.is_measured and row.store]
    assert [(row.store, row.size_bytes) for row in here] == [(store, 77), (store, 5_000_279), (store, 42)]
    others = {row.store for row in sizes.said if not row.is_measured}
    assert others == {"classic", "containerd"} - {store}, "what is here is measured, the rest is a rule"


def test_the_rules_of_both_stores() -> None:
    rows = {(row.store, row.tool): row.size_bytes for row in measured(Engine("overlay", "Podman")).said}
    tools = ("docker images", "docker history, sum", "docker inspect")
    assert [rows["classic", tool] for tool in tools] == [5_000_193] * 3
    on_disk = disk_bytes((BASE, MAIN))
    assert [rows["containerd", tool] for tool in tools] == [2_000_250 + on_disk, on_disk, 2_000_250]


def test_the_three_sizes_are_three_columns() -> None:
    frame = measure.sizes({"here": measured(Engine()), "unpacked": measured(Unpacked())})
    assert list(frame.columns) == ["name", "size_bytes", "compressed_bytes", "engine_size_bytes", "why_not"]
    assert frame.loc[0].tolist() == ["here", 5_000_193, 2_000_250, 42, ""]
    assert frame["compressed_bytes"].isna().tolist() == [False, True]
    assert frame["why_not"].tolist()[1].endswith("Start an engine.")


def test_who_packed_is_said() -> None:
    assert measured(Engine()).said[-1].tool == "a registry, packed by gzip"
    assert measured(Engine(packing="zstd")).said[-1].tool == "a registry"


def test_the_figure_splits_each_bar_into_what_is_counted() -> None:
    figure = figures.sizes_by_tool(measure.tools(measured(Engine())), source="made up")
    bars = {trace.name: list(trace.x) for trace in figure.figure.data if trace.name}
    on_disk = disk_bytes((BASE, MAIN))
    assert bars["files"] == [77, 5_000_279, 42]
    assert bars["files in whole blocks"] == [on_disk, on_disk]
    assert bars["packed layers"] == [2_000_250] * 3
    assert [row[4] for row in figure.table.rows] == ["measured here"] * 3 + ["by its rule"] * 3 + ["measured here"]
    assert "By the rule of the containerd store" in figure.alt


def test_what_was_not_measured_has_no_bar_and_says_so() -> None:
    figure = figures.sizes_by_tool(measure.tools(measured(Unpacked())), source="made up")
    assert [row[2] for row in figure.table.rows].count("not measured") == 3
    assert "packed layers" not in {trace.name for trace in figure.figure.data}


def test_a_store_where_all_agree_is_told_in_one_sentence() -> None:
    figure = figures.sizes_by_tool(measure.tools(measured(Engine("overlay", "Podman"))), source="made up")
    assert "By the rule of the classic store all 3 commands print 5.00 MB." in figure.alt
