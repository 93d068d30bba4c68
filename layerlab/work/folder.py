"""The folder of learners' files as a record, and a record into that folder. Knows no course and no transport file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from layerlab.errors import AnswerError, LayerLabError
from layerlab.work.answers import Answer, Answers, is_file_name, is_id
from layerlab.work.record import FILES, Key, Record, Version

# The kind that holds displaced versions, as lists; its ids name kind and id.
EARLIER = "earlier"

_EARLIER_ID = "{key.kind}/{key.id}"
_BACKUP = f"; older versions are kept in {EARLIER}.json beside the answers"
_KINDS = ("answers", "predictions", "attempts", "results")
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Work:
    """Everything kept below a folder, and a sentence about each thing that could not be taken along."""

    record: Record
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """What a merge did: ``added`` had nothing here, ``replaced`` had something older, ``left`` had something newer."""

    added: tuple[Key, ...]
    replaced: tuple[Key, ...]
    left: tuple[Key, ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """What happened, a line for each part."""
        lines = [f"{len(self.added)} entries are new here."]
        if self.replaced:
            lines.append(f"{len(self.replaced)} were newer in the file and count now{_BACKUP}.")
        if self.left:
            lines.append(f"{len(self.left)} are newer here and count on{_BACKUP}.")
        return "\n".join([*lines, *self.notes])


def read(work: Path) -> Work:
    """Read all folders of answers. A damaged file stops nothing: it is set aside, as `Answers` does, and said."""
    pairs: list[tuple[Key, Version]] = []
    notes: list[str] = []
    for folder in sorted(work.iterdir()) if work.is_dir() else ():
        if folder.is_dir() and is_id(folder.name):
            for path in sorted(folder.iterdir()):
                try:
                    pairs += _read(folder, path)
                except LayerLabError as error:
                    notes.append(str(error))
    return Work(Record.of(pairs), tuple(notes))


def merge(work: Path, incoming: Record) -> Merged:
    """Merge a record into the folder: the newest counts, and what it displaces is kept in ``earlier.json``.

    Raises AnswerError or DiskFull; doing it again then completes what was begun.
    """
    here = read(work)
    whole = here.record | incoming
    blocked = {key for key in incoming.versions if _is_unread(work, key, here.record.versions.get(key, ()))}
    for name in incoming.names:
        _write(work, name, whole, blocked)
    before, after = here.record.current, whole.current
    arrived = [key for key in incoming.versions if key not in blocked]
    return Merged(
        added=tuple(key for key in arrived if key not in before),
        replaced=tuple(key for key in arrived if key in before and before[key].json != after[key].json),
        left=tuple(key for key in arrived if key in before and incoming.current[key].json != after[key].json),
        notes=(*here.notes, *(f"{key.name}/{key.id} is there and no text; it was left alone." for key in blocked)),
    )


def _write(work: Path, name: str, whole: Record, blocked: set[Key]) -> None:
    contested = {key: versions for key, versions in whole.contested.items() if key.name == name}
    if contested:
        # First, and with the newest among them: whatever happens next, no version is only in memory.
        earlier = {_EARLIER_ID.format(key=key): _listed(versions) for key, versions in contested.items()}
        Answers.open(name, kind=EARLIER, work=work).change(lambda now: {**now, **earlier})
    mine = {key: one for key, one in whole.current.items() if key.name == name and key not in blocked}
    for kind in dict.fromkeys(key.kind for key in mine):
        of_kind = {key.id: one for key, one in mine.items() if key.kind == kind}
        if kind == FILES:
            for file_name in of_kind:
                _keep_file(work, name, file_name, whole.versions[Key(name, FILES, file_name)])
        else:
            _keep_answers(Answers.open(name, kind=kind, work=work), of_kind)


def _keep_answers(answers: Answers, newest: Mapping[str, Version]) -> None:
    def merged(now: dict[str, Answer]) -> dict[str, Answer]:
        # Looked at again under the lock: a notebook may have kept something since.
        rank = {id: Version.of(one.value, one.kept_at).rank for id, one in now.items()}
        won = {id: one for id, one in newest.items() if id not in rank or one.rank > rank[id]}
        return {**now, **{id: Answer(one.value, one.kept_at) for id, one in won.items()}}

    answers.change(merged)


def _keep_file(work: Path, name: str, file_name: str, versions: tuple[Version, ...]) -> None:
    """Write the newest version of a file over another one of these: each of them is kept by now."""
    path, newest = work / name / file_name, versions[0]

    def look() -> None:
        if path.exists() and not _is_one_of(path, versions):
            raise AnswerError(f"{path} was changed meanwhile, and is left as it is. Import again.")

    if path.is_file() and path.read_bytes() == newest.value.encode():
        return
    Answers.open(name, work=work).keep_file(file_name, newest.value, look=look)
    if newest.kept_at:
        # The time of a file is when it was kept; without this the copy would be newer than its original.
        moment = newest.rank[0].timestamp()
        os.utime(path, (max(moment, 0), max(moment, 0)))


def _listed(versions: tuple[Version, ...]) -> Answer:
    entries = [{"value": one.value, "kept_at": one.kept_at} for one in versions]
    return Answer(entries, versions[0].kept_at)


def _is_unread(work: Path, key: Key, versions: tuple[Version, ...]) -> bool:
    """True where a file is there that could not be read as text; an older text of it may be known all the same."""
    path = work / key.name / key.id
    return key.kind == FILES and path.exists() and not (path.is_file() and _is_one_of(path, versions))


def _is_one_of(path: Path, versions: tuple[Version, ...]) -> bool:
    content = path.read_bytes()
    return any(str(one.value).encode("utf-8", "surrogatepass") == content for one in versions)


def _read(folder: Path, path: Path) -> Iterator[tuple[Key, Version]]:
    if path.name.startswith("."):
        return
    if path.name == f"{EARLIER}.json":
        yield from _read_earlier(folder)
    elif _is_answers(path):
        kept = Answers(folder, path.stem).all()
        yield from ((Key(folder.name, path.stem, id), Version.of(a.value, a.kept_at)) for id, a in kept.items())
    else:
        yield Key(folder.name, FILES, path.name), _file(path)


def _is_answers(path: Path) -> bool:
    if path.suffix != ".json" or not is_id(path.stem) or path.stem == FILES:
        return False
    if path.stem in _KINDS:
        return True
    # A kind of another edition; any other JSON is a file like all files.
    try:
        body = json.loads(path.read_bytes())
        return isinstance(body["answers"], dict) and all("value" in entry for entry in body["answers"].values())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _file(path: Path) -> Version:
    left = f"{path} was left out: "
    if not path.is_file() or not is_file_name(path.name):
        raise AnswerError(f"{left}only plain files are taken along. Copy it yourself if you need it.")
    if path.stat().st_size > _MOST_BYTES:
        raise AnswerError(f"{left}it is larger than {_MOST_BYTES:,} bytes. Copy it yourself if you need it.")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise AnswerError(f"{left}it is no text. Copy it yourself if you need it.") from error
    written = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return Version.of(text, written.isoformat(timespec="seconds"))


def _read_earlier(folder: Path) -> Iterator[tuple[Key, Version]]:
    for place, kept in Answers(folder, EARLIER).all().items():
        kind, _, id = place.partition("/")
        entries = kept.value if isinstance(kept.value, list) else ()
        whole = [one for one in entries if isinstance(one, dict) and {"value", "kept_at"} <= one.keys()]
        yield from ((Key(folder.name, kind, id), Version.of(one["value"], str(one["kept_at"]))) for one in whole)
