"""Turns the files that a recording session appended to into those that are published: sorted, small, nothing unused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from layerlab.engine.recorded.lines import SUFFIX, Lines, Name, write
from layerlab.engine.recorded.pack import Repeats, Values, columns, difference
from layerlab.engine.recorded.store import CONTENT_KINDS, KINDS, SHARED, Store, files

_REFERENCE = re.compile(rb'\{"\$":"([0-9a-f]{16})"\}')
_LAYER = re.compile(rb"sha256:([0-9a-f]{32})")
_SHARED_KINDS = (*CONTENT_KINDS, "values")
Payloads = dict[Name, Any]


def seal(fresh: Path, folder: Path, *, wanted: Mapping[str, Collection[Name]] | None = None) -> tuple[int, int]:
    """Put recordings into a folder, each in the place of the file of its name.

    Parameters
    ----------
    fresh
        Folder of the files that were recorded.
    folder
        Where they go. Of what is there, files of other names stay as they are, and so does every shared value and
        layer that one of them needs.
    wanted
        What to keep of each file, by the file's name without its ending; by default everything.

    Returns
    -------
    tuple of int
        How many recordings were written, and how many left out as not wanted.
    """
    found = {path.stem: _payloads(Store(path)) for path in files(fresh)}
    kept = {
        name: {one: payload for one, payload in payloads.items() if wanted is None or one in wanted.get(name, ())}
        for name, payloads in found.items()
    }
    _write(kept, {name: Lines(fresh / f"{name}{SUFFIX}").provenance for name in kept}, folder)
    _drop_unneeded(folder)
    written = _count(kept)
    return written, _count(found) - written


def _payloads(store: Store) -> Payloads:
    return {(kind, key): payload for kind in KINDS for key, payload in store.all(kind)}


def _count(payloads: Mapping[str, Payloads]) -> int:
    return sum(len(one) for one in payloads.values())


def _write(kept: Mapping[str, Payloads], provenances: Mapping[str, Mapping[str, Any] | None], folder: Path) -> None:
    shared = Lines(folder / SHARED)
    contents = {
        one: _short(one[0], payload)
        for payloads in kept.values()
        for one, payload in payloads.items()
        if one[0] in CONTENT_KINDS and one not in shared
    }
    notebooks = {name: _by_difference(payloads) for name, payloads in kept.items()}
    repeats = Repeats()
    for name, payloads in [(SHARED, contents), *notebooks.items()]:
        for payload in payloads.values():
            repeats.add(name, payload)
    common = Values(repeats.across() | repeats.within(SHARED), known=shared.keys("values"))
    published: dict[Name, object] = {one: common.packed(payload) for one, payload in contents.items()}
    written = {name: {one: common.packed(payload) for one, payload in notebooks[name].items()} for name in notebooks}
    published |= {("values", value): payload for value, payload in common.kept.items()}
    published |= {(kind, key): shared.text(kind, key) for kind in _SHARED_KINDS for key in shared.keys(kind)}
    write(folder / SHARED, published, None)  # first, for what is too much in it does no harm
    for name, payloads in written.items():
        write(folder / f"{name}{SUFFIX}", _own_values(name, payloads), provenances[name])


def _own_values(name: str, payloads: Payloads) -> dict[Name, object]:
    """Take out of a file's payloads what only they repeat."""
    repeats = Repeats()
    for payload in payloads.values():
        repeats.add(name, payload)
    own = Values(repeats.within(name))
    packed: dict[Name, object] = {one: own.packed(payload) for one, payload in payloads.items()}
    return packed | {("values", value): payload for value, payload in own.kept.items()}


def _short(kind: str, payload: Any) -> Any:
    return {"layer": columns(payload["layer"])} if kind == "layers" else payload


def _by_difference(payloads: Payloads) -> Payloads:
    """Let an image's description say only what differs from that of the image it stands on."""
    found: Payloads = {}
    for (kind, key), payload in payloads.items():
        if kind in CONTENT_KINDS:
            continue
        parent = _parent(payload)
        described = payloads.get(parent, {}).get("inspect") if parent else None
        if described and payload.get("inspect"):
            payload = {**payload, "inspect": difference(payload["inspect"], described, "/".join(parent))}
        found[kind, key] = payload
    return found


def _parent(payload: Mapping[str, Any]) -> Name:
    chain = str(payload.get("parent", ""))
    kind, _, key = chain.rpartition(":")
    return {"base": "bases", "image": "images"}.get(kind, "steps"), key


def _drop_unneeded(folder: Path) -> None:
    """Take out of the shared file the layers and values that no file names any more."""
    shared = Lines(folder / SHARED)
    kept: dict[Name, object] = {}
    texts = [path.read_bytes() for path in files(folder)]
    while texts:
        named = [("values", name.decode()) for text in texts for name in _REFERENCE.findall(text)]
        named += [(kind, key.decode()) for kind in CONTENT_KINDS for text in texts for key in _LAYER.findall(text)]
        fresh = {one: shared.text(*one) for one in named if one in shared and one not in kept}
        kept |= fresh
        texts = list(fresh.values())
    write(folder / SHARED, kept, None)
