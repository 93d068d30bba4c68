"""What a recording session knows: the store, the images it has seen, and what it must not write down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from layerlab.engine.protocol import Engine
from layerlab.engine.recorded.chains import base_chain
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.store import (
    BaseOrigin,
    Payload,
    Provenance,
    Store,
    base_key,
)
from layerlab.engine.recorder.redact import Redactor
from layerlab.errors import EngineRefused, ImageNotFound
from layerlab.image import normal_reference

STAND_IN_LABEL = "layerlab.standin"
# Of `docker info` only what describes the engine; the rest describes the machine.
_INFO = (
    "Architecture", "CgroupDriver", "CgroupVersion", "DefaultRuntime", "Driver", "IndexServerAddress",
    "LoggingDriver", "OperatingSystem", "OSType", "SecurityOptions", "ServerVersion",
)  # fmt: skip


class Session:
    """Shared by the recording engine, its builds and its containers."""

    def __init__(self, live: Engine, recordings: Store, redactor: Redactor) -> None:
        self.live = live
        self.recordings = recordings
        self.redactor = redactor
        self.session_images = SessionImages()
        self.base_ids: dict[str, str] = {}
        self._has_empty_cache = False

    def sign(self) -> None:
        """Write down where these recordings come from. Raises EngineRefused where they would not mix."""
        new = self._provenance()
        if self.recordings.is_signed and not self.recordings.provenance.is_comparable(new):
            old = self.recordings.provenance
            raise EngineRefused(
                f"These recordings were made by the {old.builder} builder on {old.platform}, and this engine is "
                f"{new.builder} on {new.platform}. Record all of the course anew with `layerlab record`."
            )
        self.recordings.provenance = new

    def empty_build_cache(self) -> None:
        """Empty BuildKit's cache, once: what is recorded must be what an engine does that is fresh in this session.

        Raises
        ------
        EngineRefused
            The engine is not ours alone, so its cache may be somebody's.
        """
        if self._has_empty_cache:
            return
        if self.live.info.kind != "private":
            raise EngineRefused(
                "Recording what BuildKit does begins with an empty build cache, and on this engine the cache may be "
                "somebody's. Record on the private engine (`layerlab engine start`)."
            )
        # Of no use to the classic builder, whose cache are images.
        self.live.client.api.prune_builds(all=True)
        self._has_empty_cache = True

    def record_base(self, reference: str) -> str | None:
        """Write down an image that the course did not build, and return its id; None if it is not there."""
        try:
            answer, history = self.live.inspect(reference), self.live.history(reference)
        except ImageNotFound:
            return None
        image_id = str(answer["Id"])
        self.base_ids[image_id] = reference
        if self.recordings.read("bases", base_key(reference)) is None:
            self.recordings.write("bases", base_key(reference), self._base(reference, answer, history))
            self.sign()
        return image_id

    def base_chain_of(self, image: str) -> str | None:
        """Return the chain of a base seen in this session, by its name or id."""
        for image_id, reference in self.base_ids.items():
            is_id = len(image) >= 6 and image_id.removeprefix("sha256:").startswith(image.removeprefix("sha256:"))
            if is_id or normal_reference(image) == normal_reference(reference):
                return base_chain(reference)
        return None

    def _base(self, reference: str, answer: Payload, history: list[Payload]) -> Payload:
        # Other names of the image are this machine's business.
        answer = {**without_storage(answer), "RepoTags": [normal_reference(reference)]}
        payload = {
            "reference": normal_reference(reference),
            "parent": "scratch",
            "origin": origin(answer),
            "inspect": answer,
            "history": [{**entry, "Tags": None} for entry in history],
            "diff_ids": list(answer["RootFS"]["Layers"]),
        }
        return self.redactor.value(payload)

    def _provenance(self) -> Provenance:
        info, client = self.live.info, self.live.client
        bases = [link for _, link in self.recordings.all("bases")]
        return Provenance(
            name=info.name,
            version=info.version,
            api_version=info.api_version,
            platform=info.platform,
            storage=info.storage,
            builder=info.builder,
            recorded_on=date.today(),
            bases=_origin_of_all([str(link["origin"]) for link in bases]),
            py_minor=_py_minor(bases),
            version_answer=self.redactor.value(_without_kernel(client.version())),
            info_answer=self.redactor.value({name: one for name, one in client.info().items() if name in _INFO}),
        )


def origin(answer: Payload) -> BaseOrigin:
    """Say whether an image is an official base or one of our stand-ins, by the label stand-ins carry."""
    labels = (answer.get("Config") or {}).get("Labels") or {}
    return "stand-in" if STAND_IN_LABEL in labels else "official"


def without_storage(answer: Payload) -> Payload:
    """Leave out of an inspect answer where the layers lie on the recording machine."""
    driver = answer.get("GraphDriver")
    return {**answer, "GraphDriver": {**driver, "Data": None}} if driver else answer


def _origin_of_all(origins: list[str]) -> BaseOrigin:
    kinds = set(origins)
    if not kinds:
        return "none"
    if len(kinds) > 1:
        return "mixed"
    return "stand-in" if kinds == {"stand-in"} else "official"


def _py_minor(bases: list[Payload]) -> str | None:
    """Return the Python minor version that most bases have: the PY_MINOR to build with on replay."""
    environments = ((link["inspect"].get("Config") or {}).get("Env") or () for link in bases)
    versions = [entry for env in environments for entry in env if entry.startswith("PYTHON_VERSION=")]
    found = Counter(".".join(entry.partition("=")[2].split(".")[:2]) for entry in versions)
    return max(sorted(found), key=lambda minor: found[minor]) if found else None


def _without_kernel(answer: Any) -> Any:
    if isinstance(answer, Mapping):
        return {name: _without_kernel(one) for name, one in answer.items() if name != "KernelVersion"}
    return [_without_kernel(one) for one in answer] if isinstance(answer, list) else answer
