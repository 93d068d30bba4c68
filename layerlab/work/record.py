"""What a learner kept, every version of it, and how two such records become one. Knows no file and no course."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# The kind of plain files (a Dockerfile): id is the file's name, the value its text.
FILES = "files"

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Key:
    """Where an answer belongs: exercise or notebook ("01_naive"), kind ("predictions") and id ("line")."""

    name: str
    kind: str
    id: str


@dataclass(frozen=True)
class Version:
    """One value that was kept, as JSON text, and when (ISO 8601; what is no time counts as the oldest)."""

    json: str
    kept_at: str

    @classmethod
    def of(cls, value: Any, kept_at: str) -> Version:
        """Make a version of a JSON value; equal values have equal text."""
        return cls(json.dumps(value, sort_keys=True, ensure_ascii=False), kept_at)

    @property
    def value(self) -> Any:
        """The kept value."""
        return json.loads(self.json)

    @property
    def rank(self) -> tuple[datetime, str, str]:
        """What decides which version is the newest: the time, and for equal times something equal everywhere."""
        return _moment(self.kept_at), self.kept_at, self.json


@dataclass(frozen=True)
class Record:
    """Every version of everything kept, newest first; the first of each is the one that counts."""

    versions: Mapping[Key, tuple[Version, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[Key, Version]]) -> Record:
        """Gather versions: of equal values the newest time stays."""
        newest: dict[Key, dict[str, Version]] = {}
        for key, version in pairs:
            seen = newest.setdefault(key, {})
            seen[version.json] = max(version, seen.get(version.json, version), key=lambda one: one.rank)
        return cls({key: _newest_first(newest[key].values()) for key in sorted(newest)})

    def __iter__(self) -> Iterator[tuple[Key, Version]]:
        return ((key, version) for key, versions in self.versions.items() for version in versions)

    def __or__(self, other: Record) -> Record:
        """Merge: no version is lost, and neither order nor repetition matters."""
        return Record.of([*self, *other])

    @property
    def current(self) -> dict[Key, Version]:
        """The newest version of each."""
        return {key: versions[0] for key, versions in self.versions.items()}

    @property
    def contested(self) -> dict[Key, tuple[Version, ...]]:
        """All versions of what has more than one."""
        return {key: versions for key, versions in self.versions.items() if len(versions) > 1}

    @property
    def names(self) -> tuple[str, ...]:
        """The exercises and notebooks that something is kept of."""
        return tuple(dict.fromkeys(key.name for key in self.versions))

    def of_kind(self, name: str, kind: str) -> dict[str, Any]:
        """Return the newest values of one kind by their ids."""
        return {key.id: one.value for key, one in self.current.items() if (key.name, key.kind) == (name, kind)}


def _newest_first(versions: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(sorted(versions, key=lambda one: one.rank, reverse=True))


def _moment(kept_at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(kept_at)
    except ValueError:
        return _NEVER
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
