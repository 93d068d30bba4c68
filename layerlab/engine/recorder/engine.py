"""Wraps a live engine and writes down everything that passes the seam, so that it can be replayed.

To its user it looks like a fresh engine: images that this session did not build are not shown, because
on replay they would not be there either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from layerlab.archive import LayerFiles, PackedLayer, columns
from layerlab.engine.mounts import mounted
from layerlab.engine.protocol import BuildRequest, Container, Engine, EngineInfo, ExecResult, RawEvent, StartRequest
from layerlab.engine.recorded.chains import Chains, base_chain
from layerlab.engine.recorded.engine import environment
from layerlab.engine.recorded.operations import FAILURES, encode, run_key, start_arguments, start_key
from layerlab.engine.recorded.raw_client import RawClient
from layerlab.engine.recorded.replay_registry import RecordingRegistry
from layerlab.engine.recorded.session_images import is_id
from layerlab.engine.recorded.steps import BuildEnvironment
from layerlab.engine.recorded.store import Kind, Payload, Store, layer_key
from layerlab.engine.recorder.build import RecordingBuild
from layerlab.engine.recorder.buildkit import RecordingBuildKit
from layerlab.engine.recorder.container import RecordingContainer
from layerlab.engine.recorder.redact import Redactor
from layerlab.engine.recorder.session import Session
from layerlab.errors import ImageNotFound, LayerLabError, NotOurs
from layerlab.image import normal_reference


class RecordingEngine:
    """See `layerlab.engine.protocol.Engine`. Open one with `RecordingEngine.open`.

    Notes
    -----
    Every step is asked for the image it left (the classic builder's `` ---> ID`` lines). Podman may keep
    no image for a step; then its history entry and layer are recorded with the next step that has one,
    and a build that replays only up to there gives events and no image.
    """

    def __init__(self, session: Session) -> None:
        self._live = session.live
        self._session = session
        self._starts: dict[str, int] = {}

    @classmethod
    def open(cls, live: Engine) -> RecordingEngine:
        """Wrap an engine; write to the file that LAYERLAB_RECORDINGS names.

        Raises
        ------
        EngineRefused
            What is recorded there comes from another builder or platform.
        NotRecorded
            LAYERLAB_RECORDINGS names no such file.
        """
        return cls.on(live, Store.to_record())

    @classmethod
    def on(cls, live: Engine, recordings: Store) -> RecordingEngine:
        """Wrap an engine and write to these recordings; see `open`."""
        session = Session(live, recordings, Redactor.of_this_machine(recordings.path.parent))
        session.sign()
        return cls(session)

    @property
    def info(self) -> EngineInfo:
        """The live engine's own description; to its user it is a fresh one."""
        return replace(self._live.info, is_fresh=True)

    @property
    def client(self) -> RawClient:
        """The same few calls that a recorded engine offers, so that what is recorded can be replayed."""
        return RawClient(self, version=self._live.client.version(), info=self._live.client.info())

    def build(self, request: BuildRequest) -> RecordingBuild | RecordingBuildKit:
        """Start a build that is written down when it ends."""
        namespace = self.info.namespace
        if request.tag and not request.tag.startswith(namespace):
            raise NotOurs(f"The course names images only under {namespace!r}, and {request.tag!r} is not.")
        if "buildkit" in (request.builder, self.info.builder):
            around = replace(self._build_environment(), builder="buildkit")
            return RecordingBuildKit(request, session=self._session, environment=around)
        return RecordingBuild(request, session=self._session, environment=self._build_environment())

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the engine's answer; the image of another is recorded as a base."""
        self._chain(image)
        answer = self._live.inspect(image)
        return {**answer, "RepoTags": self._visible(answer.get("RepoTags"))}

    def history(self, image: str) -> list[dict[str, Any]]:
        """Return the engine's answer; the image of another is recorded as a base."""
        self._chain(image)
        entries = self._live.history(image)
        return [{**entry, "Tags": self._visible(entry.get("Tags")) or None} for entry in entries]

    def images(self) -> list[dict[str, Any]]:
        """Return what this session built, and every image that is not the course's own."""
        built = {image_id for image_id, _ in self._session.session_images.tagged()}
        return [entry for entry in self._live.images() if entry["Id"] in built or self._is_others(entry)]

    def save(self, image: str) -> Iterator[bytes]:
        """Stream the archive; it is not recorded."""
        self._chain(image)
        return self._live.save(image)

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        """Return what the layers hold, and record each by the diff_id that a replay asks for."""
        layers = self._live.layer_files(image)
        for diff_id, layer in zip(self._replayed(image, layers), layers, strict=True):
            self._note_layer("layers", diff_id, columns.encode(replace(layer, diff_id=diff_id)))
        return layers

    def layer_sizes(self, image: str) -> tuple[int, ...]:
        """Return the size on disk of each layer, and record each by the diff_id that a replay asks for."""
        sizes = self._live.layer_sizes(image)
        recorded = Chains(self._session.recordings).diff_ids(self._chain(image))
        diff_ids = recorded if len(recorded) == len(sizes) else self._live.inspect(image)["RootFS"]["Layers"]
        for diff_id, size in zip(diff_ids, sizes, strict=True):
            self._note_layer("sizes", diff_id, size)
        return sizes

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        """Return what the layers take packed, and record each by the diff_id that a replay asks for."""
        layers = self._live.packed_layers(image)
        for diff_id, layer in zip(self._replayed(image, layers), layers, strict=True):
            self._note_layer("packed", diff_id, asdict(replace(layer, diff_id=diff_id)))
        return layers

    def pull(self, reference: str) -> Iterator[RawEvent]:
        """Pull; on replay the image is there, with nothing to see of how it came."""
        yield from self._live.pull(reference)
        self._session.record_base(reference)

    def push(self, reference: str) -> Iterator[RawEvent]:
        """Push; it is not recorded."""
        return self._live.push(reference)

    def registry(self) -> RecordingRegistry:
        """Open a registry whose transfers are written down."""
        return RecordingRegistry(self._live.registry(), self._session.recordings, self._chain)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        chain = self._chain(image)
        self._live.tag(image, reference)
        image_id = str(self._live.inspect(image)["Id"])
        self._session.session_images.add(image_id, chain)
        self._session.session_images.tag(reference, image_id)

    def start(self, request: StartRequest) -> Container:
        """Start a container; every question to it is written down with its answer."""
        arguments = start_arguments(request)
        chain = self._chain(request.image)
        key = start_key(chain, arguments)
        written = self._session.recordings.read("containers", key) or {"starts": [], "operations": {}}
        # A folder may lie anywhere, and an engine's message or a program's log names it.
        redactor = self._session.redactor.also(*(one.source for one in mounted(request.mounts) if one.is_local))
        written |= {"image": chain, "arguments": redactor.value(arguments)}
        try:
            container = self._live.start(request)
        except tuple(FAILURES.values()) as error:
            self._note_start(key, written, redactor.value(encode(error)))
            raise
        self._note_start(key, written, {"id": container.id})
        return RecordingContainer(
            container, key=key, written=written, recordings=self._session.recordings, redactor=redactor
        )

    def run(self, image: str, command: Sequence[str] | None = None, *, user: str | None = None) -> ExecResult:
        """Run a container to its end, and write down what it printed."""
        chain = self._chain(image)
        answer: object
        try:
            answer = result = self._live.run(image, command, user=user)
        except tuple(FAILURES.values()) as error:
            self._note_run(chain, command, user, error)
            raise
        self._note_run(chain, command, user, answer)
        return result

    def remove(self, image: str) -> None:
        """Remove an image, or its tag, that this session made."""
        if self._session.session_images.find(image) is None:
            self._chain(image)
            raise NotOurs(f"{image!r} was not made by this course, so it stays. Remove it yourself if you want to.")
        self._live.remove(image)
        self._session.session_images.drop(image)

    def close(self) -> None:
        """Close the live engine's connection."""
        self._live.close()

    def _build_environment(self) -> BuildEnvironment:
        info = self._live.info
        return BuildEnvironment(info.builder, info.platform, self._session.session_images.chain, self._env_of)

    def _env_of(self, reference: str) -> Mapping[str, str]:
        try:
            return environment(self._live.inspect(reference))
        except ImageNotFound:
            return {}

    def _visible(self, tags: Sequence[str] | None) -> list[str]:
        """Leave out the names that an image has from elsewhere: on replay nobody knows them."""
        bases = {normal_reference(reference) for reference in self._session.base_ids.values()}
        return [tag for tag in tags or () if tag in bases or self._session.session_images.is_tag(tag)]

    def _chain(self, image: str) -> str:
        chain = self._session.session_images.chain(image) or self._session.base_chain_of(image)
        if chain is not None:
            return chain
        reference = self._name_of(image)
        if reference is None or not self._session.record_base(reference):
            raise ImageNotFound(f"The engine holds no image {image!r}. Build or pull it first, then ask again.")
        return base_chain(reference)

    def _replayed(self, image: str, layers: Sequence[LayerFiles | PackedLayer]) -> Sequence[str]:
        """Return the layers that a replay gives this image.

        A step that was run twice while it was recorded, the second time without the cache, left two layers of the
        same files with other times in them, and the recording of the step names the first. An image that has not a
        layer for each that was recorded is taken as it is.
        """
        recorded = Chains(self._session.recordings).diff_ids(self._chain(image))
        return recorded if len(recorded) == len(layers) else [layer.diff_id for layer in layers]

    def _note_layer(self, kind: Kind, diff_id: str, layer: object) -> None:
        key = layer_key(diff_id)
        if self._session.recordings.read(kind, key) is None:
            self._session.recordings.write(kind, key, {"layer": layer})

    def _name_of(self, image: str) -> str | None:
        """Return the name under which an image can be recorded as a base; the course's own images have none."""
        if not is_id(image):
            return None if image.startswith(self.info.namespace) else image
        try:
            tags = self._live.inspect(image).get("RepoTags") or ()
        except ImageNotFound:
            return None
        return next((tag for tag in tags if not self._is_own_or_none(tag)), None)

    def _note_start(self, key: str, written: Payload, begun: Payload) -> None:
        nth = self._starts.get(key, 0)
        self._starts[key] = nth + 1
        if nth == len(written["starts"]):
            written["starts"].append(begun)
        self._session.recordings.write("containers", key, written)

    def _note_run(
        self, chain: str, command: Sequence[str] | None, user: str | None, answer: ExecResult | LayerLabError
    ) -> None:
        words = None if command is None else list(command)
        asked = self._session.redactor.value({"command": words, "user": user})
        given = self._session.redactor.value(encode(answer))
        payload = {"image": chain, "arguments": asked, "answer": given}
        self._session.recordings.write("containers", run_key(chain, command, user), payload)

    def _is_others(self, entry: Payload) -> bool:
        return any(not self._is_own_or_none(tag) for tag in entry.get("RepoTags") or ())

    def _is_own_or_none(self, tag: str) -> bool:
        return tag.startswith((self.info.namespace, "<none>"))
