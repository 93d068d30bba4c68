"""Images put together from their recorded steps: id, layers, history, configuration. Knows no names.

A chain is named by the key of its last step where the classic builder made it, by ``image:KEY`` where BuildKit did,
which leaves no image for a step (``solve:KEY`` where that was recorded as a whole), or by ``base:KEY`` for a base
image; ``scratch`` is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from layerlab.engine.recorded.store import Payload, Store, base_key

SCRATCH = "scratch"
_BASE = "base:"
_SOLVE = "solve:"
_IMAGE = "image:"


def base_chain(reference: str) -> str:
    """Name the chain of a base image."""
    return SCRATCH if reference == SCRATCH else _BASE + base_key(reference)


def solve_chain(key: str) -> str:
    """Name the chain of an image that BuildKit made."""
    return _SOLVE + key


def image_chain(key: str) -> str:
    """Name the chain of an image that BuildKit made step by step."""
    return _IMAGE + key


class Chains:
    """Reads chains from recordings. Raises RecordingDamaged where a link is missing."""

    def __init__(self, recordings: Store) -> None:
        self._recordings = recordings

    def has_image(self, chain: str) -> bool:
        """True where the chain ends in an image that is described, not only in events."""
        return self._last_described(chain) is not None

    def is_recorded(self, chain: str) -> bool:
        """True where an image of BuildKit, or a base, is there."""
        kind, _, key = chain.rpartition(":")
        return self._recordings.read("images" if f"{kind}:" == _IMAGE else "bases", key) is not None

    def image_id(self, chain: str) -> str:
        """Return the full id of the chain's image."""
        return str(self._described(chain)["Id"])

    def base(self, chain: str) -> str | None:
        """Return the reference of the base image that a chain is itself, or None."""
        link = self._link(chain) if chain.startswith(_BASE) else None
        return str(link["reference"]) if link else None

    def foundation(self, chain: str) -> str | None:
        """Return the chain of the base image that a chain stands on, or None where that is scratch."""
        while chain != SCRATCH and not chain.startswith(_BASE):
            chain = str(self._link(chain)["parent"])
        return None if chain == SCRATCH else chain

    def diff_ids(self, chain: str) -> list[str]:
        """Return the layers, base-first."""
        return [one for link in reversed(list(self._links(chain))) for one in link["diff_ids"]]

    def history(self, chain: str, *, tags: Mapping[str, Sequence[str]]) -> list[Payload]:
        """Return what the engine would answer: newest first, each image with the tags it has now."""
        entries = [entry for link in self._links(chain) for entry in link["history"]]
        return [{**entry, "Tags": list(tags.get(entry["Id"], ())) or None} for entry in entries]

    def inspect(self, chain: str, *, tags: Sequence[str]) -> Payload:
        """Return what the engine would answer, with the layers of this chain and the tags of now.

        Layers are put together from the steps, so two images share exactly the steps they share, even
        where a step was run twice while it was recorded.
        """
        answer = deepcopy(self._described(chain))
        answer["RepoTags"] = list(tags)
        if "RootFS" in answer:
            answer["RootFS"]["Layers"] = self.diff_ids(chain)
        parent = self._parent_image(chain)
        if answer.get("Parent") and parent:
            answer["Parent"] = parent
        return answer

    def _described(self, chain: str) -> Payload:
        found = self._last_described(chain)
        return found if found is not None else self._recordings.needed("steps", chain, by="an image")

    def _last_described(self, chain: str) -> Payload | None:
        return next((link["inspect"] for link in self._links(chain) if link.get("inspect")), None)

    def _parent_image(self, chain: str) -> str | None:
        described = [link["inspect"]["Id"] for link in self._links(chain) if link.get("inspect")]
        return str(described[1]) if len(described) > 1 else None

    def _links(self, chain: str) -> Iterator[Payload]:
        """Yield the links from the newest to the base."""
        while chain != SCRATCH:
            link = self._link(chain)
            yield link
            chain = str(link.get("parent", SCRATCH))

    def _link(self, chain: str) -> Payload:
        by = "an image built on it"
        if chain.startswith(_BASE):
            return self._recordings.needed("bases", chain.removeprefix(_BASE), by=by)
        if chain.startswith(_IMAGE):
            return self._recordings.needed("images", chain.removeprefix(_IMAGE), by=by)
        if chain.startswith(_SOLVE):
            return self._recordings.needed("solves", chain.removeprefix(_SOLVE), by=by)
        return self._recordings.needed("steps", chain, by=by)


def summary(answer: Mapping[str, Any], *, created: int) -> Payload:
    """Turn an inspect answer into the image's entry of ``GET /images/json``."""
    return {
        "Containers": -1,
        "Created": created,
        "Id": answer["Id"],
        "Labels": (answer.get("Config") or {}).get("Labels"),
        "ParentId": answer.get("Parent", ""),
        "RepoDigests": list(answer.get("RepoDigests") or ()) or None,
        "RepoTags": list(answer.get("RepoTags") or ()) or None,
        "SharedSize": -1,
        "Size": answer.get("Size", 0),
        **({"VirtualSize": answer["VirtualSize"]} if "VirtualSize" in answer else {}),
    }
