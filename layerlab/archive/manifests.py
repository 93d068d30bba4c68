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
# BuildKit stores provenance beside an image as a manifest of this type, for the platform "unknown/unknown"
# (buildkit, docs/attestations/attestation-storage.md).
_KIND, _ATTESTATION = "vnd.docker.reference.type", "attestation-manifest"
_NO_PLATFORM = "unknown"
_Empty = TypeVar("_Empty", Mapping[str, Any], tuple[()])

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """An image of an archive: its id, tags and configuration, and the members that hold its layers, base-first.

    Attributes
    ----------
    id
        The digest of its configuration, which an engine with the classic image store calls it by.
    digests
        Of its manifest and the indexes that list it. The containerd image store calls an image by the outermost.
    """

    id: str
    tags: tuple[str, ...]
    config: Document
    layers: tuple[str, ...]
    diff_ids: tuple[str, ...]
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Listed:
    """A manifest that an index lists, as deep as indexes lie in it; its document is None where it was not saved."""

    platform: str
    tag: str
    digests: tuple[str, ...]
    document: Document | None
    is_attestation: bool = False

    @property
    def config_name(self) -> str:
        return _blob(_object(self.document or {}, "config").get("digest"))


def choose(documents: Mapping[str, Any], reference: str | None = None) -> Chosen:
    """Choose an image by tag, or by the digest of its configuration, its manifest or an index that lists it.

    Without a reference it is the only one, or of an index the one for this machine.

    Raises
    ------
    ArchiveError
        None or several fit, or the documents contradict each other.
    """
    listed = tuple(_manifests(documents, documents.get("index.json"), 0))
    found = tuple(_of_manifest_json(documents, listed)) or _of_index(documents, listed)
    if reference is not None:
        found = tuple(one for one in found if _is_called(one, reference)) or _none(found, reference)
    if len(found) > 1:
        raise ArchiveError(
            f"The archive holds {len(found)} images: {_listed(found)}. "
            "Say which one: FILE#TAG on the command line, reference=TAG in Python."
        )
    return found[0]


def choose_by_digest(documents: Mapping[str, Any], digest: str) -> Chosen | None:
    """Return the image of that digest as soon as its own documents are there, or None.

    An archive's lists stand at its end; the digest of a configuration leads to layers that lie unpacked, for their
    names are their diff_ids, and that of a manifest or an index to any.
    """
    document = documents.get(_blob(digest))
    if not isinstance(document, Mapping):
        return None
    if "rootfs" in document:
        diff_ids = _texts(_object(document, "rootfs"), "diff_ids")
        return Chosen(digest, (), document, tuple(map(_blob, diff_ids)), diff_ids)
    try:
        return choose({**documents, "index.json": {"manifests": [{"digest": digest}]}, "manifest.json": []}, digest)
    except ArchiveError:
        return None  # a part of them is still to come


def listed_digests(document: Any) -> tuple[str, ...]:
    """Return the documents that an index or a manifest names; of other documents none."""
    if not isinstance(document, Mapping):
        return ()
    below = [*_objects(document, "manifests"), *(one for one in (_object(document, "config"),) if "digest" in one)]
    return tuple(str(one.get("digest")) for one in below)


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
        layer_sizes=tuple(sizes),
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


def _of_manifest_json(documents: Mapping[str, Any], listed: Sequence[_Listed]) -> Iterator[Chosen]:
    for entry in _objects(documents, "manifest.json"):
        name = str(entry.get("Config", ""))
        # `docker save` writes both lists from 25 on, and this one knows no manifests.
        digests = frozenset(digest for one in listed if one.config_name == name for digest in one.digests)
        yield _chosen(documents, name, _texts(entry, "Layers"), _texts(entry, "RepoTags"), digests)


