"""The one file that progress travels in: a record as JSON and back. Whatever is no such file is refused whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from layerlab.errors import AnswerError
from layerlab.version import __version__
from layerlab.work.answers import is_file_name, is_id, is_text, json_text
from layerlab.work.record import FILES, Key, Record, Version

FILE_NAME = "layerlab-progress.json"

# Raised only where an older reader would misread the file. What it doesn't know (an exercise, a kind, an id)
# it carries along, so a new edition of the course alone is no reason.
VERSION = 1
_FORMAT = "layerlab-progress"
_MOST_BYTES = 64_000_000


def dumps(record: Record) -> str:
    """Write a record as JSON; only the time of export differs between two calls."""
    work: dict[str, Any] = {}
    for key, version in record:
        entries = work.setdefault(key.name, {}).setdefault(key.kind, {}).setdefault(key.id, [])
        entries.append({"value": version.value, "kept_at": version.kept_at})
    now = datetime.now(UTC).isoformat(timespec="seconds")
    body = {"format": _FORMAT, "version": VERSION, "edition": __version__, "exported_at": now, "work": work}
    return json_text(body)


def load(path: Path) -> Record:
    """Read a progress file.

    Raises
    ------
    AnswerError
        It cannot be read, is no progress file, comes from a newer format, or an entry in it is none.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AnswerError(f"{path} is larger than {_MOST_BYTES:,} bytes. {_CHOOSE}")
        data = path.read_bytes()
    except OSError as error:
        raise AnswerError(
            f"{path} cannot be read ({error.strerror or error}). Check the name and its folder."
        ) from error
    return loads(data, called=path.name)


def loads(data: bytes, *, called: str = FILE_NAME) -> Record:
    """Read a progress file's bytes; ``called`` is its name in errors. Raises AnswerError as `load` does."""
    try:
        body = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"{called} is no JSON ({error}). {_CHOOSE}") from error
    if not isinstance(body, dict) or body.get("format") != _FORMAT:
        raise AnswerError(f"{called} is JSON, but no progress file. {_CHOOSE}")
    _check_version(body, called)
    try:
        return Record.of(_entries(body.get("work")))
    except ValueError as error:
        raise AnswerError(f"{called} is damaged: {error}. Nothing was imported; export it again.") from error


_CHOOSE = f"Choose a file that `layerlab progress export` wrote, such as {FILE_NAME}; nothing was imported."


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _check_version(body: dict[str, Any], called: str) -> None:
    version = body.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise AnswerError(f"{called} has the version {version!r}, which is none. {_CHOOSE}")
    if version > VERSION:
        raise AnswerError(
            f"{called} has version {version} of its format (Layer Lab {body.get('edition', 'of another edition')}); "
            f"this Layer Lab {__version__} reads up to {VERSION}. Update Layer Lab, then import again; "
            "nothing was imported."
        )


def _entries(work: Any) -> Iterator[tuple[Key, Version]]:
    for name, kinds in _items(work, "work"):
        _wanted(is_id(name), f"{name!r} cannot be an exercise")
        for kind, ids in _items(kinds, name):
            _wanted(is_id(kind) and kind != "earlier", f"{name} has {kind!r}, which cannot be a kind of answers")
            for id, versions in _items(ids, f"{name}/{kind}"):
                key = Key(name, kind, id)
                _check_id(key, set(kinds))
                _wanted(isinstance(versions, list) and bool(versions), f"{_place(key)} holds no versions")
                yield from ((key, _version(key, one)) for one in versions)


def _check_id(key: Key, kinds: set[str]) -> None:
    if key.kind != FILES:
        _wanted(is_id(key.id), f"{_place(key)} cannot be an id")
        return
    # Such a file would be taken for answers, or lie outside the folder of the exercise.
    stem, _, ending = key.id.rpartition(".")
    is_ours = ending == "json" and stem in {*kinds, "answers", "predictions", "attempts", "results", "earlier"}
    _wanted(is_file_name(key.id) and not is_ours, f"{_place(key)} cannot be a file here")


def _version(key: Key, entry: Any) -> Version:
    is_entry = isinstance(entry, dict) and entry.get("value") is not None and isinstance(entry.get("kept_at"), str)
    _wanted(is_entry, f"{_place(key)} holds something without value and kept_at")
    _wanted(key.kind != FILES or is_text(entry["value"]), f"{_place(key)} is no text")
    return Version.of(entry["value"], entry["kept_at"])


def _items(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    _wanted(isinstance(value, dict), f"{place} holds no entries")
    yield from value.items()


def _place(key: Key) -> str:
    return f"{key.name}/{key.kind}/{key.id}"


def _wanted(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)
