"""What on an engine is ours: ids and tags, written down as they come out of our own event streams.

Nothing else proves ownership. A label is inherited by whatever is built FROM an image of ours, and a
tag under ``layerlab/`` may have been there before us. So only what stands here is ever removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from filelock import FileLock

from layerlab.engine import private

RUN = "LAYERLAB_RUN"  # the variable in which a run of the tests names itself, so that what it made can be told
Kind = Literal["image", "container", "tag", "base", "volume"]


@dataclass
class Owned:
    """The journal read to its end.

    ``images`` and ``containers`` are ids, ``volumes`` are names, ``tags`` maps a reference to the image it named, and
    ``bases`` are references that the course pulled: listed and offered by `clean`, never removed by themselves.
    """

    images: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    bases: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)

    def copy(self) -> Owned:
        """Return one that shares nothing with this."""
        return Owned(set(self.images), set(self.containers), dict(self.tags), set(self.bases), set(self.volumes))


class Journal:
    """An append-only file per engine. Several kernels and checkouts may write to it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(str(path.with_suffix(".lock")))
        self._reading = threading.Lock()
        self._read = _Read()

    @classmethod
    def open(cls, engine_id: str) -> Journal:
        """Open the journal of the engine with this id (`docker info` calls it ID)."""
        folder = private.paths().root.parent / "journal"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(engine_id.encode()).hexdigest()[:16]
        return cls(folder / f"{name}.jsonl")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from writing meanwhile, for a look and a note that belong together."""
        with self._lock:
            yield

    def note(self, kind: Kind, identity: str, *, image: str | None = None) -> None:
        """Write down that an image, container, volume or tag is ours from now on."""
        run = os.environ.get(RUN)
        self._append(
            {"own": kind, "id": identity, **({"image": image} if image else {}), **({"run": run} if run else {})}
        )

    def forget(self, kind: Kind, identity: str) -> None:
        """Write down that it is gone, or no longer ours."""
        self._append({"gone": kind, "id": identity})

    def owned(self) -> Owned:
        """Read what is ours. A line cut short by a crash is passed over: it named nothing yet.

        The file only grows, so each call reads what was appended since the one before.
        """
        with self._reading:
            for entry in _entries(self._appended()):
                _apply(self._read.owned, entry)
            return self._read.owned.copy()

    def made_by(self, run: str) -> Owned:
        """Read what came to be ours while ``LAYERLAB_RUN`` was this, and still is."""
        owned = Owned()
        for entry in _entries(self.path.read_bytes().splitlines() if self.path.exists() else ()):
            if "gone" in entry or entry.get("run") == run:
                _apply(owned, entry)
        return owned

    def owns_image(self, image_id: str) -> bool:
        """True where an image of exactly this id came out of a build of ours."""
        return image_id in self.owned().images

    def owns_tag(self, reference: str, image_id: str) -> bool:
        """True where we gave this reference to this very image."""
        return self.owned().tags.get(reference) == image_id

    def _append(self, entry: dict[str, str]) -> None:
        with self._lock, self.path.open("ab+") as file:
            # A crash may have cut the last line short; what follows must not be glued to it.
            torn = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
            file.write(b"\n" * torn + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _appended(self) -> Iterable[bytes]:
        """Return the whole lines that were not read yet; all of them where another file lies at this path by now."""
        try:
            with self.path.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_ino != self._read.inode or facts.st_size < self._read.size_bytes:
                    self._read = _Read(facts.st_ino)
                file.seek(self._read.size_bytes)
                appended = file.read()
        except FileNotFoundError:
            self._read = _Read()
            return ()
        # The rest may be half a line: somebody is still writing it, or a crash has cut it and a line end will follow.
        whole = appended[: appended.rfind(b"\n") + 1]
        self._read.size_bytes += len(whole)
        return whole.splitlines()


@dataclass
class _Read:
    """How far a journal was read, and what stood there."""

    inode: int | None = None
    size_bytes: int = 0
    owned: Owned = field(default_factory=Owned)


def _entries(lines: Iterable[bytes]) -> Iterator[dict[str, str]]:
    for line in lines:
        with suppress(ValueError):  # cut short by a crash
            yield json.loads(line)


def _apply(owned: Owned, entry: dict[str, str]) -> None:
    identity = entry.get("id", "")
    match entry:
        case {"own": "image"}:
            owned.images.add(identity)
        case {"own": "container"}:
            owned.containers.add(identity)
        case {"own": "tag"}:
            owned.tags[identity] = entry.get("image", "")
        case {"own": "base"}:
            owned.bases.add(identity)
        case {"own": "volume"}:
            owned.volumes.add(identity)
        case {"gone": "volume"}:
            owned.volumes.discard(identity)
        case {"gone": "base"}:
            owned.bases.discard(identity)
        case {"gone": "image"}:
            owned.images.discard(identity)
        case {"gone": "container"}:
            owned.containers.discard(identity)
        case {"gone": "tag"}:
            owned.tags.pop(identity, None)
