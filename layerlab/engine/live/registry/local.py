"""Pushes to and fetches from a registry of ours on this machine, and counts. Used with a live engine."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from layerlab.engine.live.registry import program
from layerlab.engine.live.registry.serving import ContainerServing, ProgramServing, Serving
from layerlab.engine.registry import Blob, Transfer
from layerlab.errors import BaseError, EngineError, ImageNotFound, NoRegistry, PullFailed

if TYPE_CHECKING:
    from layerlab.engine.live import LiveEngine

_REPOSITORY = "layerlab/transfer"
_HELD = ("Layer already exists", "Mounted from")
_CAME = ("Pull complete", "Download complete")


class LocalRegistry:
    """See `layerlab.engine.registry.Registry`.

    All images go into one repository, as the versions of one service do: layers are looked for within it.
    """

    def __init__(self, engine: LiveEngine, serving: Serving) -> None:
        self._engine = engine
        self._serving = serving
        self._pushed: dict[str, str] = {}

    @classmethod
    def open(cls, engine: LiveEngine, *, say: Callable[[str], None] = print) -> LocalRegistry:
        """Start a registry that this engine can reach: its program, else its image in a container.

        Raises
        ------
        NoRegistry
            Neither can be had, or the engine is on another machine.
        """
        if not engine.info.endpoint.startswith("unix://"):
            raise NoRegistry(f"The engine at {engine.info.endpoint} can't reach this machine's loopback.")
        return cls(engine, _serving(engine, say))

    def push(self, image: str) -> Transfer:
        """Push an image."""
        image_id = str(self._engine.inspect(image)["Id"])
        reference = self._name(image_id)
        with self._engine.lent_name(image_id, reference):
            began = time.perf_counter()
            told = [event.data for event in self._engine.push(reference)]
        seconds = time.perf_counter() - began
        self._pushed[image_id] = reference
        held = _said(told, _HELD)
        return Transfer("push", self._blobs(image_id, lambda names: bool(held & names)), seconds)

    def pull(self, image: str) -> Transfer:
        """Let the engine pull what was pushed."""
        image_id, reference = self._known(image)
        began = time.perf_counter()
        try:
            told = [event.data for event in self._engine.pull(reference)]
        finally:
            self._engine.drop_name(reference)
            self._engine.journal.forget("base", reference)
        seconds = time.perf_counter() - began
        # Of layers that are here already a pull may say nothing at all; of those that came it does.
        came = _said(told, _CAME)
        return Transfer("pull", self._blobs(image_id, lambda names: not came & names), seconds)

    def fetch(self, image: str, *, having: str | None = None) -> Transfer:
        """Fetch what a machine lacks that holds the layers of another image."""
        image_id, _ = self._known(image)
        layers = self._layers(image_id)
        held = {one["digest"] for one in self._layers(self._known(having)[0])} if having else set()
        diff_ids = self._engine.inspect(image_id)["RootFS"]["Layers"]
        began = time.perf_counter()
        for layer, diff_id in zip(layers, diff_ids, strict=True):
            if layer["digest"] not in held:
                _check(self._serving.blob(_REPOSITORY, layer["digest"]), layer, diff_id)
        seconds = time.perf_counter() - began
        return Transfer("fetch", tuple(_blob(one, one["digest"] in held) for one in layers), seconds)

    def close(self) -> None:
        """End it."""
        self._serving.stop()

    def __enter__(self) -> LocalRegistry:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _name(self, image_id: str) -> str:
        return f"{self._serving.address}/{_REPOSITORY}:{image_id.removeprefix('sha256:')[:12]}"

    def _known(self, image: str) -> tuple[str, str]:
        self._serving.must_run()
        image_id = str(self._engine.inspect(image)["Id"])
        if image_id not in self._pushed:
            raise ImageNotFound(f"{image} was not pushed to this registry. Push it first.")
        return image_id, self._pushed[image_id]

    def _layers(self, image_id: str) -> list[dict[str, Any]]:
        tag = self._pushed[image_id].rpartition(":")[2]
        return list(self._serving.manifest(_REPOSITORY, tag)["layers"])

    def _blobs(self, image_id: str, was_there: Callable[[set[str]], bool]) -> tuple[Blob, ...]:
        diff_ids = self._engine.inspect(image_id)["RootFS"]["Layers"]
        # Events call a layer by the beginning of one of its two hashes: which one depends on verb and store.
        return tuple(
            _blob(layer, was_there({_short(layer["digest"]), _short(diff_id)}))
            for layer, diff_id in zip(self._layers(image_id), diff_ids, strict=True)
        )


def _serving(engine: LiveEngine, say: Callable[[str], None]) -> Serving:
    try:
        found = program.program(say)
    except NoRegistry as no_program:
        try:
            return ContainerServing(engine)
        except (EngineError, BaseError) as error:
            raise NoRegistry(f"{no_program} Nor can its image run in a container: {error}") from error
    return ProgramServing(found)


def _said(told: Iterable[Any], statuses: tuple[str, ...]) -> set[str]:
    """Return the layers of which the engine said one of these."""
    return {str(one.get("id")) for one in told if str(one.get("status", "")).startswith(statuses)}


def _blob(layer: dict[str, Any], was_there: bool) -> Blob:
    return Blob(str(layer["digest"]), int(layer["size"]), was_there)


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:12]


def _check(chunks: Iterable[bytes], layer: dict[str, Any], diff_id: str) -> None:
    """Unpack a layer into nothing, and hold both of its hashes against what was promised."""
    packed, unpacked = hashlib.sha256(), hashlib.sha256()
    is_gzip = str(layer.get("mediaType", "")).endswith("gzip")
    opened = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        packed.update(chunk)
        unpacked.update(opened.decompress(chunk) if is_gzip else b"")
    if f"sha256:{packed.hexdigest()}" != layer["digest"] or (is_gzip and f"sha256:{unpacked.hexdigest()}" != diff_id):
        raise PullFailed(f"The layer {layer['digest']} arrived damaged. Push the image again.")
