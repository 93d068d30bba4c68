"""What on an engine is ours: names that we gave before we built, and ids that the engine answered when asked for them.

Nothing else proves ownership. What a build prints is text that anybody may write. A label is inherited by whatever
is built FROM an image of ours, and a tag under ``layerlab/`` may have been there before us. So only what is written
here is ever removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from filelock import BaseFileLock, FileLock, Timeout

from layerlab.engine import private

BUILDS = "layerlab/build:"  # + 32 hex digits: the name that a build alone has
COMMITTED = "commit"  # an image that we committed ourselves: the engine's answer named it
RUN = "LAYERLAB_RUN"  # the variable in which a run of the tests names itself, so that what it made can be told
Kind = Literal["image", "container", "tag", "base", "volume", "build", "leftover"]
_CONTAINER_ID = 64  # digits; the edition before this one also noted ids of 12, which it had read in a build's output


@dataclass
class Owned:
    """The journal read to its end.

    ``images`` and ``containers`` are ids, ``volumes`` are names, ``tags`` maps a reference to the image it named, and
    ``bases`` are references that the course pulled: listed and offered by `clean`, never removed by themselves.
    ``builds`` are the names of builds that are under way or were cut short. ``leftovers`` are ids of untagged images
    that appeared while a build of ours failed, or that the edition before this one took for ours: nothing proves it.
    """

    images: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    bases: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    builds: set[str] = field(default_factory=set)
    leftovers: set[str] = field(default_factory=set)

    def copy(self) -> Owned:
        """Return one that shares nothing with this."""
        return Owned(**{one.name: getattr(self, one.name).copy() for one in fields(self)})


@dataclass(frozen=True)
class BuildNote:
    """What was written down before a build began.

    Attributes
    ----------
    before
        Ids of all images that the engine held then; None where the note is lost, so that every image may have been.
    instructions
        The Dockerfile's instructions, which tell the steps of this build from those of others.
    run
        ``LAYERLAB_RUN`` as it was then.
    """

    before: frozenset[str] | None
    instructions: tuple[str, ...] = ()
    run: str | None = None

    def was_there(self, image_id: str) -> bool:
        """True where the engine held this image when the build began, or where nobody knows."""
        return self.before is None or image_id in self.before


class Journal:
    """An append-only file per engine, and a note beside it for each build that has not ended.

    Several kernels and checkouts may write to it at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._builds: dict[str, BaseFileLock] = {}
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

    def note(
        self, kind: Kind, identity: str, *, image: str | None = None, proof: str | None = None, run: str | None = None
    ) -> None:
        """Write down that an image, container, volume or tag is ours from now on.

        Parameters
        ----------
        image
            Of a tag: the image that it names.
        proof
            Of an image: the build's name that led to it, or `COMMITTED`. One without proof counts as a leftover.
        run
            The run that made it, where that is not this one.
        """
        said = {"image": image, "proof": proof, "run": run or os.environ.get(RUN)}
        self._append({"own": kind, "id": identity, **{name: value for name, value in said.items() if value}})

    def begin_build(self, before: Iterable[str], instructions: Sequence[str] = ()) -> str:
        """Write down a build that is about to begin, and return the name that it is to bear.

        Parameters
        ----------
        before
            Ids of all images that the engine holds.
        """
        name = f"{BUILDS}{secrets.token_hex(16)}"
        note, run = self._build_file(name), os.environ.get(RUN)
        note.parent.mkdir(parents=True, exist_ok=True)
        # Held as long as this process lives, so that no other takes a build under way for one that was cut short.
        self._builds[name] = lock = FileLock(note.with_suffix(".lock"), thread_local=False)
        lock.acquire()
        content = {"before": sorted(before), "instructions": list(instructions), "run": run}
        note.write_text(json.dumps(content), encoding="utf-8")
        self.note("build", name)
        return name

    def build_note(self, name: str) -> BuildNote:
        """Return what was written down before a build began; where that is lost, every image was there before."""
        try:
            note = json.loads(self._build_file(name).read_text(encoding="utf-8"))
            return BuildNote(frozenset(note["before"]), tuple(note["instructions"]), note["run"])
        except (OSError, ValueError, TypeError, KeyError):
            return BuildNote(None)

    def end_build(self, name: str) -> None:
        """Write down that all that a build made is noted by itself now."""
        self.forget("build", name)
        self._build_file(name).unlink(missing_ok=True)
        self._let_go(name)

    def abandon_build(self, name: str) -> None:
        """Let a build that was cut short stay open, for `cut_short`: the engine may still be ending it."""
        self._let_go(name)

    @contextmanager
    def cut_short(self) -> Iterator[tuple[str, ...]]:
        """Give the names of builds that no living process is at, and keep every other process from them meanwhile."""
        held = [name for name in sorted(self.owned().builds) if name not in self._builds and self._take(name)]
        try:
            yield tuple(held)
        finally:
            for name in held:
                self._let_go(name)

    def _take(self, name: str) -> bool:
        note = self._build_file(name)
        note.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(note.with_suffix(".lock"), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._builds[name] = lock
        return True

    def _let_go(self, name: str) -> None:
        lock = self._builds.pop(name, None)
        if lock is not None:
            lock.release()
            if not self._build_file(name).exists():
                Path(lock.lock_file).unlink(missing_ok=True)

    def _build_file(self, name: str) -> Path:
        return self.path.with_suffix(".builds") / f"{name.removeprefix(BUILDS)}.json"

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
            entry = json.loads(line)
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                yield entry


def _apply(owned: Owned, entry: dict[str, str]) -> None:
    identity = entry["id"]
    match entry:
        case {"own": "image", "proof": str()}:
            owned.images.add(identity)
            owned.leftovers.discard(identity)
        case {"own": "image" | "leftover"} if identity not in owned.images:
            owned.leftovers.add(identity)
        case {"own": "container"} if len(identity) == _CONTAINER_ID:
            owned.containers.add(identity)
        case {"own": "tag"}:
            owned.tags[identity] = entry.get("image", "")
        case {"own": "base"}:
            owned.bases.add(identity)
        case {"own": "volume"}:
            owned.volumes.add(identity)
        case {"own": "build"}:
            owned.builds.add(identity)
        case {"gone": "tag"}:
            owned.tags.pop(identity, None)
        case {"gone": "image" | "leftover"}:
            owned.images.discard(identity)
            owned.leftovers.discard(identity)
        case {"gone": "container"}:
            owned.containers.discard(identity)
        case {"gone": "base"}:
            owned.bases.discard(identity)
        case {"gone": "volume"}:
            owned.volumes.discard(identity)
        case {"gone": "build"}:
            owned.builds.discard(identity)
