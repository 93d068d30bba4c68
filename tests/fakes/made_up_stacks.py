"""Stacks of layers that hypothesis makes up."""

from __future__ import annotations

from hypothesis import strategies as st

from layerlab.archive import FileEntry, LayerFiles
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import Inspection

PATHS = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/f", "f/a", "f"]


@st.composite
def stacks(draw: st.DrawFn) -> list[LayerFiles]:
    """Up to five layers over ten paths: so few that entries meet each other."""
    return [
        LayerFiles(f"sha256:{number}", tuple(draw(st.lists(entries(), max_size=8))))
        for number in range(draw(st.integers(1, 5)))
    ]


def entries() -> st.SearchStrategy[FileEntry]:
    path = st.sampled_from(PATHS)
    return st.one_of(
        st.builds(
            lambda path, size, mode, checksum: FileEntry(path, "file", size, mode=mode, checksum=checksum),
            path, st.integers(0, 9), st.sampled_from([0o644, 0o755]), st.integers(1, 3),
        ),
        st.builds(lambda path: FileEntry(path, "dir"), path),
        st.builds(lambda path: FileEntry(path, "symlink", link="x"), path),
        st.builds(lambda path, link: FileEntry(path, "hardlink", link=link), path, path),
        st.builds(lambda path: FileEntry(path, "whiteout"), path),
        st.builds(lambda path: FileEntry(path, "opaque"), path),
    )  # fmt: skip


def inspection(layers: list[LayerFiles]) -> Inspection:
    history = tuple(HistoryEntry("RUN x", layer.size_bytes) for layer in layers)
    ids = tuple(layer.diff_id for layer in layers)
    return Inspection(Image("sha256:i", (), "linux/amd64", "", history, ids, 0), tuple(layers))
