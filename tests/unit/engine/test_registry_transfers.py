"""Transfers: what they add up to, how they are written down and found again, and blobs that arrive damaged."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from layerlab.engine.live.registry import program as programs
from layerlab.engine.live.registry.local import _check
from layerlab.engine.recorded.replay_registry import RecordingRegistry, ReplayedRegistry
from layerlab.engine.recorded.store import Store
from layerlab.engine.registry import Blob, Transfer
from layerlab.errors import NoRegistry, NotRecorded, PullFailed

FIRST = Transfer("push", (Blob("sha256:aa", 9_000_000, False), Blob("sha256:bb", 300, False)), 2.0)
SECOND = Transfer("push", (Blob("sha256:aa", 9_000_000, True), Blob("sha256:cc", 310, False)), 0.5)


class Harbour:
    """A registry that answers with what it is told."""

    def __init__(self, *answers: Transfer) -> None:
        self.answers = list(answers)
        self.is_closed = False

    def push(self, image: str) -> Transfer:
        return self.answers.pop(0)

    def pull(self, image: str) -> Transfer:
        return self.answers.pop(0)

    def fetch(self, image: str, *, having: str | None = None) -> Transfer:
        return self.answers.pop(0)

    def close(self) -> None:
        self.is_closed = True

    def __enter__(self) -> Harbour:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def test_a_transfer_tells_what_was_sent_of_what_there_is() -> None:
    assert (SECOND.compressed_bytes, SECOND.sent_bytes) == (9_000_310, 310)
    assert repr(SECOND) == "1 of 2 layers pushed: 310 B of 9.00 MB packed, in 0.5 s"


def test_what_was_recorded_replays_in_the_same_order_only(tmp_path: Path) -> None:
    live = Harbour(FIRST, SECOND, Transfer("fetch", SECOND.blobs, 0.1))
    with RecordingRegistry(live, Store(tmp_path / "made.jsonl"), str.upper) as recording:
        recording.push("one")
        recording.push("two")
        recording.fetch("two", having="one")
    assert live.is_closed
    with ReplayedRegistry(Store(tmp_path / "made.jsonl"), str.upper) as replayed:
        with pytest.raises(NotRecorded, match="Pushing two is not recorded, or not in this order"):
            replayed.push("two")
        assert (replayed.push("one"), replayed.push("two")) == (FIRST, SECOND)
        assert replayed.fetch("two", having="one").sent_bytes == 310
        with pytest.raises(NotRecorded, match="for a machine that has three"):
            replayed.fetch("two", having="three")


def test_a_layer_is_held_against_both_of_its_hashes() -> None:
    content = b"files" * 1000
    packed = gzip.compress(content, mtime=0)
    layer = {"digest": f"sha256:{hashlib.sha256(packed).hexdigest()}", "mediaType": "…tar.gzip", "size": len(packed)}
    diff_id = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _check(iter([packed[:10], packed[10:]]), layer, diff_id)
    with pytest.raises(PullFailed, match="arrived damaged"):
        _check(iter([packed]), layer, "sha256:something-else")
    with pytest.raises(PullFailed, match="arrived damaged"):
        _check(iter([gzip.compress(b"other")]), layer, diff_id)


def test_without_a_program_and_without_apt_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(programs.shutil, "which", lambda name, path=None: None)
    with pytest.raises(NoRegistry, match=r"no `docker-registry` on this machine.*Install it"):
        programs.program(print)
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "docker-registry").touch()
    assert programs.program(print) == tmp_path / "registry" / "docker-registry"
