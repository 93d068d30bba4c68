"""Which layers an archive's documents list for an image, and what its configuration says. Reads no bytes."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from layerlab.errors import ArchiveError
from layerlab.image import HistoryEntry, Image, ImageConfig

_DEEPEST_INDEX = 4
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
# buildx stores provenance beside an image as a manifest for this platform.
_NO_PLATFORM = "unknown"
_Empty = TypeVar("_Empty", Mapping[str, Any], tuple[()])

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """An image of an archive: its id, tags and configuration, and the members that hold its layers, base-first."""

    id: str
    tags: tuple[str, ...]
    config: Document
    layers: tuple[str, ...]
    diff_ids: tuple[str, ...]


def choose(documents: Mapping[str, Any], reference: str | None = None) -> Chosen:
    """Choose an image by tag or id; without a reference the only one, or of an index the one for this machine.

    Raises
    ------
    ArchiveError
        None or several fit, or the documents contradict each other.
    """
    found = tuple(_of_manifest_json(documents) if "manifest.json" in documents else _of_index(documents))
    if not found:
        names = ", ".join(sorted(documents)[:5]) or "no document at all"
        raise ArchiveError(
            f"The archive holds no image: neither manifest.json nor index.json lists one (it has {names}). "
            "Name an archive made by `docker save`."
        )
    if reference is not None:
        found = tuple(one for one in found if _is_called(one, reference)) or _none(found, reference)
    if len(found) > 1:
        raise ArchiveError(
            f"The archive holds {len(found)} images: {_listed(found)}. "
            "Say which one: FILE#TAG on the command line, reference=TAG in Python."
        )
    return found[0]


def image_of(chosen: Chosen, sizes: Sequence[int]) -> Image:
    """Describe the chosen image as an engine would, with the sizes of its layers in the history."""
    config = _object(chosen.config, "config")
    return Image(
        id=chosen.id,
        tags=chosen.tags,
        platform=f"{chosen.config.get('os', 'linux')}/{chosen.config.get('architecture', 'amd64')}",
        created=str(chosen.config.get("created") or ""),
        history=tuple(_history(_objects(chosen.config, "history"), sizes)),
        diff_ids=chosen.diff_ids,
        engine_size_bytes=sum(sizes),
        config=ImageConfig(
            env=_texts(config, "Env"),
            entrypoint=_texts(config, "Entrypoint"),
            cmd=_texts(config, "Cmd"),
            user=str(config.get("User") or ""),
            workdir=str(config.get("WorkingDir") or ""),
            exposed_ports=tuple(sorted(_object(config, "ExposedPorts"))),
            labels=tuple(sorted((name, str(value)) for name, value in _object(config, "Labels").items())),
        ),
    )


def _history(entries: Sequence[Document], sizes: Sequence[int]) -> Iterator[HistoryEntry]:
    # The configuration says which entries made no layer. Where it explains fewer layers than there are (squashed,
    # imported), the surplus lies at the bottom and stays without an entry.
    makers = sum(not entry.get("empty_layer") for entry in entries)
    rest = iter(sizes[max(0, len(sizes) - makers) :])
    for entry in entries:
        is_empty = bool(entry.get("empty_layer"))
        yield HistoryEntry(
            created_by=str(entry.get("created_by") or ""),
            size_bytes=0 if is_empty else next(rest, 0),
            created=str(entry.get("created") or ""),
            comment=str(entry.get("comment") or ""),
            is_empty_layer=is_empty,
        )


def _of_manifest_json(documents: Mapping[str, Any]) -> Iterator[Chosen]:
    for entry in _objects(documents, "manifest.json"):
        yield _chosen(documents, str(entry.get("Config", "")), _texts(entry, "Layers"), _texts(entry, "RepoTags"))


def _of_index(documents: Mapping[str, Any]) -> Iterator[Chosen]:
    index = documents.get("index.json")
    if not isinstance(index, Mapping):
        return
    described = [one for one in _manifests(documents, index, 0) if one[0] != _NO_PLATFORM]
    ours = [one for one in described if one[0] in ("", _MACHINES.get(platform.machine(), platform.machine()))]
    for _, tag, manifest in ours or described:
        layers = tuple(_blob(layer.get("digest")) for layer in _objects(manifest, "layers"))
        yield _chosen(documents, _blob(_object(manifest, "config").get("digest")), layers, (tag,) if tag else ())


def _manifests(documents: Mapping[str, Any], index: Document, depth: int) -> Iterator[tuple[str, str, Document]]:
    """Yield (architecture, tag, manifest), following indexes in indexes."""
    if depth > _DEEPEST_INDEX:
        raise ArchiveError("The indexes of the archive lead in a circle. The archive was made to do harm.")
    for described in _objects(index, "manifests"):
        document = documents.get(_blob(described.get("digest")))
        if not isinstance(document, Mapping):
            continue  # a platform that was not saved
        notes = _object(described, "annotations")
        tag = str(notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name") or "")
        if "manifests" in document:
            yield from ((arch, name or tag, one) for arch, name, one in _manifests(documents, document, depth + 1))
        else:
            yield str(_object(described, "platform").get("architecture", "")), tag, document


def _chosen(documents: Mapping[str, Any], config_name: str, layers: tuple[str, ...], tags: tuple[str, ...]) -> Chosen:
    config = documents.get(config_name)
    if not isinstance(config, Mapping):
        raise ArchiveError(f"The archive lacks its configuration {config_name!r}. Save the image again.")
    diff_ids = _texts(_object(config, "rootfs"), "diff_ids")
    if len(diff_ids) != len(layers):
        raise ArchiveError(
            f"The archive lists {len(layers)} layers and its configuration {len(diff_ids)}. "
            "It is damaged: save the image again."
        )
    digest = config_name.rpartition("/")[2].removesuffix(".json")
    return Chosen(f"sha256:{digest}", tags, config, layers, diff_ids)


def _object(document: Document, key: str) -> Document:
    """Return the object under a key; an empty one where it is absent or null, as Go writes what is empty."""
    value = document.get(key)
    return value if isinstance(value, Mapping) else _absent(key, value, {})


def _objects(document: Document, key: str) -> Sequence[Document]:
    """Return the list of objects under a key."""
    value = document.get(key)
    if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
        return value
    return _absent(key, value, ())


def _texts(document: Document, key: str) -> tuple[str, ...]:
    """Return the list of texts under a key."""
    value = document.get(key)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return _absent(key, value, ())


def _absent(key: str, value: Any, instead: _Empty) -> _Empty:
    if value is None:
        return instead
    raise ArchiveError(
        f"{key!r} in the archive's documents has not the form that an image needs: {str(value)[:80]!r}. "
        "The archive is damaged, or no engine made it: save the image again."
    )


def _blob(digest: Any) -> str:
    return "blobs/" + str(digest).replace(":", "/")


def _is_called(one: Chosen, reference: str) -> bool:
    from_hub = {reference, f"docker.io/{reference}", f"docker.io/library/{reference}", f"localhost/{reference}"}
    return bool(from_hub & {*one.tags}) or one.id.removeprefix("sha256:").startswith(reference.removeprefix("sha256:"))


def _none(found: Sequence[Chosen], reference: str) -> tuple[Chosen, ...]:
    raise ArchiveError(f"The archive holds no image {reference!r}. It holds {_listed(found)}.")


def _listed(found: Sequence[Chosen]) -> str:
    return ", ".join(one.tags[0] if one.tags else one.id[:19] for one in found)
