"""Image archives made by the standard library's tarfile: an oracle nobody here wrote, in every layout there is."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import zstandard

Add = tuple[tarfile.TarInfo, bytes]

PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


def file(path: str, content: bytes = b"", **attributes: object) -> Add:
    info = tarfile.TarInfo(path)
    info.size = len(content)
    return _with(info, attributes), content


def special(path: str, kind: bytes, **attributes: object) -> Add:
    info = tarfile.TarInfo(path)
    info.type = kind
    return _with(info, attributes), b""


def folder(path: str, **attributes: object) -> Add:
    return special(path, tarfile.DIRTYPE, mode=0o755, **attributes)


def _with(info: tarfile.TarInfo, attributes: dict[str, object]) -> tarfile.TarInfo:
    for name, value in attributes.items():
        setattr(info, name, value)
    return info


def tar(added: Iterable[Add], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, content in added:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def diff_ids(layers: Sequence[bytes]) -> list[str]:
    return [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]


def image_id(layers: Sequence[bytes]) -> str:
    return f"sha256:{hashlib.sha256(config(layers)).hexdigest()}"


def config(layers: Sequence[bytes]) -> bytes:
    history = [{"created_by": f"RUN step {index}"} for index, _ in enumerate(layers)]
    history.append({"created_by": 'CMD ["x"]', "empty_layer": True})
    body = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["x"], "User": "7"},
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids(layers)},
    }
    return json.dumps(body).encode()


def docker_save(layers: Sequence[bytes], tags: Sequence[str] = ("layerlab/x:1",)) -> bytes:
    """The layout of 20.10: a folder a layer, and the lists at the end. A layer seen before is a link to the first."""
    members: list[Add] = []
    names: list[str] = []
    seen: dict[bytes, str] = {}
    for index, layer in enumerate(layers):
        name = f"{index:064x}/layer.tar"
        if layer in seen:
            members.append(special(name, tarfile.SYMTYPE, linkname=f"../{seen[layer]}"))
        else:
            members += [folder(f"{index:064x}/"), file(f"{index:064x}/VERSION", b"1.0"), file(name, layer)]
        seen.setdefault(layer, name)
        names.append(name)
    body = config(layers)
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    listed = [{"Config": name, "RepoTags": list(tags), "Layers": names}]
    return tar([*members, file(name, body), file("manifest.json", json.dumps(listed).encode())])


def podman(layers: Sequence[bytes], tags: Sequence[str] = ("localhost/layerlab/x:1",)) -> bytes:
    """Podman's flat layout."""
    names = [f"{hashlib.sha256(layer).hexdigest()}.tar" for layer in layers]
    body = config(layers)
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    listed = [{"Config": name, "RepoTags": list(tags), "Layers": names}]
    contents = [file(one, layer) for one, layer in zip(names, layers, strict=True)]
    return tar([*contents, file(name, body), file("manifest.json", json.dumps(listed).encode())])


def oci(layers: Sequence[bytes], packing: str = "gzip", tag: str = "layerlab/x:1") -> bytes:
    """An OCI layout with an index in the index, as buildx writes it, and the manifest of its provenance beside."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    listed = [blob(PACKINGS[packing](layer)) for layer in layers]
    manifest = {"schemaVersion": 2, "config": blob(config(layers)), "layers": listed}
    attestation = {"schemaVersion": 2, "config": blob(config([])), "layers": []}
    inner = {
        "schemaVersion": 2,
        "manifests": [
            {**blob(json.dumps(manifest).encode()), "platform": {"os": "linux", "architecture": "amd64"}},
            {**blob(json.dumps(attestation).encode()), "platform": {"os": "unknown", "architecture": "unknown"}},
        ],
    }
    outer = {"manifests": [{**blob(json.dumps(inner).encode()), "annotations": {"io.containerd.image.name": tag}}]}
    members = [file(name, data) for name, data in blobs.items()]
    return tar([file("oci-layout", b"{}"), file("index.json", json.dumps(outer).encode()), *members])


def digests(archive: bytes) -> tuple[str, ...]:
    """The digests in an archive by `oci`: of the index, the manifest and the configuration."""
    documents = _documents(archive)
    index = documents["index.json"]["manifests"][0]["digest"]
    manifest = documents[_name(index)]["manifests"][0]["digest"]
    return index, manifest, documents[_name(manifest)]["config"]["digest"]


def layer_names(archive: bytes) -> list[str]:
    """The members of an archive by `oci` that are its layers, base-first."""
    documents = _documents(archive)
    return [_name(one["digest"]) for one in documents[_name(digests(archive)[1])]["layers"]]


def added(archive: bytes, member: Add) -> bytes:
    """An archive with one member more."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        held = [file(one.name, _content(opened, one)) for one in opened.getmembers()]
    return tar([*held, member])


def _documents(archive: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        contents = {one.name: _content(opened, one) for one in opened.getmembers()}
    return {name: json.loads(data) for name, data in contents.items() if data[:1] == b"{"}


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    held = opened.extractfile(member)
    assert held is not None
    return held.read()


def _name(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")
