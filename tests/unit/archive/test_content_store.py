"""containerd's content store as a folder: an image by its digest, and of its layers those that are wanted."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import made_up_archives as made
import pytest
from made_up_archives import file, tar

from layerlab import archive
from layerlab.archive.content_store import ContentStore
from layerlab.errors import ArchiveError

FIRST, SECOND = tar([file("a", b"1" * 700)]), tar([file("b", b"2" * 30), file("c", b"3")])
DIFF_IDS = made.diff_ids([FIRST, SECOND])
HELD = made.oci([FIRST, SECOND])
INDEX, MANIFEST, CONFIGURATION = made.digests(HELD)


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    """The blobs of one image, below the root of a content store."""
    root = tmp_path / "io.containerd.content.v1.content"
    with tarfile.open(fileobj=io.BytesIO(HELD)) as held:
        held.extractall(root, filter="data")
    return root / "blobs" / "sha256"


@pytest.mark.parametrize("digest", [INDEX, MANIFEST], ids=["index", "manifest"])
def test_an_image_is_found_by_index_or_manifest_and_read_as_from_an_archive(
    tmp_path: Path, blobs: Path, digest: str
) -> None:
    store = ContentStore(tmp_path)
    image = store.image(digest)
    assert image is not None and (image.id, list(image.diff_ids)) == (CONFIGURATION, DIFF_IDS)
    found = store.layers(image, set(DIFF_IDS))
    assert tuple(found[diff_id] for diff_id in DIFF_IDS) == archive.read(iter([HELD])).layers
    packed = store.packed(image, set(DIFF_IDS))
    assert tuple(packed[diff_id] for diff_id in DIFF_IDS) == archive.read_packed(iter([HELD]))


def test_what_is_not_wanted_is_not_read(tmp_path: Path, blobs: Path) -> None:
    store = ContentStore(tmp_path)
    image = store.image(INDEX)
    assert image is not None
    (blobs / Path(image.layers[0]).name).write_bytes(b"damaged")
    assert list(store.layers(image, {DIFF_IDS[1]})) == [DIFF_IDS[1]]
    with pytest.raises(ArchiveError):
        store.layers(image, {DIFF_IDS[0]})


def test_what_is_not_there_is_left_to_the_engine(tmp_path: Path, blobs: Path) -> None:
    store = ContentStore(tmp_path)
    image = store.image(INDEX)
    assert image is not None
    (blobs / Path(image.layers[0]).name).unlink()
    assert list(store.layers(image, set(DIFF_IDS))) == [DIFF_IDS[1]]
    assert store.image("sha256:00") is None
    (blobs / CONFIGURATION.removeprefix("sha256:")).unlink()
    assert store.image(INDEX) is None
    assert ContentStore(tmp_path / "nowhere").image(INDEX) is None
