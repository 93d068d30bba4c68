"""The official images' public record: digests, dates, packed bytes per layer. Data, dated; asks nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class OfficialLayer:
    """One layer of an official image: what it holds, and its packed size in a registry."""

    what: str
    compressed_bytes: int


@dataclass(frozen=True)
class OfficialBase:
    """An official image as its publishers recorded it on the day it was ``built``.

    ``uncompressed_published`` is their own rounded text ("1.11 GB"); the packed bytes are exact.
    """

    tag: str
    python: str
    built: date
    platform: str
    digest: str
    image_id: str
    compressed_bytes: int
    uncompressed_published: str
    layers: tuple[OfficialLayer, ...]


def official(tag: str) -> OfficialBase:
    """Look up the record of an official tag ("python:3.12-slim").

    Raises
    ------
    KeyError
        For a tag without a record, naming those that have one.

    Notes
    -----
    From docker-library/repo-info. Tags move, so show ``digest`` and ``built`` beside every number.
    """
    records = _records()
    if tag not in records:
        raise KeyError(f"No record of {tag!r}. There are {', '.join(sorted(records))}.")
    return records[tag]


@cache
def _records() -> dict[str, OfficialBase]:
    data = json.loads(files("layerlab.bases").joinpath("official.json").read_text(encoding="utf-8"))
    found: dict[str, OfficialBase] = {}
    for raw in data["images"]:
        base = OfficialBase(
            tag=raw["also"],
            python=raw["python"],
            built=date.fromisoformat(raw["built"]),
            platform=data["platform"],
            digest=raw["manifest_digest"],
            image_id=raw["image_id"],
            compressed_bytes=raw["compressed_bytes"],
            uncompressed_published=raw["uncompressed_published"],
            layers=tuple(OfficialLayer(one["what"], one["compressed_bytes"]) for one in raw["layers"]),
        )
        found[raw["tag"]] = found[raw["also"]] = base
    return found
