"""An engine that only replays: a build cache nobody can write to. No threads, no processes, no Docker SDK."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

from layerlab.archive import LayerFiles, PackedLayer, columns
from layerlab.engine.protocol import USUAL_NAMESPACE, BuildRequest, EngineInfo, ExecResult, RawEvent, StartRequest
from layerlab.engine.recorded.chains import Chains, base_chain, summary
from layerlab.engine.recorded.operations import decode, in_short, run_key, start_arguments, start_key
from layerlab.engine.recorded.raw_client import RawClient
from layerlab.engine.recorded.replay_build import ReplayedBuild
from layerlab.engine.recorded.replay_buildkit import ReplayedBuildKit
from layerlab.engine.recorded.replay_container import ReplayedContainer
from layerlab.engine.recorded.replay_registry import ReplayedRegistry
from layerlab.engine.recorded.replay_steps import ReplayedSteps
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.steps import BuildEnvironment
from layerlab.engine.recorded.store import Payload, Provenance, Store, base_key, layer_key
from layerlab.errors import ImageNotFound, NotOurs, NotRecorded

_START_ENGINE = "To do it for real, start an engine (`layerlab doctor` says how)."


class RecordedEngine:
    """See `layerlab.engine.protocol.Engine`. Open one with `RecordedEngine.open`.

    It behaves like an engine that held nothing but the recorded bases when the session began: an image
    is there once this session has built it.
    """

    def __init__(self, recordings: Store, *, why: str, namespace: str = USUAL_NAMESPACE) -> None:
        self._recordings = recordings
        self._chains = Chains(recordings)
        self._session_images = SessionImages()
        self._starts: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self.provenance: Provenance = recordings.provenance
        self._info = replace(_describe(self.provenance, why), namespace=namespace)

    @classmethod
    def open(
        cls, *, why: str, notebook: str = "", recordings: Path | None = None, namespace: str = USUAL_NAMESPACE
    ) -> RecordedEngine:
        """Open the recordings in a folder, by default the one of `Store.open`.

        Raises
        ------
        NotRecorded
            There are none.
        RecordingDamaged
            Their provenance cannot be read.
        """
        return cls(Store.open(notebook, folder=recordings), why=why, namespace=namespace)

    @property
    def info(self) -> EngineInfo:
        """The engine that was recorded, and when."""
        return self._info

    @property
    def client(self) -> RawClient:
        """An object with just the calls of the Docker SDK that notebooks show raw."""
        return RawClient(self, version=self.provenance.version_answer, info=self.provenance.info_answer)

    def build(self, request: BuildRequest) -> ReplayedBuild | ReplayedBuildKit | ReplayedSteps:
        """Replay a build, as far as its steps are recorded."""
        if request.tag:
            self._require_ours(request.tag)
        if "buildkit" in (request.builder, self.info.builder):
            around = replace(self._build_environment(), builder="buildkit")
            # Until all is recorded anew there are recordings of whole builds.
            is_whole = next(self._recordings.keys("solves"), None) is not None
            return (ReplayedBuildKit if is_whole else ReplayedSteps)(
                request, recordings=self._recordings, images=self._session_images, environment=around
            )
        return ReplayedBuild(
            request,
            recordings=self._recordings,
            images=self._session_images,
            environment=self._build_environment(),
        )

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the recorded answer of ``GET /images/{image}/json``."""
        chain = self._chain(image)
        return self._chains.inspect(chain, tags=self._tags(chain))

    def history(self, image: str) -> list[dict[str, Any]]:
        """Return the recorded answer of ``GET /images/{image}/history``, newest first."""
        chain = self._chain(image)
        base = self._chains.foundation(chain)
        tagged = {self._chains.image_id(one): self._tags(one) for one in (base, chain) if one}
        return self._chains.history(chain, tags={**self._session_images.by_image(), **tagged})

    def images(self) -> list[dict[str, Any]]:
        """Return recorded bases and what this session built, newest first."""
        chains = [base_chain(link["reference"]) for _, link in self._recordings.all("bases")]
        chains += [chain for _, chain in self._session_images.tagged() if chain not in chains]
        entries = [self._entry(chain) for chain in chains]
        return sorted(entries, key=lambda entry: -int(entry["Created"]))

    def save(self, image: str) -> Iterator[bytes]:
        """Raise NotRecorded: archives are too large to keep."""
        self._chain(image)
        _refuse(f"The archive of {image} is not recorded.")

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        """Return what the layers held when they were recorded."""
        diff_ids = self.inspect(image)["RootFS"]["Layers"]
        found = [self._recordings.read("layers", layer_key(diff_id)) for diff_id in diff_ids]
        if None in found:
            _refuse(f"What the layers of {image} hold is not recorded.")
        return tuple(columns.decode(one["layer"]) for one in found if one)

    def layer_sizes(self, image: str) -> tuple[int, ...]:
        """Return the size on disk of each layer, as it was when it was recorded."""
        diff_ids = self.inspect(image)["RootFS"]["Layers"]
        sizes = [self._layer_size(diff_id) for diff_id in diff_ids]
        if None in sizes:
            _refuse(f"The size of each layer of {image} is not recorded.")
        return tuple(size for size in sizes if size is not None)

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        """Return what the layers took packed when they were recorded."""
        diff_ids = self.inspect(image)["RootFS"]["Layers"]
        found = [self._recordings.read("packed", layer_key(diff_id)) for diff_id in diff_ids]
        if None in found:
            _refuse(f"What the layers of {image} take packed is not recorded.")
        return tuple(PackedLayer(**one["layer"]) for one in found if one)

    def pull(self, reference: str) -> Iterator[RawEvent]:
        """Report a recorded base as present; raise NotRecorded for any other image."""
        if self._recordings.read("bases", base_key(reference)) is None:
            _refuse(f"Pulling {reference} is not recorded.")
        return iter([RawEvent(0.0, {"status": f"{reference}: recorded", "id": ""})])

    def push(self, reference: str) -> Iterator[RawEvent]:
        """Raise NotRecorded: there is nothing to send."""
        _refuse(f"Pushing {reference} is not recorded.")

    def registry(self) -> ReplayedRegistry:
        """Return a registry that answers with recorded transfers."""
        return ReplayedRegistry(self._recordings, self._chain)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name, for this session."""
        self._require_ours(reference)
        chain = self._chain(image)
        image_id = self._chains.image_id(chain)
        self._session_images.add(image_id, chain)
        self._session_images.tag(reference, image_id)

    def start(self, request: StartRequest) -> ReplayedContainer:
        """Return a container that answers what it answered when it was recorded."""
        arguments = start_arguments(request)
        key = start_key(self._chain(request.image), arguments)
        found = self._recordings.read("containers", key)
        if found is None:
            _refuse(f"A container of {request.image} started this way is not recorded.")
        nth = self._starts.get(key, 0)
        self._starts[key] = nth + 1
        begun = found["starts"][min(nth, len(found["starts"]) - 1)]
        if "error" in begun:
            decode("start", begun)
        container_id = begun["id"] if nth < len(found["starts"]) else _another_id(key, nth)
        return ReplayedContainer(container_id, image=request.image, operations=found["operations"])

    def run(self, image: str, command: Sequence[str] | None = None, *, user: str | None = None) -> ExecResult:
        """Return what the command printed when it was recorded."""
        found = self._recordings.read("containers", run_key(self._chain(image), command, user))
        if found is None:
            _refuse(f"Running `{in_short(command or ('its own command',))}` in {image} is not recorded.")
        return cast(ExecResult, decode("run", found["answer"]))

    def remove(self, image: str) -> None:
        """Forget an image, or its tag, that this session made."""
        self._chain(image)
        if self._session_images.find(image) is None:
            raise NotOurs(f"{image!r} was not made by this course, so it stays. Remove it yourself if you want to.")
        self._session_images.drop(image)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _layer_size(self, diff_id: str) -> int | None:
        if diff_id not in self._sizes:
            key = layer_key(diff_id)
            if (size := self._recordings.read("sizes", key)) is not None:
                self._sizes[diff_id] = int(size["layer"])
            elif (held := self._recordings.read("layers", key)) is not None:
                self._sizes[diff_id] = columns.decode(held["layer"]).size_bytes
        return self._sizes.get(diff_id)

    def _require_ours(self, reference: str) -> None:
        namespace = self._info.namespace
        if not reference.startswith(namespace):
            raise NotOurs(
                f"The course names images only under {namespace!r}, and {reference!r} is not. "
                f"Call it {namespace}{reference.rpartition('/')[2]}."
            )

    def _build_environment(self) -> BuildEnvironment:
        return BuildEnvironment(
            builder=self._info.builder,
            platform=self._info.platform,
            chain_of=self._session_images.chain,
            env_of=self._env_of,
        )

    def _env_of(self, reference: str) -> Mapping[str, str]:
        try:
            answer = self.inspect(reference)
        except ImageNotFound:
            return {}
        return environment(answer)

    def _chain(self, image: str) -> str:
        chain = self._session_images.chain(image) or self._base_chain(image)
        if chain is None:
            raise ImageNotFound(
                f"No image {image!r} is here: a recorded engine holds its bases and what this session has built. "
                "Build it first, then ask again."
            )
        return chain

    def _base_chain(self, image: str) -> str | None:
        if self._recordings.read("bases", base_key(image)) is not None:
            return base_chain(image)
        wanted = image.removeprefix("sha256:")
        for _, link in self._recordings.all("bases"):
            if len(wanted) >= 6 and str(link["inspect"]["Id"]).removeprefix("sha256:").startswith(wanted):
                return base_chain(link["reference"])
        return None

    def _tags(self, chain: str) -> list[str]:
        base = self._chains.base(chain)
        return ([base] if base else []) + self._session_images.tags_of(self._chains.image_id(chain))

    def _entry(self, chain: str) -> Payload:
        history = self._chains.history(chain, tags={})
        created = int(history[0]["Created"]) if history else 0
        return summary(self._chains.inspect(chain, tags=self._tags(chain)), created=created)


def environment(answer: Payload) -> dict[str, str]:
    """Return the ENV in an inspect answer."""
    pairs = (entry.partition("=") for entry in (answer.get("Config") or {}).get("Env") or ())
    return {name: value for name, _, value in pairs}


def _describe(provenance: Provenance, why: str) -> EngineInfo:
    return EngineInfo(
        kind="recorded",
        name=provenance.name,
        version=provenance.version,
        api_version=provenance.api_version,
        platform=provenance.platform,
        storage=provenance.storage,
        builder=provenance.builder,
        endpoint="recordings",
        why=why,
        recorded_on=provenance.recorded_on,
        is_fresh=True,
    )


def _refuse(what: str) -> NoReturn:
    raise NotRecorded(f"{what} {_START_ENGINE}")


def _another_id(key: str, nth: int) -> str:
    return hashlib.sha256(f"{key} {nth}".encode()).hexdigest()