def _of_index(documents: Mapping[str, Any], listed: Sequence[_Listed]) -> tuple[Chosen, ...]:
    images = [one for one in listed if not one.is_attestation]
    saved = [one for one in images if one.document is not None]
    if not saved:
        raise ArchiveError(_why_none(documents, listed, images))
    here = f"linux/{_MACHINES.get(platform.machine(), platform.machine())}"
    ours = [one for one in saved if one.platform in ("", here)]
    there = sorted({one.platform for one in images})
    if not ours and len(there) > 1:
        raise ArchiveError(
            f"The archive holds no image for {here}, only for {', '.join(there)}. "
            f"Pull and save it for one of them: `docker save --platform {there[0]} IMAGE`."
        )
    return tuple(_listed_image(documents, one) for one in ours or saved)


def _why_none(documents: Mapping[str, Any], listed: Sequence[_Listed], images: Sequence[_Listed]) -> str:
    if images:
        names = ", ".join(f"{one.digests[-1][:19]}… for {one.platform or 'any platform'}" for one in images[:3])
        return (
            f"The archive lists an image and does not hold it: the manifest {names} is missing. "
            "Pull the image again and save it for one platform (`docker save --platform …`)."
        )
    if listed:
        return (
            "The archive holds attestations only (provenance, a bill of materials), and no image. "
            "Save the image that they are about, or build it anew with `--provenance=false --sbom=false`."
        )
    names = ", ".join(sorted(documents)[:5]) or "no document at all"
    return (
        f"The archive holds no image: neither manifest.json nor index.json lists one (it has {names}). "
        "Name an archive made by `docker save`."
    )


def _listed_image(documents: Mapping[str, Any], one: _Listed) -> Chosen:
    layers = tuple(_blob(layer.get("digest")) for layer in _objects(one.document or {}, "layers"))
    tags = (one.tag,) if one.tag else ()
    return _chosen(documents, one.config_name, layers, tags, frozenset(one.digests))


def _manifests(
    documents: Mapping[str, Any], index: Any, depth: int, tag: str = "", above: tuple[str, ...] = ()
) -> Iterator[_Listed]:
    """Yield all manifests that an index lists, following indexes in indexes."""
    if not isinstance(index, Mapping):
        return
    if depth > _DEEPEST_INDEX:
        raise ArchiveError("The indexes of the archive lead in a circle. The archive was made to do harm.")
    for described in _objects(index, "manifests"):
        document = documents.get(_blob(described.get("digest")))
        notes, place = _object(described, "annotations"), _object(described, "platform")
        name = str(notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name") or tag)
        digests = (*above, str(described.get("digest")))
        if isinstance(document, Mapping) and "manifests" in document:
            yield from _manifests(documents, document, depth + 1, name, digests)
            continue
        architecture = str(place.get("architecture", ""))
        yield _Listed(
            platform=f"{place.get('os', 'linux')}/{architecture}" if architecture else "",
            tag=name,
            digests=digests,
            document=document if isinstance(document, Mapping) else None,
            is_attestation=notes.get(_KIND) == _ATTESTATION or architecture == _NO_PLATFORM,
        )


def _chosen(
    documents: Mapping[str, Any],
    config_name: str,
    layers: tuple[str, ...],
    tags: tuple[str, ...],
    digests: frozenset[str],
) -> Chosen:
    config = documents.get(config_name)
    if not isinstance(config, Mapping):
        raise ArchiveError(
            f"The archive lacks the image's configuration {config_name!r}. Pull the image again, then save it again."
        )
    diff_ids = _texts(_object(config, "rootfs"), "diff_ids")
    if len(diff_ids) != len(layers):
        raise ArchiveError(
            f"The archive lists {len(layers)} layers and its configuration {len(diff_ids)}. "
            "It is damaged: save the image again."
        )
    digest = config_name.rpartition("/")[2].removesuffix(".json")
    return Chosen(f"sha256:{digest}", tags, config, layers, diff_ids, digests)


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
    digest = f"sha256:{reference.removeprefix('sha256:')}"
    return bool(from_hub & {*one.tags}) or any(known.startswith(digest) for known in (one.id, *one.digests))


def _none(found: Sequence[Chosen], reference: str) -> tuple[Chosen, ...]:
    raise ArchiveError(f"The archive holds no image {reference!r}. It holds {_listed(found)}.")


def _listed(found: Sequence[Chosen]) -> str:
    return ", ".join(one.tags[0] if one.tags else one.id[:19] for one in found)
