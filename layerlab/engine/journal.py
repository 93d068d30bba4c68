"""What on an engine is ours: names that we gave before we built, and ids that the engine answered when asked for them.

Nothing else proves ownership. What a build prints is text that anybody may write. A label is inherited by whatever
is built FROM an image of ours, and a tag under ``layerlab/`` may have been there before us. So only what is written
here is ever removed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from filelock import BaseFileLock, FileLock, Timeout

from layerlab.engine import private

BUILDS = "layerlab/build:"  # + 32 hex digits: the name that a build alone has
RUN = "LAYERLAB_RUN"  # the variable in which a run of the tests names itself, so that what it made can be told
Kind = Literal["image", "container", "tag", "base", "volume", "build", "leftover"]
Heard = Literal["stage", "made", "cached", "base"]

_BUILD = re.compile(re.escape(BUILDS) + "[0-9a-f]{32}")
_ID = re.compile("sha256:[0-9a-f]{64}")
# The first edition read ids of images and containers in what a build printed, and took names by them: its entries of
# these kinds, which bear no edition, prove nothing.
_EDITION = 2
# A RUN may print as many ids as it likes.
_MOST_HEARD = 10_000


@dataclass
class Owned:
    """The journal read to its end.

    ``images`` are ids, ``containers`` ids or names, ``volumes`` are names, ``tags`` maps a reference to the image that
    it named, ``lent`` the same of names that we were about to give (a process may have been killed before or after it
    did), and ``bases`` are references that the course pulled: listed and offered by `clean`, never removed.
    ``builds`` are the names of builds that are under way or were cut short. ``leftovers`` are ids of untagged images
    that a failed build of ours says it made, or that the first edition took for ours: by themselves they prove nothing.
    """

    images: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    lent: dict[str, str] = field(default_factory=dict)
    bases: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    builds: set[str] = field(default_factory=set)
    leftovers: set[str] = field(default_factory=set)

    def gave(self, reference: str, image_id: str) -> bool:
        """True where we gave this reference to this very image, or were about to."""
        return image_id in (self.tags.get(reference), self.lent.get(reference))

    def copy(self) -> Owned:
        """Return one that shares nothing with this."""
        return Owned(**{one.name: getattr(self, one.name).copy() for one in fields(self)})


@dataclass(frozen=True)
class BuildNote:
    """What was written down of a build before it began and while it ran.

    Attributes
    ----------
    before
        Ids of all images that the engine held when it began; None where the note is lost or too long, so that every
        image may have been there.
    heard
        What its events said, in order: "stage", the id that a stage ended with (a field of the engine's own); "made",
        "cached" and "base" (of a FROM), ids in 12 digits, which a RUN can print as well. So the last two are used only
        to leave alone, and "made" only beside `before`.
    run
        ``LAYERLAB_RUN`` as it was then.
    """

    before: frozenset[str] | None
    heard: tuple[tuple[str, str], ...] = ()
    run: str | None = None

    def was_there(self, image_id: str) -> bool:
        """True where the engine held this image when the build began, or where nobody knows."""
        return self.before is None or image_id in self.before

    def heard_of(self, kind: Heard, *, until_stage: str | None = None) -> list[str]:
        """Return the ids of a kind, by default all of them, else those that were heard before that stage ended."""
        ids = []
        for what, id in self.heard:
            if what == kind:
                ids.append(id)
            if (what, id) == ("stage", until_stage):
                break
        return ids


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
        self._unwritten: list[Mapping[str, Any]] = []

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
        self,
        kind: Kind,
        identity: str,
        *,
        image: str | None = None,
        during: BuildNote | None = None,
        is_about: bool = False,
    ) -> None:
        """Write down that an image, container, volume or tag is ours from now on.

        Parameters
        ----------
        image
            Of a tag: the image that it names.
        during
            The build that made it, where its run may be another than this one.
        is_about
            Of a tag: True where it is not given yet, and noted again once it is.
        """
        run = during.run if during else os.environ.get(RUN)
        said = {"image": image, "run": run, "about": is_about}
        self._append(
            {"own": kind, "id": identity, "edition": _EDITION, **{name: value for name, value in said.items() if value}}
        )

    def forget(self, kind: Kind, *identities: str) -> None:
        """Write down that these are gone, or no longer ours: where the disk is full, as soon as there is room."""
        gone = [{"gone": kind, "id": one} for one in identities]
        try:
            self._append(*gone)
        except OSError as error:
            if not is_full(error):
                raise
            # What goes away makes room, and is not there whatever the journal says.
            self._unwritten += gone

    def begin_build(self, before: Iterable[str] | None) -> str:
        """Write down a build that is about to begin, and return the name that it is to bear.

        Parameters
        ----------
        before
            Ids of all images that the engine holds; None where `note_before` is to be told them.
        """
        name = f"{BUILDS}{secrets.token_hex(16)}"
        path = self._build_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Held as long as this process lives, so that no other takes a build under way for one that was cut short.
        self._builds[name] = lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        lock.acquire()
        try:
            if before is not None:
                self.note_before(name, before)
            self.note("build", name)
        except OSError:
            self._remove_file(name)
            self._let_go(name)
            raise
        return name

    def note_before(self, name: str, before: Iterable[str]) -> None:
        """Write down which images the engine held when a build began; until then all may have been there."""
        first = {"before": sorted(before), "run": os.environ.get(RUN)}
        self._build_file(name).write_text(json.dumps(first) + "\n", encoding="utf-8")

    def hear(self, name: str, kind: Heard, identity: str) -> None:
        """Write down what the events of a build said of an image.

        Where that cannot be written (disk full), the whole note goes: it might have taken something from us.
        """
        note = self._build_file(name)
        try:
            with note.open("a", encoding="utf-8") as file:
                file.write(json.dumps([kind, identity]) + "\n")
        except OSError:
            note.unlink(missing_ok=True)

    def build_note(self, name: str) -> BuildNote:
        """Return what was written down of a build; where that is lost, every image was there before."""
        lines = _lines(self._build_file(name))
        first = next(lines, None)
        before, run = (first.get("before"), first.get("run")) if isinstance(first, dict) else (None, None)
        heard = tuple((one[0], one[1]) for one in islice(lines, _MOST_HEARD) if _is_heard(one))
        ids = (
            [one for one in before if isinstance(one, str) and _ID.fullmatch(one)] if isinstance(before, list) else None
        )
        is_whole = ids is not None and ids == before and next(lines, None) is None
        return BuildNote(frozenset(ids or ()) if is_whole else None, heard, run if isinstance(run, str) else None)

    def end_build(self, name: str) -> None:
        """Write down that all that a build made is noted by itself now."""
        self.forget("build", name)
        self._remove_file(name)
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
                with suppress(OSError):
                    Path(lock.lock_file).unlink(missing_ok=True)

    def _remove_file(self, name: str) -> None:
        with suppress(OSError):  # a note that stays is no more than a few kilobytes
            self._build_file(name).unlink(missing_ok=True)

    def _build_file(self, name: str) -> Path:
        return self.path.with_suffix(".builds") / f"{name.removeprefix(BUILDS)}.json"

    def owned(self) -> Owned:
        """Read what is ours. A line cut short by a crash is passed over: it named nothing yet.

        The file only grows, so each call reads what was appended since the one before.
        """
        with self._reading:
            begun, lines = self._appended()
            # Put in place when all of it was read: an interrupt in between must lose no entry.
            read = replace(begun, owned=begun.owned.copy())
            for entry in _entries(lines):
                _apply(read.owned, entry)
            self._read = read
            return read.owned.copy()

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
        return self.owned().gave(reference, image_id)

    def _append(self, *entries: Mapping[str, Any]) -> None:
        if not entries:
            return
        with self._lock, self.path.open("ab+") as file:
            late = len(self._unwritten)
            entries = (*self._unwritten[:late], *entries)
            # A crash may have cut the last line short; what follows must not be glued to it.
            torn = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
            file.write(b"\n" * torn + b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
            file.flush()
            os.fsync(file.fileno())
            del self._unwritten[:late]

    def _appended(self) -> tuple[_Read, Iterable[bytes]]:
        """Return how far the journal is read with these lines, and the whole lines that were not read yet.

        All lines where another file lies at this path by now.
        """
        try:
            with self.path.open("rb") as file:
                facts = os.fstat(file.fileno())
                is_same = facts.st_ino == self._read.inode and facts.st_size >= self._read.size_bytes
                read = self._read if is_same else _Read(facts.st_ino)
                file.seek(read.size_bytes)
                appended = file.read()
        except FileNotFoundError:
            return _Read(), ()
        # The rest may be half a line: somebody is still writing it, or a crash has cut it and a line end will follow.
        whole = appended[: appended.rfind(b"\n") + 1]
        return replace(read, size_bytes=read.size_bytes + len(whole)), whole.splitlines()


@dataclass
class _Read:
    """How far a journal was read, and what stood there."""

    inode: int | None = None
    size_bytes: int = 0
    owned: Owned = field(default_factory=Owned)


def is_full(error: OSError) -> bool:
    """True where the disk has no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _lines(path: Path) -> Iterator[Any]:
    """Yield the JSON values of a note, up to a line that is none; nothing where it can't be read."""
    with suppress(OSError, ValueError, RecursionError), path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _is_heard(line: Any) -> bool:
    return isinstance(line, list) and len(line) == 2 and all(isinstance(part, str) for part in line)


def _entries(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with suppress(ValueError, RecursionError):  # cut short by a crash, or written by somebody else
            entry = json.loads(line)
            if isinstance(entry, dict) and all(isinstance(entry.get(name, ""), str) for name in ("id", "image", "run")):
                yield entry


def _apply(owned: Owned, entry: dict[str, Any]) -> None:
    identity = entry.get("id", "")
    match entry:
        case {"own": "image", "edition": int()}:
            owned.images.add(identity)
            owned.leftovers.discard(identity)
        case {"own": "image" | "leftover"}:
            if identity not in owned.images:
                owned.leftovers.add(identity)
        case {"own": "container", "edition": int()}:
            owned.containers.add(identity)
        case {"own": "tag", "edition": int(), "about": True}:
            owned.lent[identity] = entry.get("image", "")
        case {"own": "tag", "edition": int()}:
            owned.tags[identity] = entry.get("image", "")
            owned.lent.pop(identity, None)
        case {"own": "base"}:
            owned.bases.add(identity)
        case {"own": "volume"}:
            owned.volumes.add(identity)
        case {"own": "build"} if _BUILD.fullmatch(identity):
            owned.builds.add(identity)
        case {"gone": "tag"}:
            owned.tags.pop(identity, None)
            owned.lent.pop(identity, None)
        case {"gone": "image" | "leftover"}:
            owned.images.discard(identity)
            owned.leftovers.discard(identity)
        case {"gone": "container" | "base" | "volume" | "build" as kind}:
            getattr(owned, f"{kind}s").discard(identity)
