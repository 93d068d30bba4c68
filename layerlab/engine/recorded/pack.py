"""Makes recordings small without compressing them: what repeats is written once. Opens no file.

Inside a payload four forms stand for longer ones, and `unpacked` turns them back:

- ``{"$": HASH}``: a value that stands elsewhere, named by its content.
- ``{"$like": LINK, …}``: an object that differs in a few entries from the same one of its parent.
- ``{"$paths": […]}``: paths, each with the number of characters that it shares with the one before.
- ``{"$runs": [VALUE, COUNT, …]}``: a list in which values repeat.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from os.path import commonprefix
from typing import Any

MIN_SHARED = 64  # characters: below that a reference saves nothing


def dumps(value: object) -> str:
    """Return JSON as recordings have it: names sorted, no blanks."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def content_hash(text: str) -> str:
    """Name a value by its content."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Repeats:
    """Which values stand more than once in what several files hold, and in which of the files."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._files: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, file: str, value: object) -> None:
        """Count a payload of a file, and everything in it; what was met before is not entered again."""
        if (text := _long(value)) is not None:
            name = content_hash(text)
            self._count[name] += 1
            self._files[name].add(file)
            if self._count[name] > 1:
                return
        for part in _parts(value):
            self.add(file, part)

    def across(self) -> set[str]:
        """Name what stands in more than one file."""
        return {name for name, files in self._files.items() if len(files) > 1}

    def within(self, file: str) -> set[str]:
        """Name what stands more than once, at least once in this file."""
        return {name for name, count in self._count.items() if count > 1 and file in self._files[name]}


class Values:
    """Takes values out of payloads and keeps them by their content; ``known`` are kept elsewhere already."""

    def __init__(self, wanted: Iterable[str], *, known: Iterable[str] = ()) -> None:
        self._wanted = set(wanted)
        self._known = set(known)
        self.kept: dict[str, Any] = {}

    def packed(self, value: Any) -> Any:
        """Return a value with references in the place of what is kept."""
        text = _long(value)
        name = content_hash(text) if text is not None else ""
        if name in self._known:
            return {"$": name}
        if name not in self._wanted:
            return self._inside(value)
        if name not in self.kept:
            self.kept[name] = self._inside(value)
        return {"$": name}

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self.packed(one) for name, one in value.items()}
        return [self.packed(one) for one in value] if isinstance(value, list) else value


def unpacked(value: Mapping[str, Any], *, at: Callable[[str], Any], like: Callable[[str], Any]) -> Any:
    """Return what an object stands for: for `json.loads`, which has it called for inner objects first.

    Parameters
    ----------
    at
        Returns the value of a name.
    like
        Returns the object of a link that another one is like.
    """
    if "$" in value:
        return at(value["$"])
    if "$runs" in value:
        runs = value["$runs"]
        return [one for one, count in zip(runs[::2], runs[1::2], strict=True) for _ in range(count)]
    if "$paths" in value:
        return _whole_paths(value["$paths"])
    if "$like" in value:
        return _patched(like(value["$like"]), value)
    return value


def columns(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten a layer's columns: see `layerlab.archive.columns`."""
    short = {name: _runs(one) if isinstance(one, list) else one for name, one in layer.items()}
    elsewhere = layer["elsewhere"]
    return {**short, "path": _paths(layer["path"]), "elsewhere": [_paths(elsewhere), _runs(list(elsewhere.values()))]}


def whole_columns(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Undo what `columns` does and `unpacked` cannot: an object's names are no list."""
    return {**layer, "elsewhere": dict(zip(*layer["elsewhere"], strict=True))}


def difference(new: Mapping[str, Any], old: Mapping[str, Any], link: str) -> dict[str, Any]:
    """Describe an object by another one: what is set, what is gone, and what changed inside an inner object.

    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2}, "e": 4}, "x")
    {'$like': 'x', 'set': {'a': 1}, 'gone': ['e'], 'in': {'b': {'set': {'d': 3}}}}
    """
    return {"$like": link, **_changes(new, old)}


def _changes(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    changed = {name: one for name, one in new.items() if name not in old or old[name] != one}
    inner = {name for name, one in changed.items() if isinstance(one, Mapping) and isinstance(old.get(name), Mapping)}
    found = {
        "set": {name: one for name, one in changed.items() if name not in inner},
        "gone": sorted(set(old) - set(new)),
        "in": {name: _changes(changed[name], old[name]) for name in sorted(inner)},
    }
    return {name: one for name, one in found.items() if one}


def _patched(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    new = {name: one for name, one in old.items() if name not in changes.get("gone", ())}
    inner = {name: _patched(old[name], one) for name, one in changes.get("in", {}).items()}
    return {**new, **changes.get("set", {}), **inner}


def _long(value: object) -> str | None:
    if not isinstance(value, str | list | Mapping):
        return None
    text = dumps(value)
    return text if len(text) >= MIN_SHARED else None


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    # A long list of plain values is a column, and has no parts worth a look.
    return value if isinstance(value, list) else ()


def _runs(values: list[Any]) -> object:
    runs = [part for _, same in groupby(values, key=_exact) for part in _run(list(same))]
    return {"$runs": runs} if len(runs) < len(values) else values


def _exact(value: object) -> tuple[type, object]:
    return type(value), value  # 1 is True, and 1.0 is 1


def _run(same: list[Any]) -> tuple[Any, int]:
    return same[0], len(same)


def _paths(paths: Iterable[str]) -> dict[str, list[str]]:
    short, before = [], ""
    for path in paths:
        shared = len(commonprefix((before, path)))  # noqa: RUF071 - of characters, indeed
        short.append(f"{shared}:{path[shared:]}")
        before = path
    return {"$paths": short}


def _whole_paths(short: Sequence[str]) -> list[str]:
    paths, before = [], ""
    for one in short:
        shared, _, rest = one.partition(":")
        before = before[: int(shared)] + rest
        paths.append(before)
    return paths
